/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_BOOKINGSVC_HANDLE_H
#define BERTH_BOOKINGSVC_HANDLE_H

#include "db/idempotency.h"
#include "rules.h"
#include "service/service.h"
#include "state.h"

/* What the operations share: who calls, refusals, idempotency keys, events, documents, cursors. */

struct caller handle_caller(const struct call *call);
/*
 * The same, with the people of the groups that the caller's rights reach: authsvc is asked, so before a transaction
 * begins. Without such groups nobody is.
 */
MUST_USE enum err handle_caller_whole(struct call *call, struct caller *caller_out);
struct uuid handle_client_id(const struct call *call); /* nil when the token's client id is not a UUID */
/* ERR_FORBIDDEN for a client that acts for itself. */
MUST_USE enum err handle_need_person(struct call *call);
/* Of an OP_PLACED operation that manages: 403 unless site.manage is held everywhere, at the site or at the area. */
MUST_USE enum err handle_need_place(struct call *call, const struct uuid *site_id, const struct uuid *area_id);
MUST_USE enum err handle_refuse(struct call *call, const struct verdict *verdict);
MUST_USE enum err handle_not_found(struct call *call, const char *field);
/* Begins a transaction of the token's tenant. */
MUST_USE enum err handle_begin(const struct call *call, struct tx **tx_out);

/* -- idempotency keys: nothing happens when the call has none -- */
struct keyed {
	bool used;
	struct idempotency_claim claim;
};
struct keyed handle_keyed(const struct call *call);
/* *found_out: reply_out is the first answer, and there is nothing to do. */
MUST_USE enum err handle_claim(
	struct call *call, struct tx *tx, const struct keyed *keyed, void *reply_out, bool *found_out);
/* What a claim's answer means for its call. */
MUST_USE enum err handle_claimed(
	struct call *call, const struct idempotency_answer *answer, void *reply_out, bool *found_out);
/* Queued. `key` is the claiming person's, or NULL. */
MUST_USE enum err handle_answer(
	struct call *call, struct tx *tx, const struct keyed *keyed, const struct seal_key *key, const void *reply);
/* The reply as it is stored, in the arena. */
MUST_USE enum err handle_encode(struct call *call, const void *reply, struct str *bytes_out);
MUST_USE enum err handle_decode(struct call *call, struct str bytes, void *reply_out);

/* -- events -- */
struct event handle_event(const struct call *call, const char *action, const char *object_type,
	const struct uuid *object_id, int64_t version);
/* The object as the API shows it. */
MUST_USE enum err handle_document(
	struct call *call, const struct shape *shape, const void *object, struct str *document_out);
/* Queued. `key` is the subject's; NULL: it is loaded, or the tenant's where there is no subject. */
MUST_USE enum err handle_put_event(
	struct call *call, struct tx *tx, const struct event *event, const struct seal_key *key);

/* -- pages -- */
enum cursor_kind { CURSOR_SITE = 1, CURSOR_AREA, CURSOR_SPOT, CURSOR_VEHICLE, CURSOR_DELEGATION, CURSOR_BOOKING };
struct cursor {
	instant_us at; /* 0 where only ids order the list */
	struct uuid id;
};
/* An absent cursor begins at the beginning; ERR_BAD_CURSOR for one that this list has not given. */
MUST_USE enum err handle_cursor_read(
	struct call *call, enum cursor_kind kind, struct str text, struct cursor *cursor_out);
/* p is NULL when the arena is full. */
struct str handle_cursor_text(struct call *call, enum cursor_kind kind, const struct cursor *cursor);
size_t handle_limit(bool has_limit, int64_t limit);

#endif
