/* SPDX-License-Identifier: Apache-2.0 */
#include "h2_stream.h"

#include <stdlib.h>

#include "http/http_fields.h"
#include "loop.h"
#include "request.h"
#include "respond.h"

#define SPARE_MAX 256
#define ROOM_KEPT (4U << 10) /* a larger buffer is given back */

static void list_add(struct h2 *h2, struct h2_stream *stream)
{
	stream->prev = h2->last;
	if (h2->last != NULL)
		h2->last->next = stream;
	else
		h2->first = stream;
	h2->last = stream;
}

static void list_remove(struct h2 *h2, struct h2_stream *stream)
{
	if (stream->prev != NULL)
		stream->prev->next = stream->next;
	else
		h2->first = stream->next;
	if (stream->next != NULL)
		stream->next->prev = stream->prev;
	else
		h2->last = stream->prev;
}

struct h2_stream *h2_stream_new(struct h2 *h2, int32_t id)
{
	struct loop *loop = h2->conn->loop;
	struct h2_stream *stream = loop->spare_streams;
	struct buf in, answer;

	if (stream != NULL) {
		loop->spare_streams = stream->next;
		loop->spare_stream_count--;
		in = stream->in;
		answer = stream->answer;
	} else {
		stream = malloc(sizeof *stream);
		if (stream == NULL)
			return NULL;
		buf_init(&in, http_limits_bytes(&conn_http_limits) + conn_http_limits.header_bytes_max);
		buf_init(&answer, EDGE_OUT_MAX);
	}
	/* The parser is large, and made anew for each request by http_fields_begin. */
	stream->h2 = h2;
	stream->prev = stream->next = NULL;
	stream->exchange = NULL;
	stream->id = id;
	stream->open = true;
	stream->trailers = stream->malformed = stream->whole = stream->answered = false;
	stream->in = in;
	stream->sent = 0;
	stream->answer = answer;
	stream->content = STR_NONE;
	stream->begun_us = stream->moved_us = loop->now_us;
	http_fields_begin(&stream->parser, &stream->in, &conn_http_limits);
	list_add(h2, stream);
	h2->stream_count++;
	edge_count(&loop->counts.h2_streams);
	return stream;
}

void h2_stream_free(struct h2_stream **stream)
{
	struct h2_stream *dying = *stream;
	struct loop *loop;

	if (dying == NULL)
		return;
	loop = dying->h2->conn->loop;
	list_remove(dying->h2, dying);
	buf_reset(&dying->answer);
	if (dying->answer.room > ROOM_KEPT)
		buf_release(&dying->answer);
	if (dying->in.room > ROOM_KEPT)
		buf_release(&dying->in);
	if (loop->spare_stream_count >= SPARE_MAX) {
		buf_release(&dying->in);
		buf_release(&dying->answer);
		free(dying);
	} else {
		dying->next = loop->spare_streams;
		loop->spare_streams = dying;
		loop->spare_stream_count++;
	}
	*stream = NULL;
}

void h2_stream_release_spare(struct loop *loop)
{
	while (loop->spare_streams != NULL) {
		struct h2_stream *stream = loop->spare_streams;

		loop->spare_streams = stream->next;
		buf_release(&stream->in);
		buf_release(&stream->answer);
		free(stream);
	}
	loop->spare_stream_count = 0;
}

/* Once neither the session nor a service knows it. */
static void stream_settle(struct h2_stream *stream)
{
	if (!stream->open && stream->exchange == NULL)
		h2_stream_free(&stream);
}

/* The exchange is gone: what it borrowed is free. */
static void stream_end_work(struct h2_stream *stream)
{
	struct h2 *h2 = stream->h2;

	if (stream->exchange != NULL)
		h2->work--;
	stream->exchange = NULL;
	h2->content_held -= stream->parser.body_len;
	if (stream->in.room > ROOM_KEPT)
		buf_release(&stream->in);
	stream->parser.body_len = 0;
}

static void stream_reset(struct h2_stream *stream, uint32_t code)
{
	if (stream->exchange != NULL && !request_complete(stream->exchange)) {
		exchange_free(&stream->exchange);
		stream->h2->work--;
	}
	stream->answered = true;
	(void)nghttp2_submit_rst_stream(stream->h2->session, NGHTTP2_FLAG_NONE, stream->id, code);
}

/* The parser has failed. */
static void stream_refuse(struct h2_stream *stream)
{
	if (stream->malformed || stream->parser.malformed || stream->exchange == NULL)
		stream_reset(stream, NGHTTP2_PROTOCOL_ERROR);
	else
		respond_unserved(stream->exchange, stream->parser.err);
}

static bool stream_begin_work(struct h2_stream *stream)
{
	struct h2 *h2 = stream->h2;
	struct exchange *exchange = exchange_new(h2->conn->loop, h2->conn);

	if (exchange == NULL) {
		stream_reset(stream, NGHTTP2_INTERNAL_ERROR);
		return false;
	}
	exchange->stream = stream;
	stream->exchange = exchange;
	h2->work++;
	edge_count_peak(&h2->conn->loop->counts.h2_work_peak, h2->work);
	return true;
}

void h2_stream_field(struct h2_stream *stream, struct str name, struct str value)
{
	if (stream->trailers)
		http_fields_trailer(&stream->parser, name, value);
	else
		http_fields_add(&stream->parser, &stream->in, name, value);
}

void h2_stream_section_end(struct h2_stream *stream, bool whole)
{
	struct loop *loop = stream->h2->conn->loop;

	if (stream->trailers) {
		h2_stream_whole(stream);
		return;
	}
	http_fields_end(&stream->parser, &stream->in, whole);
	stream->whole = whole;
	if (stream->malformed || stream->parser.malformed) {
		stream_reset(stream, NGHTTP2_PROTOCOL_ERROR);
		return;
	}
	if (!stream_begin_work(stream))
		return;
	if (stream->parser.stage == HTTP_STAGE_FAILED) {
		stream_refuse(stream);
		return;
	}
	edge_count(&loop->counts.parsed);
	request_head(stream->exchange, &stream->parser);
	if (whole && stream->exchange != NULL)
		request_whole(stream->exchange, &stream->parser);
}

void h2_stream_content(struct h2_stream *stream, struct str bytes)
{
	const size_t before = stream->parser.body_len;

	if (stream->answered)
		return; /* its window is not given back: nothing more of it is wanted */
	http_fields_content(&stream->parser, &stream->in, bytes);
	stream->h2->content_held += stream->parser.body_len - before;
	if (stream->parser.stage == HTTP_STAGE_FAILED) {
		stream_refuse(stream);
	} else if (stream->h2->content_held > H2_CONTENT_MAX && stream->exchange != NULL) {
		/* Windows cannot bound it: each stream has had one of its own from the start. */
		edge_count(&stream->h2->conn->loop->counts.refused_full);
		respond_unserved(stream->exchange, ERR_OVERLOADED);
	} else {
		(void)nghttp2_session_consume_stream(stream->h2->session, stream->id, bytes.len);
	}
}

void h2_stream_whole(struct h2_stream *stream)
{
	stream->whole = true;
	if (stream->answered)
		return;
	http_fields_whole(&stream->parser);
	if (stream->malformed || stream->parser.stage == HTTP_STAGE_FAILED)
		stream_refuse(stream);
	else if (stream->exchange != NULL)
		request_whole(stream->exchange, &stream->parser);
}

void h2_stream_late(struct h2_stream *stream)
{
	edge_count(&stream->h2->conn->loop->counts.timeouts);
	if (stream->exchange != NULL && !request_complete(stream->exchange))
		respond_unserved(stream->exchange, ERR_REQUEST_TIMEOUT);
	else
		stream_reset(stream, NGHTTP2_CANCEL);
}

void h2_stream_closed(struct h2_stream *stream)
{
	struct h2 *h2 = stream->h2;

	if (!stream->open)
		return;
	stream->open = false;
	(void)nghttp2_session_set_stream_user_data(h2->session, stream->id, NULL);
	h2->stream_count--;
	h2->idle_us = h2->conn->loop->now_us;
	h2->answers_held -= stream->content.len - stream->sent;
	stream->sent = stream->content.len;
	if (stream->exchange == NULL) {
		stream_end_work(stream);
	} else if (!request_complete(stream->exchange)) {
		exchange_free(&stream->exchange);
		h2->work--;
		stream_end_work(stream);
	} else {
		/* A service is at work on it: it counts until that ends. */
		stream->exchange->conn = NULL;
	}
	stream_settle(stream);
}

void h2_stream_answered(struct h2_stream *stream)
{
	stream_end_work(stream);
	stream->answered = true;
	stream->moved_us = stream->h2->conn->loop->now_us;
	stream_settle(stream);
}

void h2_stream_forget(struct h2_stream *stream)
{
	struct h2 *h2 = stream->h2;

	stream_end_work(stream);
	stream_settle(stream);
	if (h2->conn->state == CONN_DEAD && h2->work == 0)
		conn_forget(h2->conn);
}

void h2_stream_continue(struct h2_stream *stream)
{
	nghttp2_nv status = {.name = (uint8_t[]){":status"}, .value = (uint8_t[]){"100"}, .namelen = 7, .valuelen = 3};

	(void)nghttp2_submit_headers(stream->h2->session, NGHTTP2_FLAG_NONE, stream->id, NULL, &status, 1, NULL);
}
