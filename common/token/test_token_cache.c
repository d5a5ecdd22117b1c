/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"
#include "token/token_cache.h"

#include <stdio.h>
#include <string.h>

#define NOW (INT64_C(1800000000) * US_PER_S)

static struct token token_number(unsigned n)
{
	struct token token = {.issued_at = NOW, .expires_at = NOW + 600 * US_PER_S};

	(void)snprintf(token.client_id, sizeof(token.client_id), "c%u", n);
	return token;
}

static struct token_cache_key key_number(const struct token_cache *cache, unsigned n)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "token-%u", n);
	return token_cache_key_of(cache, str_from(text));
}

/* Each bit of each byte of a text decides, and so do its length and the cache that is asked. */
static void a_key_is_of_the_whole_text_and_of_one_cache(void **state)
{
	struct token_cache *cache = token_cache_new(64), *other = token_cache_new(64);
	char text[900];
	struct token_cache_key key, changed;

	(void)state;
	memset(text, 'a', sizeof(text));
	key = token_cache_key_of(cache, (struct str){text, sizeof(text)});
	for (size_t bit = 0; bit < 8 * sizeof(text); bit++) {
		text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
		changed = token_cache_key_of(cache, (struct str){text, sizeof(text)});
		assert_memory_not_equal(changed.b, key.b, sizeof(key.b));
		text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
	}
	for (size_t len = 0; len < sizeof(text); len++) {
		changed = token_cache_key_of(cache, (struct str){text, len});
		assert_memory_not_equal(changed.b, key.b, sizeof(key.b));
	}
	changed = token_cache_key_of(cache, (struct str){text, sizeof(text)});
	assert_memory_equal(changed.b, key.b, sizeof(key.b));
	changed = token_cache_key_of(other, (struct str){text, sizeof(text)});
	assert_memory_not_equal(changed.b, key.b, sizeof(key.b));
	token_cache_free(&cache);
	token_cache_free(&other);
}

static void put_number(struct token_cache *cache, unsigned n, uint64_t generation)
{
	struct token_cache_key key = key_number(cache, n);
	struct token token = token_number(n);

	token_cache_put(cache, &key, generation, &token, NOW);
}

static const struct token *find_number(struct token_cache *cache, unsigned n, uint64_t generation, instant_us now)
{
	struct token_cache_key key = key_number(cache, n);

	return token_cache_find(cache, &key, generation, now);
}

static void what_was_put_is_found_until_it_expires(void **state)
{
	struct token_cache *cache = token_cache_new(64);
	struct token_cache_key key;
	struct token late = token_number(2);

	(void)state;
	assert_null(find_number(cache, 1, 1, NOW));
	put_number(cache, 1, 1);
	assert_non_null(find_number(cache, 1, 1, NOW));
	assert_string_equal(find_number(cache, 1, 1, NOW)->client_id, "c1");
	assert_null(find_number(cache, 2, 1, NOW));
	assert_non_null(find_number(cache, 1, 1, NOW + 600 * US_PER_S - 1));
	assert_null(find_number(cache, 1, 1, NOW + 600 * US_PER_S));
	/* It left then, so a clock that goes back does not revive it. */
	assert_null(find_number(cache, 1, 1, NOW));
	key = key_number(cache, 2);
	token_cache_put(cache, &key, 1, &late, NOW + 600 * US_PER_S);
	assert_null(find_number(cache, 2, 1, NOW));
	assert_int_equal(token_cache_counts(cache).hits, 3);
	token_cache_free(&cache);
	assert_null(cache);
	token_cache_free(&cache);
}

static void new_keys_empty_it(void **state)
{
	struct token_cache *cache = token_cache_new(64);

	(void)state;
	put_number(cache, 1, 1);
	put_number(cache, 2, 1);
	assert_null(find_number(cache, 1, 2, NOW));
	assert_null(find_number(cache, 2, 2, NOW));
	put_number(cache, 3, 1); /* verified by the keys before */
	assert_null(find_number(cache, 3, 2, NOW));
	put_number(cache, 4, 3); /* newer ones than the cache saw */
	assert_non_null(find_number(cache, 4, 3, NOW));
	assert_int_equal(token_cache_counts(cache).flushed, 2);
	token_cache_free(&cache);
}

static void a_full_set_drops_the_least_recently_used(void **state)
{
	struct token_cache *cache = token_cache_new(8); /* one set */
	unsigned found = 0;

	(void)state;
	for (unsigned n = 0; n < 8; n++)
		put_number(cache, n, 1);
	assert_non_null(find_number(cache, 0, 1, NOW));
	put_number(cache, 8, 1);
	assert_non_null(find_number(cache, 0, 1, NOW));
	assert_null(find_number(cache, 1, 1, NOW));
	put_number(cache, 8, 1); /* again: takes its own place */
	for (unsigned n = 0; n < 9; n++)
		found += find_number(cache, n, 1, NOW) != NULL;
	assert_int_equal(found, 8);
	assert_int_equal(token_cache_counts(cache).evicted, 1);
	token_cache_free(&cache);
}

static void a_large_cache_holds_what_it_says(void **state)
{
	struct token_cache *cache = token_cache_new(4096);
	unsigned found = 0;

	(void)state;
	for (unsigned n = 0; n < 2048; n++)
		put_number(cache, n, 1);
	for (unsigned n = 0; n < 2048; n++) {
		const struct token *token = find_number(cache, n, 1, NOW);
		char wanted[16];

		(void)snprintf(wanted, sizeof(wanted), "c%u", n);
		assert_true(token == NULL || strcmp(token->client_id, wanted) == 0);
		found += token != NULL;
	}
	/* Half full: few sets of eight overflow. */
	assert_true(found > 1950);
	token_cache_free(&cache);
}

static void two_caches_hash_differently(void **state)
{
	struct token_cache *a = token_cache_new(8);
	struct token_cache *b = token_cache_new(8);
	struct token_cache_key key_a = key_number(a, 1);
	struct token_cache_key key_b = key_number(b, 1);

	(void)state;
	assert_memory_not_equal(key_a.b, key_b.b, sizeof(key_a.b));
	assert_null(token_cache_new(SIZE_MAX));
	token_cache_free(&a);
	token_cache_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_is_of_the_whole_text_and_of_one_cache),
		cmocka_unit_test(what_was_put_is_found_until_it_expires),
		cmocka_unit_test(new_keys_empty_it),
		cmocka_unit_test(a_full_set_drops_the_least_recently_used),
		cmocka_unit_test(a_large_cache_holds_what_it_says),
		cmocka_unit_test(two_caches_hash_differently),
	};

	return cmocka_run_group_tests_name("token_cache", tests, NULL, NULL);
}
