/* SPDX-License-Identifier: Apache-2.0 */
#include "otlp.h"

#include <string.h>

#include "base/json.h"
#include "base/test.h"

static void spans_are_written_by_process(void **state)
{
	static const char expected[] =
		"{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"service.namespace\",\"value\":{"
		"\"stringValue\":\"berth\"}},{\"key\":\"service.name\",\"value\":{\"stringValue\":\"gateway\"}}]},"
		"\"scopeSpans\":[{\"spans\":[{\"traceId\":\"0a000000000000000000000000000001\",\"spanId\":"
		"\"00000000000000ff\",\"name\":\"booking_read\",\"kind\":2,\"startTimeUnixNano\":\"1000000\","
		"\"endTimeUnixNano\":\"3000000\",\"attributes\":[{\"key\":\"http.route\",\"value\":{\"stringValue\":"
		"\"/v1/bookings/{id}\"}},{\"key\":\"http.response.status_code\",\"value\":{\"intValue\":\"404\"}},"
		"{\"key\":\"error.type\",\"value\":{\"stringValue\":\"not_found\"}}],\"status\":{\"code\":2}}]}]},"
		"{\"resource\":{\"attributes\":[{\"key\":\"service.namespace\",\"value\":{\"stringValue\":\"berth\"}},"
		"{\"key\":\"service.name\",\"value\":{\"stringValue\":\"bookingsvc\"}}]},\"scopeSpans\":[{\"spans\":[{"
		"\"traceId\":\"0a000000000000000000000000000001\",\"spanId\":\"fedcba9876543210\",\"parentSpanId\":"
		"\"00000000000000ff\",\"name\":\"booking_read\",\"kind\":2,\"startTimeUnixNano\":\"1500000\","
		"\"endTimeUnixNano\":\"2000000\",\"attributes\":[],\"status\":{}}]}]}]}";
	const struct trace_span spans[] = {
		{.process = "gateway",
			.trace_id = {[0] = 10, [15] = 1},
			.span_id = 255,
			.kind = TRACE_SERVER,
			.name = "booking_read",
			.route = "/v1/bookings/{id}",
			.code = "not_found",
			.status = 404,
			.start = 1000,
			.end = 3000},
		{.process = "bookingsvc",
			.trace_id = {[0] = 10, [15] = 1},
			.span_id = 0xfedcba9876543210,
			.parent_id = 255,
			.kind = TRACE_SERVER,
			.name = "booking_read",
			.start = 1500,
			.end = 2000},
	};
	struct buf out;

	(void)state;
	buf_init(&out, 1U << 16);
	otlp_write(spans, 2, &out);
	assert_true(buf_ok(&out));
	buf_put(&out, "", 1);
	assert_string_equal(out.p, expected);
	buf_release(&out);
}

static void a_name_cannot_break_the_document(void **state)
{
	struct trace_span span = {.process = "gateway", .kind = TRACE_SERVER, .name = "a\"},{\n\xff"};
	struct arena *arena = arena_new(1U << 16);
	const struct json *root;
	const char *reason;
	struct buf out;

	(void)state;
	buf_init(&out, 1U << 16);
	otlp_write(&span, 1, &out);
	assert_int_equal(json_parse(arena, buf_str(&out), &root, &reason), OK);
	buf_release(&out);
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spans_are_written_by_process),
		cmocka_unit_test(a_name_cannot_break_the_document),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
