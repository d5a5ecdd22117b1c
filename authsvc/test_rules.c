/* SPDX-License-Identifier: Apache-2.0 */
#include "rules.h"

#include <string.h>

#include "base/test.h"

#define DAY US_PER_DAY

static const struct {
	const char *name;
	struct str password;
	enum password_verdict verdict;
} password_cases[] = {
	{"a sentence is fine", STR("correct horse battery staple"), PASSWORD_OK},
	{"fifteen unlike characters are fine", STR("kV9#qLm2x!ZpR7w"), PASSWORD_OK},
	{"no class of characters is demanded", STR("zebra violin cactus"), PASSWORD_OK},
	{"fifteen characters of two bytes each are fifteen", STR("дорога в облака"), PASSWORD_OK},
	{"fourteen characters are too few", STR("kV9#qLm2x!ZpR7"), PASSWORD_SHORT},
	{"fourteen characters of four bytes are too few", STR("😀😁😂😃😄😅😆😇😈😉😊😋😌😍"), PASSWORD_SHORT},
	{"nothing is too short", STR(""), PASSWORD_SHORT},
	{"the same character over and over is trivial", STR("aaaaaaaaaaaaaaaaaaaa"), PASSWORD_TRIVIAL},
	{"a word and a run is trivial", STR("password1234567"), PASSWORD_TRIVIAL},
	{"a word twice is trivial", STR("passwordpassword"), PASSWORD_TRIVIAL},
	{"case hides no word", STR("PaSsWoRdQwErTyUiOp"), PASSWORD_TRIVIAL},
	{"a row of the keyboard is trivial", STR("qwertyuiop12345"), PASSWORD_TRIVIAL},
	{"a French row too", STR("azertyuiop12345"), PASSWORD_TRIVIAL},
	{"what is said five times counts once", STR("abcabcabcabcabc"), PASSWORD_TRIVIAL},
	{"one's own address is trivial", STR("alice.martin@acme.example"), PASSWORD_TRIVIAL},
	{"one's own name and a year is trivial", STR("Alice.Martin2024"), PASSWORD_TRIVIAL},
};

static void a_password_is_long_and_not_the_first_guess(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(password_cases); i++)
		CHECK(password_cases[i].name, rules_password_check(password_cases[i].password,
						      STR("alice.martin@acme.example")) == password_cases[i].verdict);
}

static void a_password_of_1024_bytes_passes_and_one_more_does_not(void **state)
{
	char text[PASSWORD_BYTES_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)('!' + (i * 7 + i / 13) % 90);
	assert_int_equal(rules_password_check((struct str){text, PASSWORD_BYTES_MAX}, STR("")), PASSWORD_OK);
	assert_int_equal(rules_password_check((struct str){text, PASSWORD_BYTES_MAX + 1}, STR("")), PASSWORD_LONG);
}

static const struct {
	const char *name;
	const char *email, *domain;
	bool in;
} domain_cases[] = {
	{"the same domain", "a@acme.example", "acme.example", true},
	{"a subdomain is another", "a@x.acme.example", "acme.example", false},
	{"a longer name is another", "a@notacme.example", "acme.example", false},
	{"a domain in front does not count", "acme.example@evil.example", "acme.example", false},
	{"no domain, nobody", "a@acme.example", NULL, false},
	{"an empty domain, nobody", "a@", "", false},
};

static void an_address_is_in_its_own_domain_only(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(domain_cases); i++)
		CHECK(domain_cases[i].name, rules_email_in_domain(str_from(domain_cases[i].email),
						    str_from(domain_cases[i].domain)) == domain_cases[i].in);
}

static void slugs_and_domains_are_lower_case_labels(void **state)
{
	static const char *const slugs[] = {"a", "acme-fr", "0", "a1-b2"};
	static const char *const no_slugs[] = {"", "-a", "a-", "A", "a_b", "a.b", "é", "a b"};
	static const char *const domains[] = {"acme.example", "a.b.c.d", "1.example"};
	static const char *const no_domains[] = {"", "example", "a..b", ".a.b", "a.b.", "A.b", "a b.c", "-a.b"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(slugs); i++)
		CHECK(slugs[i], rules_slug_ok(str_from(slugs[i])));
	for (size_t i = 0; i < COUNT_OF(no_slugs); i++)
		CHECK(no_slugs[i], !rules_slug_ok(str_from(no_slugs[i])));
	for (size_t i = 0; i < COUNT_OF(domains); i++)
		CHECK(domains[i], rules_domain_ok(str_from(domains[i])));
	for (size_t i = 0; i < COUNT_OF(no_domains); i++)
		CHECK(no_domains[i], !rules_domain_ok(str_from(no_domains[i])));
}

static void addresses_compare_without_case(void **state)
{
	struct arena *arena = arena_new(4096);

	(void)state;
	assert_true(str_eq_c(rules_email_normal(arena, STR("Alice.MARTIN@Acme.Example")), "alice.martin@acme.example"));
	arena_free(&arena);
}

static void nobody_comes_back_from_erased_and_nobody_skips_the_invitation(void **state)
{
	static const bool may[4][4] = {
		[PERSON_INVITED] = {[PERSON_INVITED] = true},
		[PERSON_ACTIVE] = {[PERSON_ACTIVE] = true, [PERSON_SUSPENDED] = true},
		[PERSON_SUSPENDED] = {[PERSON_ACTIVE] = true, [PERSON_SUSPENDED] = true},
		[PERSON_ERASED] = {[PERSON_ERASED] = true},
	};

	(void)state;
	for (int from = 0; from < 4; from++) {
		for (int to = 0; to < 4; to++)
			assert_int_equal(rules_status_may_become((enum person_status)from, (enum person_status)to),
				may[from][to]);
	}
}

static const struct {
	const char *name;
	enum throttle_kind kind;
	int64_t count, delay_ms;
} throttle_cases[] = {
	{"four wrong passwords cost nothing", THROTTLE_PAIR, 4, 0},
	{"the fifth costs a second", THROTTLE_PAIR, 5, 1000},
	{"each one more doubles", THROTTLE_PAIR, 8, 8000},
	{"up to a quarter of an hour", THROTTLE_PAIR, 30, 900000},
	{"for ever", THROTTLE_PAIR, INT64_MAX, 900000},
	{"an office has room for a hundred", THROTTLE_ADDRESS, 99, 0},
	{"and then little by little less", THROTTLE_ADDRESS, 102, 2000},
	{"three mails are free", THROTTLE_MAIL, 2, 0},
	{"the fourth waits for a minute", THROTTLE_MAIL, 3, 60000},
};

static void delays_double_up_to_a_cap(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(throttle_cases); i++)
		CHECK(throttle_cases[i].name, rules_throttle_delay_ms(throttle_cases[i].kind,
						      throttle_cases[i].count) == throttle_cases[i].delay_ms);
}

/* NIST SP 800-63B-4 section 3.2.2: at most 100 failures in a row on one account. */
static void a_day_of_guessing_one_account_stays_near_a_hundred(void **state)
{
	int64_t now_ms = 0;
	int64_t count = 0;

	(void)state;
	while (now_ms < 24 * 3600 * 1000)
		now_ms += rules_throttle_delay_ms(THROTTLE_ACCOUNT, ++count) + 1;
	assert_true(count < 120);
}

static void a_session_ends_by_rest_by_age_and_by_word(void **state)
{
	const instant_us now = 1000 * DAY;

	(void)state;
	assert_true(rules_session_alive(now - 1, now + 1, false, now));
	assert_false(rules_session_alive(now - 1, now + 1, true, now));
	assert_false(rules_session_alive(now - 1, now, false, now));
	assert_false(rules_session_alive(now - SESSION_IDLE_US, now + 1, false, now));
}

static void max_age_counts_from_the_sign_in(void **state)
{
	const instant_us now = 1000 * DAY;

	(void)state;
	assert_true(rules_auth_fresh(now - DAY, -1, now));
	assert_true(rules_auth_fresh(now - 60 * US_PER_S, 60, now));
	assert_false(rules_auth_fresh(now - 61 * US_PER_S, 60, now));
	assert_false(rules_auth_fresh(now - US_PER_S, 0, now));
	assert_true(rules_auth_fresh(now - DAY, INT64_MAX, now));
}

#define NOW (1000 * DAY)
static const struct {
	const char *name;
	struct family_state family;
	int64_t presented;
	enum refresh_verdict verdict;
} refresh_cases[] = {
	{"the newest is rotated", {false, true, 5, NOW - DAY, NOW + DAY}, 5, REFRESH_ROTATE},
	{"the one before, at once: the answer was lost", {false, true, 5, NOW, NOW + DAY}, 4, REFRESH_REPEAT},
	{"the one before, ten seconds later still", {false, true, 5, NOW - REFRESH_RETRY_US, NOW + DAY}, 4,
		REFRESH_REPEAT},
	{"the one before, later: a thief", {false, true, 5, NOW - REFRESH_RETRY_US - 1, NOW + DAY}, 4, REFRESH_THEFT},
	{"one before that, at once: a thief", {false, true, 5, NOW, NOW + DAY}, 3, REFRESH_THEFT},
	{"the first of many: a thief", {false, true, 500, NOW - 1, NOW + DAY}, 1, REFRESH_THEFT},
	{"one never given is refused without harm", {false, true, 5, NOW, NOW + DAY}, 6, REFRESH_EXPIRED},
	{"a revoked family gives nothing", {true, true, 5, NOW, NOW + DAY}, 5, REFRESH_EXPIRED},
	{"and its old tokens accuse nobody", {true, true, 5, NOW, NOW + DAY}, 1, REFRESH_EXPIRED},
	{"a family without refresh tokens", {false, false, 5, NOW, NOW + DAY}, 5, REFRESH_EXPIRED},
	{"thirty days are the end", {false, true, 5, NOW - 1, NOW}, 5, REFRESH_EXPIRED},
	{"so are seven of rest", {false, true, 5, NOW - FAMILY_IDLE_US, NOW + DAY}, 5, REFRESH_EXPIRED},
	{"a microsecond less is not", {false, true, 5, NOW - FAMILY_IDLE_US + 1, NOW + DAY}, 5, REFRESH_ROTATE},
};

static void a_retry_is_told_from_a_theft(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(refresh_cases); i++)
		CHECK(refresh_cases[i].name, rules_refresh_decide(&refresh_cases[i].family, refresh_cases[i].presented,
						     NOW) == refresh_cases[i].verdict);
}

static const struct {
	const char *name;
	struct key_ages ages;
	bool force;
	enum key_step step;
} key_cases[] = {
	{"without any key one is made to sign", {0, 0}, false, KEY_STEP_MAKE_ACTIVE},
	{"then one to follow it", {0, NOW - 1}, false, KEY_STEP_MAKE_NEXT},
	{"then nothing", {NOW - 1, NOW - 1}, false, KEY_STEP_NONE},
	{"after thirty days the next takes over", {NOW - KEY_PUBLISHED_US, NOW - KEY_ACTIVE_US}, false,
		KEY_STEP_PROMOTE},
	{"but not before everybody could see it", {NOW - KEY_PUBLISHED_US + 1, NOW - KEY_ACTIVE_US}, false,
		KEY_STEP_NONE},
	{"nor a moment early", {NOW - DAY, NOW - KEY_ACTIVE_US + 1}, false, KEY_STEP_NONE},
	{"an operator need not wait so long", {NOW - KEY_KNOWN_US, NOW - 1}, true, KEY_STEP_PROMOTE},
	{"only until every process knows the key", {NOW - KEY_KNOWN_US + 1, NOW - DAY}, true, KEY_STEP_NONE},
	{"but needs a key to hand over to", {0, NOW - 1}, true, KEY_STEP_MAKE_NEXT},
};

static void keys_hand_over_in_steps(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(key_cases); i++)
		CHECK(key_cases[i].name,
			rules_key_decide(&key_cases[i].ages, key_cases[i].force, NOW) == key_cases[i].step);
}

static void a_forced_key_waits_until_it_is_known(void **state)
{
	const struct key_ages fresh = {NOW, NOW - DAY}, known = {NOW - KEY_KNOWN_US, NOW - DAY}, none = {0, NOW - DAY};

	(void)state;
	assert_int_equal(rules_key_wait_us(&fresh, NOW), KEY_KNOWN_US);
	assert_int_equal(rules_key_wait_us(&fresh, NOW + KEY_KNOWN_US - 1), 1);
	assert_int_equal(rules_key_wait_us(&known, NOW), 0);
	assert_int_equal(rules_key_wait_us(&none, NOW), 0);
}

static void a_retired_key_outlives_every_token_that_it_signed(void **state)
{
	(void)state;
	assert_false(rules_key_gone(NOW - ID_TOKEN_LIFE_US, NOW));
	assert_false(rules_key_gone(NOW - ACCESS_LIFE_US, NOW));
	assert_true(rules_key_gone(NOW - KEY_OVERLAP_US, NOW));
	assert_true(KEY_OVERLAP_US >= ID_TOKEN_LIFE_US + 3600 * US_PER_S);
}

static void a_name_of_a_role_is_a_word(void **state)
{
	static const struct {
		const char *name, *text;
		bool ok;
	} cases[] = {
		{"one letter", "a", true},
		{"all that there may be", "Az09_-", true},
		{"as long as a token holds", "abcdefghijklmnopqrstuvw", true},
		{"a letter longer", "abcdefghijklmnopqrstuvwx", false},
		{"nothing", "", false},
		{"a blank", "a b", false},
		{"a sign of another script", "r\xc3\xb4le", false},
		{"a quote", "a'", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		CHECK(cases[i].name, rules_role_name_ok(str_from(cases[i].text)) == cases[i].ok);
}

static void nobody_grants_what_they_lack(void **state)
{
	struct rights outer = {{0}};
	struct rights inner = {{0}};
	struct rights both, rest;

	(void)state;
	assert_true(rules_rights_within(&inner, &outer));
	inner.bits[31] = 0x80;
	assert_false(rules_rights_within(&inner, &outer));
	outer.bits[31] = 0xc0;
	assert_true(rules_rights_within(&inner, &outer));
	inner.bits[0] = 1;
	assert_false(rules_rights_within(&inner, &outer));
	both = rules_rights_join(&inner, &outer);
	assert_true(rules_rights_within(&inner, &both) && rules_rights_within(&outer, &both));
	rest = rules_rights_minus(&both, &outer);
	assert_true(rest.bits[0] == 1 && rest.bits[31] == 0);
	rest = rules_rights_minus(&outer, &both);
	assert_true(rest.bits[0] == 0 && rest.bits[31] == 0);
}

static void mails_are_tried_again_ever_more_rarely(void **state)
{
	(void)state;
	assert_int_equal(rules_mail_backoff_us(1), 10 * US_PER_S);
	assert_int_equal(rules_mail_backoff_us(4), 80 * US_PER_S);
	assert_int_equal(rules_mail_backoff_us(1000), MAIL_BACKOFF_MAX_US);
	assert_int_equal(rules_logout_backoff_us(1), 2 * US_PER_S);
	assert_int_equal(rules_logout_backoff_us(3), 8 * US_PER_S);
	assert_int_equal(rules_logout_backoff_us(1000), 600 * US_PER_S);
}

static void a_role_demands_a_factor_of_who_has_it(void **state)
{
	static const struct {
		const char *name;
		enum demand of_tenant;
		const char *factor_roles, *roles;
		enum demand wanted;
	} cases[] = {
		{"no role is named", DEMAND_STAFF, "", "User Admin", DEMAND_STAFF},
		{"one of several is", DEMAND_OPTIONAL, "Night Reception", "User Reception", DEMAND_ALL},
		{"another is", DEMAND_OPTIONAL, "Night Reception", "User Admin", DEMAND_OPTIONAL},
		{"what only begins like it is not it", DEMAND_OPTIONAL, "Night", "Nig Nights", DEMAND_OPTIONAL},
		{"no roles", DEMAND_STAFF, "Night", "", DEMAND_STAFF},
		{"everybody is asked already", DEMAND_ALL, "Night", "User", DEMAND_ALL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		if (rules_demand_of(cases[i].of_tenant, str_from(cases[i].factor_roles), str_from(cases[i].roles)) !=
			cases[i].wanted)
			fail_msg("%s", cases[i].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_role_demands_a_factor_of_who_has_it),
		cmocka_unit_test(a_password_is_long_and_not_the_first_guess),
		cmocka_unit_test(a_password_of_1024_bytes_passes_and_one_more_does_not),
		cmocka_unit_test(an_address_is_in_its_own_domain_only),
		cmocka_unit_test(slugs_and_domains_are_lower_case_labels),
		cmocka_unit_test(addresses_compare_without_case),
		cmocka_unit_test(nobody_comes_back_from_erased_and_nobody_skips_the_invitation),
		cmocka_unit_test(delays_double_up_to_a_cap),
		cmocka_unit_test(a_day_of_guessing_one_account_stays_near_a_hundred),
		cmocka_unit_test(a_session_ends_by_rest_by_age_and_by_word),
		cmocka_unit_test(max_age_counts_from_the_sign_in),
		cmocka_unit_test(a_retry_is_told_from_a_theft),
		cmocka_unit_test(keys_hand_over_in_steps),
		cmocka_unit_test(a_forced_key_waits_until_it_is_known),
		cmocka_unit_test(a_retired_key_outlives_every_token_that_it_signed),
		cmocka_unit_test(nobody_grants_what_they_lack),
		cmocka_unit_test(a_name_of_a_role_is_a_word),
		cmocka_unit_test(mails_are_tried_again_ever_more_rarely),
	};

	return cmocka_run_group_tests_name("rules", tests, NULL, NULL);
}
