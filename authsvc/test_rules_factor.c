/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"
#include "rules_factor.h"

#define KEY STR("12345678901234567890")

/* RFC 6238 appendix B, the SHA-1 column: eight digits. */
static const struct {
	const char *name;
	int64_t at_s;
	uint32_t code;
} vectors[] = {
	{"1970-01-01 00:00:59", 59, 94287082},
	{"2005-03-18 01:58:29", 1111111109, 7081804},
	{"2005-03-18 01:58:31", 1111111111, 14050471},
	{"2009-02-13 23:31:30", 1234567890, 89005924},
	{"2033-05-18 03:33:20", 2000000000, 69279037},
	{"2603-10-11 11:33:20", INT64_C(20000000000), 65353130},
};

static void codes_are_those_of_rfc_6238(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(vectors); i++) {
		int64_t step = rules_totp_step(vectors[i].at_s * US_PER_S);

		CHECK(vectors[i].name, rules_totp_code(KEY, step, 8) == vectors[i].code);
		CHECK(vectors[i].name, rules_totp_code(KEY, step, TOTP_DIGITS) == vectors[i].code % 1000000);
	}
}

#define AT (INT64_C(1111111109) * US_PER_S) /* step 37037036: 081804 */
#define STEP INT64_C(37037036)

static const struct {
	const char *name;
	struct str code;
	int64_t used;
	instant_us now;
	int64_t step;
} match_cases[] = {
	{"the present step", STR("081804"), 0, AT, STEP},
	{"one step late", STR("081804"), 0, AT + 30 * US_PER_S, STEP},
	{"one step early", STR("081804"), 0, AT - 30 * US_PER_S, STEP},
	{"two steps late", STR("081804"), 0, AT + 60 * US_PER_S, 0},
	{"two steps early", STR("081804"), 0, AT - 60 * US_PER_S, 0},
	{"used before", STR("081804"), STEP, AT, 0},
	{"a later one used before", STR("081804"), STEP + 1, AT, 0},
	{"an earlier one used before", STR("081804"), STEP - 1, AT, STEP},
	{"another code", STR("081805"), 0, AT, 0},
	{"without its leading zero", STR("81804"), 0, AT, 0},
	{"seven digits", STR("0081804"), 0, AT, 0},
	{"a letter", STR("08180a"), 0, AT, 0},
	{"a sign", STR("+81804"), 0, AT, 0},
	{"nothing", STR(""), 0, AT, 0},
	{"absent", STR_NONE, 0, AT, 0},
};

static void a_code_is_good_for_one_step_each_way_and_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(match_cases); i++)
		CHECK(match_cases[i].name, rules_totp_match(KEY, match_cases[i].code, match_cases[i].used,
						   match_cases[i].now) == match_cases[i].step);
}

/* RFC 4648 section 10, without its padding. */
static const struct {
	struct str bytes;
	const char *text;
} base32_cases[] = {
	{STR(""), ""},
	{STR("f"), "MY"},
	{STR("fo"), "MZXQ"},
	{STR("foo"), "MZXW6"},
	{STR("foob"), "MZXW6YQ"},
	{STR("fooba"), "MZXW6YTB"},
	{STR("foobar"), "MZXW6YTBOI"},
};

static void base32_is_that_of_rfc_4648(void **state)
{
	struct arena *arena = arena_new(4096);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(base32_cases); i++)
		CHECK(base32_cases[i].text, str_eq_c(rules_base32(arena, base32_cases[i].bytes), base32_cases[i].text));
	arena_free(&arena);
}

static const struct {
	const char *name;
	struct str typed;
	bool good;
} recovery_cases[] = {
	{"as shown", STR("MZXW-6YTB-OIAB-CDEF"), true},
	{"in small letters and with blanks", STR(" mzxw 6ytb oiab cdef "), true},
	{"one letter short", STR("MZXW-6YTB-OIAB-CDE"), false},
	{"one letter more", STR("MZXW-6YTB-OIAB-CDEFG"), false},
	{"a digit that is none of them", STR("MZXW-6YTB-OIAB-CDE1"), false},
	{"a code of an app", STR("081804"), false},
	{"a NUL", STR("MZXW-6YTB-OIAB-CDE\0"), false},
	{"nothing", STR(""), false},
};

static void a_recovery_code_is_read_as_people_type_it(void **state)
{
	struct arena *arena = arena_new(4096);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(recovery_cases); i++) {
		struct str normal = rules_recovery_normal(arena, recovery_cases[i].typed);

		CHECK(recovery_cases[i].name, (normal.p != NULL) == recovery_cases[i].good);
		CHECK(recovery_cases[i].name, normal.p == NULL || str_eq_c(normal, "MZXW6YTBOIABCDEF"));
	}
	assert_true(str_eq_c(rules_recovery_text(arena, STR("foobarfoob")), "MZXW-6YTB-OJTG-633C"));
	arena_free(&arena);
}

static void a_passkey_says_what_it_was_and_what_came_before(void **state)
{
	static const char *const methods[2][2] = {
		{"hwk user mfa", "swk user mfa"}, {"pwd hwk user mfa", "pwd swk user mfa"}};

	(void)state;
	for (int password = 0; password < 2; password++) {
		for (int synced = 0; synced < 2; synced++) {
			struct proof proof = rules_proof_passkey(password != 0, synced != 0);

			assert_true(
				str_eq_c(proof.methods, methods[password][synced]) && acr_methods_ok(proof.methods));
			assert_int_equal(proof.acr, ACR_PHR);
			assert_int_equal(rules_proof_has_password(&proof), password);
		}
	}
	assert_true(rules_proof_has_password(&rules_proof_totp) && rules_proof_has_password(&rules_proof_password));
	assert_false(rules_proof_has_password(&(struct proof){.methods = STR("")}));
	assert_false(rules_proof_has_password(&(struct proof){.methods = STR("pwdx mfa")}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes_are_those_of_rfc_6238),
		cmocka_unit_test(a_code_is_good_for_one_step_each_way_and_once),
		cmocka_unit_test(base32_is_that_of_rfc_4648),
		cmocka_unit_test(a_recovery_code_is_read_as_people_type_it),
		cmocka_unit_test(a_passkey_says_what_it_was_and_what_came_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
