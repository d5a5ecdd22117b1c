/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GATEWAY_H2_H
#define BERTH_GATEWAY_H2_H

#include <nghttp2/nghttp2.h>

#include "conn.h"
#include "h2_guard.h"

struct h2_stream;

/*
 * An HTTP/2 connection (RFC 9113): nghttp2 has the framing, HPACK and the windows; requests walk the way of every
 * exchange. Bytes go in through h2_feed and come out of h2_fill; h2_run does both for a connection with a socket.
 */
struct h2 {
	struct conn *conn;
	nghttp2_session *session;
	struct h2_guard guard;
	struct h2_stream *first, *last; /* oldest first; while they stand or a service is at work for them */
	size_t stream_count;            /* that stand */
	size_t work;                    /* exchanges that have not ended, their streams reset or not */
	size_t content_held;            /* bytes of requests */
	size_t answers_held;            /* bytes of answers that wait for windows */
	size_t section_len;             /* decoded bytes of the field section that is being read */
	uint64_t wrote_us;              /* the client took bytes last */
	uint64_t idle_us;               /* no stream stands since */
	uint64_t notice_us;             /* first GOAWAY of a drain; 0: not draining */
	bool over;                      /* a budget is spent: *over_budget */
	enum h2_budget over_budget;
	bool leaving; /* the last GOAWAY of a drain is out */
	bool ending;  /* nothing is read any more; closed once all is written */
};

/* For a connection whose handshake chose h2; NULL without memory. */
struct h2 *h2_new(struct conn *conn);
/* Its streams have ended, or h2_detach was called and all work has ended. */
void h2_free(struct h2 **h2);

/* What the client sent. */
void h2_feed(struct h2 *h2, const uint8_t *bytes, size_t len);
/* Puts frames into conn->out until about H2_OUT_FILL wait there; false when the session cannot go on. */
bool h2_fill(struct h2 *h2);
void h2_run(struct h2 *h2);
/* Ends what is over its deadline: streams, or the connection. */
void h2_look(struct h2 *h2);
void h2_on_timer(struct h2 *h2);
/* GOAWAY twice (RFC 9113 section 6.8): a notice, and once it has arrived the last stream that is served. */
void h2_drain(struct h2 *h2);
bool h2_idle(const struct h2 *h2);
/*
 * The client is gone: its streams end now, what services are at work on ends later. True when no work is left, else the
 * connection is forgotten (conn_forget) with the last of it.
 */
bool h2_detach(struct h2 *h2);
/* A budget is spent: as soon as the session returns the connection ends with ENHANCE_YOUR_CALM. */
void h2_set_over(struct h2 *h2, enum h2_budget budget);

#endif
