/* SPDX-License-Identifier: Apache-2.0 */
#include "h2.h"

#include <stdlib.h>

#include "h2_session.h"
#include "h2_stream.h"
#include "linger.h"
#include "loop.h"
#include "request.h"

struct h2 *h2_new(struct conn *conn)
{
	struct h2 *h2 = calloc(1, sizeof *h2);

	if (h2 == NULL)
		return NULL;
	h2->conn = conn;
	h2->idle_us = h2->wrote_us = conn->loop->now_us;
	h2_guard_init(&h2->guard, conn->loop->now_us);
	edge_count(&conn->loop->counts.h2_connections);
	if (h2_session_open(h2) != OK)
		h2_free(&h2);
	return h2;
}

void h2_free(struct h2 **h2)
{
	if (*h2 == NULL)
		return;
	edge_count_add(&(*h2)->conn->loop->counts.h2_connections, (uint64_t)-1);
	nghttp2_session_del((*h2)->session);
	free(*h2);
	*h2 = NULL;
}

bool h2_detach(struct h2 *h2)
{
	struct h2_stream *next;

	for (struct h2_stream *stream = h2->first; stream != NULL; stream = next) {
		next = stream->next;
		h2_stream_closed(stream);
	}
	return h2->work == 0;
}

void h2_set_over(struct h2 *h2, enum h2_budget budget)
{
	if (!h2->over)
		edge_count(&h2->conn->loop->counts.h2_calm[budget]);
	h2->over = true;
	h2->over_budget = budget;
}

/* Says why; nothing more is read or answered. */
static void h2_end(struct h2 *h2, uint32_t code)
{
	if (h2->ending)
		return;
	h2->ending = true;
	(void)nghttp2_session_terminate_session(h2->session, code);
}

static bool is_open(const void *ctx, uint32_t stream_id)
{
	const struct h2 *h2 = ctx;

	return nghttp2_session_find_stream(h2->session, (int32_t)stream_id) != NULL &&
	       nghttp2_stream_get_state(nghttp2_session_find_stream(h2->session, (int32_t)stream_id)) !=
	               NGHTTP2_STREAM_STATE_IDLE;
}

/* What the session made of the bytes. */
static void h2_judge(struct h2 *h2, ssize_t result)
{
	if (h2->over)
		h2_end(h2, NGHTTP2_ENHANCE_YOUR_CALM);
	else if (result == NGHTTP2_ERR_BAD_CLIENT_MAGIC)
		conn_kill(h2->conn); /* whatever it speaks, GOAWAY is no word of it */
	else if (result == NGHTTP2_ERR_FLOODED)
		h2_end(h2, NGHTTP2_ENHANCE_YOUR_CALM);
	else if (result < 0)
		h2_end(h2, NGHTTP2_INTERNAL_ERROR);
}

/* True when the bytes may go to the session. */
static bool h2_allows(struct h2 *h2, enum h2_verdict verdict, enum h2_budget budget)
{
	switch (verdict) {
	case H2_PASS:
		return true;
	case H2_CALM:
		h2_set_over(h2, budget);
		h2_end(h2, NGHTTP2_ENHANCE_YOUR_CALM);
		return false;
	case H2_CLOSED:
		h2_end(h2, NGHTTP2_STREAM_CLOSED);
		return false;
	case H2_WRONG:
	default:
		h2_end(h2, NGHTTP2_PROTOCOL_ERROR);
		return false;
	}
}

void h2_feed(struct h2 *h2, const uint8_t *bytes, size_t len)
{
	h2->guard.now_us = h2->conn->loop->now_us;
	h2->guard.leaving = h2->leaving;
	while (len > 0 && !h2->ending && h2->conn->state == CONN_OPEN) {
		enum h2_budget budget = H2_BUDGET_COUNT;
		size_t take = 0;
		const enum h2_verdict verdict = h2_guard_next(&h2->guard, bytes, len, is_open, h2, &take, &budget);

		if (!h2_allows(h2, verdict, budget))
			return;
		h2_judge(h2, nghttp2_session_mem_recv(h2->session, bytes, take));
		bytes += take;
		len -= take;
	}
}

bool h2_fill(struct h2 *h2)
{
	struct buf *out = &h2->conn->out;

	while (out->len < H2_OUT_FILL) {
		const uint8_t *bytes;
		const ssize_t len = nghttp2_session_mem_send(h2->session, &bytes);

		if (len == 0)
			break;
		if (len > 0)
			buf_put(out, bytes, (size_t)len);
		if (len < 0 || !buf_ok(out))
			return false;
		if (h2->over)
			h2_end(h2, NGHTTP2_ENHANCE_YOUR_CALM);
	}
	return true;
}

/* True when all that the session has to say now is written. */
static bool h2_write(struct h2 *h2)
{
	struct conn *conn = h2->conn;

	do {
		if (!h2_fill(h2)) {
			conn_kill(conn);
			return false;
		}
		if (conn->out.len == 0)
			return true;
		if (!conn_flush(conn))
			return false;
		h2->wrote_us = conn->loop->now_us;
	} while (conn->state == CONN_OPEN);
	return false;
}

static bool h2_wants(const struct h2 *h2)
{
	return h2->conn->state == CONN_OPEN && !h2->ending && !h2->conn->ended &&
	       nghttp2_session_want_read(h2->session) != 0;
}

/* True when something was read. */
static bool h2_read(struct h2 *h2)
{
	struct loop *loop = h2->conn->loop;
	const size_t len = conn_receive(h2->conn, loop->wire_in, sizeof loop->wire_in);

	if (len > 0)
		h2_feed(h2, (const uint8_t *)loop->wire_in, len);
	return len > 0;
}

/* Everything that could be done is done and written. */
static void h2_settle(struct h2 *h2)
{
	struct conn *conn = h2->conn;
	const bool over = h2->ending || nghttp2_session_want_read(h2->session) == 0;

	if (over || (conn->ended && h2->stream_count == 0)) {
		(void)h2_detach(h2);
		linger_begin(conn);
		return;
	}
	if (h2->stream_count == 0 && !conn_is_warm(conn))
		buf_release(&conn->out);
	timer_set(&conn->loop->wheel, &conn->timer,
		h2->stream_count == 0 && h2->guard.frame_at_us == 0 && h2->notice_us == 0
			? h2->idle_us + EDGE_IDLE_US
			: conn->loop->now_us + H2_LOOK_US);
}

void h2_run(struct h2 *h2)
{
	struct conn *conn = h2->conn;
	size_t turn = EDGE_TURN_STEPS;

	if (conn->out.len > 0 && !conn_flush(conn))
		return;
	while (turn > 0 && h2_wants(h2) && h2_read(h2))
		turn--;
	if (conn->state != CONN_OPEN || !h2_write(h2))
		return;
	if (turn == 0 && h2_wants(h2))
		loop_again(conn->loop, conn);
	h2_settle(h2);
}

bool h2_idle(const struct h2 *h2)
{
	return h2->stream_count == 0 && h2->work == 0 && h2->conn->out.len == 0;
}

/* Requests that come too slowly, and answers that nobody takes. */
static void look_at(struct h2_stream *stream, uint64_t now_us)
{
	if (!stream->whole && !stream->answered && now_us > stream->begun_us + EDGE_BODY_US)
		h2_stream_late(stream);
	else if (stream->answered && now_us > stream->moved_us + EDGE_WRITE_US)
		h2_stream_late(stream);
}

void h2_look(struct h2 *h2)
{
	struct conn *conn = h2->conn;
	const uint64_t now_us = conn->loop->now_us;
	struct h2_stream *next;

	if (conn->state != CONN_OPEN || (conn->out.len > 0 && now_us > h2->wrote_us + EDGE_WRITE_US)) {
		conn_kill(conn);
		return;
	}
	for (struct h2_stream *stream = h2->first; stream != NULL; stream = next) {
		next = stream->next;
		if (stream->open)
			look_at(stream, now_us);
	}
	if (h2->guard.frame_at_us != 0 && now_us > h2->guard.frame_at_us + EDGE_HEAD_US) {
		edge_count(&conn->loop->counts.timeouts);
		h2_end(h2, NGHTTP2_NO_ERROR);
	} else if (h2->notice_us != 0 && now_us > h2->notice_us + H2_DRAIN_NOTICE_US) {
		h2_drain(h2);
	} else if (h2->stream_count == 0 && now_us >= h2->idle_us + EDGE_IDLE_US) {
		h2_end(h2, NGHTTP2_NO_ERROR);
	}
}

void h2_on_timer(struct h2 *h2)
{
	h2_look(h2);
	if (h2->conn->state == CONN_OPEN)
		h2_run(h2);
}

void h2_drain(struct h2 *h2)
{
	if (h2->ending || h2->leaving)
		return;
	if (h2->notice_us == 0) {
		h2->notice_us = h2->conn->loop->now_us;
		(void)nghttp2_submit_shutdown_notice(h2->session);
		(void)nghttp2_submit_ping(h2->session, NGHTTP2_FLAG_NONE, NULL);
		return;
	}
	h2->leaving = true;
	(void)nghttp2_submit_goaway(h2->session, NGHTTP2_FLAG_NONE,
		nghttp2_session_get_last_proc_stream_id(h2->session), NGHTTP2_NO_ERROR, NULL, 0);
}
