/* SPDX-License-Identifier: Apache-2.0 */
#include "even.h"

#include <stdlib.h>
#include <string.h>

#include "base/test.h"
#include "loop.h"

#define ASKED 4

static struct loop *loop;
static struct exchange asked[ASKED];

/* How long ago each of them came. */
static const uint64_t ago_us[ASKED] = {0, 100000, 260000, 5 * EDGE_EVEN_US + 1000};

static int setup(void **state)
{
	const uint64_t now_us = clock_monotonic_us();

	(void)state;
	loop = calloc(1, sizeof *loop);
	assert_non_null(loop);
	for (size_t i = 0; i < ASKED; i++) {
		asked[i] = (struct exchange){.loop = loop, .started_us = now_us - ago_us[i]};
		asked[i].arena = arena_new(1U << 16);
		assert_non_null(asked[i].arena);
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < ASKED; i++)
		arena_free(&asked[i].arena);
	free(loop);
	loop = NULL;
	return 0;
}

static void each_leaves_whole_steps_behind_its_request_the_earliest_first(void **state)
{
	const struct reply_item item = {.err = OK};
	uint64_t before_us = 0;
	size_t count = 0;

	(void)state;
	for (size_t i = 0; i < ASKED; i++)
		assert_true(even_keep(&asked[i], &item));
	for (const struct exchange *at = loop->even.first; at != NULL; at = at->next, count++) {
		assert_true(at->answer_at_us >= before_us);
		before_us = at->answer_at_us;
		assert_int_equal((at->answer_at_us - at->started_us) % EDGE_EVEN_US, 0);
		assert_true(at->answer_at_us > at->started_us);
		assert_true(at->next != NULL || loop->even.last == at);
	}
	assert_int_equal(count, ASKED);
	assert_int_equal(asked[0].answer_at_us - asked[0].started_us, EDGE_EVEN_US);
	assert_int_equal(asked[2].answer_at_us - asked[2].started_us, 2 * EDGE_EVEN_US);
	assert_int_equal(asked[3].answer_at_us - asked[3].started_us, 6 * EDGE_EVEN_US);
}

static void what_was_said_is_kept_when_its_message_is_gone(void **state)
{
	char message[] = "field reason detail body";
	const struct reply_item item = {.err = ERR_BAD_FIELD,
		.field = {message, 5},
		.reason = {message + 6, 6},
		.detail = {message + 13, 6},
		.body = {message + 20, 4},
		.retry_after_s = 7};

	(void)state;
	assert_true(even_keep(&asked[0], &item));
	memset(message, 'x', sizeof message);
	assert_true(str_eq_c(asked[0].answer->field, "field"));
	assert_true(str_eq_c(asked[0].answer->reason, "reason"));
	assert_true(str_eq_c(asked[0].answer->detail, "detail"));
	assert_true(str_eq_c(asked[0].answer->body, "body"));
	assert_int_equal(asked[0].answer->err, ERR_BAD_FIELD);
	assert_int_equal(asked[0].answer->retry_after_s, 7);
}

static void without_memory_nothing_is_kept(void **state)
{
	const struct reply_item item = {.err = OK};

	(void)state;
	while (arena_take(asked[0].arena, 1) != NULL)
		;
	assert_false(even_keep(&asked[0], &item));
	assert_null(loop->even.first);
}

static void the_loop_wakes_for_the_first(void **state)
{
	const struct reply_item item = {.err = OK};
	uint64_t left_us;

	(void)state;
	assert_int_equal(even_timeout_us(&loop->even, 1234), 1234);
	assert_true(even_keep(&asked[0], &item));
	left_us = even_timeout_us(&loop->even, US_PER_S);
	assert_true(left_us > 0 && left_us <= EDGE_EVEN_US);
	assert_int_equal(even_timeout_us(&loop->even, 1), 1);
	asked[0].answer_at_us = 1;
	assert_int_equal(even_timeout_us(&loop->even, US_PER_S), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			each_leaves_whole_steps_behind_its_request_the_earliest_first, setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_said_is_kept_when_its_message_is_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(without_memory_nothing_is_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(the_loop_wakes_for_the_first, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
