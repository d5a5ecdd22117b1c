/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"
#include "rules.h"

static void test_names_of_zones(void **state)
{
	static const struct {
		const char *name, *zone;
		bool ok;
	} cases[] = {
		{"a usual one", "Europe/Paris", true},
		{"three parts", "America/Argentina/Buenos_Aires", true},
		{"a hyphen", "America/Port-au-Prince", true},
		{"UTC", "UTC", true},
		{"an offset as tzdata names it", "Etc/GMT+5", true},
		{"nothing", "", false},
		{"an abbreviation", "CET", false},
		{"small letters", "europe/paris", false},
		{"a POSIX rule", "CET-1CEST", false},
		{"a POSIX rule behind a name that looks right", "Europe/Paris3", false},
		{"the way out", "../../etc/passwd", false},
		{"the way out, behind", "Europe/../../passwd", false},
		{"a slash at the end", "Europe/", false},
		{"a slash at the beginning", "/Europe/Paris", false},
		{"two slashes", "Europe//Paris", false},
		{"a folder of the system", "posix/Europe/Paris", false},
		{"a blank", "Europe/ Paris", false},
		{"an accent", "Europe/Pari\xc3\xa9", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		CHECK(cases[i].name, rules_zone_grammar(str_from(cases[i].zone)) == cases[i].ok);
}

static void test_versions(void **state)
{
	static const struct {
		const char *name;
		int64_t if_match, version;
		enum err err;
	} cases[] = {
		{"the version read", 4, 4, OK},
		{"any", -1, 4, OK},
		{"an older one", 3, 4, ERR_VERSION_STALE},
		{"a newer one", 5, 4, ERR_VERSION_STALE},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		CHECK(cases[i].name, rules_version(cases[i].if_match, cases[i].version).err == cases[i].err);
}

static void test_changing_an_area(void **state)
{
	static const int64_t five = 5, ten = 10, day = 1440, hour = 60;
	static const struct {
		const char *name;
		enum inventory inventory;
		struct area_change change;
		int64_t peak;
		enum err err;
		int64_t policy_version, lookback_min;
	} cases[] = {
		{"a name is no rule", INVENTORY_POOLED, {.name = {"x", 1}}, 0, OK, 1, 600},
		{"a capacity is", INVENTORY_POOLED, {.capacity = &ten}, 0, OK, 2, 600},
		{"a capacity as booked", INVENTORY_POOLED, {.capacity = &five}, 5, OK, 2, 600},
		{"a capacity below", INVENTORY_POOLED, {.capacity = &five}, 6, ERR_CONFLICT, 1, 600},
		{"a capacity of named spots", INVENTORY_NAMED, {.capacity = &five}, 0, ERR_RULE, 1, 600},
		{"longer stays make reads look back further", INVENTORY_NAMED, {.longest_stay_min = &day}, 0, OK, 2,
			1440},
		{"shorter stays do not: longer ones stand", INVENTORY_NAMED, {.longest_stay_min = &hour}, 0, OK, 2,
			600},
		{"the window", INVENTORY_NAMED, {.window_days = &ten}, 0, OK, 2, 600},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct area_row area = {.inventory = cases[i].inventory,
			.capacity = 20,
			.longest_stay_min = 600,
			.lookback_min = 600,
			.window_days = 365,
			.policy_version = 1,
			.version = 1};

		CHECK(cases[i].name, rules_area_change(&area, &cases[i].change, cases[i].peak).err == cases[i].err);
		CHECK(cases[i].name, area.policy_version == cases[i].policy_version);
		CHECK(cases[i].name, area.lookback_min == cases[i].lookback_min);
		CHECK(cases[i].name, area.version == (cases[i].err == OK ? 2 : 1));
	}
}

static void test_names_and_numbers_agree(void **state)
{
	(void)state;
	assert_int_equal(rules_inventory_parse(STR("pooled"), INVENTORY_NAMED), INVENTORY_POOLED);
	assert_int_equal(rules_inventory_parse(STR_NONE, INVENTORY_NAMED), INVENTORY_NAMED);
	assert_int_equal(rules_purpose_parse(STR("locker"), PURPOSE_DESK), PURPOSE_LOCKER);
	assert_int_equal(rules_spot_status_parse(STR("closed"), SPOT_OPEN), SPOT_CLOSED);
	assert_int_equal(rules_stay_status_parse(STR("cancelled")), STAY_CANCELLED);
	assert_int_equal(rules_stay_status_parse(STR("lost")), 0);
	for (int i = STAY_CONFIRMED; i <= STAY_CANCELLED; i++)
		assert_int_equal(rules_stay_status_parse(str_from(rules_stay_status_name((enum stay_status)i))), i);
	for (int i = PURPOSE_PARKING; i <= PURPOSE_LOCKER; i++)
		assert_int_equal(
			rules_purpose_parse(str_from(rules_purpose_name((enum purpose)i)), PURPOSE_PARKING), i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_of_zones),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_changing_an_area),
		cmocka_unit_test(test_names_and_numbers_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
