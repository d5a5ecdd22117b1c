/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_LINK_LINK_DIALER_PRIVATE_H
#define BERTH_LINK_LINK_DIALER_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "link/link_conn.h"
#include "link/wait.h"

/* One message under way. */
struct call {
	struct call *next_free;
	bool busy;
	uint32_t id;
	uint32_t turn; /* counts its uses, so that no id comes back soon */
	struct link_conn *conn;
	uint64_t end; /* of the message in the connection's stream; 0: not written yet */
	uint64_t deadline_us, begun_us;
	link_done_fn *done;
	void *user;
};

/* One address and at most one connection. */
struct replica {
	struct link_dialer *dialer;
	size_t index;
	nng_stream_dialer *end;
	nng_aio *dial;
	bool dialing;
	uint64_t dial_at_us, backoff_us;
	struct link_conn *conn;
	size_t users; /* threads that send on `conn` right now */
	bool up;      /* greeted, and not seen to end */
	uint64_t pinged_us;
	struct call calls[LINK_IN_FLIGHT_MAX];
	struct call *free;
	struct link_replica_stats stats;
};

struct link_dialer {
	enum peer callee;
	enum lane lane;
	size_t in_flight_max;
	size_t replica_count;
	SSL_CTX *tls;
	struct link_kept kept;
	bool is_kept;
	pthread_mutex_t lock; /* everything below but the two gauges */
	pthread_cond_t freed; /* a call came free, or a replica came or went */
	struct replica *replicas[LINK_REPLICAS_MAX];
	size_t turn;
	size_t active; /* calls whose `done` has not returned */
	bool closing;
	bool leaky; /* a connection never ended: its callbacks may come yet, so nothing is ever freed */
	_Atomic size_t room, live;
};

/*
 * Waits until a live replica has room, none is live, or the time is over (false). Whether the room is still there is
 * for link_send to say.
 */
bool link_dialer_wait_room(struct link_dialer *dialer, uint64_t deadline_us);

/* ---- link_call.c: calls, under the dialer's lock unless said otherwise ---- */

/* After every change of what the gauges say. */
void link_call_gauge(struct link_dialer *dialer);
bool link_call_is_live(const struct replica *replica);
/* Ends a call: counts, frees it, and tells its owner with the lock let go; the lock is held again on return. */
void link_call_finish(struct replica *replica, struct call *call, enum err err, uint64_t *counter, struct str reply);
/* NULL: an id of nobody's, or of nobody's any more. */
struct call *link_call_of(struct replica *replica, const struct link_conn *conn, uint32_t id);

/* ---- link_replica.c ---- */

/* What is due for one replica; gives when something will be next. Under the lock. */
uint64_t link_replica_tick(struct replica *replica, uint64_t now_us);
MUST_USE enum err link_replica_new(struct link_dialer *dialer, struct str url);
/* Nothing of it runs any more. */
void link_replica_free(struct replica *replica);
/* Closes what there is; true when all of it has ended. Under the lock. */
bool link_replica_close(struct replica *replica);

#endif
