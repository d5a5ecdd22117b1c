/* SPDX-License-Identifier: Apache-2.0 */
#include "h2_session.h"

#include "h2_stream.h"
#include "loop.h"

#define FIELD_OVERHEAD 32     /* RFC 9113 section 6.5.2 */
#define ACKS_MAX 100          /* answers to SETTINGS and PING that wait; the budgets end it before */
#define RESETS_BURST 1000     /* nghttp2's own budgets are behind ours */
#define CONTINUATIONS_MAX 100 /* the same */

static struct str str_over(const uint8_t *bytes, size_t len)
{
	return (struct str){(const char *)bytes, len};
}

static struct h2_stream *stream_of(const struct h2 *h2, int32_t id)
{
	return nghttp2_session_get_stream_user_data(h2->session, id);
}

/* RFC 9113 section 8.7: a refused request was not looked at, so it may be sent again. */
static void refuse(struct h2 *h2, int32_t id)
{
	edge_count(&h2->conn->loop->counts.h2_refused);
	h2_guard_reset(&h2->guard, (uint32_t)id);
	(void)nghttp2_submit_rst_stream(h2->session, NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
	struct h2 *h2 = user;
	struct h2_stream *stream;

	h2->section_len = 0;
	if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
		stream = stream_of(h2, frame->hd.stream_id);
		if (stream != NULL)
			stream->trailers = true;
		return 0;
	}
	if (h2->work >= H2_STREAMS_MAX || h2->answers_held > H2_ANSWERS_MAX ||
		(stream = h2_stream_new(h2, frame->hd.stream_id)) == NULL) {
		refuse(h2, frame->hd.stream_id);
		return 0;
	}
	(void)nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, stream);
	return 0;
}

/* False when the section is so large that the connection ends for it. */
static bool count_section(struct h2 *h2, size_t name_len, size_t value_len)
{
	h2->section_len += name_len + value_len + FIELD_OVERHEAD;
	if (h2->section_len <= H2_SECTION_MAX)
		return true;
	h2_set_over(h2, H2_BUDGET_SECTION);
	return false;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_len,
	const uint8_t *value, size_t value_len, uint8_t flags, void *user)
{
	struct h2 *h2 = user;
	struct h2_stream *stream = stream_of(h2, frame->hd.stream_id);

	(void)session;
	(void)flags;
	if (!count_section(h2, name_len, value_len))
		return NGHTTP2_ERR_CALLBACK_FAILURE;
	if (stream != NULL)
		h2_stream_field(stream, str_over(name, name_len), str_over(value, value_len));
	return 0;
}

/* nghttp2 would pass over such a field; RFC 9113 section 8.2.1 calls the request malformed. */
static int on_invalid_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_len,
	const uint8_t *value, size_t value_len, uint8_t flags, void *user)
{
	struct h2 *h2 = user;
	struct h2_stream *stream = stream_of(h2, frame->hd.stream_id);

	(void)session;
	(void)name;
	(void)value;
	(void)flags;
	if (!count_section(h2, name_len, value_len))
		return NGHTTP2_ERR_CALLBACK_FAILURE;
	if (stream != NULL)
		stream->malformed = true;
	return 0;
}

static void section_end(struct h2 *h2, const nghttp2_frame *frame)
{
	struct h2_stream *stream = stream_of(h2, frame->hd.stream_id);

	if (stream != NULL)
		h2_stream_section_end(stream, (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0);
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
	struct h2 *h2 = user;
	struct h2_stream *stream;

	(void)session;
	switch (frame->hd.type) {
	case NGHTTP2_HEADERS:
		section_end(h2, frame);
		break;
	case NGHTTP2_DATA:
		stream = stream_of(h2, frame->hd.stream_id);
		if (stream != NULL && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
			h2_stream_whole(stream);
		break;
	case NGHTTP2_PING:
		if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0 && h2->notice_us != 0)
			h2_drain(h2);
		break;
	case NGHTTP2_RST_STREAM:
		edge_count(&h2->conn->loop->counts.h2_resets_client);
		break;
	default:
		break;
	}
	return 0;
}

/* What the session does not take may belong to a stream that it has refused. */
static int on_invalid_frame(nghttp2_session *session, const nghttp2_frame *frame, int error, void *user)
{
	struct h2 *h2 = user;

	(void)session;
	(void)error;
	if (frame->hd.type == NGHTTP2_HEADERS)
		h2_guard_reset(&h2->guard, (uint32_t)frame->hd.stream_id);
	return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes, size_t len, void *user)
{
	struct h2 *h2 = user;
	struct h2_stream *stream = stream_of(h2, id);

	(void)flags;
	/* The window of all streams bounds what is under way, H2_CONTENT_MAX what is held. */
	(void)nghttp2_session_consume_connection(session, len);
	if (stream != NULL)
		h2_stream_content(stream, str_over(bytes, len));
	return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
	struct h2_stream *stream = stream_of(user, id);

	(void)session;
	(void)code;
	if (stream != NULL)
		h2_stream_closed(stream);
	return 0;
}

/* RFC 9113 section 8.1: an answer before the end of its request, so the rest of it is not wanted. */
static void answer_sent(struct h2 *h2, const nghttp2_frame *frame)
{
	const struct h2_stream *stream;

	if (frame->hd.type == NGHTTP2_DATA)
		h2_guard_credit(&h2->guard, H2_BUDGET_WINDOW, H2_WINDOWS_PER_DATA);
	if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0)
		return;
	stream = stream_of(h2, frame->hd.stream_id);
	if (stream != NULL && !stream->whole)
		(void)nghttp2_submit_rst_stream(h2->session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_NO_ERROR);
}

static int on_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
	struct h2 *h2 = user;

	(void)session;
	if (frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS) {
		answer_sent(h2, frame);
	} else if (frame->hd.type == NGHTTP2_RST_STREAM) {
		edge_count(&h2->conn->loop->counts.h2_resets_own);
		h2_guard_reset(&h2->guard, (uint32_t)frame->hd.stream_id);
		/* Behind a whole answer it is not the client's doing, and what is late is counted by its deadline. */
		if (frame->rst_stream.error_code != NGHTTP2_NO_ERROR && !h2_guard_spend(&h2->guard, H2_BUDGET_PROVOKED))
			h2_set_over(h2, H2_BUDGET_PROVOKED);
	}
	return 0;
}

static nghttp2_session_callbacks *callbacks_new(void)
{
	nghttp2_session_callbacks *made;

	if (nghttp2_session_callbacks_new(&made) != 0)
		return NULL;
	nghttp2_session_callbacks_set_on_begin_headers_callback(made, on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(made, on_header);
	nghttp2_session_callbacks_set_on_invalid_header_callback(made, on_invalid_header);
	nghttp2_session_callbacks_set_on_frame_recv_callback(made, on_frame_recv);
	nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(made, on_invalid_frame);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, on_data);
	nghttp2_session_callbacks_set_on_stream_close_callback(made, on_stream_close);
	nghttp2_session_callbacks_set_on_frame_send_callback(made, on_frame_send);
	return made;
}

static nghttp2_option *option_new(void)
{
	nghttp2_option *made;

	if (nghttp2_option_new(&made) != 0)
		return NULL;
	nghttp2_option_set_no_auto_window_update(made, 1);
	nghttp2_option_set_no_closed_streams(made, 1);
	nghttp2_option_set_max_deflate_dynamic_table_size(made, H2_TABLE_MAX);
	nghttp2_option_set_max_outbound_ack(made, ACKS_MAX);
	nghttp2_option_set_stream_reset_rate_limit(made, RESETS_BURST, RESETS_BURST);
	nghttp2_option_set_max_continuations(made, CONTINUATIONS_MAX);
	return made;
}

enum err h2_session_open(struct h2 *h2)
{
	static const nghttp2_settings_entry settings[] = {
		{NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, H2_TABLE_MAX},
		{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, H2_STREAMS_MAX},
		{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, H2_WINDOW_STREAM},
		{NGHTTP2_SETTINGS_MAX_FRAME_SIZE, H2_FRAME_MAX},
		{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, EDGE_HEAD_BYTES_MAX},
		{NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
	};
	nghttp2_session_callbacks *callbacks = callbacks_new();
	nghttp2_option *option = option_new();
	enum err err = ERR_OVERLOADED;

	if (callbacks == NULL || option == NULL ||
		nghttp2_session_server_new2(&h2->session, callbacks, h2, option) != 0)
		goto done;
	if (nghttp2_submit_settings(h2->session, NGHTTP2_FLAG_NONE, settings, sizeof settings / sizeof *settings) !=
			0 ||
		nghttp2_session_set_local_window_size(h2->session, NGHTTP2_FLAG_NONE, 0, H2_WINDOW_CONN) != 0)
		goto done;
	err = OK;
done:
	nghttp2_session_callbacks_del(callbacks);
	nghttp2_option_del(option);
	return err;
}
