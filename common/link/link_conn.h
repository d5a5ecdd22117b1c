/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_LINK_LINK_CONN_H
#define BERTH_LINK_LINK_CONN_H

#include <stdatomic.h>

#include "link/link_private.h"

/*
 * One connection: nng carries the bytes, OpenSSL protects them, and inside stand the frames of link_frame.h.
 *
 * Beyond nng's protocol: id LINK_CONN_NOTE never belongs to a message. A request of it with the payload
 * LINK_CONN_PING is answered with the same at once; a reply of it without payload says that the callee is draining,
 * with the payload LINK_CONN_NEXT also that another process takes its place. nng's own REQ drops all of them.
 */
struct link_conn;

#define LINK_UNREAD_US (2 * 1000U)

#define LINK_CONN_NOTE 0x80000000U
#define LINK_CONN_PING STR("\0")
#define LINK_CONN_NEXT STR("\1")

enum link_conn_next { LINK_CONN_GO, LINK_CONN_PAUSE, LINK_CONN_BAD };

/* Called on a thread of nng's or by link_conn_read, one at a time for a connection, under no lock of its. */
struct link_conn_events {
	void (*opened)(void *owner, struct link_conn *conn);
	/* `payload` borrows. PAUSE: reads nothing more until link_conn_resume. BAD: closes. */
	enum link_conn_next (*message)(void *owner, struct link_conn *conn, uint32_t id, struct str payload);
};

struct link_conn_config {
	nng_stream *stream; /* takes, also on failure */
	SSL_CTX *tls;       /* borrows */
	bool server;
	enum peer peer; /* whose name the other's certificate must hold */
	size_t out_max; /* bytes that may wait to be sent; over it the connection is closed */
	const struct link_conn_events *events;
	void *owner;
	struct link_kept *kept; /* poked when the connection has ended */
	/* Borrows; NULL: nng's threads read. Once greeted it is told what comes, for link_conn_read. */
	const struct link_ready *ready;
	/* Borrows; how many wait for that: one hears of it, and nng reads while none does. NULL: one, always. */
	const _Atomic size_t *readers;
};

/* *conn_out is set before any event. On an error nothing was, and the stream is freed. */
MUST_USE enum err link_conn_new(const struct link_conn_config *config, struct link_conn **conn_out);
/*
 * False when the connection has ended. *end_out: of the message, in the stream of bytes; written before the first of
 * them leaves.
 */
bool link_conn_send(struct link_conn *conn, uint32_t id, struct str payload, uint64_t *end_out);
/* How much of that stream the kernel was given. After the end of the connection what ends beyond it is undelivered. */
uint64_t link_conn_given(struct link_conn *conn);
void link_conn_resume(struct link_conn *conn);
/* Takes what has come, if anything has; never waits. The connection lives at least until it returns. */
void link_conn_read(struct link_conn *conn);
/* Nobody has come to read it for LINK_UNREAD_US: nng's threads do until somebody waits again. */
void link_conn_leave(struct link_conn *conn);
/* Ends it, after what waits to be sent when `gently`; it is over a little later. */
void link_conn_close(struct link_conn *conn, bool gently);
bool link_conn_is_open(struct link_conn *conn); /* greeted and not ended */
/* Ended, and none of its callbacks runs or will. Ask until it is: asking takes back what nng would keep. */
bool link_conn_is_over(struct link_conn *conn);
uint64_t link_conn_made_us(const struct link_conn *conn);
uint64_t link_conn_heard_us(struct link_conn *conn); /* when bytes came last */
uint64_t link_conn_ended_us(struct link_conn *conn); /* 0: it has not */
/* A constant: why it ended, as far as it concerns its security or protocol; NULL for an ordinary end. */
const char *link_conn_fault(struct link_conn *conn);
/* Only when over. */
void link_conn_free(struct link_conn **conn);

#endif
