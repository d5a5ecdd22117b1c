/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "base/test.h"

static const struct {
	const char *name;
	struct str text;
	uint64_t max;
	enum err err;
	uint64_t value;
} number_cases[] = {
	{"zero is a number", STR("0"), 9, OK, 0},
	{"the largest allowed value passes", STR("255"), 255, OK, 255},
	{"one above the largest is refused", STR("256"), 255, ERR_BAD_FIELD, 0},
	{"ten times the largest is refused", STR("2550"), 255, ERR_BAD_FIELD, 0},
	{"the largest 64-bit number passes", STR("18446744073709551615"), UINT64_MAX, OK, UINT64_MAX},
	{"one above 64 bits is refused", STR("18446744073709551616"), UINT64_MAX, ERR_BAD_FIELD, 0},
	{"a hundred digits are refused", STR("99999999999999999999999999999999999999999999"), UINT64_MAX, ERR_BAD_FIELD,
		0},
	{"a digit above a tiny largest is refused", STR("7"), 3, ERR_BAD_FIELD, 0},
	{"a leading zero is refused", STR("01"), 9, ERR_BAD_FIELD, 0},
	{"a plus sign is refused", STR("+1"), 9, ERR_BAD_FIELD, 0},
	{"a minus sign is refused", STR("-1"), 9, ERR_BAD_FIELD, 0},
	{"a leading space is refused", STR(" 1"), 9, ERR_BAD_FIELD, 0},
	{"a trailing space is refused", STR("1 "), 9, ERR_BAD_FIELD, 0},
	{"a NUL behind is refused", STR("1\0"), 9, ERR_BAD_FIELD, 0},
	{"a hexadecimal number is refused", STR("0x1"), 99, ERR_BAD_FIELD, 0},
	{"an empty text is refused", STR(""), 9, ERR_BAD_FIELD, 0},
	{"an absent text is refused", STR_NONE, 9, ERR_BAD_FIELD, 0},
	{"a byte above ASCII is refused", STR("\xb1"), 255, ERR_BAD_FIELD, 0},
};

static void numbers_are_read_strictly(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(number_cases); i++) {
		uint64_t value = 77;

		CHECK(number_cases[i].name,
			str_to_u64(number_cases[i].text, number_cases[i].max, &value) == number_cases[i].err);
		CHECK(number_cases[i].name, value == number_cases[i].value);
	}
}

static const struct {
	const char *name;
	struct str text;
	size_t good_len;
} utf8_cases[] = {
	{"an absent text is well-formed", STR_NONE, 0},
	{"ASCII is well-formed", STR("hello, world: long enough for words"), 35},
	{"NUL is a character", STR("a\0b"), 3},
	{"the first and last of two bytes", STR("\xc2\x80\xdf\xbf"), 4},
	{"the first of three bytes", STR("\xe0\xa0\x80"), 3},
	{"the last before the surrogates", STR("\xed\x9f\xbf"), 3},
	{"the first behind the surrogates", STR("\xee\x80\x80"), 3},
	{"U+FFFF is well-formed", STR("\xef\xbf\xbf"), 3},
	{"the first of four bytes", STR("\xf0\x90\x80\x80"), 4},
	{"U+10FFFF is the last", STR("\xf4\x8f\xbf\xbf"), 4},
	{"U+110000 is refused", STR("\xf4\x90\x80\x80"), 0},
	{"a lead byte F5 is refused", STR("\xf5\x80\x80\x80"), 0},
	{"a byte FF is refused", STR("\xff"), 0},
	{"a lone continuation byte is refused", STR("abc\x80"), 3},
	{"an overlong slash of two bytes is refused", STR("\xc0\xaf"), 0},
	{"a lead byte C1 is refused", STR("\xc1\xbf"), 0},
	{"an overlong form of three bytes is refused", STR("\xe0\x9f\xbf"), 0},
	{"an overlong form of four bytes is refused", STR("\xf0\x8f\xbf\xbf"), 0},
	{"the first surrogate is refused", STR("\xed\xa0\x80"), 0},
	{"the last surrogate is refused", STR("\xed\xbf\xbf"), 0},
	{"a sequence cut after one byte is refused", STR("\xc3"), 0},
	{"a sequence cut after two bytes is refused", STR("ab\xe2\x82"), 2},
	{"a sequence cut after three bytes is refused", STR("\xf0\x9f\x98"), 0},
	{"a sequence broken by ASCII is refused", STR("\xe2\x28\xa1"), 0},
	{"a bad byte behind eight good ones is found", STR("12345678\xff"), 8},
	{"a bad byte at the end of a word is found", STR("1234567\xff"), 7},
};

static void utf8_is_judged_by_rfc_3629(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(utf8_cases); i++) {
		CHECK(utf8_cases[i].name, str_utf8_len(utf8_cases[i].text) == utf8_cases[i].good_len);
		CHECK(utf8_cases[i].name,
			str_is_utf8(utf8_cases[i].text) == (utf8_cases[i].good_len == utf8_cases[i].text.len));
	}
}

static void a_cut_gives_head_and_rest(void **state)
{
	struct str rest = STR("a,,b");
	struct str head;

	(void)state;
	assert_true(str_cut(&rest, ',', &head));
	assert_true(str_eq_c(head, "a"));
	assert_true(str_cut(&rest, ',', &head));
	assert_true(head.p != NULL && head.len == 0);
	assert_false(str_cut(&rest, ',', &head));
	assert_true(str_eq_c(head, "b"));
	assert_int_equal(rest.len, 0);
	rest = STR_NONE;
	assert_false(str_cut(&rest, ',', &head));
	assert_null(head.p);
}

static void strings_compare_by_bytes(void **state)
{
	(void)state;
	assert_true(str_eq(STR_NONE, STR("")));
	assert_false(str_eq(STR("a"), STR("a\0")));
	assert_true(str_eq_nocase(STR("Transfer-Encoding"), STR("tRANSFER-eNCODING")));
	assert_false(str_eq_nocase(STR("@"), STR("`")));
	assert_false(str_eq_nocase(STR("["), STR("{")));
	assert_true(str_starts(STR("abc"), "ab"));
	assert_true(str_starts(STR_NONE, ""));
	assert_false(str_starts(STR("a"), "ab"));
	assert_true(str_eq_secret(STR("secret"), STR("secret")));
	assert_false(str_eq_secret(STR("secret"), STR("secreT")));
	assert_false(str_eq_secret(STR("secret"), STR("secre")));
	assert_null(str_from(NULL).p);
}

static void a_trim_takes_spaces_and_tabs_only(void **state)
{
	(void)state;
	assert_true(str_eq_c(str_trim(STR(" \t a b\t ")), "a b"));
	assert_true(str_eq_c(str_trim(STR("\na\r")), "\na\r"));
	assert_int_equal(str_trim(STR(" \t ")).len, 0);
}

static void every_error_has_status_code_and_title(void **state)
{
	(void)state;
	assert_int_equal(err_status(OK), 200);
	assert_string_equal(err_code(OK), "ok");
	assert_string_equal(err_title(OK), "");
	assert_int_equal(err_status(ERR_NOT_FOUND), 404);
	assert_string_equal(err_code(ERR_SPOT_TAKEN), "spot_taken");
	assert_int_equal(err_from_wire(ERR_GONE), ERR_GONE);
	assert_int_equal(err_from_wire(0), OK);
	assert_int_equal(err_from_wire(100000), ERR_BAD_GATEWAY);
	assert_int_equal(err_from_wire(UINT32_MAX), ERR_BAD_GATEWAY);
	assert_int_equal(err_status((enum err)100000), 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_read_strictly),
		cmocka_unit_test(utf8_is_judged_by_rfc_3629),
		cmocka_unit_test(a_cut_gives_head_and_rest),
		cmocka_unit_test(strings_compare_by_bytes),
		cmocka_unit_test(a_trim_takes_spaces_and_tabs_only),
		cmocka_unit_test(every_error_has_status_code_and_title),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
