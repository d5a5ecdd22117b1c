/* SPDX-License-Identifier: Apache-2.0 */
#include "conn.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "exchange.h"
#include "h2.h"
#include "linger.h"
#include "loop.h"
#include "request.h"
#include "respond.h"
#include "tls.h"

#define READ_STEP (16U << 10)
#define MAKE_ROOM_TRIES 32

const struct http_limits conn_http_limits = {
	.request_line_max = EDGE_TARGET_MAX + 64,
	.target_max = EDGE_TARGET_MAX,
	.headers_max = EDGE_HEADERS_MAX,
	.header_bytes_max = EDGE_HEAD_BYTES_MAX,
	.body_max = EDGE_BODY_MAX,
};

/* One household or server has a /64, and with it as many IPv6 addresses as it likes. */
#define NETWORK_V6_LEN 8

static void conn_set_address(struct conn *conn, const struct sockaddr_storage *peer)
{
	const bool v6 = peer->ss_family == AF_INET6;
	const void *bytes = v6 ? (const void *)&((const struct sockaddr_in6 *)(const void *)peer)->sin6_addr
	                       : (const void *)&((const struct sockaddr_in *)(const void *)peer)->sin_addr;

	conn->network_len = v6 ? NETWORK_V6_LEN : sizeof(struct in_addr);
	memcpy(conn->network, bytes, conn->network_len);
	if (inet_ntop(peer->ss_family, bytes, conn->address, sizeof conn->address) == NULL)
		conn->address[0] = '\0';
}

/* As the newest. */
static void conn_link(struct conn *conn)
{
	struct loop *loop = conn->loop;

	conn->prev = NULL;
	conn->next = loop->conns;
	if (loop->conns != NULL)
		loop->conns->prev = conn;
	else
		loop->oldest = conn;
	loop->conns = conn;
}

static void conn_unlink(struct conn *conn)
{
	struct loop *loop = conn->loop;

	if (conn->prev != NULL)
		conn->prev->next = conn->next;
	else
		loop->conns = conn->next;
	if (conn->next != NULL)
		conn->next->prev = conn->prev;
	else
		loop->oldest = conn->prev;
	conn->prev = conn->next = NULL;
}

struct conn *conn_new(struct loop *loop, int fd, const struct sockaddr_storage *peer)
{
	struct conn *conn = calloc(1, sizeof *conn);

	if (conn == NULL)
		goto fail;
	conn->loop = loop;
	conn->wire = (struct tls_wire){.fd = fd, .readable = true, .writable = true};
	conn->ssl = tls_session_new(loop->gateway->tls, &conn->wire);
	if (conn->ssl == NULL)
		goto fail;
	conn->warm_place = warm_add(&loop->shaking, conn->ssl);
	buf_init(&conn->in, http_limits_bytes(&conn_http_limits) + READ_STEP);
	buf_init(&conn->out, EDGE_OUT_MAX);
	http_parser_init(&conn->parser, &conn_http_limits);
	conn_set_address(conn, peer);
	timer_set(&loop->wheel, &conn->timer, loop->now_us + EDGE_HANDSHAKE_US);
	conn_link(conn);
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
	h2_free(&(*conn)->h2);
	buf_release(&(*conn)->in);
	buf_release(&(*conn)->out);
	free(*conn);
	*conn = NULL;
}

void conn_forget(struct conn *conn)
{
	conn->exchange = NULL;
	conn->next = conn->loop->dead;
	conn->loop->dead = conn;
}

void conn_kill(struct conn *conn)
{
	struct loop *loop = conn->loop;

	if (conn->state == CONN_DEAD)
		return;
	/* However it ends: whoever was accepted is in a handshake, has made one, or has failed. */
	if (conn->state == CONN_HANDSHAKE)
		edge_count(&loop->counts.handshake_failures);
	conn->state = CONN_DEAD;
	timer_clear(&conn->timer);
	close(conn->wire.fd);
	conn->wire.fd = -1;
	warm_remove(&loop->shaking, conn->ssl, conn->warm_place);
	warm_remove(&loop->warm, conn->ssl, conn->warm_place);
	conn_unlink(conn);
	handshakes_remove(&loop->handshakes, &conn->handshake);
	loop_not_later(loop, conn);
	loop->conn_count--;
	edge_count_add(&loop->counts.connections, (uint64_t)-1);
	if (conn->h2 != NULL) {
		if (h2_detach(conn->h2))
			conn_forget(conn);
		return;
	}
	/* An exchange that a service is working on still borrows from `in`: its end frees the connection. */
	if (conn->exchange != NULL && request_complete(conn->exchange)) {
		conn->exchange->conn = NULL;
		return;
	}
	exchange_free(&conn->exchange);
	conn_forget(conn);
}

/* What a call that did not succeed means: wait for the socket, the client's last word, or the connection's end. */
static void tls_went(struct conn *conn, int result)
{
	switch (SSL_get_error(conn->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		return;
	case SSL_ERROR_WANT_WRITE:
		if (!conn->awaits_room) {
			conn->awaits_room = true;
			loop_again(conn->loop, conn);
		}
		return;
	case SSL_ERROR_ZERO_RETURN:
		conn->ended = true;
		if (conn->state == CONN_OPEN)
			return;
		break;
	default:
		break;
	}
	ERR_clear_error();
	conn_kill(conn);
}

/*
 * Of TLS 1.3. It goes with what is said next when that is now: our SETTINGS, or the answer to a client that has asked
 * already. Else at once: it acknowledges the end of the handshake, and the kernel of a client that has not switched
 * Nagle's algorithm off waits for that before it sends a request.
 */
static void conn_give_ticket(struct conn *conn)
{
	if (!tls_session_gives_ticket(conn->ssl) || SSL_new_session_ticket(conn->ssl) != 1)
		return;
	conn->wire.more = tls_session_is_h2(conn->ssl) || SSL_has_pending(conn->ssl) == 1;
	(void)SSL_do_handshake(conn->ssl);
}

static bool conn_shake(struct conn *conn)
{
	int result;

	ERR_clear_error();
	result = SSL_do_handshake(conn->ssl);
	if (result != 1) {
		tls_went(conn, result);
		return false;
	}
	conn->state = CONN_OPEN;
	conn_give_ticket(conn);
	warm_remove(&conn->loop->shaking, conn->ssl, conn->warm_place);
	edge_count(&conn->loop->counts.handshakes);
	timer_set(&conn->loop->wheel, &conn->timer, conn->loop->now_us + EDGE_HEAD_US);
	conn->message_at_us = conn->loop->now_us;
	if (!tls_session_is_h2(conn->ssl))
		return true;
	conn->h2 = h2_new(conn);
	if (conn->h2 == NULL)
		conn_kill(conn);
	else if (__atomic_load_n(&conn->loop->gateway->draining, __ATOMIC_RELAXED))
		h2_drain(conn->h2);
	return conn->h2 != NULL;
}

/* SSL_get_error wants the queue empty before each operation. It nearly always is; looking costs less than clearing. */
static void errors_clear(void)
{
	if (ERR_peek_error() != 0)
		ERR_clear_error();
}

/* True when all of it is written. A client that takes nothing has EDGE_WRITE_US, each time anew when it took some. */
static bool conn_put(struct conn *conn, struct str bytes, size_t *sent)
{
	while (*sent < bytes.len) {
		const size_t left = bytes.len - *sent;
		int result;

		errors_clear();
		result = SSL_write(conn->ssl, bytes.p + *sent, (int)left);
		if (result > 0) {
			*sent += (size_t)result;
			conn->stalled = false;
			continue;
		}
		tls_went(conn, result);
		if (conn->state != CONN_DEAD && !conn->stalled) {
			conn->stalled = true;
			timer_set(&conn->loop->wheel, &conn->timer, conn->loop->now_us + EDGE_WRITE_US);
		}
		return false;
	}
	return true;
}

bool conn_is_warm(const struct conn *conn)
{
	return warm_holds(&conn->loop->warm, conn->ssl, conn->warm_place);
}

bool conn_flush(struct conn *conn)
{
	/* The last answer goes with the end. */
	if (conn->close_after && conn->exchange == NULL)
		conn->wire.more = true;
	if (!conn_put(conn, buf_str(&conn->out), &conn->out_sent) || !conn_put(conn, conn->tail, &conn->tail_sent))
		return false;
	if (conn->out.room > READ_STEP)
		buf_release(&conn->out);
	buf_reset(&conn->out);
	conn->tail = STR_NONE;
	conn->out_sent = conn->tail_sent = 0;
	return true;
}

size_t conn_receive(struct conn *conn, char *room, size_t len)
{
	int result;

	/* Nothing is there, which OpenSSL would say too, at ten times the cost. */
	if (!conn->wire.readable && SSL_has_pending(conn->ssl) == 0)
		return 0;
	errors_clear();
	result = SSL_read(conn->ssl, room, (int)len);
	if (result > 0)
		return (size_t)result;
	tls_went(conn, result);
	return 0;
}

/* True when something was read. */
static bool conn_read(struct conn *conn)
{
	size_t step = conn->in.room == 0 ? EDGE_IN_FIRST : READ_STEP;
	char *room;
	size_t len;

	if (conn->in.room > conn->in.len)
		step = conn->in.room - conn->in.len;
	if (step > conn->in.cap - conn->in.len)
		step = conn->in.cap - conn->in.len;
	room = step > 0 ? buf_reserve(&conn->in, step) : NULL;
	if (room == NULL) {
		conn_kill(conn);
		return false;
	}
	len = conn_receive(conn, room, step);
	if (len == 0)
		return false;
	if (conn->message_at_us == 0) {
		conn->message_at_us = conn->loop->now_us;
		timer_set(&conn->loop->wheel, &conn->timer, conn->loop->now_us + EDGE_HEAD_US);
	}
	buf_commit(&conn->in, len);
	return true;
}

/* An idle connection holds no buffer, unless it was active just now, and no deadline but the idle one. */
static void conn_rest(struct conn *conn)
{
	const bool draining = __atomic_load_n(&conn->loop->gateway->draining, __ATOMIC_RELAXED);

	if (http_parser_begun(&conn->parser, &conn->in))
		return;
	if (conn->in.len == 0 && (conn->in.room > EDGE_IN_FIRST || !conn_is_warm(conn)))
		buf_release(&conn->in);
	conn->message_at_us = 0;
	timer_set(
		&conn->loop->wheel, &conn->timer, conn->loop->now_us + (draining ? EDGE_DRAIN_IDLE_US : EDGE_IDLE_US));
}

void conn_answered(struct conn *conn, bool keep)
{
	conn->exchange = NULL;
	if (!keep || conn->parser.stage != HTTP_STAGE_DONE) {
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

/* Whether the client's next message is to be read now. */
static bool conn_wants(const struct conn *conn)
{
	return conn->state == CONN_OPEN && !conn->close_after && conn->tail.len == 0 &&
	       (conn->exchange == NULL || !request_complete(conn->exchange));
}

/* Parses until enough answers wait or the turn is over; true when nothing can be done before the client sends more. */
static bool conn_work(struct conn *conn, size_t *turn)
{
	while (conn_wants(conn) && conn->out.len <= READ_STEP && *turn > 0) {
		(*turn)--;
		if (!conn_parse(conn))
			return true;
	}
	return false;
}

/* All that could be done is done, and all answers are written. */
static void conn_settle(struct conn *conn)
{
	if (conn->exchange != NULL && request_complete(conn->exchange))
		return;
	if (conn->close_after || conn->ended)
		linger_begin(conn);
	else
		conn_rest(conn);
}

static void conn_go(struct conn *conn)
{
	size_t turn = EDGE_TURN_STEPS;
	bool waits;

	if (conn->state == CONN_LINGER) {
		linger_run(conn);
		return;
	}
	if (conn->state == CONN_HANDSHAKE && !conn_shake(conn))
		return;
	if (!conn_is_warm(conn))
		conn->warm_place = warm_add(&conn->loop->warm, conn->ssl);
	if (conn->h2 != NULL) {
		h2_run(conn->h2);
		return;
	}
	do {
		waits = conn_work(conn, &turn);
		if (conn->state != CONN_OPEN || !conn_flush(conn))
			return;
	} while (!waits && conn_wants(conn) && turn > 0);
	if (!waits && conn_wants(conn))
		loop_again(conn->loop, conn);
	else
		conn_settle(conn);
}

void conn_run(struct conn *conn)
{
	conn_go(conn);
	if (conn->state != CONN_DEAD)
		tls_wire_push(&conn->wire);
}

void conn_wake(struct conn *conn)
{
	if (conn->state == CONN_DEAD)
		return;
	if (conn->h2 != NULL)
		loop_later(conn->loop, conn);
	else
		conn_run(conn);
}

static bool conn_idle(const struct conn *conn)
{
	return conn->state == CONN_OPEN && conn->exchange == NULL && conn->out.len == 0 && !conn->close_after &&
	       !http_parser_begun(&conn->parser, &conn->in);
}

void conn_on_timer(struct conn *conn)
{
	if (conn->h2 != NULL) {
		h2_on_timer(conn->h2);
		return;
	}
	if (conn_idle(conn)) {
		ERR_clear_error();
		(void)SSL_shutdown(conn->ssl);
		ERR_clear_error();
		conn_kill(conn);
		return;
	}
	if (conn->state != CONN_LINGER)
		edge_count(&conn->loop->counts.timeouts);
	/* A client that is halfway through a message is told; one that does not read its answer cannot be. */
	if (conn->state == CONN_OPEN && conn->out.len == 0 && !conn->close_after &&
		(conn->exchange == NULL || !request_complete(conn->exchange))) {
		respond_unparsed(conn, ERR_REQUEST_TIMEOUT);
		conn_run(conn);
		return;
	}
	conn_kill(conn);
}

bool conn_make_room(struct loop *loop)
{
	for (int i = 0; i < MAKE_ROOM_TRIES && loop->oldest != NULL; i++) {
		struct conn *conn = loop->oldest;

		if (conn->exchange == NULL && conn->out.len == 0 && (conn->h2 == NULL || h2_idle(conn->h2))) {
			edge_count(&loop->counts.evicted);
			conn_kill(conn);
			return true;
		}
		conn_unlink(conn);
		conn_link(conn);
	}
	return false;
}

void conn_drain(struct conn *conn)
{
	if (conn->h2 != NULL && conn->state == CONN_OPEN) {
		h2_drain(conn->h2);
		h2_run(conn->h2);
		return;
	}
	if (conn_idle(conn))
		timer_set(&conn->loop->wheel, &conn->timer, conn->loop->now_us + EDGE_DRAIN_IDLE_US);
}

bool conn_suffices(struct conn *conn, const struct operation *operation)
{
	struct gateway *gateway = conn->loop->gateway;

	return certified_suffices(&gateway->certified, operation, gateway->tls, conn->ssl, &conn->certificate);
}
