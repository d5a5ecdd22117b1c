/* SPDX-License-Identifier: Apache-2.0 */
#include "precondition.h"

#include <string.h>

#include "base/test.h"

#include "auth.h"
#include "contract/envelope.h"

static void if_match_takes_one_strong_tag_of_ours_or_a_star(void **state)
{
	static const struct {
		const char *value;
		enum err err;
		int64_t version;
	} cases[] = {
		{"\"1\"", OK, 1},
		{"\"9223372036854775807\"", OK, INT64_MAX},
		{"*", OK, -1},
		{"\"0\"", ERR_VERSION_STALE, 0},
		{"\"01\"", ERR_VERSION_STALE, 0},
		{"\"-1\"", ERR_VERSION_STALE, 0},
		{"\"9223372036854775808\"", ERR_VERSION_STALE, 0},
		{"W/\"1\"", ERR_VERSION_STALE, 0},
		{"\"somebody-else\"", ERR_VERSION_STALE, 0},
		{"\"1\", \"2\"", ERR_VERSION_STALE, 0},
		{"\"\"", ERR_VERSION_STALE, 0},
		{"1", ERR_BAD_FIELD, 0},
		{"\"1", ERR_BAD_FIELD, 0},
		{"\"a b\"", ERR_BAD_FIELD, 0},
		{"", ERR_BAD_FIELD, 0},
		{"**", ERR_BAD_FIELD, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int64_t version = 0;

		assert_int_equal(precondition_match(str_from(cases[i].value), &version), cases[i].err);
		assert_int_equal(version, cases[i].version);
	}
}

static void an_idempotency_key_is_short_and_visible(void **state)
{
	char longest[IDEMPOTENCY_KEY_MAX + 1];

	(void)state;
	memset(longest, 'k', sizeof longest);
	assert_int_equal(precondition_key((struct str){longest, IDEMPOTENCY_KEY_MAX}), OK);
	assert_int_equal(precondition_key((struct str){longest, IDEMPOTENCY_KEY_MAX + 1}), ERR_BAD_FIELD);
	assert_int_equal(precondition_key(STR("\"8e03978e-40d5-43dd-bc93-6894a57f9324\"")), OK);
	assert_int_equal(precondition_key(STR("")), ERR_BAD_FIELD);
	assert_int_equal(precondition_key(STR("a b")), ERR_BAD_FIELD);
	assert_int_equal(precondition_key(STR("a\x7f")), ERR_BAD_FIELD);
	assert_int_equal(precondition_key(STR("\xc3\xa9")), ERR_BAD_FIELD);
}

static void a_bearer_token_is_found_behind_its_scheme_only(void **state)
{
	static const struct {
		const char *value, *token;
	} cases[] = {
		{"Bearer abc.def.ghi", "abc.def.ghi"},
		{"bearer abc", "abc"},
		{"BEARER   abc", "abc"},
		{"Bearer", NULL},
		{"Bearer ", NULL},
		{"Basic abc", NULL},
		{"Bearerabc", NULL},
		{"", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct str token = auth_bearer(str_from(cases[i].value));

		if (cases[i].token == NULL)
			assert_null(token.p);
		else
			assert_true(str_eq_c(token, cases[i].token));
	}
	assert_null(auth_bearer(STR_NONE).p);
}

static void a_bound_token_has_a_scheme_of_its_own(void **state)
{
	static const struct {
		const char *value, *token;
		bool proven;
	} cases[] = {
		{"DPoP abc.def.ghi", "abc.def.ghi", true},
		{"dpop abc", "abc", true},
		{"Bearer abc", "abc", false},
		{"DPoP", NULL, false},
		{"DPoP ", NULL, false},
		{"DPoPabc", NULL, false},
		{"Basic abc", NULL, false},
		{"", NULL, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		bool proven = !cases[i].proven;
		const struct str token = auth_token(str_from(cases[i].value), &proven);

		assert_int_equal(proven, cases[i].proven);
		assert_true(cases[i].token == NULL ? token.p == NULL : str_eq_c(token, cases[i].token));
	}
}

static void if_none_match_names_a_version_or_does_not(void **state)
{
	static const struct {
		const char *value;
		bool names;
	} cases[] = {
		{"\"7\"", true},
		{"W/\"7\"", true},
		{"*", true},
		{"\"1\", \"7\"", true},
		{"\"x\",W/\"7\" , \"9\"", true},
		{"\"8\"", false},
		{"\"07\"", false},
		{"7", false},
		{"\"7", false},
		{"w/\"7\"", false},
		{"\"6,7,8\"", false},
		{"\"a,\"7,\"", false},
		{"\"99999999999999999999\"", false},
		{"", false},
		{",", false},
		{"*, \"7\"", true},
		{"**", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		CHECK(cases[i].value, precondition_names(str_from(cases[i].value), 7) == cases[i].names);
	assert_false(precondition_names(STR_NONE, 7));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(if_match_takes_one_strong_tag_of_ours_or_a_star),
		cmocka_unit_test(a_bound_token_has_a_scheme_of_its_own),
		cmocka_unit_test(if_none_match_names_a_version_or_does_not),
		cmocka_unit_test(an_idempotency_key_is_short_and_visible),
		cmocka_unit_test(a_bearer_token_is_found_behind_its_scheme_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
