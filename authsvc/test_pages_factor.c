/* SPDX-License-Identifier: Apache-2.0 */
#include "pages.h"

#include <string.h>

#include "base/test.h"

#define HOSTILE "\"><script>alert('x')</script>&<b>"
#define SCRIPT "<script src=\"/passkey.js\" defer></script>"

static struct arena *arena;
static struct buf html;

static const struct {
	const char *name;
	size_t scripts, blanks; /* fields that the script fills in */
} kinds[] = {
	{"a sign-in", 1, 5},
	{"a sign-in without passkeys", 0, 0},
	{"a factor", 1, 5},
	{"a code alone", 0, 0},
	{"a passkey alone", 1, 5},
	{"the factors", 1, 3},
	{"the factors, when nothing may be changed", 0, 0},
	{"an app", 0, 0},
	{"codes", 0, 0},
};

static void draw_factors(const struct page *page, const struct passkey_view *passkey, bool may_change)
{
	const struct factor_record factors[] = {{.kind = FACTOR_TOTP}, {.kind = FACTOR_PASSKEY, .backed_up = true}};
	const struct str names[] = {STR_NONE, STR(HOSTILE)};

	pages_factors(page, &(struct factors_view){.csrf = STR(HOSTILE),
				    .sign_out = STR(HOSTILE),
				    .factors = factors,
				    .count = 2,
				    .may_change = may_change,
				    .names = names,
				    .passkey = *passkey});
}

static void draw(enum locale locale, size_t kind)
{
	const struct passkey_view none = {.challenge = STR_NONE};
	const struct passkey_view passkey = {STR(HOSTILE), STR(HOSTILE), STR(HOSTILE), STR(HOSTILE), false};
	struct page page = {
		.arena = arena, .out = &html, .locale = locale, .resume = STR(HOSTILE), .alert = STR(HOSTILE)};
	const struct str code = STR(HOSTILE);

	arena_reset(arena);
	buf_reset(&html);
	if (kind < 2)
		pages_sign_in(
			&page, &(struct sign_in_form){.csrf = STR(HOSTILE), .passkey = kind == 0 ? passkey : none});
	else if (kind < 5)
		pages_factor(&page,
			&(struct factor_form){STR(HOSTILE), STR(HOSTILE), kind != 4, kind == 3 ? none : passkey});
	else if (kind < 7)
		draw_factors(&page, &passkey, kind == 5);
	else if (kind == 7)
		pages_enrol(&page,
			&(struct enrol_view){.csrf = STR(HOSTILE), .uri = STR("otpauth://x"), .secret = STR("A")});
	else
		pages_codes(&page, &code, 1);
	buf_put_byte(&html, '\0');
}

static size_t count_of(const char *needle)
{
	size_t count = 0;

	for (const char *at = html.p; (at = strstr(at, needle)) != NULL; at += strlen(needle))
		count++;
	return count;
}

/* The one file, where there are passkeys; nothing else ever runs, and nothing that was typed becomes markup. */
static void a_page_has_the_one_script_or_none(void **state)
{
	(void)state;
	for (size_t kind = 0; kind < COUNT_OF(kinds); kind++) {
		for (int locale = 0; locale < LOCALE_COUNT; locale++) {
			draw((enum locale)locale, kind);
			CHECK(kinds[kind].name, buf_ok(&html));
			CHECK(kinds[kind].name, count_of("<script") == kinds[kind].scripts);
			CHECK(kinds[kind].name, count_of(SCRIPT) == kinds[kind].scripts);
			CHECK(kinds[kind].name, count_of(" hidden>") == 3 * kinds[kind].scripts);
			CHECK(kinds[kind].name, count_of("<noscript>") == kinds[kind].scripts);
			CHECK(kinds[kind].name, count_of("value=\"\">") == kinds[kind].blanks);
			CHECK(kinds[kind].name, count_of("<b>") == 0 && count_of("&lt;script&gt;") > 0);
			CHECK(kinds[kind].name, count_of("</html>") == 1 && count_of("<style>") == 1);
			CHECK(kinds[kind].name,
				count_of(" onclick=") + count_of(" onload=") + count_of(" style=") == 0);
			CHECK(kinds[kind].name, count_of("<input id=") == count_of("<label for="));
			CHECK(kinds[kind].name, count_of("<form ") == count_of(" name=\"ui_locales\" "));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_has_the_one_script_or_none),
	};
	int failed;

	arena = arena_new(1U << 20);
	buf_init(&html, 1U << 20);
	failed = cmocka_run_group_tests_name("pages_factor", tests, NULL, NULL);
	buf_release(&html);
	arena_free(&arena);
	return failed;
}
