/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GATEWAY_CONN_H
#define BERTH_GATEWAY_CONN_H

#include <netinet/in.h>
#include <openssl/ssl.h>

#include "base/buf.h"
#include "http/http.h"
#include "timer_wheel.h"

struct loop;
struct exchange;

enum conn_state {
	CONN_HANDSHAKE,
	CONN_OPEN,   /* reads a message, or waits for its answer */
	CONN_LINGER, /* answered and shut down; discards what still comes, so that the answer is not lost to a reset */
	CONN_DEAD
};

/*
 * One client. Messages are answered one after the other, so pipelined requests wait in `in`, which does not change
 * while an exchange is under way: what the exchange borrows from it stays good, even after the client is gone.
 */
struct conn {
	struct loop *loop;
	struct conn *prev, *next;
	int fd;
	SSL *ssl;
	enum conn_state state;
	bool readable, writable; /* as epoll said; cleared when the socket says otherwise */
	bool close_after;        /* nothing is read any more; close once `out` is written */
	bool in_list;
	struct buf in, out;
	size_t out_sent;
	struct http_parser parser;
	struct exchange *exchange; /* under way, or NULL */
	struct timer timer;
	uint64_t message_at_us; /* first byte of the message that is being read; 0: none */
	socklen_t address_len;
	char address[INET6_ADDRSTRLEN]; /* personal: for limits and sign-in throttling only */
};

/* Takes the accepted socket; NULL when there is no room (the socket is closed). */
struct conn *conn_new(struct loop *loop, int fd, const struct sockaddr_storage *peer);
void conn_free(struct conn **conn);
/* Goes on as far as sockets and exchanges allow: handshake, read, parse, dispatch, write. */
void conn_run(struct conn *conn);
void conn_on_timer(struct conn *conn);
/* The answer to conn->exchange is in conn->out; `keep` whether a further request may follow. */
void conn_answered(struct conn *conn, bool keep);
/* Nothing more is taken from idle connections; those under way are answered first. */
void conn_drain(struct conn *conn);
void conn_kill(struct conn *conn); /* at once, freed at the end of the tick */

#endif
