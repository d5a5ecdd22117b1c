/* SPDX-License-Identifier: Apache-2.0 */
#include "rules.h"

#include "base/encode.h"

static const enum erasure_step order[] = {ERASURE_AUTH, ERASURE_BOOKING, ERASURE_AUDIT};

enum erasure_step erasure_next(unsigned pending)
{
	for (size_t i = 0; i < sizeof order / sizeof *order; i++)
		if ((pending & order[i]) != 0)
			return order[i];
	return (enum erasure_step)0;
}

const char *erasure_step_service(enum erasure_step step)
{
	switch (step) {
	case ERASURE_AUTH:
		return "authsvc";
	case ERASURE_BOOKING:
		return "bookingsvc";
	case ERASURE_AUDIT:
	default:
		return "auditsvc";
	}
}

bool erasure_may_withdraw(unsigned pending)
{
	return pending == ERASURE_ALL;
}

struct str erasure_cursor_make(struct arena *arena, int64_t key)
{
	return base64url_encode(arena, arena_printf(arena, "e%lld", (long long)key));
}

enum err erasure_cursor_read(struct arena *arena, struct str text, int64_t *key_out)
{
	struct str plain = base64url_decode(arena, text);
	uint64_t key;

	if (!str_starts(plain, "e"))
		return ERR_BAD_CURSOR;
	plain.p++;
	plain.len--;
	if (str_to_u64(plain, INT64_MAX, &key) != OK)
		return ERR_BAD_CURSOR;
	*key_out = (int64_t)key;
	return OK;
}
