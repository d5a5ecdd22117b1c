/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GDPRSVC_RULES_H
#define BERTH_GDPRSVC_RULES_H

#include "base/clock.h"
#include "base/id.h"

/* An erasure, as the ledger has it. */
struct erasure_record {
	int64_t key;
	struct uuid id, tenant_id, person_id;
	struct uuid actor_id; /* nil: the system */
	instant_us requested_at;
	instant_us accepted_at;  /* 0: authsvc has not agreed yet, so nothing anywhere has changed */
	instant_us completed_at; /* 0: running */
	unsigned pending;        /* ERASURE_* of the services that have not confirmed */
};

enum erasure_step { ERASURE_AUTH = 1, ERASURE_BOOKING = 2, ERASURE_AUDIT = 4 };
#define ERASURE_ALL 7U

/*
 * The next service to ask, 0 when all have confirmed. authsvc goes first: it alone may refuse (unknown person, last
 * Admin), and then nothing has been erased. auditsvc goes last: once it has destroyed the person's key, nothing about
 * them can be sealed again.
 */
enum erasure_step erasure_next(unsigned pending);
const char *erasure_step_service(enum erasure_step step); /* "authsvc", ... */
/* An answer about the person, not about the weather: authsvc says no. */
bool erasure_is_refusal(enum err err);
/* What to do with an erasure that authsvc answered with an error. */
enum erasure_fate {
	ERASURE_STAYS,    /* it may have begun, or has: the job goes on */
	ERASURE_WITHDRAWN /* provably nothing has changed, and nobody has agreed: forget it, tell why */
};
enum erasure_fate erasure_fate(const struct erasure_record *erasure, enum erasure_step step, enum err err);

/* Opaque cursors of the list: the last key, base64url of its text. ERR_BAD_CURSOR for what was not made here. */
struct str erasure_cursor_make(struct arena *arena, int64_t key);
MUST_USE enum err erasure_cursor_read(struct arena *arena, struct str text, int64_t *key_out);

#endif
