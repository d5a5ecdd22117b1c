/* SPDX-License-Identifier: Apache-2.0 */
#include "rules_oauth.h"

#include <string.h>

#include "base/test.h"

static struct arena *arena;

static const struct {
	const char *name;
	struct str uri;
	bool ok;
} redirect_cases[] = {
	{"https with a path", STR("https://app.example/callback"), true},
	{"https without a path", STR("https://app.example"), true},
	{"https with port and query", STR("https://app.example:8443/cb?a=b"), true},
	{"http on a loopback address", STR("http://127.0.0.1:49152/cb"), true},
	{"http on IPv6 loopback", STR("http://[::1]:49152/cb"), true},
	{"http on localhost", STR("http://localhost:3000/cb"), true},
	{"a harmless escape", STR("https://app.example/caf%C3%A9"), true},
	{"nothing", STR(""), false},
	{"http beyond this machine", STR("http://app.example/cb"), false},
	{"a loopback look-alike", STR("http://127.0.0.1.evil.example/cb"), false},
	{"a scheme of its own", STR("myapp://cb"), false},
	{"javascript", STR("javascript:alert(1)"), false},
	{"data", STR("data:text/html,x"), false},
	{"no scheme", STR("//app.example/cb"), false},
	{"an upper-case scheme", STR("HTTPS://app.example/cb"), false},
	{"an upper-case host", STR("https://App.example/cb"), false},
	{"a user", STR("https://user@app.example/cb"), false},
	{"a user and a password", STR("https://u:p@app.example/cb"), false},
	{"a fragment", STR("https://app.example/cb#x"), false},
	{"an empty fragment", STR("https://app.example/cb#"), false},
	{"a backslash", STR("https://app.example\\@evil.example/cb"), false},
	{"a wild card", STR("https://*.app.example/cb"), false},
	{"a blank", STR("https://app.example/c b"), false},
	{"a line break", STR("https://app.example/cb\nx"), false},
	{"a NUL", STR("https://app.example/cb\0x"), false},
	{"a byte above ASCII", STR("https://app.example/\xc3\xa9"), false},
	{"dot dot", STR("https://app.example/a/../cb"), false},
	{"dot", STR("https://app.example/./cb"), false},
	{"dot dot at the end", STR("https://app.example/a/.."), false},
	{"escaped dots", STR("https://app.example/%2e%2e/cb"), false},
	{"an escaped slash", STR("https://app.example/a%2Fcb"), false},
	{"an escaped backslash", STR("https://app.example/a%5Ccb"), false},
	{"an escaped control", STR("https://app.example/a%0acb"), false},
	{"half an escape", STR("https://app.example/a%2"), false},
	{"no escape at all", STR("https://app.example/a%zz"), false},
	{"no host", STR("https:///cb"), false},
	{"an empty label", STR("https://app..example/cb"), false},
	{"port 0", STR("https://app.example:0/cb"), false},
	{"a port too high", STR("https://app.example:65536/cb"), false},
	{"an empty port", STR("https://app.example:/cb"), false},
	{"a port that is none", STR("https://app.example:x/cb"), false},
	{"a foreign IPv6 address", STR("https://[2001:db8::1]/cb"), false},
};

static void only_a_plain_redirect_uri_may_be_registered(void **state)
{
	const char *reason;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(redirect_cases); i++)
		CHECK(redirect_cases[i].name,
			rules_redirect_ok(redirect_cases[i].uri, &reason) == redirect_cases[i].ok);
}

static const struct {
	const char *name;
	struct str origin;
	bool ok;
} origin_cases[] = {
	{"a host", STR("https://app.example"), true},
	{"a host and a port", STR("https://app.example:8443"), true},
	{"http on a loopback address", STR("http://127.0.0.1:3000"), true},
	{"http on localhost without a port", STR("http://localhost"), true},
	{"an IPv6 loopback address", STR("http://[::1]:3000"), true},
	{"https on port 80", STR("https://app.example:80"), true},
	{"nothing", STR(""), false},
	{"null", STR("null"), false},
	{"any origin", STR("*"), false},
	{"any host", STR("https://*"), false},
	{"any host below one", STR("https://*.example"), false},
	{"a slash behind it", STR("https://app.example/"), false},
	{"a path", STR("https://app.example/x"), false},
	{"a query", STR("https://app.example?x"), false},
	{"a fragment", STR("https://app.example#x"), false},
	{"a user", STR("https://user@app.example"), false},
	{"a host in capitals", STR("https://App.example"), false},
	{"a scheme in capitals", STR("HTTPS://app.example"), false},
	{"http beyond this machine", STR("http://app.example"), false},
	{"another scheme", STR("ftp://app.example"), false},
	{"no scheme", STR("app.example"), false},
	{"no host", STR("https://"), false},
	{"no host but a port", STR("https://:443"), false},
	{"the scheme's own port", STR("https://app.example:443"), false},
	{"the scheme's own port of http", STR("http://localhost:80"), false},
	{"an empty port", STR("https://app.example:"), false},
	{"a port with a leading zero", STR("https://app.example:08443"), false},
	{"a port that is none", STR("https://app.example:65536"), false},
	{"two of them", STR("https://a.example https://b.example"), false},
	{"a blank behind it", STR("https://app.example "), false},
	{"a NUL inside", STR("https://app\0.example"), false},
	{"a dot behind it", STR("https://app.example."), false},
};

static void only_an_origin_as_browsers_write_it_may_be_registered(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(origin_cases); i++)
		CHECK(origin_cases[i].name, rules_origin_ok(origin_cases[i].origin) == origin_cases[i].ok);
}

static void a_redirect_uri_of_501_bytes_is_refused(void **state)
{
	char text[REDIRECT_URI_MAX + 1];
	const char *reason;

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text, "https://a.example/", 18);
	assert_true(rules_redirect_ok((struct str){text, REDIRECT_URI_MAX}, &reason));
	assert_false(rules_redirect_ok((struct str){text, REDIRECT_URI_MAX + 1}, &reason));
}

#define REGISTERED "https://app.example/cb https://app.example/other http://127.0.0.1:3000/cb"
static const struct {
	const char *name;
	struct str uri;
	bool listed;
} match_cases[] = {
	{"the first", STR("https://app.example/cb"), true},
	{"the last", STR("http://127.0.0.1:3000/cb"), true},
	{"a slash more", STR("https://app.example/cb/"), false},
	{"a letter less", STR("https://app.example/c"), false},
	{"upper case in the path", STR("https://app.example/CB"), false},
	{"upper case in the host", STR("https://APP.example/cb"), false},
	{"the default port", STR("https://app.example:443/cb"), false},
	{"another port of a loopback address", STR("http://127.0.0.1:3001/cb"), false},
	{"a query more", STR("https://app.example/cb?x=1"), false},
	{"a fragment more", STR("https://app.example/cb#x"), false},
	{"an escape more", STR("https://app.example/%63b"), false},
	{"http for https", STR("http://app.example/cb"), false},
	{"two at once", STR("https://app.example/cb https://app.example/other"), false},
	{"a blank behind", STR("https://app.example/cb "), false},
	{"a NUL behind", STR("https://app.example/cb\0"), false},
	{"nothing", STR(""), false},
	{"absent", STR_NONE, false},
};

static void a_redirect_uri_matches_to_the_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(match_cases); i++)
		CHECK(match_cases[i].name,
			rules_redirect_listed(STR(REGISTERED), match_cases[i].uri) == match_cases[i].listed);
	assert_false(rules_redirect_listed(STR(""), STR("")));
}

static void the_origin_ends_where_the_path_begins(void **state)
{
	(void)state;
	assert_true(str_eq_c(rules_redirect_origin(STR("https://app.example:8443/cb?x")), "https://app.example:8443"));
	assert_true(str_eq_c(rules_redirect_origin(STR("https://app.example?x=/")), "https://app.example"));
	assert_true(str_eq_c(rules_redirect_origin(STR("http://[::1]:1/")), "http://[::1]:1"));
	assert_null(rules_redirect_origin(STR("javascript:x")).p);
}

#define VERIFIER "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" /* RFC 7636 appendix B */
#define CHALLENGE "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
static const struct {
	const char *name;
	struct str challenge, verifier;
	bool matches;
} pkce_cases[] = {
	{"the example of the specification", STR(CHALLENGE), STR(VERIFIER), true},
	{"the verifier as challenge (plain)", STR(VERIFIER), STR(VERIFIER), false},
	{"another verifier", STR(CHALLENGE), STR("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXj"), false},
	{"a verifier too short", STR(CHALLENGE), STR("dBjftJeZ4CVP"), false},
	{"no verifier", STR(CHALLENGE), STR_NONE, false},
	{"an empty challenge and verifier", STR(""), STR(""), false},
	{"a verifier with a foreign character", STR(CHALLENGE), STR("dBjftJeZ4CVP+mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
		false},
	{"a verifier with a NUL", STR(CHALLENGE), STR("dBjftJeZ4CVP\0mB92K27uhbUJU1p1r_wW1gFWFOEjXk"), false},
};

static void a_verifier_is_hashed_and_compared(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(pkce_cases); i++)
		CHECK(pkce_cases[i].name, rules_verifier_matches(pkce_cases[i].challenge, pkce_cases[i].verifier) ==
						  pkce_cases[i].matches);
	assert_true(rules_challenge_ok(STR(CHALLENGE)));
	assert_false(rules_challenge_ok(STR("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c")));
	assert_false(rules_challenge_ok(STR("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c=")));
	assert_false(rules_challenge_ok(STR_NONE));
}

static bool lookup(struct str name, unsigned *bit_out)
{
	*bit_out = str_eq_c(name, "site.read") ? 0 : 3;
	return str_eq_c(name, "site.read") || str_eq_c(name, "booking.create");
}

static const struct {
	const char *name;
	struct str text;
	const char *understood; /* NULL: refused */
	unsigned first_byte;    /* of the named rights */
} scope_cases[] = {
	{"absent means all", STR_NONE, "berth", 0},
	{"words of OpenID Connect", STR("openid profile email offline_access"), "openid profile email offline_access",
		0},
	{"names of permissions", STR("booking.create site.read"), "booking.create site.read", 9},
	{"unknown words are left out", STR("openid address site.read phone"), "openid site.read", 1},
	{"a word twice counts once", STR("openid openid site.read site.read"), "openid site.read", 1},
	{"nothing known", STR("address phone"), NULL, 0},
	{"an empty one", STR(""), NULL, 0},
	{"two blanks between", STR("openid  berth"), NULL, 0},
	{"a blank in front", STR(" openid"), NULL, 0},
	{"a blank behind", STR("openid "), NULL, 0},
	{"a quote", STR("openid \"berth\""), NULL, 0},
	{"a backslash", STR("openid \\berth"), NULL, 0},
	{"a line break", STR("openid\nberth"), NULL, 0},
	{"a byte above ASCII", STR("openid \xc3\xa9"), NULL, 0},
	{"upper case is another word", STR("OPENID"), NULL, 0},
};

static void scopes_are_read_strictly_and_understood_leniently(void **state)
{
	struct scope scope;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(scope_cases); i++) {
		bool ok = rules_scope_parse(arena, scope_cases[i].text, lookup, &scope);

		CHECK(scope_cases[i].name, ok == (scope_cases[i].understood != NULL));
		if (!ok)
			continue;
		CHECK(scope_cases[i].name, str_eq_c(scope.text, scope_cases[i].understood));
		CHECK(scope_cases[i].name, scope.named.bits[0] == scope_cases[i].first_byte);
	}
}

static void a_scope_limits_what_the_roles_give(void **state)
{
	struct rights whole = {{0xff}};
	struct rights limited;
	struct scope scope;

	(void)state;
	assert_true(rules_scope_parse(arena, STR("openid site.read"), lookup, &scope));
	limited = rules_scope_limit(&scope, &whole);
	assert_int_equal(limited.bits[0], 1);
	assert_true(rules_scope_parse(arena, STR("berth site.read"), lookup, &scope));
	limited = rules_scope_limit(&scope, &whole);
	assert_int_equal(limited.bits[0], 0xff);
	assert_true(rules_scope_parse(arena, STR("openid"), lookup, &scope));
	limited = rules_scope_limit(&scope, &whole);
	assert_int_equal(limited.bits[0], 0);
	whole.bits[0] = 0;
	assert_true(rules_scope_parse(arena, STR("site.read"), lookup, &scope));
	limited = rules_scope_limit(&scope, &whole);
	assert_int_equal(limited.bits[0], 0);
}

static void a_narrower_scope_is_part_of_the_wider(void **state)
{
	(void)state;
	assert_true(rules_scope_within(STR("a c"), STR("a b c")));
	assert_true(rules_scope_within(STR("a b c"), STR("c b a")));
	assert_false(rules_scope_within(STR("a d"), STR("a b c")));
	assert_false(rules_scope_within(STR("a"), STR("ab")));
	assert_false(rules_scope_within(STR(""), STR("a")));
}

static const struct {
	const char *name;
	struct str text;
	bool ok, none, login;
} prompt_cases[] = {
	{"absent", STR_NONE, true, false, false},
	{"none", STR("none"), true, true, false},
	{"login", STR("login"), true, false, true},
	{"choosing an account means signing in", STR("select_account"), true, false, true},
	{"consent is given by the tenant", STR("consent"), true, false, false},
	{"login and consent", STR("login consent"), true, false, true},
	{"none beside another", STR("none login"), false, false, false},
	{"another word", STR("create"), false, false, false},
	{"upper case", STR("NONE"), false, false, false},
};

static void prompts_are_those_of_the_specification(void **state)
{
	struct prompt prompt;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(prompt_cases); i++) {
		CHECK(prompt_cases[i].name, rules_prompt_parse(prompt_cases[i].text, &prompt) == prompt_cases[i].ok);
		CHECK(prompt_cases[i].name, !prompt_cases[i].ok || (prompt.none == prompt_cases[i].none &&
									   prompt.login == prompt_cases[i].login));
	}
}

static void of_several_classes_the_least_is_wanted(void **state)
{
	static const struct {
		const char *name;
		struct str text;
		enum acr wanted;
	} cases[] = {
		{"none", STR_NONE, ACR_NONE},
		{"empty", STR(""), ACR_NONE},
		{"one", STR("2fa"), ACR_2FA},
		{"the best first", STR("phr 2fa"), ACR_2FA},
		{"the least first", STR("1fa phr"), ACR_1FA},
		{"one that nobody knows", STR("urn:mace:incommon:iap:silver"), ACR_NONE},
		{"one that nobody knows beside one", STR("gold phr"), ACR_PHR},
		{"blanks", STR("  2fa  "), ACR_2FA},
		{"a capital", STR("2FA"), ACR_NONE},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		CHECK(cases[i].name, rules_acr_wanted(cases[i].text) == cases[i].wanted);
}

static void max_age_is_a_number_of_seconds(void **state)
{
	int64_t seconds;

	(void)state;
	assert_true(rules_max_age_parse(STR_NONE, &seconds) && seconds == -1);
	assert_true(rules_max_age_parse(STR("0"), &seconds) && seconds == 0);
	assert_true(rules_max_age_parse(STR("3600"), &seconds) && seconds == 3600);
	assert_false(rules_max_age_parse(STR(""), &seconds));
	assert_false(rules_max_age_parse(STR("-1"), &seconds));
	assert_false(rules_max_age_parse(STR("1.5"), &seconds));
	assert_false(rules_max_age_parse(STR("99999999999999999999"), &seconds));
}

static const struct {
	const char *name;
	struct str header;
	const char *user, *password; /* NULL: refused */
} basic_cases[] = {
	{"a plain pair", STR("Basic dXNlcjpwYXNz"), "user", "pass"},
	{"the scheme ignores case", STR("bAsIc dXNlcjpwYXNz"), "user", "pass"},
	{"a colon in the secret", STR("Basic dXNlcjpwYTpzcw=="), "user", "pa:ss"},
	{"escapes are those of a form", STR("Basic dSUzQXNlcjpwKyUyQg=="), "u:ser", "p +"},
	{"a broken escape", STR("Basic dXNlcjpwJXp6"), NULL, NULL},
	{"no colon", STR("Basic dXNlcg=="), NULL, NULL},
	{"no user", STR("Basic OnBhc3M="), NULL, NULL},
	{"no secret", STR("Basic dXNlcjo="), NULL, NULL},
	{"padding missing", STR("Basic dXNlcjpwYTpzcw"), NULL, NULL},
	{"base64url", STR("Basic dXNlcjp_Pz8_"), NULL, NULL},
	{"a blank behind", STR("Basic dXNlcjpwYXNz "), NULL, NULL},
	{"two blanks", STR("Basic  dXNlcjpwYXNz"), NULL, NULL},
	{"another scheme", STR("Bearer dXNlcjpwYXNz"), NULL, NULL},
	{"no credentials", STR("Basic"), NULL, NULL},
	{"nothing", STR(""), NULL, NULL},
};

static void basic_credentials_are_read_as_the_specification_says(void **state)
{
	struct basic basic;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(basic_cases); i++) {
		bool ok = rules_basic_parse(arena, basic_cases[i].header, &basic);

		CHECK(basic_cases[i].name, ok == (basic_cases[i].user != NULL));
		CHECK(basic_cases[i].name, !ok || str_eq_c(basic.user, basic_cases[i].user));
		CHECK(basic_cases[i].name, !ok || str_eq_c(basic.password, basic_cases[i].password));
	}
}

static void a_user_code_is_read_as_people_type_it(void **state)
{
	static const struct {
		const char *typed, *code; /* code NULL: none */
	} cases[] = {
		{"WDJB-MJHT", "WDJB-MJHT"},
		{"wdjbmjht", "WDJB-MJHT"},
		{" wd-jb mj ht ", "WDJB-MJHT"},
		{"WDJB-MJH", NULL},
		{"WDJB-MJHTX", NULL},
		{"WDJB-MJHA", NULL},
		{"WDJB-MJH1", NULL},
		{"WDJB_MJHT", NULL},
		{"", NULL},
		{"                                                         WDJBMJHT", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct str code = rules_user_code_normal(arena, str_from(cases[i].typed));

		CHECK(cases[i].typed, (code.p != NULL) == (cases[i].code != NULL) &&
					      (code.p == NULL || str_eq_c(code, cases[i].code)));
	}
	assert_null(rules_user_code_normal(arena, (struct str){"WDJB\0MJHT", 9}).p);
	assert_true(
		str_eq_c(rules_user_code_make(arena, STR("\x00\x01\xf0\x13\x14\x02\x03\xff\xef\x04")), "BCZB-DFZG"));
	assert_null(rules_user_code_make(arena, STR("\xf0\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8\xf9\xfa")).p);
}

static void a_device_that_asks_too_soon_waits_longer(void **state)
{
	(void)state;
	assert_int_equal(rules_device_interval_s(5, 0, 1), 5);
	assert_int_equal(rules_device_interval_s(5, US_PER_S, 6 * US_PER_S), 5);
	assert_int_equal(rules_device_interval_s(5, US_PER_S, 6 * US_PER_S - 1), 10);
	assert_int_equal(rules_device_interval_s(600, US_PER_S, 2 * US_PER_S), 600);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_user_code_is_read_as_people_type_it),
		cmocka_unit_test(a_device_that_asks_too_soon_waits_longer),
		cmocka_unit_test(only_a_plain_redirect_uri_may_be_registered),
		cmocka_unit_test(only_an_origin_as_browsers_write_it_may_be_registered),
		cmocka_unit_test(a_redirect_uri_of_501_bytes_is_refused),
		cmocka_unit_test(a_redirect_uri_matches_to_the_byte),
		cmocka_unit_test(the_origin_ends_where_the_path_begins),
		cmocka_unit_test(a_verifier_is_hashed_and_compared),
		cmocka_unit_test(scopes_are_read_strictly_and_understood_leniently),
		cmocka_unit_test(a_scope_limits_what_the_roles_give),
		cmocka_unit_test(a_narrower_scope_is_part_of_the_wider),
		cmocka_unit_test(prompts_are_those_of_the_specification),
		cmocka_unit_test(of_several_classes_the_least_is_wanted),
		cmocka_unit_test(max_age_is_a_number_of_seconds),
		cmocka_unit_test(basic_credentials_are_read_as_the_specification_says),
	};
	int failed;

	arena = arena_new(1U << 20);
	failed = cmocka_run_group_tests_name("rules_oauth", tests, NULL, NULL);
	arena_free(&arena);
	return failed;
}
