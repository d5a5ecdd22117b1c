/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"

#include "service/confine_ports.h"
#include "service/region.h"

static void test_only_regions_of_the_union_are_taken(void **state)
{
	static const struct {
		const char *region;
		bool wanted;
	} cases[] = {
		{"eu-west-1", true},
		{"eu-west-1b", true},
		{"eu-central-1", true},
		{"europe-west4", true},
		{"europe-west12", true},
		{"europe-west4-a", true},
		{"westeurope", true},
		{"eu-be", true},
		{"eu-be-brussels-2", true},
		{"eu-west-2", false},    /* London */
		{"eu-central-2", false}, /* Zurich */
		{"europe-west2", false}, /* London */
		{"europe-west6", false}, /* Zurich */
		{"europe-west2-b", false},
		{"eu-west-11", false},
		{"eu-", false},
		{"eu", false},
		{"eu-uk", false},
		{"us-east-1", false},
		{"", false},
		{"EU-WEST-1", false},
		{" eu-west-1", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		CHECK(cases[i].region, region_is_eu(str_from(cases[i].region)) == cases[i].wanted);
}

static void test_ports_are_found_in_what_configurations_say(void **state)
{
	static const struct {
		const char *text;
		size_t count;
		uint16_t first, second;
	} cases[] = {
		{"127.0.0.1:8443", 1, 8443, 0},
		{"0.0.0.0:443,[::]:8443", 2, 443, 8443},
		{"tls+tcp://host:7001, tls+tcp://other:7002", 2, 7001, 7002},
		{"smtp://mail.example", 1, 25, 0},
		{"smtps://mail.example:2465/path:9", 1, 2465, 0},
		{"https://proxy.example", 1, 443, 0},
		{"[::1]", 0, 0, 0},
		{"/run/redis.sock", 0, 0, 0},
		{"host:99999", 0, 0, 0},
		{"host:", 0, 0, 0},
		{"", 0, 0, 0},
		{"a:1,b:1,c:1", 1, 1, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct confine_ports set = {.count = 0};

		confine_ports_add_text(&set, str_from(cases[i].text));
		CHECK(cases[i].text, set.count == cases[i].count);
		CHECK(cases[i].text, set.count < 1 || set.ports[0] == cases[i].first);
		CHECK(cases[i].text, set.count < 2 || set.ports[1] == cases[i].second);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_regions_of_the_union_are_taken),
		cmocka_unit_test(test_ports_are_found_in_what_configurations_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
