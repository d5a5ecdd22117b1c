/* SPDX-License-Identifier: Apache-2.0 */
#include "token/token_cache.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define WAYS 8

/* Keys of a set lie together, so that a look-up reads four cache lines and not eight tokens. */
struct way_keys {
	uint8_t key[WAYS][TOKEN_CACHE_KEY_LEN];
	uint64_t used[WAYS]; /* tick of the last use; 0: free */
};

struct token_cache {
	uint8_t secret[crypto_shorthash_siphashx24_KEYBYTES];
	size_t set_count; /* a power of two */
	uint64_t tick;
	uint64_t generation;
	struct token_cache_counts counts;
	struct way_keys *sets;
	struct token *tokens; /* WAYS of each set, in order */
};

struct token_cache *token_cache_new(size_t entries)
{
	struct token_cache *cache = NULL;
	size_t set_count = 1;

	if (entries > SIZE_MAX / (4 * sizeof(struct token)))
		return NULL;
	while (set_count * WAYS < entries)
		set_count *= 2;
	if ((cache = calloc(1, sizeof(*cache))) == NULL)
		return NULL;
	cache->set_count = set_count;
	cache->sets = calloc(set_count, sizeof(*cache->sets));
	cache->tokens = calloc(set_count * WAYS, sizeof(*cache->tokens));
	if (cache->sets == NULL || cache->tokens == NULL) {
		token_cache_free(&cache);
		return NULL;
	}
	random_bytes(cache->secret, sizeof(cache->secret));
	return cache;
}

void token_cache_free(struct token_cache **cache)
{
	if (*cache == NULL)
		return;
	sodium_memzero((*cache)->secret, sizeof((*cache)->secret));
	free((*cache)->sets);
	free((*cache)->tokens);
	free(*cache);
	*cache = NULL;
}

struct token_cache_key token_cache_key_of(const struct token_cache *cache, struct str compact)
{
	_Static_assert(TOKEN_CACHE_KEY_LEN == crypto_shorthash_siphashx24_BYTES, "the whole of the hash");
	struct token_cache_key key;

	(void)crypto_shorthash_siphashx24(key.b, (const unsigned char *)compact.p, compact.len, cache->secret);
	return key;
}

static size_t set_of(const struct token_cache *cache, const struct token_cache_key *key)
{
	size_t hash;

	memcpy(&hash, key->b, sizeof(hash));
	return hash & (cache->set_count - 1);
}

/* A token may rest on a key that is gone: a change of the keys drops them all. */
static void follow(struct token_cache *cache, uint64_t generation)
{
	if (generation == cache->generation)
		return;
	if (cache->generation != 0)
		cache->counts.flushed++;
	cache->generation = generation;
	for (size_t i = 0; i < cache->set_count; i++)
		memset(cache->sets[i].used, 0, sizeof(cache->sets[i].used));
}

const struct token *token_cache_find(
	struct token_cache *cache, const struct token_cache_key *key, uint64_t generation, instant_us now)
{
	size_t index = set_of(cache, key);
	struct way_keys *set = &cache->sets[index];

	follow(cache, generation);
	for (size_t way = 0; way < WAYS; way++) {
		const struct token *token = &cache->tokens[index * WAYS + way];

		if (set->used[way] == 0 || memcmp(set->key[way], key->b, sizeof(key->b)) != 0)
			continue;
		if (token->expires_at <= now) {
			set->used[way] = 0;
			break;
		}
		set->used[way] = ++cache->tick;
		cache->counts.hits++;
		return token;
	}
	cache->counts.misses++;
	return NULL;
}

/* The way to write: the key's own, else a free one or one whose token has expired, else the least recently used. */
static size_t way_for(struct token_cache *cache, size_t index, const struct token_cache_key *key, instant_us now)
{
	struct way_keys *set = &cache->sets[index];
	size_t oldest = 0;

	for (size_t way = 0; way < WAYS; way++) {
		if (set->used[way] != 0 && memcmp(set->key[way], key->b, sizeof(key->b)) == 0)
			return way;
		if (set->used[way] != 0 && cache->tokens[index * WAYS + way].expires_at <= now)
			set->used[way] = 0;
		if (set->used[way] < set->used[oldest])
			oldest = way;
	}
	if (set->used[oldest] != 0)
		cache->counts.evicted++;
	return oldest;
}

void token_cache_put(struct token_cache *cache, const struct token_cache_key *key, uint64_t generation,
	const struct token *token, instant_us now)
{
	size_t index = set_of(cache, key);
	size_t way;

	/* Verified by keys that have been replaced meanwhile: true no longer. */
	if (generation < cache->generation || token->expires_at <= now)
		return;
	follow(cache, generation);
	way = way_for(cache, index, key, now);
	memcpy(cache->sets[index].key[way], key->b, sizeof(key->b));
	cache->sets[index].used[way] = ++cache->tick;
	cache->tokens[index * WAYS + way] = *token;
}

struct token_cache_counts token_cache_counts(const struct token_cache *cache)
{
	return cache->counts;
}
