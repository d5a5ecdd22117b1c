/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GATEWAY_LOOP_H
#define BERTH_GATEWAY_LOOP_H

#include <pthread.h>

#include "access_log.h"
#include "arrow.h"
#include "conn.h"
#include "edge.h"
#include "edge_counts.h"
#include "even.h"
#include "exchange.h"
#include "proofs.h"
#include "timer_wheel.h"
#include "token/keyset.h"
#include "token/token_cache.h"
#include "warm.h"

/*
 * One event loop: a thread with listening sockets, connections, links, token cache and counters of its own. All
 * here is touched by that thread alone, but for `inbox` (where the links' threads tell what failed) and `counts` (read
 * by whoever scrapes).
 *
 * A tick: what sockets and links report, then one batch an arrow of what that brought, then timers and the access log.
 */
struct loop {
	struct gateway *gateway;
	size_t index;
	pthread_t thread;
	bool started;
	int epoll_fd, wake_fd;
	int listen_fds[EDGE_LISTEN_MAX];
	size_t listen_count;
	bool accepting;
	uint64_t resting_until_us; /* nothing is accepted before: descriptors or memory ran out; 0: not resting */
	uint64_t rest_told_us;

	uint64_t now_us;    /* clock_monotonic_us, once a tick */
	uint64_t looked_us; /* when answers were looked for last */
	instant_us wall_us; /* clock_now_us, once a tick */
	char date[30];
	instant_us date_at_s;
	struct timer_wheel wheel;

	struct conn *conns, *oldest; /* all, doubly linked from the newest on */
	struct conn *dead;           /* to be freed at the end of the tick */
	size_t conn_count, conn_cap;
	struct warm warm, shaking; /* of who has made a handshake; of who makes one */
	struct conn *ready;        /* run before the tick ends */
	struct handshakes handshakes;
	struct exchange *spare; /* for reuse, with their arenas */
	size_t spare_count;

	struct arrow arrows[PEER_COUNT][LANE_COUNT];
	struct inbox inbox;
	struct even even;
	struct proofs proofs;
	struct token_cache *tokens;
	struct keyset *keys; /* of keys_generation */
	uint64_t keys_generation;

	struct h2_stream *spare_streams; /* the same, with their buffers */
	size_t spare_stream_count;
	struct buf scratch;     /* one body at a time */
	char wire_in[16 << 10]; /* what was read from one HTTP/2 connection, and is used up at once */
	struct access_log log;
	struct edge_counts counts;
};

/* Makes its sockets and links; the thread starts with loop_start. Gives. */
MUST_USE enum err loop_new(struct gateway *gateway, size_t index, struct loop **loop_out);
void loop_free(struct loop **loop); /* joins the thread first */
MUST_USE enum err loop_start(struct loop *loop);
void loop_wake(struct loop *loop); /* any thread */
/* The connection is run again after the others have had their turn. */
void loop_again(struct loop *loop, const struct conn *conn);

/* The connection is run when all that this tick brings is there. */
void loop_later(struct loop *loop, struct conn *conn);
/* It is about to be gone. */
void loop_not_later(struct loop *loop, struct conn *conn);

#endif
