/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GATEWAY_CONN_H
#define BERTH_GATEWAY_CONN_H

#include <netinet/in.h>
#include <openssl/ssl.h>

#include "base/buf.h"
#include "handshakes.h"
#include "http/http.h"
#include "timer_wheel.h"
#include "tls_client.h"
#include "tls_wire.h"

struct loop;
struct exchange;
struct h2;
struct operation;

extern const struct http_limits conn_http_limits; /* of a request, whatever brings it */

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
	SSL *ssl;
	struct tls_client_verdict certificate; /* the client's */
	struct tls_wire wire;
	size_t warm_place; /* of `ssl`, if it is there */
	struct handshake handshake;
	enum conn_state state;
	bool ended;       /* the client says nothing more, but may wait for answers */
	bool close_after; /* nothing is read any more; close once `out` is written */
	bool stalled;     /* the client takes nothing of what is written */
	bool awaits_room; /* or did so once: it is told of when there is room */
	struct buf in, out;
	size_t out_sent;
	struct str tail; /* goes behind `out`; borrows what outlives every connection */
	size_t tail_sent;
	struct http_parser parser;
	struct exchange *exchange; /* under way, or NULL */
	struct h2 *h2;             /* NULL: HTTP/1.1; then `in`, `tail`, `parser` and `exchange` are not used */
	struct conn *ready_next;   /* among those that the loop runs once the tick has brought all it brings */
	bool ready;
	struct timer timer;
	uint64_t linger_until_us;
	uint64_t message_at_us;         /* first byte of the message that is being read; 0: none */
	char address[INET6_ADDRSTRLEN]; /* personal: for sign-in throttling only */
	uint8_t network[16];            /* what limits count by: the IPv4 address, or the network of an IPv6 one */
	size_t network_len;
};

/* Takes the accepted socket; NULL when there is no room (the socket is closed). */
struct conn *conn_new(struct loop *loop, int fd, const struct sockaddr_storage *peer);
void conn_free(struct conn **conn);
/*
 * Goes on as far as sockets and exchanges allow: handshake, read, parse, dispatch, write. One turn at a time: a client
 * that always has more to say is gone on with after the others.
 */
void conn_run(struct conn *conn);
void conn_on_timer(struct conn *conn);
/* An answer waits to be written. HTTP/2 takes all that a tick brings at once. */
void conn_wake(struct conn *conn);
/* How many bytes were read; 0: none now, or the connection has ended. */
size_t conn_receive(struct conn *conn, char *room, size_t len);
bool conn_is_warm(const struct conn *conn); /* it was active just now and keeps its buffers */
bool conn_flush(struct conn *conn);         /* true when all of `out` and `tail` is written */
/* Whether the operation asks for no client certificate, or this client's holds. */
bool conn_suffices(struct conn *conn, const struct operation *operation);
/* The answer to conn->exchange is in conn->out; `keep` whether a further request may follow. */
void conn_answered(struct conn *conn, bool keep);
/* The process ends: what is under way is answered, and who is idle has a moment to say something. */
void conn_drain(struct conn *conn);
void conn_kill(struct conn *conn); /* at once, freed at the end of the tick or of the exchange that a service has */
/* Ends the oldest connection that is not being answered, for a new one; false when there is none near. */
bool conn_make_room(struct loop *loop);
/* The exchange of a connection that was killed has ended. */
void conn_forget(struct conn *conn);

#endif
