/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "rules_oauth.h"

static bool lookup(struct str name, unsigned *bit_out)
{
	*bit_out = name.len > 0 ? (unsigned char)name.p[0] : 0U;
	return name.len > 0 && name.p[0] == 's';
}

/* What may be registered stays inside its origin, whoever reads it. */
static void check_redirect(struct str uri)
{
	const char *reason;
	struct str origin;

	if (!rules_redirect_ok(uri, &reason))
		return;
	origin = rules_redirect_origin(uri);
	if (origin.p != uri.p || origin.len > uri.len || uri.len > REDIRECT_URI_MAX)
		abort();
	for (size_t i = 0; i < uri.len; i++) {
		if ((unsigned char)uri.p[i] <= ' ' || (unsigned char)uri.p[i] >= 0x7f ||
			strchr("\\#\"<>", uri.p[i]) != NULL)
			abort();
	}
	for (size_t i = 0; i < origin.len; i++) {
		if (uri.p[i] == '@' || (uri.p[i] >= 'A' && uri.p[i] <= 'Z'))
			abort();
	}
	if (!rules_redirect_listed(uri, uri))
		abort();
}

static void check_scope(struct arena *arena, struct str text)
{
	struct scope scope, again;

	if (!rules_scope_parse(arena, text, lookup, &scope))
		return;
	if (scope.text.len > SCOPE_BYTES_MAX || !rules_scope_parse(arena, scope.text, lookup, &again) ||
		!str_eq(scope.text, again.text) || !rules_scope_within(again.text, scope.text))
		abort();
}

static void check_basic(struct arena *arena, struct str header)
{
	struct basic basic;

	if (rules_basic_parse(arena, header, &basic) &&
		(basic.user.len == 0 || basic.password.len == 0 || basic.user.len > CLIENT_SECRET_MAX))
		abort();
}

static void check_user_code(struct arena *arena, struct str typed)
{
	struct str code = rules_user_code_normal(arena, typed);
	struct str made = rules_user_code_make(arena, typed);

	if (code.p != NULL && (code.len != USER_CODE_TEXT_LEN || !str_eq(rules_user_code_normal(arena, code), code)))
		abort();
	if (made.p != NULL && !str_eq(rules_user_code_normal(arena, made), made))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct arena *arena = arena_new(1U << 20);
	struct str text;
	struct prompt prompt;
	int64_t max_age_s;

	if (arena == NULL)
		abort();
	if (len > 0) {
		text = (struct str){(const char *)data + 1, len - 1};
		if (data[0] % 4 == 0)
			check_redirect(text);
		if (data[0] % 4 == 1)
			check_scope(arena, text);
		if (data[0] % 4 == 2)
			check_basic(arena, text);
		if (data[0] % 4 == 3 && rules_prompt_parse(text, &prompt) && prompt.none && prompt.login)
			abort();
		check_user_code(arena, text);
		(void)rules_max_age_parse(text, &max_age_s);
		(void)rules_acr_wanted(text);
		if (rules_verifier_matches(text, text))
			abort();
	}
	arena_free(&arena);
	return 0;
}
