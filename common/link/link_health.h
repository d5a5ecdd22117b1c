/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_LINK_LINK_HEALTH_H
#define BERTH_LINK_LINK_HEALTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The breaker of one replica: pure decisions over what happened to its calls. Closed it is given messages; open it is
 * given none until `until_us`; then half open, one at a time, until enough came back well. Each ejection that follows
 * another soon lasts twice as long.
 */
enum link_health_state { LINK_HEALTH_CLOSED, LINK_HEALTH_OPEN, LINK_HEALTH_HALF_OPEN };

#define LINK_HEALTH_FAULTS 3         /* in a row: late answers, connections lost with messages */
#define LINK_HEALTH_SLOW 8           /* in a row: answers over both of the next two */
#define LINK_HEALTH_SLOW_US 50000U   /* faster is never slow */
#define LINK_HEALTH_SLOW_TIMES 5     /* what the other replicas take on average */
#define LINK_HEALTH_PROBES 3         /* good answers that close it again */
#define LINK_HEALTH_FIRST_US 500000U /* of the first ejection */
#define LINK_HEALTH_LAST_US 30000000U
#define LINK_HEALTH_FORGET_US 60000000U /* well for so long, it begins anew with the first */

struct link_health {
	enum link_health_state state;
	unsigned faults, slow, good; /* in a row */
	unsigned times;              /* ejections that followed each other */
	uint64_t until_us;
	uint64_t well_since_us;
};

/* Each gives true when the replica should be ejected now; whether it may be is the caller's to say. */
bool link_health_fault(struct link_health *health);
/* `others_us`: what the others take on average; 0: there are none, so nothing is slow. */
bool link_health_answer(struct link_health *health, uint64_t took_us, uint64_t others_us, uint64_t now_us);

void link_health_eject(struct link_health *health, uint64_t now_us);
/* True when an ejection has just ended: half open from now on. */
bool link_health_try(struct link_health *health, uint64_t now_us);
/* Whether a message more may be given to it while `in_flight` are under way. */
bool link_health_takes(const struct link_health *health, size_t in_flight);

#endif
