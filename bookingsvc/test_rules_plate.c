/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"
#include "rules_plate.h"

static void test_plates(void **state)
{
	static const struct {
		const char *name, *country, *plate, *normal, *reason;
	} cases[] = {
		{"separators go", "FR", "AA-123-BB", "AA123BB", NULL},
		{"blanks and dots too", "FR", " aa.123 bb ", "AA123BB", NULL},
		{"a middle dot, a hyphen and a dash of Unicode", "FR",
			"AA\xc2\xb7"
			"123\xe2\x80\x90"
			"B\xe2\x80\x93"
			"B",
			"AA123BB", NULL},
		{"an old French plate", "FR", "1234 ABC 2A", "1234ABC2A", NULL},
		{"Dutch", "NL", "12-abc-3", "12ABC3", NULL},
		{"Belgian", "BE", "1-ABC-234", "1ABC234", NULL},
		{"British", "GB", "AB12 CDE", "AB12CDE", NULL},
		{"Luxembourgish", "LU", "AB 1234", "AB1234", NULL},
		{"German with umlauts in either case", "DE", "m\xc3\xbc-\xc3\x84 12E",
			"M\xc3\x9c\xc3\x84"
			"12E",
			NULL},
		{"no country is known", "", "ab 12", "AB12", NULL},
		{"umlauts are German", "FR",
			"M\xc3\x9c"
			"123",
			NULL, "plate_malformed"},
		{"no sharp s", "DE", "M\xc3\x9f 123", NULL, "plate_malformed"},
		{"another letter of Latin-1", "DE", "M\xc3\xa9 123", NULL, "plate_malformed"},
		{"half a letter", "DE", "AB12\xc3", NULL, "plate_malformed"},
		{"punctuation", "FR", "AA;123", NULL, "plate_malformed"},
		{"an apostrophe", "FR", "AA'123", NULL, "plate_malformed"},
		{"a line break", "FR", "AA\n123", NULL, "plate_malformed"},
		{"full-width letters", "FR",
			"\xef\xbc\xa1\xef\xbc\xa1"
			"123",
			NULL, "plate_malformed"},
		{"nothing", "FR", "", NULL, "plate_too_short"},
		{"only separators", "FR", "- . -", NULL, "plate_too_short"},
		{"too short for its country", "NL", "AB1", NULL, "plate_too_short"},
		{"too long for its country", "NL", "ABC1234", NULL, "plate_too_long"},
		{"the longest of all", "XX", "ABCDEFGHIJKL", "ABCDEFGHIJKL", NULL},
		{"longer than all", "XX", "ABCDEFGHIJKLM", NULL, "plate_too_long"},
		{"more bytes than a plate has", "FR", "- - - - - - - - - - -", NULL, "plate_too_long"},
	};
	struct arena *arena = arena_new(1 << 16);

	(void)state;
	assert_non_null(arena);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char country[3] = {0};
		struct str normal;
		const char *reason;

		for (size_t k = 0; cases[i].country[k]; k++)
			country[k] = cases[i].country[k];
		reason = rules_plate_normalise(arena, str_from(cases[i].plate), country, &normal);
		CHECK(cases[i].name, str_eq(str_from(reason), str_from(cases[i].reason)));
		CHECK(cases[i].name, str_eq(normal, str_from(cases[i].normal)));
	}
	arena_free(&arena);
}

static void test_countries(void **state)
{
	static const struct {
		const char *name, *country, *code;
	} cases[] = {
		{"capitals", "FR", "FR"},
		{"small letters", "nl", "NL"},
		{"a digit", "F1", NULL},
		{"three letters", "FRA", NULL},
		{"one letter", "F", NULL},
		{"nothing", "", NULL},
		{"two bytes of one letter", "\xc3\x89", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char code[3] = "";
		bool ok = rules_plate_country(str_from(cases[i].country), code);

		CHECK(cases[i].name, ok == (cases[i].code != NULL));
		CHECK(cases[i].name, !ok || str_eq_c(str_from(code), cases[i].code));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plates),
		cmocka_unit_test(test_countries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
