/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"

#include <string.h>

#include "base/clock.h"
#include "h2_guard.h"

#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#define ROUNDS 2000
#define START_US (5 * US_PER_S)

/* Types and flags of RFC 9113 section 6. */
enum { DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION };
#define END_STREAM 0x1
#define END_HEADERS 0x4
#define PADDED 0x8

struct frame {
	unsigned type, flags;
	uint32_t id;
	const char *payload;
	size_t len;
};

/* What the session would say: streams that stand, by id. */
struct session {
	bool open[4096];
};

static bool is_open(const void *ctx, uint32_t id)
{
	const struct session *session = ctx;

	return id < 4096 && session->open[id];
}

static size_t frame_write(uint8_t *out, const struct frame *frame)
{
	const uint8_t head[9] = {(uint8_t)(frame->len >> 16), (uint8_t)(frame->len >> 8), (uint8_t)frame->len,
		(uint8_t)frame->type, (uint8_t)frame->flags, (uint8_t)(frame->id >> 24), (uint8_t)(frame->id >> 16),
		(uint8_t)(frame->id >> 8), (uint8_t)frame->id};

	memcpy(out, head, sizeof head);
	if (frame->len > 0)
		memcpy(out + sizeof head, frame->payload, frame->len);
	return sizeof head + frame->len;
}

/* In pieces of `step` bytes; the first verdict that is not to pass. */
static enum h2_verdict feed(struct h2_guard *guard, const struct session *session, const uint8_t *bytes, size_t len,
	size_t step, enum h2_budget *budget_out)
{
	while (len > 0) {
		size_t piece = len < step ? len : step, take = 0;

		while (piece > 0) {
			const enum h2_verdict verdict =
				h2_guard_next(guard, bytes, piece, is_open, session, &take, budget_out);

			if (verdict != H2_PASS)
				return verdict;
			assert_in_range(take, 1, piece);
			bytes += take;
			piece -= take;
			len -= take;
		}
	}
	return H2_PASS;
}

static enum h2_verdict feed_frame(struct h2_guard *guard, const struct session *session, const struct frame *frame,
	size_t step, enum h2_budget *budget_out)
{
	uint8_t bytes[9 + 64];
	const size_t len = frame_write(bytes, frame);

	return feed(guard, session, bytes, len, step, budget_out);
}

static void begin(struct h2_guard *guard, const struct session *session)
{
	enum h2_budget budget;

	h2_guard_init(guard, START_US);
	assert_int_equal(feed(guard, session, (const uint8_t *)PREFACE, sizeof PREFACE - 1, 7, &budget), H2_PASS);
}

static const struct {
	const char *name;
	struct frame frame;
	enum h2_budget budget;
	unsigned burst;
} floods[] = {
	{"resets", {RST_STREAM, 0, 1, "\0\0\0\x8", 4}, H2_BUDGET_RESET, 100},
	{"settings", {SETTINGS, 0, 0, "", 0}, H2_BUDGET_SETTINGS, 20},
	{"acknowledged settings", {SETTINGS, 1, 0, "", 0}, H2_BUDGET_SETTINGS, 20},
	{"pings", {PING, 0, 0, "12345678", 8}, H2_BUDGET_PING, 60},
	{"answers to pings", {PING, 1, 0, "12345678", 8}, H2_BUDGET_PING, 60},
	{"priorities", {PRIORITY, 0, 5, "\0\0\0\3\0", 5}, H2_BUDGET_PRIORITY, 200},
	{"priority updates", {16, 0, 0, "\0\0\0\1u=1", 7}, H2_BUDGET_PRIORITY, 200},
	{"window updates", {WINDOW_UPDATE, 0, 0, "\0\0\0\1", 4}, H2_BUDGET_WINDOW, 400},
	{"empty content", {DATA, 0, 1, "", 0}, H2_BUDGET_EMPTY, 50},
	{"content that is all padding", {DATA, PADDED, 1, "\3\0\0\0", 4}, H2_BUDGET_EMPTY, 50},
	{"empty headers", {HEADERS, END_HEADERS, 1, "", 0}, H2_BUDGET_EMPTY, 50},
	{"unknown frames", {0xbe, 0, 0, "x", 1}, H2_BUDGET_UNKNOWN, 100},
	{"goaways", {GOAWAY, 0, 0, "\0\0\0\0\0\0\0\0", 8}, H2_BUDGET_UNKNOWN, 100},
	{"continuations", {CONTINUATION, 0, 1, "x", 1}, H2_BUDGET_CONTINUATION, H2_CONTINUATIONS_MAX},
	{"content of a stream that we have reset", {DATA, 0, 3, "x", 1}, H2_BUDGET_STRAY, 400},
};

/* The client has opened streams 1 and 3; we have reset 3. */
static void begin_two(struct h2_guard *guard, struct session *session)
{
	const struct frame heads[] = {{HEADERS, END_HEADERS, 1, "\x82", 1}, {HEADERS, END_HEADERS, 3, "\x82", 1}};
	enum h2_budget budget;

	*session = (struct session){.open = {[1] = true}};
	begin(guard, session);
	for (size_t i = 0; i < COUNT_OF(heads); i++)
		assert_int_equal(feed_frame(guard, session, &heads[i], 64, &budget), H2_PASS);
	h2_guard_reset(guard, 3);
}

static void each_flood_ends_at_its_budget(void **state)
{
	static struct session session;
	struct h2_guard guard;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(floods); i++) {
		enum h2_budget budget = H2_BUDGET_COUNT;
		enum h2_verdict verdict = H2_PASS;
		unsigned taken = 0;

		begin_two(&guard, &session);
		while (taken < ROUNDS && verdict == H2_PASS) {
			verdict = feed_frame(&guard, &session, &floods[i].frame, 1 + i % 5, &budget);
			taken += verdict == H2_PASS ? 1 : 0;
		}
		CHECK(floods[i].name, verdict == H2_CALM && budget == floods[i].budget);
		CHECK(floods[i].name, taken == floods[i].burst);
	}
}

static void a_budget_comes_back_with_time(void **state)
{
	static struct session session;
	struct h2_guard guard;
	enum h2_budget budget;

	(void)state;
	begin_two(&guard, &session);
	for (unsigned i = 0; i < ROUNDS; i++) {
		guard.now_us += US_PER_S / 5;
		assert_int_equal(feed_frame(&guard, &session, &floods[3].frame, 64, &budget), H2_PASS);
	}
	h2_guard_credit(&guard, H2_BUDGET_WINDOW, 1000000);
	assert_int_equal((int)guard.budgets[H2_BUDGET_WINDOW].level, 400);
}

static void what_carries_something_costs_nothing(void **state)
{
	const struct frame frames[] = {
		{DATA, 0, 1, "x", 1},
		{DATA, PADDED, 1, "\2x\0\0", 4},
		{DATA, END_STREAM, 1, "", 0},
		{HEADERS, END_HEADERS, 1, "\x82", 1},
	};
	static struct session session;
	struct h2_guard guard;
	enum h2_budget budget;

	(void)state;
	begin_two(&guard, &session);
	for (size_t i = 0; i < COUNT_OF(frames); i++)
		for (unsigned round = 0; round < ROUNDS; round++)
			assert_int_equal(feed_frame(&guard, &session, &frames[i], 64, &budget), H2_PASS);
}

static void frames_of_closed_streams_are_told_apart(void **state)
{
	static const struct {
		const char *name;
		struct frame frame;
		enum h2_verdict verdict;
	} cases[] = {
		{"content of one that stands", {DATA, 0, 1, "x", 1}, H2_PASS},
		{"content of one that we have reset", {DATA, 0, 3, "x", 1}, H2_PASS},
		{"trailers of one that we have reset", {HEADERS, END_HEADERS, 3, "x", 1}, H2_PASS},
		{"content of one that its client has ended", {DATA, 0, 9, "x", 1}, H2_CLOSED},
		{"headers of one that its client has ended", {HEADERS, END_HEADERS, 9, "x", 1}, H2_CLOSED},
		{"headers of one that was passed over", {HEADERS, END_HEADERS, 5, "x", 1}, H2_WRONG},
		{"a reset of one that is closed", {RST_STREAM, 0, 9, "\0\0\0\x8", 4}, H2_PASS},
		{"a window of one that is closed", {WINDOW_UPDATE, 0, 9, "\0\0\0\1", 4}, H2_PASS},
		{"content of an idle one, which the session knows", {DATA, 0, 11, "x", 1}, H2_PASS},
		{"content of no stream, which the session knows", {DATA, 0, 0, "x", 1}, H2_PASS},
		{"headers of a server's stream, which the session knows", {HEADERS, END_HEADERS, 4, "x", 1}, H2_PASS},
	};
	const struct frame ninth = {HEADERS, END_HEADERS | END_STREAM, 9, "\x82", 1};
	static struct session session;
	struct h2_guard guard;
	enum h2_budget budget;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		begin_two(&guard, &session);
		assert_int_equal(feed_frame(&guard, &session, &ninth, 64, &budget), H2_PASS);
		CHECK(cases[i].name, feed_frame(&guard, &session, &cases[i].frame, 64, &budget) == cases[i].verdict);
	}
	guard.leaving = true;
	assert_int_equal(feed_frame(&guard, &session, &cases[3].frame, 64, &budget), H2_PASS);
}

static void a_priority_of_a_stream_on_itself_is_wrong(void **state)
{
	static const struct {
		const char *name;
		struct frame frame;
		enum h2_verdict verdict;
	} cases[] = {
		{"on another", {PRIORITY, 0, 1, "\0\0\0\3\x10", 5}, H2_PASS},
		{"on itself", {PRIORITY, 0, 1, "\0\0\0\1\x10", 5}, H2_WRONG},
		{"on itself alone", {PRIORITY, 0, 1, "\x80\0\0\1\x10", 5}, H2_WRONG},
		{"on itself, idle", {PRIORITY, 0, 0x1020305, "\1\2\3\5\0", 5}, H2_WRONG},
		{"of another size, which the session knows", {PRIORITY, 0, 1, "\0\0\0\1", 4}, H2_PASS},
	};
	static struct session session;
	struct h2_guard guard;
	enum h2_budget budget;

	(void)state;
	for (size_t step = 1; step < 16; step++)
		for (size_t i = 0; i < COUNT_OF(cases); i++) {
			begin_two(&guard, &session);
			CHECK(cases[i].name,
				feed_frame(&guard, &session, &cases[i].frame, step, &budget) == cases[i].verdict);
		}
}

static void a_frame_that_does_not_end_is_seen(void **state)
{
	const struct frame open_section = {HEADERS, 0, 5, "\x82", 1}, last = {CONTINUATION, END_HEADERS, 5, "\x82", 1};
	static struct session session;
	struct h2_guard guard;
	enum h2_budget budget;
	uint8_t bytes[64];

	(void)state;
	h2_guard_init(&guard, START_US);
	assert_int_equal(guard.frame_at_us, START_US);
	begin_two(&guard, &session);
	assert_int_equal(guard.frame_at_us, 0);
	assert_int_equal(feed_frame(&guard, &session, &open_section, 64, &budget), H2_PASS);
	assert_int_equal(guard.frame_at_us, START_US);
	guard.now_us += US_PER_S;
	assert_int_equal(feed_frame(&guard, &session, &last, 64, &budget), H2_PASS);
	assert_int_equal(guard.frame_at_us, 0);
	(void)frame_write(bytes, &floods[3].frame);
	assert_int_equal(feed(&guard, &session, bytes, 12, 64, &budget), H2_PASS);
	assert_int_equal(guard.frame_at_us, START_US + US_PER_S);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_flood_ends_at_its_budget),
		cmocka_unit_test(a_budget_comes_back_with_time),
		cmocka_unit_test(what_carries_something_costs_nothing),
		cmocka_unit_test(frames_of_closed_streams_are_told_apart),
		cmocka_unit_test(a_priority_of_a_stream_on_itself_is_wrong),
		cmocka_unit_test(a_frame_that_does_not_end_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
