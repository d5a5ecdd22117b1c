/* SPDX-License-Identifier: Apache-2.0 */
#include "throttle.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/test.h"

#define SECOND 1000000ULL

static struct throttle_key key_of(enum throttle_kind kind, uint8_t name)
{
	struct throttle_key key = {.kind = kind};

	memset(key.id.b, name, sizeof(key.id.b));
	return key;
}

static void guessing_is_slowed_and_forgiven_in_time(void **state)
{
	struct throttle *throttle = throttle_new(64);
	struct throttle_key key = key_of(THROTTLE_PAIR, 1);
	struct throttle_key other = key_of(THROTTLE_PAIR, 2);
	uint64_t now = 1000 * SECOND;

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_int_equal(throttle_attempt_ms(throttle, &key, 1, now), 0);
	assert_int_equal(throttle_attempt_ms(throttle, &key, 1, now), 1000);
	assert_int_equal(throttle_attempt_ms(throttle, &key, 1, now), 1000); /* asking again costs nothing more */
	assert_int_equal(throttle_attempt_ms(throttle, &other, 1, now), 0);
	now += SECOND;
	assert_int_equal(throttle_attempt_ms(throttle, &key, 1, now), 0);
	assert_int_equal(throttle_attempt_ms(throttle, &key, 1, now), 2000);
	now += 25 * 3600 * SECOND;
	for (int i = 0; i < 5; i++)
		assert_int_equal(throttle_attempt_ms(throttle, &key, 1, now), 0);
	throttle_free(&throttle);
}

static void the_longest_wait_counts_and_nothing_is_counted_then(void **state)
{
	struct throttle *throttle = throttle_new(64);
	struct throttle_key keys[2] = {key_of(THROTTLE_PAIR, 1), key_of(THROTTLE_ACCOUNT, 1)};
	uint64_t now = 1000 * SECOND;

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_int_equal(throttle_attempt_ms(throttle, &keys[0], 1, now), 0);
	assert_int_equal(throttle_attempt_ms(throttle, keys, 2, now), 1000);
	for (int i = 0; i < 10; i++)
		assert_int_equal(throttle_attempt_ms(throttle, &keys[1], 1, now), 0);
	assert_int_equal(throttle_attempt_ms(throttle, &keys[1], 1, now), 1000);
	throttle_free(&throttle);
}

static void a_success_forgets(void **state)
{
	struct throttle *throttle = throttle_new(64);
	struct throttle_key key = key_of(THROTTLE_PAIR, 1);
	uint64_t now = clock_monotonic_us();

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_int_equal(throttle_attempt_ms(throttle, &key, 1, now), 0);
	throttle_forget(throttle, &key);
	assert_int_equal(throttle_attempt_ms(throttle, &key, 1, now), 0);
	throttle_free(&throttle);
}

static void a_flood_of_names_takes_no_more_memory(void **state)
{
	struct throttle *throttle = throttle_new(64);
	uint64_t now = 1000 * SECOND;

	(void)state;
	for (uint32_t i = 0; i < 100000; i++) {
		struct throttle_key key = {.kind = THROTTLE_PAIR};

		memcpy(key.id.b, &i, sizeof(i));
		assert_int_equal(throttle_attempt_ms(throttle, &key, 1, now + i), 0);
	}
	throttle_free(&throttle);
}

struct race {
	struct throttle *throttle;
	atomic_int passed;
};

static void *race_main(void *arg)
{
	struct race *race = arg;
	struct throttle_key key = key_of(THROTTLE_PAIR, 9);

	if (throttle_attempt_ms(race->throttle, &key, 1, 1000 * SECOND) == 0)
		atomic_fetch_add(&race->passed, 1);
	return NULL;
}

static void a_race_of_two_hundred_passes_no_more_than_one_after_another(void **state)
{
	struct race race = {.throttle = throttle_new(64)};
	pthread_t threads[200];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, race_main, &race), 0);
	for (size_t i = 0; i < COUNT_OF(threads); i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(race.passed, rules_throttle_curves[THROTTLE_PAIR].free);
	throttle_free(&race.throttle);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(guessing_is_slowed_and_forgiven_in_time),
		cmocka_unit_test(the_longest_wait_counts_and_nothing_is_counted_then),
		cmocka_unit_test(a_success_forgets),
		cmocka_unit_test(a_flood_of_names_takes_no_more_memory),
		cmocka_unit_test(a_race_of_two_hundred_passes_no_more_than_one_after_another),
	};

	return cmocka_run_group_tests_name("throttle", tests, NULL, NULL);
}
