/* SPDX-License-Identifier: Apache-2.0 */
#include "rate.h"

#include "base/test.h"

#define S 1000000U

static const struct rate_policy policies[RATE_CLASS_COUNT] = {
	[RATE_ADDRESS] = {.per_s = 10, .burst = 5},
	[RATE_PERSON] = {.per_s = 2, .burst = 4},
};

static bool take(struct rate_limiter *limiter, enum rate_class class, const char *who, uint64_t now_us)
{
	struct rate_answer answer = rate_answer_init();

	rate_take(limiter, class, who, 4, now_us, &answer);
	return !answer.refused;
}

static size_t take_many(struct rate_limiter *limiter, const char *who, uint64_t now_us, size_t tries)
{
	size_t granted = 0;

	for (size_t i = 0; i < tries; i++)
		granted += take(limiter, RATE_ADDRESS, who, now_us) ? 1 : 0;
	return granted;
}

static void a_burst_is_granted_and_no_more(void **state)
{
	struct rate_limiter *limiter = rate_new(policies, 1024);

	(void)state;
	assert_non_null(limiter);
	assert_int_equal(take_many(limiter, "aaaa", 10 * S, 50), 5);
	assert_int_equal(take_many(limiter, "bbbb", 10 * S, 50), 5);
	assert_int_equal(take_many(limiter, "aaaa", 10 * S + S / 2, 50), 5);
	assert_int_equal(take_many(limiter, "aaaa", 10 * S + S / 2 + S / 5, 50), 2);
	rate_free(&limiter);
}

static void a_class_without_a_rate_is_not_limited(void **state)
{
	struct rate_limiter *limiter = rate_new(policies, 1024);

	(void)state;
	for (size_t i = 0; i < 100; i++)
		assert_true(take(limiter, RATE_TENANT, "tttt", S));
	rate_free(&limiter);
}

static void a_refusal_says_when_to_come_back(void **state)
{
	struct rate_limiter *limiter = rate_new(policies, 1024);
	struct rate_answer answer = rate_answer_init();

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_true(take(limiter, RATE_PERSON, "pppp", S));
	rate_take(limiter, RATE_PERSON, "pppp", 4, S, &answer);
	assert_true(answer.refused);
	assert_int_equal(answer.class, RATE_PERSON);
	assert_int_equal(answer.remaining, 0);
	assert_int_equal(answer.retry_after_s, 1);
	rate_free(&limiter);
}

static void the_class_with_least_left_is_told(void **state)
{
	struct rate_limiter *limiter = rate_new(policies, 1024);
	struct rate_answer answer = rate_answer_init();

	(void)state;
	rate_take(limiter, RATE_ADDRESS, "aaaa", 4, S, &answer);
	rate_take(limiter, RATE_PERSON, "pppp", 4, S, &answer);
	assert_false(answer.refused);
	assert_int_equal(answer.class, RATE_PERSON);
	assert_int_equal(answer.remaining, 3);
	rate_free(&limiter);
}

static void what_another_gateway_took_counts_once_it_is_settled(void **state)
{
	struct rate_limiter *limiter = rate_new(policies, 1024);
	struct rate_entry entries[4];

	(void)state;
	assert_true(take(limiter, RATE_ADDRESS, "aaaa", S));
	assert_int_equal(rate_collect(limiter, entries, 4), 1);
	assert_int_equal(entries[0].taken, 1);
	assert_int_equal(rate_collect(limiter, entries + 1, 3), 0);
	entries[0].level = 0.5;
	rate_settle(limiter, entries, 1, S);
	assert_false(take(limiter, RATE_ADDRESS, "aaaa", S));
	rate_free(&limiter);
}

static void a_redis_that_has_forgotten_gives_nothing_back(void **state)
{
	struct rate_limiter *limiter = rate_new(policies, 1024);
	struct rate_entry entries[4];

	(void)state;
	assert_int_equal(take_many(limiter, "aaaa", S, 50), 5);
	assert_int_equal(rate_collect(limiter, entries, 4), 1);
	entries[0].level = 4;
	rate_settle(limiter, entries, 1, S);
	assert_int_equal(take_many(limiter, "aaaa", S, 50), 0);
	/* What came back meanwhile is kept. */
	assert_int_equal(take_many(limiter, "aaaa", S + S / 10, 50), 1);
	rate_free(&limiter);
}

static void a_key_that_is_kept_keeps_the_buckets(void **state)
{
	struct rate_limiter *limiter = rate_new(policies, 1024);
	uint8_t key[RATE_KEY_LEN];

	(void)state;
	assert_int_equal(take_many(limiter, "aaaa", S, 50), 5);
	rate_key(limiter, key);
	rate_set_key(limiter, key);
	assert_int_equal(take_many(limiter, "aaaa", S, 50), 0);
	key[3] ^= 1;
	rate_set_key(limiter, key);
	assert_int_equal(take_many(limiter, "aaaa", S, 50), 5);
	rate_free(&limiter);
}

static void a_flood_of_new_keys_does_not_grow_memory_or_stop_the_limit(void **state)
{
	struct rate_limiter *limiter = rate_new(policies, 512);

	(void)state;
	for (uint32_t i = 0; i < 100000; i++) {
		struct rate_answer answer = rate_answer_init();

		rate_take(limiter, RATE_ADDRESS, &i, sizeof i, S, &answer);
		assert_false(answer.refused);
	}
	assert_int_equal(take_many(limiter, "last", 2 * S, 50), 5);
	rate_free(&limiter);
}

static void looking_takes_nothing_and_refuses_as_taking_does(void **state)
{
	struct rate_limiter *limiter = rate_new(policies, 1024);
	struct rate_answer answer = rate_answer_init();

	(void)state;
	for (size_t i = 0; i < 20; i++)
		rate_look(limiter, RATE_ADDRESS, "aaaa", 4, S, &answer);
	assert_false(answer.refused);
	assert_int_equal(answer.remaining, INT64_MAX);
	assert_int_equal(take_many(limiter, "aaaa", S, 50), 5);
	rate_look(limiter, RATE_ADDRESS, "aaaa", 4, S, &answer);
	assert_true(answer.refused);
	assert_int_equal(answer.class, RATE_ADDRESS);
	rate_free(&limiter);
}

static void other_limits_hold_from_the_next_request_on(void **state)
{
	struct rate_policy changed[RATE_CLASS_COUNT] = {[RATE_ADDRESS] = {.per_s = 1, .burst = 2}};
	struct rate_limiter *limiter = rate_new(policies, 1024);

	(void)state;
	assert_int_equal(take_many(limiter, "aaaa", S, 1), 1);
	rate_set_policies(limiter, changed);
	assert_int_equal(take_many(limiter, "aaaa", S, 50), 2);
	assert_int_equal(take_many(limiter, "bbbb", S, 50), 2);
	changed[RATE_ADDRESS].per_s = 0;
	rate_set_policies(limiter, changed);
	assert_int_equal(take_many(limiter, "aaaa", S, 50), 50);
	rate_free(&limiter);
}

static void an_answer_says_when_the_bucket_is_full_again(void **state)
{
	struct rate_limiter *limiter = rate_new(policies, 1024);
	struct rate_answer answer = rate_answer_init();

	(void)state;
	for (size_t i = 0; i < 3; i++)
		rate_take(limiter, RATE_PERSON, "pppp", 4, S, &answer);
	assert_int_equal(answer.remaining, 1);
	assert_int_equal(answer.full_after_s, 2);
	rate_free(&limiter);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_burst_is_granted_and_no_more),
		cmocka_unit_test(a_class_without_a_rate_is_not_limited),
		cmocka_unit_test(a_refusal_says_when_to_come_back),
		cmocka_unit_test(the_class_with_least_left_is_told),
		cmocka_unit_test(what_another_gateway_took_counts_once_it_is_settled),
		cmocka_unit_test(a_redis_that_has_forgotten_gives_nothing_back),
		cmocka_unit_test(a_key_that_is_kept_keeps_the_buckets),
		cmocka_unit_test(looking_takes_nothing_and_refuses_as_taking_does),
		cmocka_unit_test(other_limits_hold_from_the_next_request_on),
		cmocka_unit_test(an_answer_says_when_the_bucket_is_full_again),
		cmocka_unit_test(a_flood_of_new_keys_does_not_grow_memory_or_stop_the_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
