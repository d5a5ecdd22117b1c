/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUDITSVC_STORE_H
#define BERTH_AUDITSVC_STORE_H

#include "db/db.h"
#include "seal/seal.h"
#include "types.h"

/*
 * One transaction and what its statements need; what they give lies in the arena. Errors are those of db/tx.h, and
 * ERR_NOT_FOUND where one row was asked for. The files store*.c are the only ones that know tables.
 */
struct store {
	struct tx *tx;
	struct seal *seal;
	struct arena *arena;
	struct uuid tenant_id;
};

MUST_USE enum err store_begin(
	struct db *db, struct seal *seal, struct arena *arena, const struct uuid *tenant_id, struct store *store_out);
/* The connection is the jobs role's: no tenant, no seal. */
MUST_USE enum err store_begin_jobs(struct db *jobs, struct arena *arena, struct store *store_out);
/* What follows runs for another tenant. */
MUST_USE enum err store_for(struct store *store, const struct uuid *tenant_id);
MUST_USE enum err store_commit(struct store *store);
void store_release(struct store *store); /* rolls back unless committed; a zeroed one is fine */

/* ---- reading events, of the store's tenant ---- */

#define STORE_EVENTS_MAX 256

/* Newest first; documents still sealed. */
MUST_USE enum err store_event_list(
	struct store *store, const struct event_filter *filter, struct event_row **events_out, size_t *count_out);
MUST_USE enum err store_event_read(struct store *store, const struct uuid *id, struct event_row *event_out);
/* Those whose subject or actor is the person, newest first, below a leaf. */
MUST_USE enum err store_event_of_person(struct store *store, const struct uuid *person_id, int64_t below, int64_t limit,
	struct event_row **events_out, size_t *count_out);
/*
 * Opens the documents of at most STORE_EVENTS_MAX events, in place. Where the key was destroyed, or the sealed bytes
 * are gone or are not those that the leaf binds (logged, an alarm), `plain` stays absent.
 */
MUST_USE enum err store_event_open(struct store *store, struct event_row *events, size_t count);

/* ---- a person's key ---- */

/* Destroys it. *events_out: how many events had documents under it. */
MUST_USE enum err store_person_erase(struct store *store, const struct uuid *person_id, int64_t *events_out);

/* ---- by the jobs role ---- */

/* Deletes the documents of at most `limit` events appended before `before`. */
MUST_USE enum err store_content_retain(struct store *store, instant_us before, int64_t limit, int64_t *rows_out);

#endif
