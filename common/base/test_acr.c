/* SPDX-License-Identifier: Apache-2.0 */
#include "base/acr.h"
#include "base/test.h"

static const struct {
	const char *name;
	struct str text;
	bool good;
	enum acr acr;
} name_cases[] = {
	{"one factor", STR("1fa"), true, ACR_1FA},
	{"two factors", STR("2fa"), true, ACR_2FA},
	{"one that cannot be phished", STR("phr"), true, ACR_PHR},
	{"a client's has no name", STR(""), false, ACR_NONE},
	{"an absent one", STR_NONE, false, ACR_NONE},
	{"capitals are another", STR("PHR"), false, ACR_NONE},
	{"more than a name", STR("2fa "), false, ACR_NONE},
};

static void classes_have_exact_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(name_cases); i++) {
		enum acr acr = ACR_PHR;

		CHECK(name_cases[i].name, acr_parse(name_cases[i].text, &acr) == name_cases[i].good);
		CHECK(name_cases[i].name, acr == name_cases[i].acr);
		CHECK(name_cases[i].name, !name_cases[i].good || str_eq_c(name_cases[i].text, acr_name(acr)));
	}
	assert_true(ACR_NONE < ACR_1FA && ACR_1FA < ACR_2FA && ACR_2FA < ACR_PHR);
	assert_string_equal(acr_name((enum acr)99), "");
}

static const struct {
	const char *name;
	struct str text;
	bool good;
} method_cases[] = {
	{"none", STR(""), true},
	{"an absent list", STR_NONE, true},
	{"one", STR("pwd"), true},
	{"three", STR("pwd otp mfa"), true},
	{"as long as may be", STR("aaaaaaaaaaaaaaaaaaaaaaa aaaaaaaaaaaaaaaaaaaaaaa"), true},
	{"one byte longer", STR("aaaaaaaaaaaaaaaaaaaaaaaa aaaaaaaaaaaaaaaaaaaaaaa"), false},
	{"a blank in front", STR(" pwd"), false},
	{"a blank behind", STR("pwd "), false},
	{"two blanks", STR("pwd  otp"), false},
	{"a capital", STR("Pwd"), false},
	{"a NUL", STR("pw\0d"), false},
	{"a quote", STR("pw\"d"), false},
};

static void methods_are_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(method_cases); i++)
		CHECK(method_cases[i].name, acr_methods_ok(method_cases[i].text) == method_cases[i].good);
}

static void demands_have_exact_names_and_the_first_is_that_of_staff(void **state)
{
	static const struct str others[] = {STR(""), STR_NONE, STR("none"), STR("Staff"), STR("staff "), STR("all\0")};
	enum demand demand;

	(void)state;
	for (int i = DEMAND_STAFF; i <= DEMAND_OPTIONAL; i++) {
		assert_true(demand_parse(str_from(demand_name((enum demand)i)), &demand));
		assert_int_equal(demand, i);
	}
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		demand = DEMAND_OPTIONAL;
		assert_false(demand_parse(others[i], &demand));
		assert_int_equal(demand, DEMAND_STAFF);
	}
	assert_int_equal(DEMAND_STAFF, 0);
	assert_string_equal(demand_name((enum demand)99), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(classes_have_exact_names),
		cmocka_unit_test(methods_are_words),
		cmocka_unit_test(demands_have_exact_names_and_the_first_is_that_of_staff),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
