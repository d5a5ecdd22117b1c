/* SPDX-License-Identifier: Apache-2.0 */
#include "pages.h"

#include <string.h>

#include "base/test.h"
#include "contract/operation.h"
#include "texts_scope.h"

#define HOSTILE "\"><script>alert('x')</script>&<b>"

static struct arena *arena;
static struct buf html;

static void draw(enum locale locale, int kind)
{
	struct page page = {.arena = arena, .out = &html, .locale = locale, .alert = STR(HOSTILE)};
	struct sign_in_form form = {.tenant_name = STR(HOSTILE),
		.client_name = STR(HOSTILE),
		.resume = STR(HOSTILE),
		.csrf = STR(HOSTILE),
		.email = STR(HOSTILE)};
	struct sign_in_form blank = {.csrf = STR(HOSTILE), .tenant_slug = STR(HOSTILE), .email = STR(HOSTILE)};
	struct session_view shown[2] = {
		{.row_id = 1, .browser = STR(HOSTILE)}, {.row_id = 2, .browser = STR("firefox")}};
	struct sessions_view sessions = {.csrf = STR(HOSTILE), .sessions = shown, .count = 2, .current = 2};
	struct link_form link = {
		.token = STR(HOSTILE), .csrf = STR(HOSTILE), .tenant_name = STR(HOSTILE), .email = STR(HOSTILE)};

	struct consent_record consent = {.client_name = STR(HOSTILE), .scope = STR(HOSTILE)};

	arena_reset(arena);
	buf_reset(&html);
	switch (kind) {
	case 0:
		pages_sign_in(&page, &form);
		break;
	case 1:
		pages_sign_in(&page, &blank);
		break;
	case 2:
		pages_signed_in(&page, STR(HOSTILE));
		break;
	case 3:
		pages_invitation(&page, &link);
		break;
	case 4:
		pages_verification(&page, &link);
		break;
	case 5:
		pages_reset(&page, &link);
		break;
	case 6:
		pages_forgotten(&page, &blank);
		break;
	case 7:
		pages_password(&page, STR(HOSTILE), STR(HOSTILE));
		break;
	case 8:
		pages_sessions(&page, &sessions);
		break;
	case 9:
		pages_consent(&page, &(struct consent_page){.resume = STR(HOSTILE),
					     .csrf = STR(HOSTILE),
					     .client_name = STR(HOSTILE),
					     .tenant_name = STR(HOSTILE),
					     .email = STR(HOSTILE),
					     .scope = STR("openid " HOSTILE),
					     .lasts = true,
					     .third_party = true,
					     .user_code = STR(HOSTILE)});
		break;
	case 10:
		pages_consents(&page, &(struct consents_page){.csrf = STR(HOSTILE), .consents = &consent, .count = 1});
		break;
	case 11:
		pages_device(&page, STR(HOSTILE), STR(HOSTILE));
		break;
	case 12:
		pages_end_session(&page, &(struct end_page){.csrf = STR(HOSTILE),
						 .client_id = STR(HOSTILE),
						 .post_logout_redirect_uri = STR(HOSTILE),
						 .state = STR(HOSTILE),
						 .tenant_name = STR(HOSTILE)});
		break;
	case 13:
		pages_email(&page, STR(HOSTILE), STR(HOSTILE));
		break;
	case 14:
		pages_email_confirm(&page, &link, true);
		break;
	default:
		pages_notice(&page, TEXT_LINK_GONE, TEXT_RESET_GONE_HELP);
	}
	buf_put_byte(&html, '\0');
}

#define KINDS 16

static size_t count_of(const char *needle)
{
	size_t count = 0;

	for (const char *at = html.p; (at = strstr(at, needle)) != NULL; at += strlen(needle))
		count++;
	return count;
}

/* An attribute as onload= */
static bool has_handler(void)
{
	for (const char *at = html.p; (at = strstr(at, " on")) != NULL; at++) {
		if (at[3 + strspn(at + 3, "abcdefghijklmnopqrstuvwxyz")] == '=')
			return true;
	}
	return false;
}

static void what_people_typed_never_becomes_markup(void **state)
{
	(void)state;
	for (int kind = 0; kind < KINDS; kind++) {
		draw(LOCALE_EN, kind);
		assert_true(buf_ok(&html));
		assert_int_equal(count_of("<script"), 0);
		assert_int_equal(count_of("<b>"), 0);
		assert_int_equal(count_of("value=\"\">"), 0);
		assert_true(count_of("&lt;script&gt;alert(&#") + count_of("&lt;script&gt;alert(&apos") > 0);
	}
}

static void every_page_stands_without_script_and_with_the_one_style(void **state)
{
	(void)state;
	for (int locale = 0; locale < LOCALE_COUNT; locale++) {
		for (int kind = 0; kind < KINDS; kind++) {
			draw((enum locale)locale, kind);
			assert_int_equal(count_of("<style>"), 1);
			assert_int_equal(count_of(" style="), 0);
			assert_false(has_handler());
			assert_int_equal(count_of("<!doctype html>"), 1);
			assert_int_equal(count_of("<h1>"), 1);
			assert_int_equal(count_of("name=\"viewport\""), 1);
			assert_int_equal(count_of("</html>"), 1);
			assert_int_equal(count_of("<form "), count_of(" name=\"ui_locales\" "));
		}
	}
}

static void every_field_has_its_label(void **state)
{
	(void)state;
	for (int kind = 0; kind < KINDS; kind++) {
		draw(LOCALE_FR, kind);
		assert_int_equal(count_of("<input id="), count_of("<label for="));
		assert_int_equal(
			count_of("<input "), count_of("<input id=") + count_of("<input type=\"hidden\"") +
						     count_of("<input type=\"text\" autocomplete=\"username\""));
	}
}

static void every_text_is_there_in_every_language_and_differs(void **state)
{
	(void)state;
	for (int text = 0; text < TEXT_COUNT; text++) {
		for (int locale = 0; locale < LOCALE_COUNT; locale++) {
			const char *s = texts_get((enum text)text, (enum locale)locale);
			const char *english = texts_get((enum text)text, LOCALE_EN);

			assert_non_null(s);
			assert_true(strlen(s) > 0 && str_is_utf8(str_from(s)));
			assert_true(locale == LOCALE_EN || strcmp(s, english) != 0);
			assert_true((strstr(s, "%s") != NULL) == (strstr(english, "%s") != NULL));
		}
	}
}

/* Whoever adds a permission says what it means to people. */
static void every_word_of_a_scope_has_its_sentence(void **state)
{
	static const char *const own[] = {"openid", "profile", "email", "offline_access", "berth"};
	unsigned count = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(own); i++)
		CHECK(own[i], texts_scope_known(str_from(own[i])));
	for (int bit = 0; bit < PERMISSION_BITS_MAX; bit++) {
		const char *name = permission_name((enum permission)bit);

		if (strcmp(name, "unknown") == 0)
			continue;
		count++;
		for (int locale = 0; locale < LOCALE_COUNT; locale++)
			CHECK(name, texts_scope_known(str_from(name)) &&
					    texts_scope(str_from(name), (enum locale)locale).len > 0);
	}
	assert_true(count > 20);
	assert_true(str_eq_c(texts_scope(STR("no.such"), LOCALE_NL), "no.such"));
}

static void a_hole_is_filled_once(void **state)
{
	(void)state;
	arena_reset(arena);
	assert_true(str_eq_c(
		texts_fill(arena, TEXT_SIGN_IN_TO_FMT, LOCALE_NL, STR("100 %s %d")), "Aanmelden bij 100 %s %d"));
	assert_true(str_eq_c(texts_fill(arena, TEXT_SIGN_IN, LOCALE_NL, STR("x")), "Aanmelden"));
}

/* At the field, and only there; what no field has stands above the form. */
static void what_is_wrong_is_told_where_it_is(void **state)
{
	struct page page = {.arena = arena, .out = &html, .locale = LOCALE_EN};

	(void)state;
	arena_reset(arena);
	pages_alert(&page, TEXT_PASSWORD_CURRENT_WRONG, 0);
	buf_reset(&html);
	pages_password(&page, STR("csrf"), STR("ada@example.org"));
	buf_put_byte(&html, '\0');
	assert_int_equal(count_of("role=\"alert\""), 1);
	assert_int_equal(count_of("id=\"current-fault\""), 1);
	assert_int_equal(count_of("aria-describedby=\"current-fault\" aria-invalid=\"true\" autofocus"), 1);
	assert_int_equal(count_of(" aria-invalid="), 1);
	assert_int_equal(count_of("<title>Error: "), 1);
	assert_int_equal(count_of(" autofocus"), 1);

	pages_alert(&page, TEXT_WAIT_FMT, 7);
	buf_reset(&html);
	pages_password(&page, STR("csrf"), STR("ada@example.org"));
	buf_put_byte(&html, '\0');
	assert_int_equal(count_of("<p class=\"alert\" role=\"alert\">Too many attempts. Try again in 7 s."), 1);
	assert_int_equal(count_of(" aria-invalid="), 0);

	pages_alert(&page, TEXT_COUNT, 0);
	buf_reset(&html);
	pages_password(&page, STR("csrf"), STR("ada@example.org"));
	buf_put_byte(&html, '\0');
	assert_int_equal(count_of("role=\"alert\""), 0);
	assert_int_equal(count_of("<title>Error: "), 0);
}

static void an_instant_is_written_as_people_do(void **state)
{
	static const struct {
		const char *name, *at, *texts[LOCALE_COUNT];
	} cases[] = {
		{"an evening", "2026-11-30T21:06:25.406171Z",
			{"30 November 2026, 21:06\u00a0UTC", "30 novembre 2026 à 21:06\u00a0UTC",
				"30 november 2026 om 21:06\u00a0UTC"}},
		{"the first of a month", "2030-03-01T00:00:00Z",
			{"1 March 2030, 00:00\u00a0UTC", "1er mars 2030 à 00:00\u00a0UTC",
				"1 maart 2030 om 00:00\u00a0UTC"}},
	};
	instant_us at;

	(void)state;
	arena_reset(arena);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		assert_int_equal(instant_parse(str_from(cases[i].at), &at), OK);
		for (int locale = 0; locale < LOCALE_COUNT; locale++)
			CHECK(cases[i].name,
				str_eq_c(texts_when(arena, (enum locale)locale, at), cases[i].texts[locale]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_people_typed_never_becomes_markup),
		cmocka_unit_test(every_page_stands_without_script_and_with_the_one_style),
		cmocka_unit_test(every_field_has_its_label),
		cmocka_unit_test(every_text_is_there_in_every_language_and_differs),
		cmocka_unit_test(every_word_of_a_scope_has_its_sentence),
		cmocka_unit_test(a_hole_is_filled_once),
		cmocka_unit_test(what_is_wrong_is_told_where_it_is),
		cmocka_unit_test(an_instant_is_written_as_people_do),
	};
	int failed;

	arena = arena_new(1U << 20);
	buf_init(&html, 1U << 20);
	failed = cmocka_run_group_tests_name("pages", tests, NULL, NULL);
	buf_release(&html);
	arena_free(&arena);
	return failed;
}
