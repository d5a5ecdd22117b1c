/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_TOKEN_TOKEN_CACHE_H
#define BERTH_TOKEN_TOKEN_CACHE_H

#include "token/token.h"

/*
 * Tokens that verified, by a keyed hash of their whole text. Fixed memory, sets of 8 ways, least recently used goes
 * first. Not thread-safe: one per event loop or worker, and one per set of token_rules. Refusals are never kept. A
 * hit says only that the token verified: ask revocation_hit after it, each time.
 */
#define TOKEN_CACHE_KEY_LEN 16

struct token_cache;

struct token_cache_key {
	uint8_t b[TOKEN_CACHE_KEY_LEN];
};

struct token_cache_counts {
	uint64_t hits, misses, evicted, flushed;
};

/*
 * Room for at least `entries`, rounded up to a power of two of sets; a few hundred bytes each. NULL without memory.
 */
struct token_cache *token_cache_new(size_t entries);
void token_cache_free(struct token_cache **cache);
/* Hashes under the cache's own random key: once a request, then used for find and put. */
struct token_cache_key token_cache_key_of(const struct token_cache *cache, struct str compact);
/*
 * NULL on a miss or when expired. Another generation than the last one (keyring_generation) empties the cache first.
 * Borrows until the next put or change of generation.
 */
const struct token *token_cache_find(
	struct token_cache *cache, const struct token_cache_key *key, uint64_t generation, instant_us now);
/* `generation` is that of the key set which verified it. */
void token_cache_put(struct token_cache *cache, const struct token_cache_key *key, uint64_t generation,
	const struct token *token, instant_us now);
struct token_cache_counts token_cache_counts(const struct token_cache *cache);

#endif
