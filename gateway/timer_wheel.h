/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GATEWAY_TIMER_WHEEL_H
#define BERTH_GATEWAY_TIMER_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Coarse deadlines for many connections: setting one later is one store, because a timer is looked at only when its
 * slot comes round, and put back when it is not due yet. Fires at most WHEEL_TICK_US late. Not thread-safe: one per
 * loop.
 */
#define WHEEL_TICK_US 100000U
#define WHEEL_SLOTS 1024U

struct timer {
	struct timer *prev, *next; /* NULL: not set */
	uint64_t due_us;
	uint64_t slot_us; /* when its slot is looked at */
};

struct timer_wheel {
	struct timer slots[WHEEL_SLOTS]; /* list heads */
	uint64_t tick;                   /* the next slot to look at */
};

typedef void timer_due_fn(struct timer *timer, void *ctx);

void timer_wheel_init(struct timer_wheel *wheel, uint64_t now_us);
/* Sets or moves. A later time than the one set is free; an earlier one moves the timer. */
void timer_set(struct timer_wheel *wheel, struct timer *timer, uint64_t due_us);
void timer_clear(struct timer *timer);
/* Calls `due` for each timer whose time has come, cleared already. It may set and clear any timer. */
void timer_wheel_run(struct timer_wheel *wheel, uint64_t now_us, timer_due_fn *due, void *ctx);

#endif
