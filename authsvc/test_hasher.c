/* SPDX-License-Identifier: Apache-2.0 */
#include "hasher.h"

#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "base/test.h"
#include "hash_memory.h"

/* ThreadSanitizer has its own memory, of which nothing is kept. */
#if defined(__SANITIZE_THREAD__)
#define KEPT_LEAST 0
#define KEPT_MOST 0
#else
#define KEPT_LEAST 1
#define KEPT_MOST 3
#endif

#define KEY_1 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define KEY_2 "100102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static uint64_t in_seconds(unsigned seconds)
{
	return clock_monotonic_us() + seconds * 1000000ULL;
}

static struct hasher *with_peppers(const char *text, size_t slots, size_t queue)
{
	struct secret *peppers = secret_new(text, strlen(text));
	struct hasher *hasher;

	assert_int_equal(hasher_new(peppers, slots, queue, &hasher), OK);
	secret_free(&peppers);
	return hasher;
}

static bool matches(struct hasher *hasher, struct str password, const struct hash *hash, bool *stale_out)
{
	bool match;

	assert_int_equal(hasher_check(hasher, password, str_from(hash->text), hash->pepper_epoch, in_seconds(30),
				 &match, stale_out),
		OK);
	return match;
}

static void a_password_matches_its_hash_to_the_last_byte(void **state)
{
	struct hasher *hasher = with_peppers("1 " KEY_1, 2, 4);
	struct hash hash;
	char password[200];
	bool stale;

	(void)state;
	memset(password, 'x', sizeof(password));
	assert_int_equal(hasher_make(hasher, (struct str){password, sizeof(password)}, in_seconds(30), &hash), OK);
	assert_int_equal(strncmp(hash.text, "$argon2id$v=19$m=19456,t=2,p=1$", 31), 0);
	assert_true(matches(hasher, (struct str){password, sizeof(password)}, &hash, &stale));
	assert_false(stale);
	password[199] = 'y';
	assert_false(matches(hasher, (struct str){password, sizeof(password)}, &hash, &stale));
	assert_false(matches(hasher, (struct str){password, 199}, &hash, &stale));
	hasher_free(&hasher);
}

static void an_older_pepper_still_matches_and_says_so(void **state)
{
	struct hasher *before = with_peppers("1 " KEY_1, 2, 4);
	struct hasher *after = with_peppers("2 " KEY_2 "\n1 " KEY_1, 2, 4);
	struct hasher *gone = with_peppers("2 " KEY_2, 2, 4);
	struct hash hash;
	bool stale;

	(void)state;
	assert_int_equal(hasher_make(before, STR("correct horse"), in_seconds(30), &hash), OK);
	assert_int_equal(hash.pepper_epoch, 1);
	assert_true(matches(after, STR("correct horse"), &hash, &stale));
	assert_true(stale);
	assert_false(matches(after, STR("wrong horse"), &hash, &stale));
	assert_false(matches(gone, STR("correct horse"), &hash, &stale));
	assert_int_equal(hasher_make(after, STR("correct horse"), in_seconds(30), &hash), OK);
	assert_int_equal(hash.pepper_epoch, 2);
	assert_true(matches(after, STR("correct horse"), &hash, &stale));
	assert_false(stale);
	hasher_free(&before);
	hasher_free(&after);
	hasher_free(&gone);
}

/* By libsodium alone, under KEY_1 as the pepper; `input_out` is what it hashes. */
static struct hash libsodiums(const char *password, unsigned long long opslimit, size_t memlimit, uint8_t input_out[64])
{
	static const uint8_t personal[16] = "password";
	struct hash hash = {.pepper_epoch = 1};
	uint8_t key[32];
	size_t len;

	assert_int_equal(sodium_hex2bin(key, sizeof(key), KEY_1, 64, NULL, &len, NULL), 0);
	assert_int_equal(crypto_generichash_blake2b_salt_personal(input_out, 64, (const uint8_t *)password,
				 strlen(password), key, sizeof(key), NULL, personal),
		0);
	assert_int_equal(crypto_pwhash_str_alg(hash.text, (const char *)input_out, 64, opslimit, memlimit,
				 crypto_pwhash_ALG_ARGON2ID13),
		0);
	return hash;
}

static void weaker_parameters_match_and_are_stale(void **state)
{
	struct hasher *hasher = with_peppers("1 " KEY_1, 2, 4);
	uint8_t input[64];
	const struct hash hash = libsodiums("old", 1, 8U << 20, input);
	bool stale;

	(void)state;
	assert_true(matches(hasher, STR("old"), &hash, &stale));
	assert_true(stale);
	hasher_free(&hasher);
}

static void nobody_has_a_password(void **state)
{
	struct hasher *hasher = with_peppers("1 " KEY_1, 2, 4);
	bool match = true, stale = true;

	(void)state;
	assert_int_equal(hasher_check(hasher, STR("x"), STR_NONE, 0, in_seconds(30), &match, &stale), OK);
	assert_false(match || stale);
	assert_int_equal(
		hasher_check(hasher, STR("x"), STR("$argon2id$rubbish"), 1, in_seconds(30), &match, &stale), OK);
	assert_false(match || stale);
	hasher_free(&hasher);
}

#define ROUNDS 15

static uint64_t took_us(struct hasher *hasher, struct str text)
{
	const uint64_t start = clock_monotonic_us();
	bool match, stale;

	assert_int_equal(hasher_check(hasher, STR("guess"), text, 1, in_seconds(30), &match, &stale), OK);
	return clock_monotonic_us() - start;
}

static uint64_t median(uint64_t took[ROUNDS])
{
	for (size_t i = 1; i < ROUNDS; i++) {
		for (size_t k = i; k > 0 && took[k - 1] > took[k]; k--) {
			uint64_t swap = took[k - 1];

			took[k - 1] = took[k];
			took[k] = swap;
		}
	}
	return took[ROUNDS / 2];
}

/* In turn, and the medians, so that a while of load elsewhere decides nothing. */
static void an_unknown_person_takes_as_long_as_a_known_one(void **state)
{
	struct hasher *hasher = with_peppers("1 " KEY_1, 2, 4);
	uint64_t known[ROUNDS], unknown[ROUNDS], known_us, unknown_us;
	struct hash hash;

	(void)state;
	assert_int_equal(hasher_make(hasher, STR("correct horse"), in_seconds(30), &hash), OK);
	for (size_t i = 0; i < ROUNDS; i++) {
		known[i] = took_us(hasher, str_from(hash.text));
		unknown[i] = took_us(hasher, STR_NONE);
	}
	known_us = median(known);
	unknown_us = median(unknown);
	assert_true(known_us < unknown_us * 3 / 2 + 3000 && unknown_us < known_us * 3 / 2 + 3000);
	hasher_free(&hasher);
}

struct storm {
	struct hasher *hasher;
	atomic_int done, refused;
};

static void *storm_main(void *arg)
{
	struct storm *storm = arg;
	struct hash hash;
	enum err err = hasher_make(storm->hasher, STR("correct horse"), in_seconds(60), &hash);

	atomic_fetch_add(err == OK ? &storm->done : &storm->refused, 1);
	return NULL;
}

static void a_storm_is_bounded_in_memory_and_in_waiting(void **state)
{
	struct storm storm = {.hasher = with_peppers("1 " KEY_1, 2, 8)};
	pthread_t threads[50];
	struct hasher_counts counts;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, storm_main, &storm), 0);
	for (size_t i = 0; i < COUNT_OF(threads); i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	counts = hasher_counts(storm.hasher);
	assert_int_equal(storm.done + storm.refused, 50);
	assert_true(storm.done >= 10); /* two at once and eight in the queue, at least */
	assert_int_equal(counts.running + counts.waiting, 0);
	hasher_free(&storm.hasher);
}

static void who_waits_too_long_is_told_so(void **state)
{
	struct storm storm = {.hasher = with_peppers("1 " KEY_1, 1, 8)};
	pthread_t threads[4];
	struct hash hash;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, storm_main, &storm), 0);
	while (hasher_counts(storm.hasher).waiting == 0 && storm.done < 4)
		continue;
	assert_int_equal(hasher_make(storm.hasher, STR("x"), clock_monotonic_us(), &hash), ERR_OVERLOADED);
	for (size_t i = 0; i < COUNT_OF(threads); i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(storm.done, 4);
	hasher_free(&storm.hasher);
}

/* What a hash is does not depend on whose memory it is made in, or what stood there before. */
static void memory_that_is_kept_makes_the_same_hashes(void **state)
{
	static const uint8_t salt[crypto_pwhash_SALTBYTES] = "sixteen of bytes";
	static const char *const passwords[] = {"", "correct horse", "correct horse"};
	uint8_t fresh[32], kept[32];
	bool clean;

	(void)state;
	hash_memory_age(in_seconds(60));
	for (size_t i = 0; i < COUNT_OF(passwords); i++) {
		const size_t len = strlen(passwords[i]);

		assert_int_equal(crypto_pwhash(fresh, sizeof(fresh), passwords[i], len, salt, HASHER_OPSLIMIT,
					 HASHER_MEMLIMIT, crypto_pwhash_ALG_ARGON2ID13),
			0);
		hash_memory_enter();
		assert_int_equal(crypto_pwhash(kept, sizeof(kept), passwords[i], len, salt, HASHER_OPSLIMIT,
					 HASHER_MEMLIMIT, crypto_pwhash_ALG_ARGON2ID13),
			0);
		hash_memory_leave();
		assert_memory_equal(fresh, kept, sizeof(fresh));
		assert_int_equal(hash_memory_kept(&clean), KEPT_LEAST);
		assert_true(clean);
	}
	hash_memory_age(in_seconds(60));
}

static void strings_are_libsodiums_both_ways(void **state)
{
	struct hasher *hasher = with_peppers("1 " KEY_1, 2, 4);
	uint8_t input[64];
	struct hash hash = libsodiums("horse", HASHER_OPSLIMIT, HASHER_MEMLIMIT, input);
	bool stale;

	(void)state;
	assert_true(matches(hasher, STR("horse"), &hash, &stale));
	assert_false(stale);
	assert_int_equal(hasher_make(hasher, STR("horse"), in_seconds(30), &hash), OK);
	assert_int_equal(crypto_pwhash_str_verify(hash.text, (const char *)input, sizeof(input)), 0);
	hasher_free(&hasher);
}

static void memory_is_kept_for_those_who_hash_and_given_back_later(void **state)
{
	struct storm storm = {.hasher = with_peppers("1 " KEY_1, 3, 50)};
	pthread_t threads[20];
	bool clean;

	(void)state;
	hash_memory_age(in_seconds(60));
	for (size_t i = 0; i < COUNT_OF(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, storm_main, &storm), 0);
	for (size_t i = 0; i < COUNT_OF(threads); i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(storm.done, 20);
	assert_in_range(hash_memory_kept(&clean), KEPT_LEAST, KEPT_MOST);
	assert_true(clean);
	hash_memory_age(clock_monotonic_us());
	assert_in_range(hash_memory_kept(&clean), KEPT_LEAST, KEPT_MOST);
	hash_memory_age(clock_monotonic_us() + HASH_MEMORY_KEPT_US);
	assert_int_equal(hash_memory_kept(&clean), 0);
	/* And taken anew. */
	(void)storm_main(&storm);
	assert_int_equal(storm.done, 21);
	assert_int_equal(hash_memory_kept(&clean), KEPT_LEAST);
	hash_memory_age(in_seconds(60));
	hasher_free(&storm.hasher);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_password_matches_its_hash_to_the_last_byte),
		cmocka_unit_test(an_older_pepper_still_matches_and_says_so),
		cmocka_unit_test(weaker_parameters_match_and_are_stale),
		cmocka_unit_test(nobody_has_a_password),
		cmocka_unit_test(an_unknown_person_takes_as_long_as_a_known_one),
		cmocka_unit_test(a_storm_is_bounded_in_memory_and_in_waiting),
		cmocka_unit_test(who_waits_too_long_is_told_so),
		cmocka_unit_test(memory_that_is_kept_makes_the_same_hashes),
		cmocka_unit_test(strings_are_libsodiums_both_ways),
		cmocka_unit_test(memory_is_kept_for_those_who_hash_and_given_back_later),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests_name("hasher", tests, NULL, NULL);
}
