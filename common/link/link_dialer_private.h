/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_LINK_LINK_DIALER_PRIVATE_H
#define BERTH_LINK_LINK_DIALER_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/wait.h"
#include "link/link_conn.h"
#include "link/link_health.h"

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

/* One address, and at most one connection beside one whose callee drains. */
struct replica {
	struct link_dialer *dialer;
	size_t index;
	nng_stream_dialer *end;
	nng_aio *dial;
	bool dialing;
	uint64_t dial_at_us, backoff_us;
	struct link_conn *conn;
	struct link_conn *retired; /* its callee drains: gets no more, ends with its last answer */
	size_t users;              /* threads that send or read on either right now */
	bool succeeded;            /* the one that drains said that another takes its place */
	bool up;                   /* `conn` is greeted, and not seen to end */
	uint64_t pinged_us;
	uint64_t answered_us; /* when an answer came last */
	struct link_health health;
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
	struct link_ready ready;
	bool is_read; /* by its owner's thread, which `ready` tells */
	struct link_kept kept;
	bool is_kept;
	pthread_mutex_t lock; /* everything below but the two gauges */
	pthread_cond_t freed; /* a call came free, or a replica came or went */
	struct replica *replicas[LINK_REPLICAS_MAX];
	size_t turn;
	size_t active; /* calls whose `done` has not returned */
	bool closing;
	bool leaky;        /* a connection never ended: its callbacks may come yet, so nothing is ever freed */
	bool alone;        /* every replica that stands is ejected: better these than none */
	uint64_t asked_us; /* when all were last asked for a sign of life, for one that gave none */
	_Atomic size_t room, live;
	_Atomic uint64_t return_us; /* until when the successor of one that drained is awaited */
};

/*
 * Waits until a live replica has room, none is live or awaited, or the time is over (false). Whether the room is still
 * there is for link_send to say.
 */
bool link_dialer_wait_room(struct link_dialer *dialer, uint64_t deadline_us);

/* ---- link_call.c: calls, under the dialer's lock unless said otherwise ---- */

/* After every change of what the gauges say. */
void link_call_gauge(struct link_dialer *dialer);
bool link_call_is_live(const struct replica *replica);
/* How many messages more it takes. */
size_t link_call_room(const struct replica *replica);
size_t link_call_count(const struct replica *replica, const struct link_conn *conn);
/* A fault of the replica's, as link_health.h counts them; `reason` is told when it is ejected for it. */
void link_call_blame(struct replica *replica, const char *reason, uint64_t now_us);
/* What the other replicas take on average; 0 when none has answered yet. */
uint64_t link_call_others_us(const struct replica *replica);
/* Ejects it when another one is there to take its place. */
void link_call_eject(struct replica *replica, const char *reason, uint64_t now_us);
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

/*
 * ---- link_watch.c: replicas that stand and do not answer. Each gives when to look again, LINK_KEEPER_NEVER when there
 * is no reason; under the lock ----
 */

/* Asks one that has been silent for long, and closes its connection when it stays so. */
uint64_t link_watch_silence(struct replica *replica, uint64_t now_us);
/* With another replica to go to: closes the connection of one that is stopped, ejects one that answers nothing. */
uint64_t link_watch_owing(struct replica *replica, uint64_t now_us);
/* The end of an ejection. */
uint64_t link_watch_health(struct replica *replica, uint64_t now_us);
/* When to look at a replica again that was given a message. */
uint64_t link_watch_due(const struct replica *replica, uint64_t deadline_us);

#endif
