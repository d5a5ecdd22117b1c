/* SPDX-License-Identifier: Apache-2.0 */
#include "origins.h"

#include <stdio.h>

#include "base/test.h"

#define CLIENTS 1000

static struct uuid client(size_t number)
{
	return (struct uuid){{(uint8_t)(number >> 8), (uint8_t)number, 7}};
}

/* Client n has https://n.example and https://all.example. */
static void fill(struct origins *origins, size_t from, size_t count, bool *all_out)
{
	*all_out = true;
	for (size_t n = from; n < from + count; n++) {
		char text[64];
		struct str both[] = {{text, 0}, STR("https://all.example")};
		struct client_origins item = {.client_id = client(n), .origins = {both, 2}};
		const struct origin_list page = {.items = {&item, 1}};

		both[0].len = (size_t)snprintf(text, sizeof text, "https://%zu.example", n);
		*all_out = origins_add(origins, &page) && *all_out;
	}
}

static void nothing_is_allowed_before_the_first_list(void **state)
{
	struct origins *origins = origins_new(NULL);
	struct uuid one = client(1);
	bool all;

	(void)state;
	fill(origins, 1, 1, &all);
	assert_false(origins_known(origins, STR("https://1.example")));
	assert_false(origins_allow(origins, STR("https://1.example"), &one));
	assert_false(origins_known(NULL, STR("https://1.example")));
	origins_free(&origins);
}

static void each_client_has_its_own_origins(void **state)
{
	struct origins *origins = origins_new(NULL);
	struct uuid one = client(1), last = client(CLIENTS - 1), nobody = client(CLIENTS);
	bool all;

	(void)state;
	fill(origins, 0, CLIENTS, &all);
	assert_true(all);
	origins_take(origins);
	assert_true(origins_known(origins, STR("https://1.example")));
	assert_true(origins_allow(origins, STR("https://1.example"), &one));
	assert_true(origins_allow(origins, STR("https://999.example"), &last));
	assert_false(origins_allow(origins, STR("https://1.example"), &last));
	assert_false(origins_allow(origins, STR("https://1.example"), &nobody));
	assert_true(origins_allow(origins, STR("https://all.example"), &one));
	assert_true(origins_allow(origins, STR("https://all.example"), &last));
	assert_false(origins_known(origins, STR("https://1.example.evil")));
	assert_false(origins_known(origins, STR("https://1.exampl")));
	assert_false(origins_known(origins, STR("HTTPS://1.example")));
	assert_false(origins_known(origins, STR("null")));
	assert_false(origins_known(origins, STR("*")));
	assert_false(origins_known(origins, STR("")));
	assert_false(origins_known(origins, STR_NONE));
	origins_free(&origins);
}

static void a_new_list_replaces_the_old_one(void **state)
{
	struct origins *origins = origins_new(NULL);
	bool all;

	(void)state;
	fill(origins, 0, 3, &all);
	origins_take(origins);
	fill(origins, 2, 1, &all);
	assert_true(origins_known(origins, STR("https://0.example")));
	origins_take(origins);
	assert_false(origins_known(origins, STR("https://0.example")));
	assert_true(origins_known(origins, STR("https://2.example")));
	origins_take(origins);
	assert_false(origins_known(origins, STR("https://2.example")));
	origins_free(&origins);
}

static void a_list_beyond_the_cap_is_cut(void **state)
{
	struct origins *origins = origins_new(NULL);
	bool all;

	(void)state;
	fill(origins, 0, ORIGINS_MAX / 2, &all);
	assert_true(all);
	fill(origins, ORIGINS_MAX / 2, 1, &all);
	assert_false(all);
	origins_take(origins);
	assert_true(origins_known(origins, STR("https://0.example")));
	assert_false(origins_known(origins, STR("https://8192.example")));
	origins_free(&origins);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_allowed_before_the_first_list),
		cmocka_unit_test(each_client_has_its_own_origins),
		cmocka_unit_test(a_new_list_replaces_the_old_one),
		cmocka_unit_test(a_list_beyond_the_cap_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
