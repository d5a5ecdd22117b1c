/* SPDX-License-Identifier: Apache-2.0 */
#include "browser.h"

#include "base/test.h"

#define MOZILLA "Mozilla/5.0 (X11; Linux x86_64) "
#define WEBKIT "AppleWebKit/537.36 (KHTML, like Gecko) "

static void each_browser_is_told_by_what_it_alone_says(void **state)
{
	static const struct {
		const char *name, *agent, *family;
	} cases[] = {
		{"Firefox", MOZILLA "Gecko/20100101 Firefox/128.0", "firefox"},
		{"Firefox on a phone of Apple's", MOZILLA WEBKIT "FxiOS/128.0 Mobile/15E148 Safari/605.1.15",
			"firefox"},
		{"Chrome", MOZILLA WEBKIT "Chrome/126.0.0.0 Safari/537.36", "chrome"},
		{"Chrome on a phone of Apple's", MOZILLA WEBKIT "CriOS/126.0 Mobile/15E148 Safari/604.1", "chrome"},
		{"Edge", MOZILLA WEBKIT "Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0", "edge"},
		{"Opera", MOZILLA WEBKIT "Chrome/126.0.0.0 Safari/537.36 OPR/112.0.0.0", "opera"},
		{"a Samsung phone", MOZILLA WEBKIT "SamsungBrowser/25.0 Chrome/121.0 Mobile Safari/537.36", "samsung"},
		{"Safari", MOZILLA "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15", "safari"},
		{"curl", "curl/8.8.0", "other"},
		{"nothing", "", "other"},
		{"a mark cut short", "Chrome", "other"},
		{"another case", "firefox/128.0", "other"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CHECK(cases[i].name, str_eq_c(browser_family(str_from(cases[i].agent)), cases[i].family));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_browser_is_told_by_what_it_alone_says),
	};

	return cmocka_run_group_tests_name("browser", tests, NULL, NULL);
}
