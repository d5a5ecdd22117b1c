/* SPDX-License-Identifier: Apache-2.0 */
#include <stdatomic.h>
#include <time.h>

#include "base/test.h"
#include "token/keyring.h"
#include "token/test_forge.h"

#define KEY(kid) "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" FORGE_X "\",\"kid\":\"" kid "\"}"
#define SET_A "{\"keys\":[" KEY("a") "]}"
#define SET_AB "{\"keys\":[" KEY("a") "," KEY("b") "]}"

/* Stands for authsvc: says what the test tells it to. */
struct source {
	_Atomic(const char *) doc; /* NULL: away */
	atomic_uint fetches;
};

static enum err fetch(void *user, struct buf *doc_out)
{
	struct source *source = user;
	const char *doc = atomic_load(&source->doc);

	atomic_fetch_add(&source->fetches, 1);
	if (doc == NULL)
		return ERR_UNAVAILABLE;
	buf_put_c(doc_out, doc);
	return OK;
}

static size_t count_of(struct keyring *ring)
{
	uint64_t generation;
	struct keyset *keys = keyring_keys(ring, &generation);
	size_t count = keys != NULL ? keyset_count(keys) : 0;

	keyset_free(&keys);
	return count;
}

static const struct {
	const char *name, *doc;
	enum err err;
	uint64_t generation;
	size_t count;
} steps[] = {
	{"authsvc is away from the start", NULL, ERR_UNAVAILABLE, 0, 0},
	{"an empty set is no set", "{\"keys\":[]}", ERR_BAD_GATEWAY, 0, 0},
	{"the first keys come", SET_A, OK, 1, 1},
	{"the same keys are no change", SET_A, OK, 1, 1},
	{"authsvc goes away: the keys stay", NULL, ERR_UNAVAILABLE, 1, 1},
	{"it answers with nothing: the keys stay", "", ERR_BAD_JSON, 1, 1},
	{"it answers with an empty set: the keys stay", "{\"keys\":[]}", ERR_BAD_GATEWAY, 1, 1},
	{"it answers with a private key: the keys stay",
		"{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" FORGE_X "\",\"d\":\"AA\"}]}", ERR_BAD_FIELD,
		1, 1},
	{"a key joins", SET_AB, OK, 2, 2},
	{"a key is withdrawn", SET_A, OK, 3, 1},
};

static void the_keys_held_are_never_lost(void **state)
{
	struct source source = {.doc = NULL};
	struct keyring *ring = keyring_new(fetch, &source, 60000);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		atomic_store(&source.doc, steps[i].doc);
		CHECK(steps[i].name, keyring_refresh(ring) == steps[i].err);
		CHECK(steps[i].name, keyring_generation(ring) == steps[i].generation);
		CHECK(steps[i].name, count_of(ring) == steps[i].count);
	}
	assert_int_equal(keyring_counts(ring).fetched, 4);
	assert_int_equal(keyring_counts(ring).failed, 6);
	assert_true(keyring_counts(ring).fetched_at > 0);
	keyring_free(&ring);
	assert_null(ring);
	keyring_free(&ring);
}

static void keys_outlive_the_ring_that_gave_them(void **state)
{
	struct source source = {.doc = SET_A};
	struct keyring *ring = keyring_new(fetch, &source, 60000);
	struct keyset *keys;
	uint64_t generation;

	(void)state;
	assert_null(keyring_keys(ring, &generation));
	assert_int_equal(generation, 0);
	assert_int_equal(keyring_refresh(ring), OK);
	keys = keyring_keys(ring, &generation);
	assert_int_equal(generation, 1);
	atomic_store(&source.doc, SET_AB);
	assert_int_equal(keyring_refresh(ring), OK);
	keyring_free(&ring);
	assert_non_null(keyset_find(keys, STR("a")));
	assert_null(keyset_find(keys, STR("b")));
	keyset_free(&keys);
}

/* Until `fetches` have been made, two seconds at most. */
static bool fetched(struct source *source, unsigned fetches)
{
	const struct timespec step = {.tv_nsec = 5000000};

	for (int i = 0; i < 400 && atomic_load(&source->fetches) < fetches; i++)
		(void)nanosleep(&step, NULL);
	return atomic_load(&source->fetches) >= fetches;
}

static void the_thread_retries_until_the_first_keys_come(void **state)
{
	struct source source = {.doc = NULL};
	struct keyring *ring = keyring_new(fetch, &source, 60000);

	(void)state;
	assert_int_equal(keyring_start(ring), OK);
	assert_true(fetched(&source, 2));
	assert_int_equal(keyring_generation(ring), 0);
	atomic_store(&source.doc, SET_A);
	assert_true(fetched(&source, atomic_load(&source.fetches) + 2) || keyring_generation(ring) == 1);
	assert_int_equal(keyring_generation(ring), 1);
	keyring_free(&ring);
}

static void a_flood_of_unknown_keys_costs_one_fetch(void **state)
{
	const struct timespec pause = {.tv_nsec = 200000000};
	struct source source = {.doc = SET_A};
	struct keyring *ring = keyring_new(fetch, &source, 60000);

	(void)state;
	assert_int_equal(keyring_start(ring), OK);
	assert_true(fetched(&source, 1));
	for (int i = 0; i < 100000; i++)
		keyring_miss(ring, keyring_generation(ring));
	(void)nanosleep(&pause, NULL);
	/* The gap since the first fetch has not passed: the next one waits for it. */
	assert_int_equal(atomic_load(&source.fetches), 1);
	assert_true(keyring_counts(ring).misses >= 100000);
	assert_false(keyring_wait_newer(ring, keyring_generation(ring), 100));
	keyring_free(&ring);
}

static void a_miss_fetches_as_soon_as_the_gap_has_passed(void **state)
{
	struct source source = {.doc = SET_A};
	struct keyring *ring = keyring_new(fetch, &source, 60000);

	(void)state;
	assert_int_equal(keyring_start(ring), OK);
	assert_true(fetched(&source, 1));
	atomic_store(&source.doc, SET_AB);
	keyring_miss(ring, 0); /* of keys that were replaced meanwhile: no fetch */
	assert_false(keyring_wait_newer(ring, 1, 0));
	keyring_miss(ring, 1);
	assert_true(keyring_wait_newer(ring, 1, 6000));
	assert_int_equal(keyring_generation(ring), 2);
	assert_int_equal(atomic_load(&source.fetches), 2);
	assert_true(keyring_wait_newer(ring, 1, 0));
	keyring_free(&ring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_keys_held_are_never_lost),
		cmocka_unit_test(keys_outlive_the_ring_that_gave_them),
		cmocka_unit_test(the_thread_retries_until_the_first_keys_come),
		cmocka_unit_test(a_flood_of_unknown_keys_costs_one_fetch),
		cmocka_unit_test(a_miss_fetches_as_soon_as_the_gap_has_passed),
	};

	return cmocka_run_group_tests_name("keyring", tests, NULL, NULL);
}
