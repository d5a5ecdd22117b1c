/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_TOKEN_KEYRING_H
#define BERTH_TOKEN_KEYRING_H

#include "base/clock.h"
#include "token/keyset.h"

/*
 * The process's current verification keys, fetched by a thread of its own: at once, then every refresh_ms, sooner
 * after a token with an unknown kid but at most once in KEYRING_MISS_GAP_US. A failed or empty fetch keeps the keys
 * held. Each change of the keys is a new generation.
 */
#define KEYRING_MISS_GAP_US (5 * US_PER_S)
#define KEYRING_REFRESH_MS 15000 /* of every process: a key that is published is known everywhere then */

/*
 * Fetches the JWK Set into `doc_out`; runs on the keyring's thread, may block for a few seconds, must end when the
 * process drains.
 */
typedef enum err keyring_fetch(void *user, struct buf *doc_out);

struct keyring;

struct keyring *keyring_new(keyring_fetch *fetch, void *user, int64_t refresh_ms); /* NULL without memory */
/* Starts the thread; after the skeleton has confined the process. */
MUST_USE enum err keyring_start(struct keyring *ring);
void keyring_free(struct keyring **ring); /* stops and joins the thread */

/* One fetch on the calling thread, for tests and for processes that hold their own keys. */
MUST_USE enum err keyring_refresh(struct keyring *ring);
/* 0 until the first keys came, then growing. One atomic load. */
uint64_t keyring_generation(const struct keyring *ring);
/*
 * The current keys and their generation; NULL (generation 0) before the first fetch: answer ERR_UNAVAILABLE. Gives a
 * reference: keep it while the generation stays, then keyset_free.
 */
struct keyset *keyring_keys(struct keyring *ring, uint64_t *generation_out);
/*
 * A token named a key that the set of `generation` does not hold. Wakes the thread when the gap allows; never blocks
 * on the fetch.
 */
void keyring_miss(struct keyring *ring, uint64_t generation);
/*
 * For blocking workers behind the gateway's own check: waits until the keys are newer than `generation` or no fetch
 * is due any more. True when newer. Never on an event loop.
 */
bool keyring_wait_newer(struct keyring *ring, uint64_t generation, int64_t timeout_ms);

struct keyring_counts {
	uint64_t fetched, failed, misses;
	instant_us fetched_at; /* last success, 0 before */
};
struct keyring_counts keyring_counts(struct keyring *ring);

#endif
