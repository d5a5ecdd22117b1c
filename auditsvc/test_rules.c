/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"

#include <string.h>

#include "rules.h"

static void test_cursors(void **state)
{
	const struct event_place places[] = {
		{0, 0}, {1, 1}, {255, 256}, {INT64_C(1) << 40, 1700000000 * US_PER_S}, {INT64_MAX, INSTANT_MAX}};
	const struct {
		const char *name, *text;
		bool by_time;
	} bad[] = {
		{"an empty one", "", false},
		{"text", "abc", false},
		{"too short", "AQAAAAAAAAA", false},
		{"too long", "AQAAAAAAAAABAA", false},
		{"another kind", "AgAAAAAAAAAB", false},
		{"one of a list by leaf in a list by time", "AQAAAAAAAAAB", true},
		{"one of a list by time in a list by leaf", "AgAAAAAAAAABAAAAAAAAAAE", false},
		{"beyond the numbers of leaves", "Af__________", false},
		{"beyond the end of time", "AgAAAAAAAAABf_________8", true},
		{"padding", "AQAAAAAAAAAB==", false},
		{"a character of another alphabet", "AQAAAAAAAA+B", false},
	};
	struct arena *arena = arena_new(65536);
	struct event_place place;
	(void)state;

	for (size_t i = 0; i < COUNT_OF(places); i++) {
		assert_int_equal(rules_cursor_parse(arena, rules_cursor(arena, true, &places[i]), true, &place), OK);
		assert_int_equal(place.leaf_index, places[i].leaf_index);
		assert_int_equal(place.at, places[i].at);
		assert_int_equal(rules_cursor_parse(arena, rules_cursor(arena, false, &places[i]), false, &place), OK);
		assert_int_equal(place.leaf_index, places[i].leaf_index);
	}
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		CHECK(bad[i].name,
			rules_cursor_parse(arena, str_from(bad[i].text), bad[i].by_time, &place) == ERR_BAD_CURSOR);
	arena_free(&arena);
}

static void test_erased(void **state)
{
	const struct content none = {0}, open = {.present = true, .plain = STR("1")}, gone = {.present = true};
	const struct {
		const char *name;
		struct event_row event;
		bool erased;
	} cases[] = {
		{"an event without documents is whole", {.before = none, .after = none}, false},
		{"open documents are whole", {.before = open, .after = open}, false},
		{"one lost document is a loss", {.before = open, .after = gone}, true},
		{"lost before", {.before = gone, .after = none}, true},
		{"what came without its documents stays erased", {.erased = true}, true},
	};
	(void)state;

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		CHECK(cases[i].name, rules_event_is_erased(&cases[i].event) == cases[i].erased);
}

static void test_about(void **state)
{
	const struct uuid ada = {{1}}, bob = {{2}}, nobody = UUID_NIL;
	const struct event_row of_ada = {.subject_id = ada, .actor_id = bob}, of_nobody = {.actor_id = bob};
	(void)state;

	assert_true(rules_event_is_about(&of_ada, &ada));
	assert_false(rules_event_is_about(&of_ada, &bob));
	assert_false(rules_event_is_about(&of_nobody, &bob));
	assert_false(rules_event_is_about(&of_nobody, &nobody));
}

static void test_retention_edge(void **state)
{
	(void)state;
	assert_int_equal(rules_retention_edge(10 * US_PER_DAY, 3), 7 * US_PER_DAY);
	assert_int_equal(rules_retention_edge(2 * US_PER_DAY, 3), 0);
	assert_true(rules_retention_edge(INSTANT_MAX, 36500) > 0);
}

static void test_head_steps(void **state)
{
	const struct {
		const char *name;
		bool has;
		uint64_t signed_size, size;
		enum head_step step;
	} cases[] = {
		{"the first head is due even of no leaves", false, 0, 0, HEAD_DUE},
		{"an unchanged log has its head", true, 5, 5, HEAD_CURRENT},
		{"a grown log is due", true, 5, 6, HEAD_DUE},
		{"a shorter log has lost leaves", true, 5, 4, HEAD_LOST},
	};
	(void)state;

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		CHECK(cases[i].name,
			rules_head_step(cases[i].has, cases[i].signed_size, cases[i].size) == cases[i].step);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cursors),
		cmocka_unit_test(test_erased),
		cmocka_unit_test(test_about),
		cmocka_unit_test(test_retention_edge),
		cmocka_unit_test(test_head_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
