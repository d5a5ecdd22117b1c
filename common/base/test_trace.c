/* SPDX-License-Identifier: Apache-2.0 */
#include "base/trace.h"

#include <string.h>

#include "base/test.h"

#define ID "0af7651916cd43dd8448eb211c80319c"
#define SPAN "b7ad6b7169203331"

static void a_traceparent_is_judged(void **state)
{
	static const struct {
		const char *name, *text;
		bool ok, sampled;
	} rows[] = {
		{"sampled", "00-" ID "-" SPAN "-01", true, true},
		{"not sampled", "00-" ID "-" SPAN "-00", true, false},
		{"other flags", "00-" ID "-" SPAN "-fe", true, false},
		{"other flags and sampled", "00-" ID "-" SPAN "-ff", true, true},
		{"a later version", "01-" ID "-" SPAN "-01", true, true},
		{"a later version with more", "cc-" ID "-" SPAN "-01-what-comes", true, true},
		{"a later version that runs on", "cc-" ID "-" SPAN "-01what", false, false},
		{"version 00 with more", "00-" ID "-" SPAN "-01-what", false, false},
		{"the version that is none", "ff-" ID "-" SPAN "-01", false, false},
		{"no version", ID "-" SPAN "-01", false, false},
		{"a trace of zeros", "00-00000000000000000000000000000000-" SPAN "-01", false, false},
		{"a span of zeros", "00-" ID "-0000000000000000-01", false, false},
		{"capitals", "00-0AF7651916CD43DD8448EB211C80319C-" SPAN "-01", false, false},
		{"capitals in the flags", "00-" ID "-" SPAN "-0A", false, false},
		{"a letter that is no digit", "00-0gf7651916cd43dd8448eb211c80319c-" SPAN "-01", false, false},
		{"too short", "00-" ID "-" SPAN "-0", false, false},
		{"other separators", "00_" ID "_" SPAN "_01", false, false},
		{"nothing", "", false, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct trace_place place;
		char text[TRACE_TEXT_LEN + 1];

		CHECK(rows[i].name, trace_parse(str_from(rows[i].text), &place) == rows[i].ok);
		if (!rows[i].ok)
			continue;
		CHECK(rows[i].name, place.sampled == rows[i].sampled && place.span_id == 0xb7ad6b7169203331);
		trace_format(&place, text);
		CHECK(rows[i].name,
			strcmp(text, rows[i].sampled ? "00-" ID "-" SPAN "-01" : "00-" ID "-" SPAN "-00") == 0);
	}
}

static struct trace_place sampled_place(void)
{
	struct trace_place place;

	assert_true(trace_parse(STR("00-" ID "-" SPAN "-01"), &place));
	return place;
}

static void a_span_knows_who_is_above_and_what_is_below(void **state)
{
	struct trace_place place = sampled_place(), below;
	struct trace_span span, taken[4];

	(void)state;
	trace_init("test", 10);
	span = trace_begin(&place, TRACE_CLIENT, "work", &below);
	assert_int_equal(below.span_id, span.span_id);
	assert_true(below.sampled && span.span_id != 0 && span.span_id != place.span_id);
	trace_end(&span, "unavailable");
	assert_int_equal(trace_take(taken, 4), 1);
	assert_int_equal(taken[0].span_id, below.span_id);
	assert_int_equal(taken[0].parent_id, place.span_id);
	assert_memory_equal(taken[0].trace_id, place.trace_id, 16);
	assert_string_equal(taken[0].process, "test");
	assert_string_equal(taken[0].name, "work");
	assert_string_equal(taken[0].code, "unavailable");
	assert_true(taken[0].end >= taken[0].start && taken[0].start > 0);
	trace_end(&span, NULL);
	assert_int_equal(trace_take(taken, 4), 0);
}

static void what_is_not_sampled_is_not_recorded(void **state)
{
	struct trace_place place = sampled_place(), below;
	struct trace_span span, taken[1];

	(void)state;
	trace_init("test", 10);
	place.sampled = false;
	span = trace_begin(&place, TRACE_CLIENT, "work", &below);
	trace_end(&span, NULL);
	trace_init("test", 0);
	place.sampled = true;
	span = trace_begin(&place, TRACE_CLIENT, "work", &below);
	trace_end(&span, NULL);
	assert_false(trace_allow());
	assert_int_equal(trace_take(taken, 1), 0);
}

static void a_full_queue_drops_and_counts(void **state)
{
	struct trace_place place = sampled_place(), below;
	struct trace_span span, taken[1];

	(void)state;
	trace_init("test", 10);
	for (size_t i = 0; i < TRACE_QUEUE_MAX + 7; i++) {
		span = trace_begin(&place, TRACE_CLIENT, "work", &below);
		trace_end(&span, NULL);
	}
	assert_int_equal(trace_counts().recorded, TRACE_QUEUE_MAX);
	assert_int_equal(trace_counts().dropped, 7);
	for (size_t i = 0; i < TRACE_QUEUE_MAX; i++)
		assert_int_equal(trace_take(taken, 1), 1);
	assert_int_equal(trace_take(taken, 1), 0);
}

static void so_many_a_second_and_no_more(void **state)
{
	size_t allowed = 0;
	const uint64_t begun_us = clock_monotonic_us();

	(void)state;
	trace_init("test", 5);
	for (size_t i = 0; i < 1000; i++)
		allowed += trace_allow() ? 1 : 0;
	assert_in_range(allowed, 5, 5 + (clock_monotonic_us() - begun_us) * 5 / 1000000 + 1);
}

static void the_last_requests_are_remembered(void **state)
{
	struct trace_place place = sampled_place(), found;
	struct uuid first = uuid_new(), id;

	(void)state;
	trace_init("test", 5);
	trace_remember(&first, &place);
	assert_true(trace_recall(&first, &found));
	assert_int_equal(found.span_id, place.span_id);
	for (size_t i = 0; i < 300; i++) {
		id = uuid_new();
		trace_remember(&id, &place);
	}
	assert_true(trace_recall(&id, &found));
	assert_false(trace_recall(&first, &found));
	assert_false(trace_recall(&UUID_NIL, &found));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_traceparent_is_judged),
		cmocka_unit_test(a_span_knows_who_is_above_and_what_is_below),
		cmocka_unit_test(what_is_not_sampled_is_not_recorded),
		cmocka_unit_test(a_full_queue_drops_and_counts),
		cmocka_unit_test(so_many_a_second_and_no_more),
		cmocka_unit_test(the_last_requests_are_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
