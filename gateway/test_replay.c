/* SPDX-License-Identifier: Apache-2.0 */
#include "replay.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/test.h"
#include "token/dpop.h"

#define SINCE (INT64_C(1800000000) * US_PER_S)
#define AT(s) (SINCE + (s)*US_PER_S)
#define UNTIL(issued_s) (AT(issued_s) + DPOP_PAST_US)

static void use_of(uint32_t number, uint8_t use_out[REPLAY_USE_LEN])
{
	memset(use_out, 0, REPLAY_USE_LEN);
	memcpy(use_out, &number, sizeof(number));
}

static enum err spend(struct replay *replay, uint32_t number, int64_t issued_s, int64_t now_s)
{
	uint8_t use[REPLAY_USE_LEN];

	use_of(number, use);
	return replay_spend(replay, use, UNTIL(issued_s), AT(now_s));
}

static void a_use_is_known_until_the_proof_is_too_old(void **state)
{
	struct replay *replay = replay_new(1000, SINCE + 999);

	(void)state;
	assert_int_equal(spend(replay, 1, 0, 0), OK);
	assert_int_equal(spend(replay, 1, 0, 0), ERR_CONFLICT);
	assert_int_equal(spend(replay, 2, 0, 0), OK);
	assert_int_equal(spend(replay, 1, 0, 59), ERR_CONFLICT);
	assert_int_equal(spend(replay, 1, 60, 60), OK);
	assert_int_equal(spend(replay, 1, 60, 119), ERR_CONFLICT);
	replay_free(&replay);
}

static void what_an_earlier_process_may_have_seen_is_used(void **state)
{
	struct replay *replay = replay_new(1000, SINCE + 999);

	(void)state;
	assert_int_equal(spend(replay, 1, -1, 0), ERR_CONFLICT);
	assert_int_equal(spend(replay, 1, -1000, 0), ERR_CONFLICT);
	assert_int_equal(spend(replay, 1, 0, 0), OK);
	replay_free(&replay);
}

static void without_room_nothing_is_forgotten(void **state)
{
	struct replay *replay = replay_new(1, SINCE);
	uint32_t taken = 0;

	(void)state;
	while (spend(replay, taken, 0, 1) == OK)
		assert_true(++taken < 1000);
	assert_int_equal(spend(replay, taken, 0, 1), ERR_OVERLOADED);
	for (uint32_t i = 0; i < taken; i++)
		assert_int_equal(spend(replay, i, 0, 1), ERR_CONFLICT);
	assert_int_equal(spend(replay, taken, 60, 60), OK);
	replay_free(&replay);
}

struct race {
	struct replay *replay;
	atomic_uint won;
};

static void *run(void *arg)
{
	struct race *race = arg;

	for (uint32_t i = 0; i < 2000; i++)
		if (spend(race->replay, i, 0, 1) == OK)
			atomic_fetch_add(&race->won, 1);
	return NULL;
}

static void of_many_at_once_one_is_the_first(void **state)
{
	struct race race = {.replay = replay_new(16384, SINCE)};
	pthread_t threads[4];

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, run, &race), 0);
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(atomic_load(&race.won), 2000);
	replay_free(&race.replay);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_use_is_known_until_the_proof_is_too_old),
		cmocka_unit_test(what_an_earlier_process_may_have_seen_is_used),
		cmocka_unit_test(without_room_nothing_is_forgotten),
		cmocka_unit_test(of_many_at_once_one_is_the_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
