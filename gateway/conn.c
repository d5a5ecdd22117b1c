/* SPDX-License-Identifier: Apache-2.0 */
#include "conn.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop.h"
#include "request.h"
#include "respond.h"
#include "tls.h"

#define READ_STEP (16U << 10)
#define LINGER_US (1 * US_PER_S)

static const struct http_limits limits = {
	.request_line_max = EDGE_TARGET_MAX + 64,
	.target_max = EDGE_TARGET_MAX,
	.headers_max = EDGE_HEADERS_MAX,
	.header_bytes_max = EDGE_HEAD_BYTES_MAX,
	.body_max = EDGE_BODY_MAX,
};

static void conn_set_address(struct conn *conn, const struct sockaddr_storage *peer)
{
	const void *bytes = peer->ss_family == AF_INET6
	                            ? (const void *)&((const struct sockaddr_in6 *)(const void *)peer)->sin6_addr
	                            : (const void *)&((const struct sockaddr_in *)(const void *)peer)->sin_addr;

	if (inet_ntop(peer->ss_family, bytes, conn->address, sizeof conn->address) == NULL)
		conn->address[0] = '\0';
}

struct conn *conn_new(struct loop *loop, int fd, const struct sockaddr_storage *peer)
{
	struct conn *conn = calloc(1, sizeof *conn);

	if (conn == NULL)
		goto fail;
	conn->loop = loop;
	conn->fd = fd;
	conn->ssl = tls_session_new(loop->gateway->tls, fd);
	if (conn->ssl == NULL)
		goto fail;
	buf_init(&conn->in, http_limits_bytes(&limits) + READ_STEP);
	buf_init(&conn->out, EDGE_OUT_MAX);
	http_parser_init(&conn->parser, &limits);
	conn_set_address(conn, peer);
	timer_set(&loop->wheel, &conn->timer, loop->now_us + EDGE_HANDSHAKE_US);
	conn->next = loop->conns;
	if (loop->conns != NULL)
		loop->conns->prev = conn;
	loop->conns = conn;
	loop->conn_count++;
	edge_count_add(&loop->counts.connections, 1);
	return conn;
fail:
	free(conn);
	close(fd);
	return NULL;
}

void conn_free(struct conn **conn)
{
	if (*conn == NULL)
		return;
	SSL_free((*conn)->ssl);
	buf_release(&(*conn)->in);
	buf_release(&(*conn)->out);
	free(*conn);
	*conn = NULL;
}

void conn_kill(struct conn *conn)
{
	struct loop *loop = conn->loop;

	if (conn->state == CONN_DEAD)
		return;
	conn->state = CONN_DEAD;
	timer_clear(&conn->timer);
	close(conn->fd);
	conn->fd = -1;
	if (conn->prev != NULL)
		conn->prev->next = conn->next;
	else
		loop->conns = conn->next;
	if (conn->next != NULL)
		conn->next->prev = conn->prev;
	conn->prev = NULL;
	loop->conn_count--;
	edge_count_add(&loop->counts.connections, (uint64_t)-1);
	/* An exchange that a service is working on still borrows from `in`: its end frees the connection. */
	if (conn->exchange != NULL) {
		conn->exchange->conn = NULL;
		return;
	}
	conn->next = loop->dead;
	loop->dead = conn;
}

/* True: go on. False: wait for the socket, or the connection is dead. */
static bool tls_went(struct conn *conn, int result)
{
	switch (SSL_get_error(conn->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		conn->readable = false;
		return false;
	case SSL_ERROR_WANT_WRITE:
		conn->writable = false;
		return false;
	default:
		ERR_clear_error();
		if (conn->state == CONN_HANDSHAKE)
			edge_count(&conn->loop->counts.handshake_failures);
		conn_kill(conn);
		return false;
	}
}

static bool conn_shake(struct conn *conn)
{
	int result;

	ERR_clear_error();
	result = SSL_do_handshake(conn->ssl);
	if (result != 1)
		return tls_went(conn, result);
	conn->state = CONN_OPEN;
	edge_count(&conn->loop->counts.handshakes);
	timer_set(&conn->loop->wheel, &conn->timer, conn->loop->now_us + EDGE_HEAD_US);
	conn->message_at_us = conn->loop->now_us;
	return true;
}

/*
 * Ends our side after the last byte; what the client still sends is discarded for a moment, or its kernel might drop
 * our answer.
 */
static void conn_linger(struct conn *conn)
{
	ERR_clear_error();
	(void)SSL_shutdown(conn->ssl);
	ERR_clear_error();
	(void)shutdown(conn->fd, SHUT_WR);
	conn->state = CONN_LINGER;
	conn->readable = true;
	timer_set(&conn->loop->wheel, &conn->timer, conn->loop->now_us + LINGER_US);
}

/* True when all of `out` is written. */
static bool conn_flush(struct conn *conn)
{
	while (conn->out_sent < conn->out.len) {
		int result;

		if (!conn->writable)
			return false;
		ERR_clear_error();
		result = SSL_write(conn->ssl, conn->out.p + conn->out_sent, (int)(conn->out.len - conn->out_sent));
		if (result <= 0)
			return tls_went(conn, result);
		conn->out_sent += (size_t)result;
		timer_set(&conn->loop->wheel, &conn->timer, conn->loop->now_us + EDGE_WRITE_US);
	}
	if (conn->out.len > READ_STEP)
		buf_release(&conn->out), buf_init(&conn->out, EDGE_OUT_MAX);
	buf_reset(&conn->out);
	conn->out_sent = 0;
	return true;
}

/* True when something was read. */
static bool conn_read(struct conn *conn)
{
	size_t step = conn->in.room == 0 ? EDGE_IN_FIRST : READ_STEP;
	char *room;
	int result;

	if (!conn->readable)
		return false;
	if (conn->in.room > conn->in.len)
		step = conn->in.room - conn->in.len;
	if (step > conn->in.cap - conn->in.len)
		step = conn->in.cap - conn->in.len;
	room = step > 0 ? buf_reserve(&conn->in, step) : NULL;
	if (room == NULL) {
		conn_kill(conn);
		return false;
	}
	ERR_clear_error();
	result = SSL_read(conn->ssl, room, (int)step);
	if (result <= 0)
		return tls_went(conn, result);
	if (conn->message_at_us == 0) {
		conn->message_at_us = conn->loop->now_us;
		timer_set(&conn->loop->wheel, &conn->timer, conn->loop->now_us + EDGE_HEAD_US);
	}
	buf_commit(&conn->in, (size_t)result);
	return true;
}

/* An idle connection holds no buffer and no deadline but the idle one. */
static void conn_rest(struct conn *conn)
{
	if (http_parser_begun(&conn->parser, &conn->in))
		return;
	if (conn->in.len == 0 && conn->in.room > 0) {
		const size_t cap = conn->in.cap;

		buf_release(&conn->in);
		buf_init(&conn->in, cap);
	}
	conn->message_at_us = 0;
	timer_set(&conn->loop->wheel, &conn->timer, conn->loop->now_us + EDGE_IDLE_US);
}

void conn_answered(struct conn *conn, bool keep)
{
	conn->exchange = NULL;
	if (!keep || __atomic_load_n(&conn->loop->gateway->draining, __ATOMIC_RELAXED)) {
		conn->close_after = true;
		return;
	}
	if (conn->parser.stage != HTTP_STAGE_DONE) {
		conn->close_after = true;
		return;
	}
	http_parser_next(&conn->parser, &conn->in);
	conn->message_at_us = conn->in.len > 0 ? conn->loop->now_us : 0;
	timer_set(&conn->loop->wheel, &conn->timer,
		conn->loop->now_us + (conn->in.len > 0 ? EDGE_HEAD_US : EDGE_IDLE_US));
}

/* True while there may be more to parse. */
static bool conn_parse(struct conn *conn)
{
	switch (http_parser_feed(&conn->parser, &conn->in)) {
	case HTTP_MORE:
		return conn_read(conn);
	case HTTP_HEAD_DONE:
		timer_set(&conn->loop->wheel, &conn->timer, conn->loop->now_us + EDGE_BODY_US);
		edge_count(&conn->loop->counts.parsed);
		conn->exchange = exchange_new(conn->loop, conn);
		if (conn->exchange == NULL) {
			conn_kill(conn);
			return false;
		}
		request_head(conn->exchange, &conn->parser);
		return true;
	case HTTP_DONE:
		request_whole(conn->exchange, &conn->parser);
		return true;
	case HTTP_FAIL:
	default:
		respond_unparsed(conn, conn->parser.err);
		return true;
	}
}

static void conn_discard(struct conn *conn)
{
	char waste[4096];

	for (int i = 0; i < 16; i++) {
		const ssize_t got = recv(conn->fd, waste, sizeof waste, 0);

		if (got > 0)
			continue;
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		conn_kill(conn);
		return;
	}
}

/* Whether the client's next message is to be read now. */
static bool conn_wants(const struct conn *conn)
{
	return conn->state == CONN_OPEN && !conn->close_after &&
	       (conn->exchange == NULL || !request_complete(conn->exchange));
}

/* Parses until the client's bytes run out or enough answers wait; true when writing them makes room to go on. */
static bool conn_work(struct conn *conn)
{
	while (conn_wants(conn) && conn->out.len <= READ_STEP)
		if (!conn_parse(conn))
			return false;
	return conn_wants(conn);
}

void conn_run(struct conn *conn)
{
	bool more = true;

	if (conn->state == CONN_LINGER) {
		conn_discard(conn);
		return;
	}
	if (conn->state == CONN_HANDSHAKE && !conn_shake(conn))
		return;
	while (more) {
		more = conn_work(conn);
		if (conn->state != CONN_OPEN || !conn_flush(conn))
			return;
	}
	if (conn->exchange != NULL)
		return;
	if (conn->close_after)
		conn_linger(conn);
	else
		conn_rest(conn);
}

void conn_on_timer(struct conn *conn)
{
	edge_count(&conn->loop->counts.timeouts);
	/* A client that is halfway through a message is told; one that does not read its answer cannot be. */
	if (conn->state == CONN_OPEN && conn->out.len == 0 && conn->message_at_us != 0 && !conn->close_after &&
		(conn->exchange == NULL || !request_complete(conn->exchange))) {
		respond_unparsed(conn, ERR_REQUEST_TIMEOUT);
		conn_run(conn);
		return;
	}
	conn_kill(conn);
}

void conn_drain(struct conn *conn)
{
	if (conn->state == CONN_HANDSHAKE ||
		(conn->state == CONN_OPEN && conn->exchange == NULL && conn->out.len == 0 &&
			!http_parser_begun(&conn->parser, &conn->in)))
		conn_kill(conn);
}
