/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GATEWAY_ARROW_H
#define BERTH_GATEWAY_ARROW_H

#include <pthread.h>

#include "admission.h"
#include "exchange.h"
#include "fair_queue.h"
#include "link/link.h"

/*
 * The gateway's end of an arrow, one for each loop: exchanges queue here during a tick and leave in batches at its end.
 * The first message leaves at once. While one is under way the next is held until it is worth its cost, the other's
 * answer is there, or EDGE_HOLD_US have passed; so batches grow with the load, and nobody waits long for a slow one.
 * Tenants have their turn one after the other, the last free place is kept for one that has nothing under way, and when
 * the queue is full the longest line gives way.
 */
struct arrow {
	struct loop *loop;
	struct link_dialer *dialer; /* NULL: not an arrow */
	struct fair_queue queue;
	struct exchange *shed;  /* gave their place to another's; not answered yet */
	size_t flights;         /* messages under way */
	size_t shared;          /* items of the last message */
	uint64_t held_since_us; /* what queues could have left then; 0: nothing is held */
	struct admission admission;
	struct buf message;
};

/* A message under way; its end comes in arrow_read or from a thread of the link's. */
struct flight {
	struct arrow *arrow;
	struct flight *next;
	struct exchange **exchanges;
	size_t count;
	enum err err;
	uint64_t ended_us; /* the loop may look much later */
	struct buf reply;
};

/* Ended flights, from arrow_read and the links' threads to the loop. */
struct inbox {
	pthread_mutex_t lock;
	struct flight *first, **last;
	int wake_fd; /* borrows */
};

void inbox_init(struct inbox *inbox, int wake_fd);
void inbox_release(struct inbox *inbox);
struct flight *inbox_take_all(struct inbox *inbox);
/* Finishes what has ended. */
void inbox_finish(struct inbox *inbox);

/* `ready` tells the loop when to call arrow_read. */
MUST_USE enum err arrow_init(
	struct arrow *arrow, struct loop *loop, enum peer callee, enum lane lane, const struct link_ready *ready);
void arrow_release(struct arrow *arrow); /* before the inbox */
/*
 * Queues; ERR_UNAVAILABLE with no live replica and none awaited, ERR_OVERLOADED when the queue is full. On OK the
 * exchange is answered later.
 */
MUST_USE enum err arrow_enqueue(struct arrow *arrow, struct exchange *exchange);
/* Puts the answers that have come into the inbox, with the time when they did: the loop finishes them later. */
void arrow_read(struct arrow *arrow);
/* Whether arrow_flush has anything to do. */
bool arrow_waits(const struct arrow *arrow);
/*
 * Sends what queued, as far as the callee has room. Answers those whose deadline has passed, and what no message can
 * hold.
 */
void arrow_flush(struct arrow *arrow);
/* Hands each item of an ended flight to its exchange, or tries again what may be; takes. */
void flight_finish(struct flight **flight);

#endif
