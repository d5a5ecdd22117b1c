/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"

#include "admission.h"

#define S_US 1000000U

/* A callee that takes `each_us` for an item, kept busy with messages of forty for a while. */
static void keep_busy(struct admission *admission, uint64_t each_us, uint64_t for_us, uint64_t *now_us)
{
	uint64_t until_us = *now_us + for_us;

	admission_sent(admission, 40, *now_us);
	while (*now_us < until_us) {
		admission_sent(admission, 40, *now_us);
		*now_us += 40 * each_us;
		admission_ended(admission, 40, *now_us);
	}
	admission_ended(admission, 40, *now_us);
}

static void test_as_many_may_wait_as_are_answered_in_time(void **state)
{
	static const struct {
		const char *name;
		uint64_t each_us, wait_us;
		size_t limit;
	} cases[] = {
		{"a quick callee has a long queue", 50, S_US, 20000},
		{"half the time, half the queue", 50, S_US / 2, 10000},
		{"a slow one has a short queue", 2000, S_US, 500},
		{"one slower than that the least", 100000, S_US, ADMISSION_FLOOR},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct admission admission = {0};
		uint64_t now_us = S_US;
		size_t limit;

		keep_busy(&admission, cases[i].each_us, 5 * S_US, &now_us);
		limit = admission_limit(&admission, cases[i].wait_us);
		CHECK(cases[i].name, limit >= cases[i].limit - cases[i].limit / 10);
		CHECK(cases[i].name, limit <= cases[i].limit + cases[i].limit / 10);
		admission_sent(&admission, ADMISSION_FLOOR, now_us);
		CHECK(cases[i].name, admission_limit(&admission, cases[i].wait_us) == limit - ADMISSION_FLOOR);
	}
}

static void test_nothing_is_known_at_the_start_and_after_a_moment_only(void **state)
{
	struct admission admission = {0};

	(void)state;
	assert_int_equal(admission_limit(&admission, S_US), SIZE_MAX);
	assert_int_equal(admission_wait_us(&admission, 1000), 0);
	admission_sent(&admission, 100, S_US);
	admission_ended(&admission, 50, S_US + ADMISSION_WINDOW_US / 2);
	assert_int_equal(admission_limit(&admission, S_US), SIZE_MAX);
}

static void test_a_callee_has_work_for_a_moment_before_it_and_no_more(void **state)
{
	static const struct {
		const char *name;
		uint64_t each_us;
		size_t room;
	} cases[] = {
		{"a quick callee", 50, 2000},
		{"a slow one", 1000, 100},
		{"one slower than that", 100000, ADMISSION_AHEAD_LEAST},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct admission admission = {0};
		uint64_t now_us = S_US;
		size_t room;

		CHECK(cases[i].name, admission_room(&admission) == SIZE_MAX);
		keep_busy(&admission, cases[i].each_us, 5 * S_US, &now_us);
		room = admission_room(&admission);
		CHECK(cases[i].name, room >= cases[i].room - cases[i].room / 10);
		CHECK(cases[i].name, room <= cases[i].room + cases[i].room / 10);
		/* Whoever is let in by the limit and finds no room waits where he has his turn. */
		CHECK(cases[i].name, admission_limit(&admission, S_US) > room);
		admission_sent(&admission, room, now_us);
		CHECK(cases[i].name, admission_room(&admission) == 0);
	}
}

static void test_what_is_sent_when_there_is_room_again_does_not_begin_the_measurement_anew(void **state)
{
	struct admission admission = {0};
	uint64_t now_us = S_US;

	(void)state;
	admission_sent(&admission, ADMISSION_AHEAD_LEAST, now_us);
	for (int i = 0; i < 100; i++) {
		now_us += 10000;
		admission_ended(&admission, 32, now_us);
		admission_sent(&admission, 32, now_us);
	}
	assert_int_not_equal(admission_limit(&admission, S_US), SIZE_MAX);
}

static void test_idle_time_is_not_the_callees(void **state)
{
	struct admission admission = {0};
	uint64_t now_us = S_US;
	size_t before;

	(void)state;
	keep_busy(&admission, 1000, S_US, &now_us);
	before = admission_limit(&admission, S_US);
	for (int i = 0; i < 100; i++) {
		/* A little work now and then, far below what it could do. */
		now_us += 10 * S_US;
		admission_sent(&admission, 10, now_us);
		now_us += S_US;
		admission_ended(&admission, 10, now_us);
		keep_busy(&admission, 1000, ADMISSION_WINDOW_US, &now_us);
	}
	assert_in_range(admission_limit(&admission, S_US), before * 8 / 10, before * 12 / 10);
}

static void test_a_callee_that_changes_is_noticed(void **state)
{
	struct admission admission = {0};
	uint64_t now_us = S_US;

	(void)state;
	keep_busy(&admission, 100, S_US, &now_us);
	assert_in_range(admission_wait_us(&admission, 1000), 80000, 120000);
	keep_busy(&admission, 5000, 2 * S_US, &now_us);
	assert_in_range(admission_wait_us(&admission, 1000), 4000000, 6000000);
	keep_busy(&admission, 100, 2 * S_US, &now_us);
	assert_in_range(admission_wait_us(&admission, 1000), 80000, 120000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_many_may_wait_as_are_answered_in_time),
		cmocka_unit_test(test_nothing_is_known_at_the_start_and_after_a_moment_only),
		cmocka_unit_test(test_a_callee_has_work_for_a_moment_before_it_and_no_more),
		cmocka_unit_test(test_what_is_sent_when_there_is_room_again_does_not_begin_the_measurement_anew),
		cmocka_unit_test(test_idle_time_is_not_the_callees),
		cmocka_unit_test(test_a_callee_that_changes_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
