/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_DESK_H
#define BERTH_AUTHSVC_DESK_H

#include "service/service.h"
#include "state.h"
#include "store.h"

/*
 * What every handler does alike: find the shared state, begin a transaction, tell the audit log, page through lists.
 */
struct state *desk_state(const struct call *call);
struct desk *desk_of(const struct call *call);

/* In the caller's tenant, or in one that a ticket or client named. */
MUST_USE enum err desk_begin(struct call *call, struct store *store_out);
MUST_USE enum err desk_begin_in(struct call *call, const struct uuid *tenant_id, struct store *store_out);
/* Commits, and wakes who sends on what was written: events, mails, revocations. */
MUST_USE enum err desk_commit(struct call *call, struct store *store);

/* Who asks: the person of the token, else its client; nil without a token. */
struct uuid desk_actor(const struct call *call);
struct rights desk_rights(const struct call *call); /* of the token */

struct trail {
	const char *action, *object_type;
	struct uuid object_id, subject_id;
	struct uuid actor_id, client_id; /* both nil: those of the token */
	int64_t version;
	struct str before, after; /* JSON, or absent */
};
/* An event, committed with the change. */
MUST_USE enum err desk_put_event(struct call *call, struct store *store, const struct trail *trail);
/* A document of the contract as JSON, for `before` and `after`. p is NULL when the arena is full. */
struct str desk_json(struct call *call, const struct shape *shape, const void *object);

/* The page asked for: where it begins and how long it is. ERR_BAD_CURSOR. */
MUST_USE enum err desk_page(const struct call *call, const char *list, bool has_limit, int64_t limit, struct str cursor,
	struct uuid *after_out, size_t *limit_out);
struct str desk_cursor(const struct call *call, const char *list, const struct uuid *last);

/* Words separated by blanks to a list and back. */
struct texts desk_words(struct arena *arena, struct str words);
struct str desk_join(struct arena *arena, const struct texts *texts);

#endif
