/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_STORE_CACHE_H
#define BERTH_AUTHSVC_STORE_CACHE_H

#include "base/config.h"
#include "rules.h"

/*
 * Redis: counters that all replicas share and the stream that the edge reads. Nothing here is the truth of anything.
 * A cache belongs to one thread, connects when first used and again after a loss; while Redis is away every call
 * gives ERR_UNAVAILABLE at once, but for one attempt a second.
 */
struct cache;

struct cache *store_cache_new(const char *socket_path, const char *user, const struct secret *password);
void store_cache_free(struct cache **cache);

struct cache_counter {
	enum throttle_kind kind;
	struct str id; /* bytes of a keyed hash */
};
/*
 * One attempt on every counter, in one step (a script): unless one of them must still wait, which counts nothing.
 * *wait_ms_out is the longest wait. An account counter is passed over when `trusted` (the pair of account and
 * address) has signed in before.
 */
MUST_USE enum err store_cache_attempt(struct cache *cache, const struct cache_counter *counters, size_t count,
	struct str trusted, int64_t *wait_ms_out);
/* A success: the pair and the account start anew, and the pair is trusted from now on. */
MUST_USE enum err store_cache_succeed(
	struct cache *cache, const struct cache_counter *counters, size_t count, struct str trusted);

/* One entry of a stream, which drops what is older than keep_ms. */
struct cache_field {
	const char *name;
	struct str value;
};
#define CACHE_FIELDS_MAX 8
MUST_USE enum err store_cache_append(
	struct cache *cache, const char *stream, int64_t oldest_ms, const struct cache_field *fields, size_t count);
MUST_USE enum err store_cache_mark(struct cache *cache, const char *key);
MUST_USE enum err store_cache_marked(struct cache *cache, const char *key, bool *marked_out);
/* Counts connections made: a change means that what was written may have been lost. */
uint64_t store_cache_generation(const struct cache *cache);

#endif
