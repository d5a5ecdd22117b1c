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

bool erasure_is_refusal(enum err err)
{
	return err_status(err) >= 400 && err_status(err) < 500 && err != ERR_RATE_LIMITED;
}

/* Errors after which the question was provably not executed (link.h). */
static bool is_unasked(enum err err)
{
	return err == ERR_UNAVAILABLE || err == ERR_OVERLOADED || err == ERR_DRAINING;
}

enum erasure_fate erasure_fate(const struct erasure_record *erasure, enum erasure_step step, enum err err)
{
	if (step != ERASURE_AUTH || erasure->accepted_at != 0)
		return ERASURE_STAYS;
	return erasure_is_refusal(err) || is_unasked(err) ? ERASURE_WITHDRAWN : ERASURE_STAYS;
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
