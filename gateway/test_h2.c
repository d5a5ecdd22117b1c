/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"

#include "test_h2_drive.h"

/* Connections without a socket: what the gateway says to frames whose timing no client could be sure of. */
enum { DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION };
#define END_STREAM 0x1
#define END_HEADERS 0x4
#define FORM "application/x-www-form-urlencoded"
#define ERROR_NONE UINT32_MAX

static struct drive *drive;

static void put_frame(struct buf *out, unsigned type, unsigned flags, uint32_t id, struct str payload)
{
	buf_put_byte(out, (uint8_t)(payload.len >> 16));
	buf_put_u16(out, (uint16_t)payload.len);
	buf_put_byte(out, (uint8_t)type);
	buf_put_byte(out, (uint8_t)flags);
	buf_put_u32(out, id);
	buf_put_str(out, payload);
}

static void feed_frame(unsigned type, unsigned flags, uint32_t id, struct str payload)
{
	struct buf out;

	buf_init(&out, 1U << 20);
	put_frame(&out, type, flags, id, payload);
	drive_feed(drive, out.p, out.len);
	buf_release(&out);
}

static void put_field(struct buf *out, const char *name, const char *value)
{
	buf_put_byte(out, 0);
	buf_put_byte(out, (uint8_t)strlen(name));
	buf_put_c(out, name);
	buf_put_byte(out, (uint8_t)strlen(value));
	buf_put_c(out, value);
}

/* A request on a new stream; with `type`, content of that type is to come. */
static void ask(uint32_t id, const char *method, const char *path, const char *type)
{
	struct buf section;

	buf_init(&section, 4096);
	put_field(&section, ":method", method);
	put_field(&section, ":scheme", "https");
	put_field(&section, ":path", path);
	put_field(&section, ":authority", "localhost");
	if (type != NULL)
		put_field(&section, "content-type", type);
	feed_frame(HEADERS, END_HEADERS | (type == NULL ? END_STREAM : 0), id, buf_str(&section));
	buf_release(&section);
}

static void begin(void)
{
	drive_open(drive);
	drive_feed(drive, DRIVE_PREFACE, DRIVE_PREFACE_LEN);
	feed_frame(SETTINGS, 0, 0, (struct str){"", 0});
}

/* The last frame of this type on this stream that the gateway has sent; false without. */
static bool said(unsigned type, uint32_t id, struct str *payload_out)
{
	struct str rest = buf_str(&drive->said);
	bool found = false;

	while (rest.len > 0) {
		struct reader reader = reader_over(rest);
		const size_t len = (size_t)reader_u8(&reader) << 16 | reader_u16(&reader);
		const unsigned is = reader_u8(&reader);
		const uint32_t on = ((void)reader_u8(&reader), reader_u32(&reader));

		if (is == type && on == id) {
			*payload_out = (struct str){rest.p + 9, len};
			found = true;
		}
		rest.p += 9 + len;
		rest.len -= 9 + len;
	}
	return found;
}

static uint32_t code_at(struct str payload, size_t at)
{
	struct reader reader = reader_over((struct str){payload.p + at, payload.len - at});

	return reader_u32(&reader);
}

static uint32_t reset_code(uint32_t id)
{
	struct str payload;

	return said(RST_STREAM, id, &payload) ? code_at(payload, 0) : ERROR_NONE;
}

static uint32_t goaway_code(void)
{
	struct str payload;

	return said(GOAWAY, 0, &payload) ? code_at(payload, 4) : ERROR_NONE;
}

static void content_beyond_the_window_of_a_stream_is_an_error(void **state)
{
	static const char bytes[H2_FRAME_MAX];

	(void)state;
	begin();
	feed_frame(SETTINGS, 1, 0, (struct str){"", 0});
	ask(1, "POST", "/oauth2/token", FORM);
	/* At once, before the gateway could answer that this is too much; some of the window is given back. */
	for (int i = 0; i < 4; i++) {
		h2_feed(drive->conn->h2, (const uint8_t *)"\0\x40\0\0\0\0\0\0\1", 9);
		h2_feed(drive->conn->h2, (const uint8_t *)bytes, sizeof bytes);
	}
	drive_take(drive);
	assert_true(reset_code(1) == NGHTTP2_FLOW_CONTROL_ERROR || goaway_code() == NGHTTP2_FLOW_CONTROL_ERROR);
	drive_close(drive);
}

static void a_window_that_is_used_up_is_given_back(void **state)
{
	static const char bytes[1024];
	struct str payload;

	(void)state;
	begin();
	/* Many streams: what is under way of all of them together is given back as it is taken. */
	for (uint32_t id = 1; id < 2 * H2_STREAMS_MAX; id += 2)
		ask(id, "POST", "/oauth2/token", FORM);
	for (uint32_t id = 1; id < 2 * H2_STREAMS_MAX; id += 2)
		for (int i = 0; i < 3; i++)
			feed_frame(DATA, 0, id, (struct str){bytes, sizeof bytes});
	assert_int_equal(goaway_code(), ERROR_NONE);
	assert_true(said(WINDOW_UPDATE, 0, &payload) && code_at(payload, 0) >= H2_WINDOW_CONN / 4);
	assert_int_equal(drive->conn->h2->content_held, 3 * sizeof bytes * H2_STREAMS_MAX);
	assert_int_equal(drive->conn->h2->work, H2_STREAMS_MAX);
	for (uint32_t id = 1; id < 2 * H2_STREAMS_MAX; id += 2)
		feed_frame(RST_STREAM, 0, id, STR("\0\0\0\x8"));
	assert_int_equal(drive->conn->h2->content_held, 0);
	assert_int_equal(drive->conn->h2->stream_count, 0);
	drive_close(drive);
}

static void what_all_streams_hold_is_bounded(void **state)
{
	static const char bytes[12U << 10];
	const uint32_t fit = H2_CONTENT_MAX / sizeof bytes;
	struct str payload;

	(void)state;
	begin();
	feed_frame(SETTINGS, 1, 0, (struct str){"", 0});
	for (uint32_t id = 1; id < 2 * H2_STREAMS_MAX; id += 2) {
		ask(id, "POST", "/oauth2/token", FORM);
		feed_frame(DATA, 0, id, (struct str){bytes, sizeof bytes});
		assert_true(drive->conn->h2->content_held <= H2_CONTENT_MAX);
		assert_int_equal(said(HEADERS, id, &payload), (id + 1) / 2 > fit);
	}
	assert_int_equal(drive->conn->h2->work, fit);
	assert_int_equal(drive->loop.counts.refused_full, H2_STREAMS_MAX - fit);
	/* One of them goes, and there is room for another. */
	feed_frame(RST_STREAM, 0, 1, STR("\0\0\0\x8"));
	ask(2 * H2_STREAMS_MAX + 1, "POST", "/oauth2/token", FORM);
	feed_frame(DATA, 0, 2 * H2_STREAMS_MAX + 1, (struct str){bytes, sizeof bytes});
	assert_false(said(HEADERS, 2 * H2_STREAMS_MAX + 1, &payload));
	assert_int_equal(goaway_code(), ERROR_NONE);
	drive_close(drive);
}

static void one_stream_more_than_may_be_is_refused(void **state)
{
	(void)state;
	begin();
	feed_frame(SETTINGS, 1, 0, (struct str){"", 0});
	for (uint32_t id = 1; id < 2 * H2_STREAMS_MAX; id += 2)
		ask(id, "POST", "/oauth2/token", FORM);
	ask(2 * H2_STREAMS_MAX + 1, "POST", "/oauth2/token", FORM);
	assert_true(reset_code(2 * H2_STREAMS_MAX + 1) == NGHTTP2_REFUSED_STREAM ||
		    goaway_code() == NGHTTP2_PROTOCOL_ERROR);
	drive_close(drive);
}

static void deadlines_are_kept(void **state)
{
	struct str payload;

	(void)state;
	begin();
	feed_frame(SETTINGS, 0, 0, STR("\0\4\0\0\0\5")); /* a window of five bytes */
	ask(1, "GET", "/openapi.json", NULL);
	ask(3, "POST", "/oauth2/token", FORM);
	for (uint64_t s = 1; s <= 40; s++) {
		drive->loop.now_us += US_PER_S;
		h2_look(drive->conn->h2);
		drive_take(drive);
		assert_int_equal(reset_code(1), s <= EDGE_WRITE_US / US_PER_S ? ERROR_NONE : NGHTTP2_CANCEL);
		assert_true(said(HEADERS, 3, &payload) == (s > EDGE_BODY_US / US_PER_S));
	}
	assert_int_equal(drive->loop.counts.timeouts, 3);
	assert_int_equal(goaway_code(), ERROR_NONE);
	for (int s = 0; s < 61; s++) {
		drive->loop.now_us += US_PER_S;
		h2_look(drive->conn->h2);
		drive_take(drive);
	}
	assert_int_equal(goaway_code(), NGHTTP2_NO_ERROR);
	assert_true(drive->conn->h2->ending);
	drive_close(drive);
}

static void a_drain_says_goaway_twice(void **state)
{
	struct str payload;

	(void)state;
	begin();
	ask(1, "POST", "/oauth2/token", FORM);
	h2_drain(drive->conn->h2);
	drive_take(drive);
	assert_true(said(GOAWAY, 0, &payload) && code_at(payload, 0) == 0x7fffffff);
	ask(3, "GET", "/healthz", NULL);
	assert_true(said(DATA, 3, &payload));
	feed_frame(PING, 1, 0, STR("\0\0\0\0\0\0\0\0"));
	assert_true(said(GOAWAY, 0, &payload) && code_at(payload, 0) == 3);
	ask(5, "GET", "/healthz", NULL);
	assert_false(said(HEADERS, 5, &payload));
	assert_true(nghttp2_session_want_read(drive->conn->h2->session) != 0);
	feed_frame(RST_STREAM, 0, 1, STR("\0\0\0\x8"));
	assert_int_equal(nghttp2_session_want_read(drive->conn->h2->session), 0);
	drive_close(drive);
}

static void secrets_and_what_changes_stay_out_of_the_clients_table(void **state)
{
	size_t first, second;

	(void)state;
	begin();
	ask(1, "GET", "/healthz", NULL);
	first = drive->said.len;
	for (uint32_t id = 3; id < 200; id += 2)
		ask(id, "GET", "/healthz", NULL);
	second = drive->said.len;
	ask(201, "GET", "/healthz", NULL);
	/* What comes again is an index each, still after a hundred answers with names of their own. */
	assert_in_range(first, 300, 1500);
	assert_in_range(drive->said.len - second, 60, 200);
	drive_close(drive);
}

static int make(void **state)
{
	(void)state;
	drive = drive_new();
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	drive_free(drive);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(content_beyond_the_window_of_a_stream_is_an_error),
		cmocka_unit_test(a_window_that_is_used_up_is_given_back),
		cmocka_unit_test(what_all_streams_hold_is_bounded),
		cmocka_unit_test(one_stream_more_than_may_be_is_refused),
		cmocka_unit_test(deadlines_are_kept),
		cmocka_unit_test(a_drain_says_goaway_twice),
		cmocka_unit_test(secrets_and_what_changes_stay_out_of_the_clients_table),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
