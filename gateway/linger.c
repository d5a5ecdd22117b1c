/* SPDX-License-Identifier: Apache-2.0 */
#include "linger.h"

#include <errno.h>
#include <openssl/err.h>
#include <sys/socket.h>

#include "conn.h"
#include "loop.h"

#define LINGER_QUIET_US (2 * US_PER_S) /* without a byte */
#define LINGER_US (15 * US_PER_S)      /* in all */
#define LINGER_READS 16                /* a turn */

void linger_run(struct conn *conn)
{
	uint64_t until_us = conn->loop->now_us + LINGER_QUIET_US;
	char waste[4096];

	for (int i = 0; i < LINGER_READS; i++) {
		const ssize_t got = recv(conn->wire.fd, waste, sizeof waste, 0);

		if (got > 0)
			continue;
		if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
			conn_kill(conn);
			return;
		}
		if (i > 0)
			timer_set(&conn->loop->wheel, &conn->timer,
				until_us < conn->linger_until_us ? until_us : conn->linger_until_us);
		return;
	}
	loop_again(conn->loop, conn);
}

void linger_begin(struct conn *conn)
{
	ERR_clear_error();
	conn->wire.more = true;
	(void)SSL_shutdown(conn->ssl);
	ERR_clear_error();
	/* Sends what is held, too; it fails when the client has gone. */
	if (shutdown(conn->wire.fd, SHUT_WR) != 0 || conn->ended) {
		conn_kill(conn);
		return;
	}
	conn->wire.held = false;
	conn->state = CONN_LINGER;
	conn->linger_until_us = conn->loop->now_us + LINGER_US;
	timer_set(&conn->loop->wheel, &conn->timer, conn->loop->now_us + LINGER_QUIET_US);
	if (conn->wire.readable)
		linger_run(conn);
}
