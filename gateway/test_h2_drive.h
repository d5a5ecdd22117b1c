/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GATEWAY_TEST_H2_DRIVE_H
#define BERTH_GATEWAY_TEST_H2_DRIVE_H

#include <stdlib.h>
#include <string.h>

#include "contract/router.h"
#include "h2.h"
#include "h2_stream.h"
#include "loop.h"
#include "service/context.h"
#include "token/keyring.h"

/*
 * The production code of an HTTP/2 connection without a socket: bytes go in, frames come out. No service is there, so
 * what asks one is answered with 503, and so is what brings a token.
 */
#define DRIVE_PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#define DRIVE_PREFACE_LEN 24

struct drive {
	struct context context;
	struct gateway gateway;
	struct loop loop;
	struct conn *conn; /* NULL once the gateway has closed it */
	struct buf said;   /* frames */
};

/* No keys, as long as there is no authsvc. */
static inline enum err drive_fetch(void *user, struct buf *jwks_out)
{
	(void)user;
	(void)jwks_out;
	return ERR_UNAVAILABLE;
}

static inline struct drive *drive_new(void)
{
	static const struct rate_policy no_limits[RATE_CLASS_COUNT];
	static const struct gateway_config config;
	struct drive *drive = calloc(1, sizeof *drive);

	if (drive == NULL)
		abort();
	router_init();
	drive->context.keyring = keyring_new(drive_fetch, NULL, 3600000);
	drive->gateway.context = &drive->context;
	drive->gateway.config = &config;
	drive->gateway.rates = rate_new(no_limits, 64);
	buf_init(&drive->gateway.openapi, 1U << 20);
	openapi_write("https://localhost", &drive->gateway.openapi);
	drive->loop.gateway = &drive->gateway;
	drive->loop.wall_us = clock_now_us();
	drive->loop.tokens = token_cache_new(16);
	buf_init(&drive->loop.scratch, EDGE_OUT_MAX);
	access_log_init(&drive->loop.log);
	return drive;
}

static inline void drive_open(struct drive *drive)
{
	struct conn *conn = calloc(1, sizeof *conn);

	if (conn == NULL)
		abort();
	/* Time stands unless the test moves it, so what was written does not depend on the machine. */
	drive->loop.now_us = 100 * US_PER_S;
	timer_wheel_init(&drive->loop.wheel, drive->loop.now_us);
	conn->loop = &drive->loop;
	conn->state = CONN_OPEN;
	conn->wire.fd = -1;
	buf_init(&conn->out, EDGE_OUT_MAX);
	drive->loop.conns = drive->loop.oldest = conn;
	drive->loop.conn_count = 1;
	drive->conn = conn;
	conn->h2 = h2_new(conn);
	if (conn->h2 == NULL)
		abort();
	buf_init(&drive->said, 64U << 20);
}

/* The connection is over, or the client goes. */
static inline void drive_close(struct drive *drive)
{
	struct loop *loop = &drive->loop;

	if (drive->conn != NULL)
		conn_kill(drive->conn);
	drive->conn = NULL;
	while (loop->dead != NULL) {
		struct conn *conn = loop->dead;

		loop->dead = conn->next;
		conn_free(&conn);
	}
	buf_release(&drive->said);
	buf_reset(&loop->log.lines);
	if (loop->counts.exchanges != 0 || loop->conn_count != 0)
		abort(); /* something was left behind */
}

/* Takes what the gateway writes, as a client with an open TCP window does. */
static inline void drive_take(struct drive *drive)
{
	struct conn *conn = drive->conn;
	size_t len;

	do {
		if (conn->state != CONN_OPEN)
			return;
		if (!h2_fill(conn->h2)) {
			conn_kill(conn);
			return;
		}
		len = conn->out.len;
		buf_put_str(&drive->said, buf_str(&conn->out));
		buf_reset(&conn->out);
	} while (len > 0);
}

static inline void drive_feed(struct drive *drive, const void *bytes, size_t len)
{
	if (drive->conn->state == CONN_OPEN)
		h2_feed(drive->conn->h2, bytes, len);
	drive_take(drive);
}

static inline void drive_free(struct drive *drive)
{
	struct loop *loop = &drive->loop;

	h2_stream_release_spare(loop);
	while (loop->spare != NULL) {
		struct exchange *exchange = loop->spare;

		loop->spare = exchange->next;
		arena_free(&exchange->arena);
		free(exchange);
	}
	access_log_release(&loop->log);
	buf_release(&loop->scratch);
	token_cache_free(&loop->tokens);
	rate_free(&drive->gateway.rates);
	buf_release(&drive->gateway.openapi);
	keyring_free(&drive->context.keyring);
	free(drive);
}

#endif
