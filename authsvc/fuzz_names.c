/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/log.h"
#include "rules.h"
#include "rules_factor.h"
#include "rules_oauth.h"

static bool is_small(struct str text, const char *others)
{
	for (size_t i = 0; i < text.len; i++) {
		const char c = text.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c != '\0' && strchr(others, c) != NULL)))
			return false;
	}
	return true;
}

static void check_names(struct str text)
{
	INVARIANT(!rules_slug_ok(text) || (text.len > 0 && is_small(text, "-")));
	INVARIANT(!rules_domain_ok(text) || (text.len >= 3 && text.len <= 253 && is_small(text, "-.")));
	INVARIANT(!rules_domain_ok(text) || !rules_slug_ok(text));
	INVARIANT(!rules_role_name_ok(text) || text.len <= ROLE_NAME_MAX);
	INVARIANT(!rules_origin_ok(text) ||
		  (text.len <= ORIGIN_MAX && is_small(text, ":/.-[]") && text.p[text.len - 1] != '/'));
}

static void check_address(struct arena *arena, struct str text)
{
	const struct str normal = rules_email_normal(arena, text);
	struct str again, local, domain = normal;

	INVARIANT(normal.p != NULL && normal.len == text.len);
	again = rules_email_normal(arena, normal);
	INVARIANT(str_eq(again, normal));
	if (str_cut(&domain, '@', &local) && local.len > 0 && domain.len > 0)
		INVARIANT(rules_email_in_domain(normal, domain));
	INVARIANT(!rules_email_in_domain(normal, STR("")));
}

/* One-time codes: what is typed is one of the few that are good now, or none. */
static void check_codes(struct arena *arena, struct str text)
{
	static const instant_us now = INT64_C(1800000000) * US_PER_S;
	const struct str secret = STR("01234567890123456789");
	const int64_t present = rules_totp_step(now), step = rules_totp_match(secret, text, present - TOTP_DRIFT, now);
	const struct str normal = rules_recovery_normal(arena, text);

	INVARIANT(
		step == 0 || (step > present - TOTP_DRIFT && step <= present + TOTP_DRIFT && text.len == TOTP_DIGITS));
	if (normal.p != NULL)
		INVARIANT(str_eq(rules_recovery_normal(arena, normal), normal));
}

/* Names that an Admin gives (tenants, domains, roles, web origins), addresses and codes that anybody types. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena *arena;
	const struct str text = {(const char *)data, size};

	if (!arena)
		arena = arena_new(1 << 16);
	if (!arena || size > 4096)
		return 0;
	arena_reset(arena);
	check_names(text);
	check_address(arena, text);
	check_codes(arena, text);
	return 0;
}
