/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GATEWAY_FAIR_QUEUE_H
#define BERTH_GATEWAY_FAIR_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct exchange;

/*
 * Exchanges that wait for one callee, in lines: one for each tenant, or network address where no token says a tenant,
 * as far as their hash tells them apart (stochastic fairness queueing, McKenney 1990). Lines have their turn one
 * exchange at a time, so who has many waiting waits for himself. One thread only.
 */
#define FAIR_LINES 128

struct fair_line {
	struct exchange *first, **last;
	struct fair_line *next; /* in the round; listed while it holds any */
	size_t waiting;
	size_t under_way; /* sent and not ended yet; counted by the owner with fair_queue_sent and _ended */
};

struct fair_queue {
	struct fair_line lines[FAIR_LINES];
	struct fair_line *turn, **turn_last;
	size_t waiting, listed;
};

/* The line of whoever has this id, under a key that only this process knows. */
uint8_t fair_queue_line_of(const void *who, size_t who_len);

void fair_queue_init(struct fair_queue *queue);
/* By exchange->line. */
void fair_queue_put(struct fair_queue *queue, struct exchange *exchange);
/*
 * Whose turn it is, or NULL. With idle_only the first line in turn that has nothing under way. Stays the same until
 * something is taken, put, or asked otherwise.
 */
struct exchange *fair_queue_next(struct fair_queue *queue, bool idle_only);
/* Removes what fair_queue_next said last; the turn goes to the line behind it. */
struct exchange *fair_queue_take(struct fair_queue *queue);
/*
 * Removes the first of the longest line, if that is longer by two or more than the line that asks for room; else NULL.
 */
struct exchange *fair_queue_shed(struct fair_queue *queue, uint8_t line);
/* Removes one whose deadline is before `until_us` and who is first in its line, or NULL. */
struct exchange *fair_queue_expired(struct fair_queue *queue, uint64_t until_us);
void fair_queue_sent(struct fair_queue *queue, const struct exchange *exchange);
void fair_queue_ended(struct fair_queue *queue, const struct exchange *exchange);

#endif
