/* SPDX-License-Identifier: Apache-2.0 */
#include "timer_wheel.h"

#include "base/test.h"

#define S 1000000U

struct fired {
	struct timer *timers[8];
	size_t count;
};

static void on_due(struct timer *timer, void *ctx)
{
	struct fired *fired = ctx;

	fired->timers[fired->count++] = timer;
}

static void a_timer_fires_once_after_its_time(void **state)
{
	struct timer_wheel wheel;
	struct timer timer = {0};
	struct fired fired = {0};

	(void)state;
	timer_wheel_init(&wheel, 50 * S);
	timer_set(&wheel, &timer, 55 * S);
	timer_wheel_run(&wheel, 54 * S, on_due, &fired);
	assert_int_equal(fired.count, 0);
	timer_wheel_run(&wheel, 55 * S + 2 * WHEEL_TICK_US, on_due, &fired);
	assert_int_equal(fired.count, 1);
	timer_wheel_run(&wheel, 90 * S, on_due, &fired);
	assert_int_equal(fired.count, 1);
}

static void a_later_time_is_kept_and_an_earlier_one_moves_it(void **state)
{
	struct timer_wheel wheel;
	struct timer later = {0}, earlier = {0};
	struct fired fired = {0};

	(void)state;
	timer_wheel_init(&wheel, 0);
	timer_set(&wheel, &later, 2 * S);
	timer_set(&wheel, &later, 9 * S);
	timer_set(&wheel, &earlier, 9 * S);
	timer_set(&wheel, &earlier, 1 * S);
	timer_wheel_run(&wheel, 3 * S, on_due, &fired);
	assert_int_equal(fired.count, 1);
	assert_ptr_equal(fired.timers[0], &earlier);
	timer_wheel_run(&wheel, 10 * S, on_due, &fired);
	assert_int_equal(fired.count, 2);
	assert_ptr_equal(fired.timers[1], &later);
}

static void a_time_beyond_the_wheel_is_waited_for(void **state)
{
	const uint64_t far_us = (uint64_t)WHEEL_SLOTS * WHEEL_TICK_US * 5 / 2;
	struct timer_wheel wheel;
	struct timer timer = {0};
	struct fired fired = {0};

	(void)state;
	timer_wheel_init(&wheel, 0);
	timer_set(&wheel, &timer, far_us);
	for (uint64_t now_us = 0; now_us < far_us; now_us += S)
		timer_wheel_run(&wheel, now_us, on_due, &fired);
	assert_int_equal(fired.count, 0);
	timer_wheel_run(&wheel, far_us + 2 * WHEEL_TICK_US, on_due, &fired);
	assert_int_equal(fired.count, 1);
}

static void a_cleared_timer_does_not_fire(void **state)
{
	struct timer_wheel wheel;
	struct timer timers[3] = {{0}};
	struct fired fired = {0};

	(void)state;
	timer_wheel_init(&wheel, 0);
	for (size_t i = 0; i < 3; i++)
		timer_set(&wheel, &timers[i], S);
	timer_clear(&timers[1]);
	timer_clear(&timers[1]);
	timer_wheel_run(&wheel, 2 * S, on_due, &fired);
	assert_int_equal(fired.count, 2);
	assert_ptr_equal(fired.timers[0], &timers[0]);
	assert_ptr_equal(fired.timers[1], &timers[2]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_timer_fires_once_after_its_time),
		cmocka_unit_test(a_later_time_is_kept_and_an_earlier_one_moves_it),
		cmocka_unit_test(a_time_beyond_the_wheel_is_waited_for),
		cmocka_unit_test(a_cleared_timer_does_not_fire),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
