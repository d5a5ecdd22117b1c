/* SPDX-License-Identifier: Apache-2.0 */
#include "fair_queue.h"

#include "base/test.h"
#include "exchange.h"

static struct fair_queue queue;
static struct exchange waiting[64];
static size_t count;

static void put(uint8_t line, uint64_t deadline_us)
{
	waiting[count] = (struct exchange){.line = line, .deadline_us = deadline_us};
	fair_queue_put(&queue, &waiting[count++]);
}

/* "113": lines 1, 1 and 3, in that order. */
static void put_all(const char *lines)
{
	fair_queue_init(&queue);
	count = 0;
	for (; *lines != '\0'; lines++)
		put((uint8_t)(*lines - '0'), 100);
}

static void take_all(bool idle_only, char taken_out[64])
{
	const struct exchange *exchange;

	while ((exchange = fair_queue_next(&queue, idle_only)) != NULL) {
		*taken_out++ = (char)('0' + exchange->line);
		assert_ptr_equal(fair_queue_take(&queue), exchange);
	}
	*taken_out = '\0';
}

static void lines_have_their_turn_one_exchange_at_a_time(void **state)
{
	static const struct {
		const char *name, *put, *taken;
	} rows[] = {
		{"nobody", "", ""},
		{"one line is first in, first out", "111", "111"},
		{"a storm and one behind it", "11112", "12111"},
		{"three lines", "112233", "123123"},
		{"lines of other lengths", "1112223", "1231212"},
	};
	char taken[64];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		put_all(rows[i].put);
		take_all(false, taken);
		if (!str_eq_c(str_from(taken), rows[i].taken))
			fail_msg("%s: %s", rows[i].name, taken);
		assert_int_equal(queue.waiting, 0);
		assert_int_equal(queue.listed, 0);
		assert_null(fair_queue_take(&queue));
	}
}

static void the_order_within_a_line_stays(void **state)
{
	(void)state;
	put_all("1212");
	assert_ptr_equal(fair_queue_take(&queue), &waiting[0]);
	assert_ptr_equal(fair_queue_take(&queue), &waiting[1]);
	assert_ptr_equal(fair_queue_take(&queue), &waiting[2]);
	put(1, 100);
	assert_ptr_equal(fair_queue_take(&queue), &waiting[3]);
	assert_ptr_equal(fair_queue_take(&queue), &waiting[4]);
}

static void idle_lines_are_those_with_nothing_under_way(void **state)
{
	char taken[64];

	(void)state;
	put_all("11223");
	fair_queue_sent(&queue, &waiting[0]);
	fair_queue_sent(&queue, &waiting[4]);
	take_all(true, taken);
	assert_string_equal(taken, "22");
	fair_queue_ended(&queue, &waiting[4]);
	take_all(true, taken);
	assert_string_equal(taken, "3");
	take_all(false, taken);
	assert_string_equal(taken, "11");
}

static void the_longest_line_gives_way_to_a_shorter_one(void **state)
{
	(void)state;
	put_all("1222111");
	assert_ptr_equal(fair_queue_shed(&queue, 3), &waiting[0]);
	assert_int_equal(queue.waiting, 6);
	assert_null(fair_queue_shed(&queue, 1));
	assert_null(fair_queue_shed(&queue, 2));
	put_all("12");
	assert_null(fair_queue_shed(&queue, 1));
	put_all("");
	assert_null(fair_queue_shed(&queue, 1));
}

static void whose_time_is_over_is_found_in_any_line(void **state)
{
	(void)state;
	put_all("");
	put(1, 200);
	put(2, 50);
	put(2, 60);
	put(3, 300);
	assert_null(fair_queue_expired(&queue, 50));
	assert_ptr_equal(fair_queue_expired(&queue, 100), &waiting[1]);
	assert_ptr_equal(fair_queue_expired(&queue, 100), &waiting[2]);
	assert_null(fair_queue_expired(&queue, 100));
	assert_int_equal(queue.waiting, 2);
	assert_int_equal(queue.listed, 2);
}

static void ids_are_spread_over_the_lines(void **state)
{
	size_t used = 0;
	bool seen[FAIR_LINES] = {false};

	(void)state;
	for (uint32_t id = 0; id < 2000; id++) {
		const uint8_t line = fair_queue_line_of(&id, sizeof id);

		assert_in_range(line, 0, FAIR_LINES - 1);
		assert_int_equal(fair_queue_line_of(&id, sizeof id), line);
		used += seen[line] ? 0 : 1;
		seen[line] = true;
	}
	/* All but certain: a line stays empty once in six million. */
	assert_in_range(used, FAIR_LINES - 3, FAIR_LINES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_have_their_turn_one_exchange_at_a_time),
		cmocka_unit_test(the_order_within_a_line_stays),
		cmocka_unit_test(idle_lines_are_those_with_nothing_under_way),
		cmocka_unit_test(the_longest_line_gives_way_to_a_shorter_one),
		cmocka_unit_test(whose_time_is_over_is_found_in_any_line),
		cmocka_unit_test(ids_are_spread_over_the_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
