/* SPDX-License-Identifier: Apache-2.0 */
#include "rules_web.h"

#include "base/test.h"

static const struct {
	const char *name;
	struct str header;
	const char *value; /* NULL: none */
} cookie_cases[] = {
	{"the only one", STR("__Host-x=abc"), "abc"},
	{"among others", STR("a=b; __Host-x=abc; c=d"), "abc"},
	{"without a blank between", STR("a=b;__Host-x=abc;c=d"), "abc"},
	{"behind an empty pair", STR(";; __Host-x=abc"), "abc"},
	{"behind one without a sign", STR("flag; __Host-x=abc"), "abc"},
	{"absent", STR("a=b"), NULL},
	{"no header", STR_NONE, NULL},
	{"a name that only begins so", STR("__Host-xy=abc"), NULL},
	{"a name that only ends so", STR("y__Host-x=abc"), NULL},
	{"names tell upper from lower case", STR("__host-x=abc"), NULL},
	{"empty", STR("__Host-x="), NULL},
	{"twice: one is a stranger's", STR("__Host-x=abc; __Host-x=def"), NULL},
	{"twice the same is refused too", STR("__Host-x=abc; __Host-x=abc"), NULL},
	{"quotes are not part of a handle", STR("__Host-x=\"abc\""), NULL},
	{"a blank inside", STR("__Host-x=a bc"), NULL},
	{"a sign inside", STR("__Host-x=a=bc"), NULL},
	{"a NUL inside", STR("__Host-x=a\0c"), NULL},
	{"a byte above ASCII", STR("__Host-x=\xc3\xa9"), NULL},
};

static void a_cookie_is_found_by_its_name_alone(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cookie_cases); i++) {
		struct str value = rules_cookie_get(cookie_cases[i].header, "__Host-x");

		CHECK(cookie_cases[i].name, (value.p == NULL) == (cookie_cases[i].value == NULL));
		CHECK(cookie_cases[i].name, value.p == NULL || str_eq_c(value, cookie_cases[i].value));
	}
}

static const struct {
	const char *name;
	struct str ui, accept;
	enum locale locale;
} locale_cases[] = {
	{"nothing said: the fallback", STR_NONE, STR_NONE, LOCALE_NL},
	{"ui_locales come first", STR("fr"), STR("en"), LOCALE_FR},
	{"the first known of them", STR("de fr-BE en"), STR_NONE, LOCALE_FR},
	{"none known of them: what the browser says", STR("de es"), STR("en"), LOCALE_EN},
	{"the browser's first", STR_NONE, STR("fr, en"), LOCALE_FR},
	{"weights count", STR_NONE, STR("fr;q=0.3, en;q=0.7, nl;q=0.5"), LOCALE_EN},
	{"a region is no matter", STR_NONE, STR("fr-CA"), LOCALE_FR},
	{"case is no matter", STR_NONE, STR("FR-ca"), LOCALE_FR},
	{"weight zero means not", STR_NONE, STR("fr;q=0, en;q=0.001"), LOCALE_EN},
	{"a broken weight weighs nothing", STR_NONE, STR("fr;q=x, en;q=0.1"), LOCALE_EN},
	{"a parameter that is no weight", STR_NONE, STR("fr;level=1, en;q=0.1"), LOCALE_EN},
	{"only a star: the fallback", STR_NONE, STR("*"), LOCALE_NL},
	{"rubbish: the fallback", STR_NONE, STR(",,;;q,=;-"), LOCALE_NL},
	{"a word that begins so is no language", STR_NONE, STR("french"), LOCALE_NL},
};

static void a_page_speaks_the_language_asked_for(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(locale_cases); i++)
		CHECK(locale_cases[i].name, rules_locale_choose(locale_cases[i].ui, locale_cases[i].accept,
						    LOCALE_NL) == locale_cases[i].locale);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cookie_is_found_by_its_name_alone),
		cmocka_unit_test(a_page_speaks_the_language_asked_for),
	};

	return cmocka_run_group_tests_name("rules_web", tests, NULL, NULL);
}
