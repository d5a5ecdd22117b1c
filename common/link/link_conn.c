/* SPDX-License-Identifier: Apache-2.0 */
#include "link/link_conn.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "link/link_frame.h"
#include "link/link_io.h"
#include "link/link_record.h"
#include <openssl/err.h>

#define CHUNK (32U << 10)
/* A frame of the greatest length and what one chunk may bring behind it. */
#define IN_MAX (LINK_BYTES_MAX + LINK_HEADER_LEN + 2 * CHUNK)
#define IN_KEPT (256U << 10)

struct link_conn {
	struct link_conn_config config;
	uint64_t made_us;
	nng_aio *rx, *tx;
	struct buf in; /* plain bytes; of the receiving side alone */

	pthread_mutex_t lock; /* everything below */
	enum { CONN_HANDSHAKE, CONN_GREETING, CONN_OPEN, CONN_ENDED } state;
	bool rx_busy, tx_busy; /* under way in nng, or what came is being taken */
	bool paused, resumed, gentle;
	const char *fault;
	SSL *ssl;
	BIO *from_net, *to_net; /* belong to ssl */
	struct link_io io;
	uint64_t given, heard_us, ended_us;
	size_t tx_len, tx_at;
	char rx_raw[CHUNK], tx_raw[CHUNK];
};

/* -- all under the lock -- */

static void end(struct link_conn *conn, const char *fault)
{
	if (conn->state == CONN_ENDED)
		return;
	conn->state = CONN_ENDED;
	conn->ended_us = clock_monotonic_us();
	conn->fault = fault;
	link_io_unwatch(&conn->io);
	/* Whatever nng has under way ends with an error, on threads of its own. */
	nng_stream_close(conn->config.stream);
	link_keeper_poke(conn->config.kept, 0);
}

/* What the kernel does not take at once has a callback. */
static void transmit(struct link_conn *conn)
{
	while (conn->tx_at < conn->tx_len) {
		nng_iov iov = {.iov_buf = conn->tx_raw + conn->tx_at, .iov_len = conn->tx_len - conn->tx_at};
		size_t taken = link_io_send(&conn->io, iov.iov_buf, iov.iov_len);

		conn->tx_at += taken;
		if (taken > 0)
			continue;
		conn->tx_busy = true;
		(void)nng_aio_set_iov(conn->tx, 1, &iov);
		nng_stream_send(conn->config.stream, conn->tx);
		return;
	}
}

static void flush(struct link_conn *conn)
{
	while (!conn->tx_busy && conn->state != CONN_ENDED && BIO_pending(conn->to_net) > 0) {
		const int len = BIO_read(conn->to_net, conn->tx_raw, sizeof(conn->tx_raw));

		INVARIANT(len > 0);
		conn->tx_len = (size_t)len;
		conn->tx_at = 0;
		conn->given += (size_t)len;
		transmit(conn);
	}
	if (conn->gentle && !conn->tx_busy)
		end(conn, conn->fault);
}

/* Ends when what waits has left: an alert should tell the other side why. */
static void end_gently(struct link_conn *conn, const char *fault)
{
	conn->gentle = true;
	if (!conn->fault)
		conn->fault = fault;
	flush(conn);
}

/* With rx_busy set; the connection may be gone when it returns, unless the lock is held. */
static void receive(struct link_conn *conn)
{
	nng_iov iov = {.iov_buf = conn->rx_raw, .iov_len = sizeof(conn->rx_raw)};

	(void)nng_aio_set_iov(conn->rx, 1, &iov);
	nng_stream_recv(conn->config.stream, conn->rx);
}

static void greet(struct link_conn *conn)
{
	uint8_t greeting[LINK_GREETING_LEN];

	link_frame_greeting(conn->config.server, greeting);
	conn->state = CONN_GREETING;
	if (!link_record_put(conn->ssl, greeting, sizeof(greeting)))
		end(conn, "greeting_failed");
}

/* Handshake, then whatever plain bytes have come. False: it cannot go on. */
static bool advance(struct link_conn *conn)
{
	int rv = 1;

	ERR_clear_error();
	if (conn->state == CONN_HANDSHAKE) {
		rv = SSL_do_handshake(conn->ssl);
		if (rv == 1)
			greet(conn);
	}
	while (rv == 1) {
		size_t got = 0;
		char *room = buf_reserve(&conn->in, CHUNK);

		if (!room)
			return false;
		rv = SSL_read_ex(conn->ssl, room, CHUNK, &got);
		if (rv == 1)
			buf_commit(&conn->in, got);
	}
	switch (SSL_get_error(conn->ssl, rv)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return true;
	case SSL_ERROR_ZERO_RETURN:
		end(conn, NULL);
		return true;
	default:
		return false;
	}
}

/* -- the receiving side, on one thread at a time -- */

static bool take_greeting(struct link_conn *conn, size_t *at)
{
	bool ok;

	if (conn->in.len < LINK_GREETING_LEN)
		return true;
	*at = LINK_GREETING_LEN;
	ok = link_frame_greeted(conn->config.server, (struct str){conn->in.p, LINK_GREETING_LEN});
	pthread_mutex_lock(&conn->lock);
	if (!ok)
		end(conn, "greeting_unknown");
	else if (conn->state == CONN_GREETING)
		conn->state = CONN_OPEN;
	else
		ok = false;
	pthread_mutex_unlock(&conn->lock);
	if (ok)
		conn->config.events->opened(conn->config.owner, conn);
	return ok;
}

/* Gives out every whole frame. */
static enum link_conn_next take_frames(struct link_conn *conn, size_t *at)
{
	enum link_conn_next next = LINK_CONN_GO;

	for (;;) {
		struct str rest = {conn->in.p + *at, conn->in.len - *at}, payload = STR_NONE;
		enum link_conn_next said;
		size_t used = 0;
		uint32_t id = 0;

		switch (link_frame_take(rest, &id, &payload, &used)) {
		case LINK_FRAME_BAD:
			return LINK_CONN_BAD;
		case LINK_FRAME_MORE:
			return next;
		case LINK_FRAME_WHOLE:
			break;
		}
		*at += used;
		said = conn->config.events->message(conn->config.owner, conn, id, payload);
		if (said == LINK_CONN_BAD)
			return said;
		next = said == LINK_CONN_GO ? next : said;
	}
}

static enum link_conn_next take_all(struct link_conn *conn, bool greeted)
{
	enum link_conn_next next = LINK_CONN_GO;
	size_t at = 0;

	if (!greeted && !take_greeting(conn, &at))
		return LINK_CONN_BAD;
	if (greeted || at > 0)
		next = take_frames(conn, &at);
	buf_consume(&conn->in, at);
	if (conn->in.len == 0 && conn->in.room > IN_KEPT) {
		buf_release(&conn->in);
		buf_init(&conn->in, IN_MAX);
	}
	return next;
}

/* Under the lock. Whether an event will tell somebody that there is more; else nng is to read. */
static bool awaits_event(struct link_conn *conn)
{
	const struct link_conn_config *config = &conn->config;

	if (!config->ready || conn->state != CONN_OPEN || (config->readers && atomic_load(config->readers) == 0) ||
		!link_io_watch(&conn->io, config->ready, config->readers != NULL))
		return false;
	/* The last of them may just have gone. */
	if (config->readers && atomic_load(config->readers) == 0)
		link_keeper_poke(config->kept, clock_monotonic_us() + LINK_UNREAD_US);
	return true;
}

static void rx_rest(struct link_conn *conn, enum link_conn_next next)
{
	struct link_kept *kept = conn->config.kept;
	bool ended, goes_on;

	pthread_mutex_lock(&conn->lock);
	if (next == LINK_CONN_BAD)
		end(conn, "message_malformed");
	ended = conn->state == CONN_ENDED;
	conn->paused = !ended && next == LINK_CONN_PAUSE && !conn->resumed;
	goes_on = !ended && !conn->paused && !awaits_event(conn);
	conn->rx_busy = goes_on;
	conn->resumed = false;
	pthread_mutex_unlock(&conn->lock);
	/* What has come already is told on another thread at once, which would wait for the lock. */
	if (goes_on)
		receive(conn);
	else if (ended)
		link_keeper_poke(kept, 0);
}

/* With rx_busy set, under the lock, which it gives up; the connection may be gone when it returns. */
static void take_raw(struct link_conn *conn, size_t len)
{
	const bool greeted = conn->state == CONN_OPEN;
	bool alive;

	if (len == 0) {
		end(conn, conn->state < CONN_OPEN && !conn->fault ? "broken_before_greeting" : conn->fault);
	} else if (conn->state != CONN_ENDED) {
		conn->heard_us = clock_monotonic_us();
		if (BIO_write(conn->from_net, conn->rx_raw, (int)len) != (int)len)
			end(conn, "no_memory");
		else if (!advance(conn))
			end_gently(conn, "tls_refused");
		flush(conn);
	}
	/* Frames that came before the end are still good. */
	alive = len > 0 && (conn->state == CONN_OPEN || conn->state == CONN_GREETING || greeted);
	pthread_mutex_unlock(&conn->lock);
	rx_rest(conn, alive ? take_all(conn, greeted) : LINK_CONN_GO);
}

static void rx_done(void *arg)
{
	struct link_conn *conn = arg;
	const size_t len = nng_aio_result(conn->rx) == 0 ? nng_aio_count(conn->rx) : 0;

	pthread_mutex_lock(&conn->lock);
	take_raw(conn, len);
}

void link_conn_read(struct link_conn *conn)
{
	enum link_io_got got = LINK_IO_NOTHING;
	size_t len = 0;

	pthread_mutex_lock(&conn->lock);
	if (!link_io_is_watched(&conn->io) || conn->rx_busy || conn->paused) {
		pthread_mutex_unlock(&conn->lock);
		return;
	}
	got = link_io_receive(&conn->io, conn->rx_raw, sizeof(conn->rx_raw), &len);
	conn->rx_busy = true;
	if (got != LINK_IO_NOTHING) {
		take_raw(conn, got == LINK_IO_BYTES ? len : 0);
		return;
	}
	pthread_mutex_unlock(&conn->lock);
	rx_rest(conn, LINK_CONN_GO);
}

void link_conn_leave(struct link_conn *conn)
{
	bool left;

	pthread_mutex_lock(&conn->lock);
	left = link_io_is_watched(&conn->io) && !conn->rx_busy && !conn->paused;
	if (left) {
		link_io_rest(&conn->io, conn->config.ready);
		conn->rx_busy = true;
	}
	pthread_mutex_unlock(&conn->lock);
	if (left)
		receive(conn);
}

static void tx_done(void *arg)
{
	struct link_conn *conn = arg;
	int rv = nng_aio_result(conn->tx);
	bool ended;

	pthread_mutex_lock(&conn->lock);
	conn->tx_busy = false;
	conn->tx_at += nng_aio_count(conn->tx);
	if (rv != 0)
		end(conn, conn->fault);
	else if (conn->state != CONN_ENDED) {
		transmit(conn);
		flush(conn);
	}
	ended = conn->state == CONN_ENDED;
	pthread_mutex_unlock(&conn->lock);
	if (ended)
		link_keeper_poke(conn->config.kept, 0);
}

/* -- for its owner -- */

enum err link_conn_new(const struct link_conn_config *config, struct link_conn **conn_out)
{
	struct link_conn *conn = calloc(1, sizeof(*conn));

	if (!conn) {
		nng_stream_free(config->stream);
		return ERR_OVERLOADED;
	}
	conn->config = *config;
	pthread_mutex_init(&conn->lock, NULL);
	buf_init(&conn->in, IN_MAX);
	conn->made_us = conn->heard_us = clock_monotonic_us();
	if (nng_aio_alloc(&conn->rx, rx_done, conn) != 0 || nng_aio_alloc(&conn->tx, tx_done, conn) != 0 ||
		link_io_init(&conn->io, config->stream) != OK ||
		!link_identity_session(
			config->tls, config->peer, config->server, &conn->ssl, &conn->from_net, &conn->to_net)) {
		conn->state = CONN_ENDED;
		link_conn_free(&conn);
		return ERR_OVERLOADED;
	}
	/* The owner knows it before anything can happen to it. */
	*conn_out = conn;
	pthread_mutex_lock(&conn->lock);
	if (!advance(conn))
		end(conn, "tls_failed");
	flush(conn);
	conn->rx_busy = conn->state != CONN_ENDED;
	if (conn->rx_busy)
		receive(conn);
	pthread_mutex_unlock(&conn->lock);
	return OK;
}

bool link_conn_send(struct link_conn *conn, uint32_t id, struct str payload, uint64_t *end_out)
{
	bool open;

	pthread_mutex_lock(&conn->lock);
	open = conn->state == CONN_OPEN && !conn->gentle;
	if (open) {
		ERR_clear_error();
		if (!link_record_message(conn->ssl, id, payload))
			end(conn, "no_memory");
		else if ((size_t)BIO_pending(conn->to_net) > conn->config.out_max)
			end(conn, "peer_does_not_read");
		if (end_out)
			*end_out = conn->given + (size_t)BIO_pending(conn->to_net);
		flush(conn);
	}
	pthread_mutex_unlock(&conn->lock);
	return open;
}

/* One of its instants or sizes. */
static uint64_t look(struct link_conn *conn, const uint64_t *at)
{
	uint64_t seen;

	pthread_mutex_lock(&conn->lock);
	seen = *at;
	pthread_mutex_unlock(&conn->lock);
	return seen;
}

uint64_t link_conn_given(struct link_conn *conn)
{
	return look(conn, &conn->given);
}

uint64_t link_conn_made_us(const struct link_conn *conn)
{
	return conn->made_us;
}

uint64_t link_conn_heard_us(struct link_conn *conn)
{
	return look(conn, &conn->heard_us);
}

uint64_t link_conn_ended_us(struct link_conn *conn)
{
	return look(conn, &conn->ended_us);
}

void link_conn_resume(struct link_conn *conn)
{
	bool goes_on;

	pthread_mutex_lock(&conn->lock);
	goes_on = conn->paused && conn->state != CONN_ENDED;
	/* It may come before the pause that it ends. */
	conn->resumed = !goes_on;
	if (goes_on) {
		conn->paused = false;
		goes_on = conn->rx_busy = !awaits_event(conn);
	}
	pthread_mutex_unlock(&conn->lock);
	if (goes_on)
		receive(conn);
}

void link_conn_close(struct link_conn *conn, bool gently)
{
	pthread_mutex_lock(&conn->lock);
	if (gently)
		end_gently(conn, NULL);
	else
		end(conn, conn->fault);
	pthread_mutex_unlock(&conn->lock);
}

bool link_conn_is_open(struct link_conn *conn)
{
	pthread_mutex_lock(&conn->lock);
	const bool open = conn->state == CONN_OPEN;
	pthread_mutex_unlock(&conn->lock);
	return open;
}

bool link_conn_is_over(struct link_conn *conn)
{
	bool over;

	pthread_mutex_lock(&conn->lock);
	over = conn->state == CONN_ENDED && !conn->rx_busy && !conn->tx_busy;
	/* A read that met a closed stream never ends in nng, unless it is taken back. */
	if (conn->state == CONN_ENDED && !over) {
		nng_aio_cancel(conn->rx);
		nng_aio_cancel(conn->tx);
	}
	pthread_mutex_unlock(&conn->lock);
	return over;
}

const char *link_conn_fault(struct link_conn *conn)
{
	const char *fault;

	pthread_mutex_lock(&conn->lock);
	fault = conn->fault;
	pthread_mutex_unlock(&conn->lock);
	return fault;
}

void link_conn_free(struct link_conn **conn)
{
	struct link_conn *gone = *conn;

	if (!gone)
		return;
	*conn = NULL;
	/* Waits for the last lines of a callback. */
	nng_aio_free(gone->rx);
	nng_aio_free(gone->tx);
	link_io_release(&gone->io);
	nng_stream_free(gone->config.stream);
	SSL_free(gone->ssl);
	buf_release(&gone->in);
	pthread_mutex_destroy(&gone->lock);
	free(gone);
}
