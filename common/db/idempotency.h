/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_DB_IDEMPOTENCY_H
#define BERTH_DB_IDEMPOTENCY_H

#include "db/db.h"
#include "seal/seal.h"

/*
 * Idempotency keys (the IETF Idempotency-Key draft): the claim is inserted in the same transaction as the change, so
 * a change and its stored answer commit together or not at all, and two racing requests queue up at the unique
 * index. Kept 24 h. Replies can hold personal fields and are stored sealed under the claiming person's key. A
 * library of its own: berth_idempotency.
 */
struct idempotency_claim {
	struct uuid tenant_id;
	struct uuid person_id; /* who asks; a client's id for client credentials */
	int operation;         /* the contract's stable number */
	uint8_t key_hash[32];
	uint8_t body_hash[32];
};

struct idempotency_answer {
	enum err err; /* or ERR_KEY_REUSED (other body), ERR_IN_PROGRESS (no answer yet), ERR_GONE (erased) */
	bool found;   /* with OK: `status` and `reply` are the first answer and nothing is to be done */
	int status;
	struct str reply; /* in the arena */
};

#define IDEMPOTENCY_BATCH_MAX 128
#define IDEMPOTENCY_REPLY_MAX (256U << 10)

/* Hashes the client's key and the request's canonical bytes. */
struct idempotency_claim idempotency_claim(
	const struct uuid *tenant_id, const struct uuid *person_id, int operation, struct str key, struct str body);

/*
 * One round trip (two when found). Not found: carry out the change, then idempotency_finish in the same
 * transaction.
 */
MUST_USE enum err idempotency_begin(struct tx *tx, struct seal *seal, const struct idempotency_claim *claim,
	struct arena *arena, struct idempotency_answer *answer_out);
/*
 * The insert of the sealed reply is queued: it travels with COMMIT. `key` is the person's, NULL: it is loaded (a
 * round trip).
 */
MUST_USE enum err idempotency_finish(struct tx *tx, struct seal *seal, const struct idempotency_claim *claim,
	const struct seal_key *key, int status, struct str reply, struct arena *arena);

/*
 * The same for a batch of one tenant (the transaction's), set-based. A claim that stands twice in the batch is won
 * by the first; the other gets ERR_IN_PROGRESS: redo it alone after the commit.
 */
MUST_USE enum err idempotency_begin_many(struct tx *tx, struct seal *seal, const struct idempotency_claim *claims,
	size_t count, struct arena *arena, struct idempotency_answer *answers_out);
/*
 * Finishes those claims whose replies[i].p is not NULL; drops the claims of the others. keys[i] as above; keys
 * NULL: all loaded.
 */
MUST_USE enum err idempotency_finish_many(struct tx *tx, struct seal *seal, const struct idempotency_claim *claims,
	const struct seal_key *const *keys, const int *statuses, const struct str *replies, size_t count,
	struct arena *arena);

/* For the jobs role: deletes at most `limit` claims older than 24 h. */
MUST_USE enum err idempotency_sweep(struct tx *jobs_tx, instant_us now, size_t limit, uint64_t *deleted_out);
/* For the erasure of a person: drops their stored answers. */
MUST_USE enum err idempotency_forget(struct tx *tx, const struct uuid *tenant_id, const struct uuid *person_id);

#endif
