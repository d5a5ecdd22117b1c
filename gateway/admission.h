/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GATEWAY_ADMISSION_H
#define BERTH_GATEWAY_ADMISSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * How many exchanges may stand before a callee, so that those that are taken are answered in time: as many as it
 * answers in the time that they may wait (Little's law), by what it has answered lately. Pure; one thread only.
 */
#define ADMISSION_FLOOR 64        /* so many may always stand: they say nothing about load */
#define ADMISSION_BUSY 32         /* with fewer under way the callee could do more, and is not measured */
#define ADMISSION_REST 16         /* with fewer than that the measurement begins anew */
#define ADMISSION_AHEAD_US 100000 /* so much work it has before it, no more: what waits here has its turn, there not */
#define ADMISSION_AHEAD_LEAST 48
#define ADMISSION_WINDOW_US 50000 /* least length of one measurement */

struct admission {
	size_t under_way;    /* sent and not ended */
	uint64_t since_us;   /* begin of the measurement */
	uint64_t ended;      /* in it */
	uint64_t each_us_16; /* time for an answer while busy, moving average, in sixteenths; 0: unknown */
};

void admission_sent(struct admission *admission, size_t count, uint64_t now_us);
/* A message's items have ended, whatever came. */
void admission_ended(struct admission *admission, size_t count, uint64_t now_us);
/* How long `count` take that stand before it; 0 when that is not known, or when they are fewer than ADMISSION_FLOOR. */
uint64_t admission_wait_us(const struct admission *admission, size_t count);
/* How many may wait besides those under way when each may wait for wait_us; at least ADMISSION_FLOOR in all. */
size_t admission_limit(const struct admission *admission, uint64_t wait_us);
/* How many more may be sent. With none it has work enough. */
size_t admission_room(const struct admission *admission);

#endif
