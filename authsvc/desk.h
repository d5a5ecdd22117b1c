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
/* ERR_VERSION_STALE when the caller names another version (If-Match) than this one, which is locked. */
MUST_USE enum err desk_check_version(const struct call *call, int64_t version);
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

/*
 * A page of a list: what is read (`fetch` records behind `after`, one more than are shown) and what is shown, both in
 * the call's arena.
 */
struct desk_list {
	const char *name;
	struct uuid after;
	size_t limit, fetch;
	void *records, *items;
};
/* The page asked for. ERR_BAD_CURSOR. */
MUST_USE enum err desk_page(struct call *call, const char *name, bool has_limit, int64_t limit, struct str cursor,
	size_t record_size, size_t item_size, struct desk_list *list_out);
/* How many of the records found are shown. */
size_t desk_page_shown(const struct desk_list *list, size_t found);
/* Of the page behind this one, whose last record is `last`; absent when all was found. */
struct str desk_page_next(const struct call *call, const struct desk_list *list, size_t found, const struct uuid *last);

/* Words separated by blanks to a list and back. */
struct texts desk_words(struct arena *arena, struct str words);
struct str desk_join(struct arena *arena, const struct texts *texts);

#endif
