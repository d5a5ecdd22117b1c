/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_LINK_LINK_DIALER_PRIVATE_H
#define BERTH_LINK_LINK_DIALER_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "link/link_private.h"
#include "link/wait.h"

/* One message under way. A context of its own, for that is what nng ties a reply to. */
struct call {
	struct replica *replica;
	struct call *next_free;
	nng_ctx ctx;
	bool open;
	nng_aio *aio;
	enum { CALL_FREE, CALL_SENDING, CALL_WAITING } state;
	uint64_t deadline_us;
	uint64_t begun_us;
	uint64_t turn; /* counts its uses */
	link_done_fn *done;
	void *user;
};

/* One socket each: only so can one be judged, left out and counted by itself. */
struct replica {
	struct link_dialer *dialer;
	size_t index;
	nng_socket socket;
	bool open;
	size_t pipes;
	struct call calls[LINK_IN_FLIGHT_MAX];
	struct call *free;
	struct link_replica_stats stats;
};

struct link_dialer {
	enum peer callee;
	enum lane lane;
	size_t in_flight_max;
	size_t replica_count;
	pthread_mutex_t lock; /* everything but the two gauges */
	pthread_cond_t freed; /* a call came free, or a replica came or went */
	struct replica *replicas[LINK_REPLICAS_MAX];
	size_t turn;
	size_t active; /* calls whose `done` has not returned */
	bool closing;
	_Atomic size_t room, live;
};

/*
 * Waits until a live replica has room, none is live, or the time is over (false). Whether the room is still there is
 * for link_send to say.
 */
bool link_dialer_wait_room(struct link_dialer *dialer, uint64_t deadline_us);

#endif
