/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_LINK_LINK_KEEPER_H
#define BERTH_LINK_LINK_KEEPER_H

#include <stdbool.h>
#include <stdint.h>

/*
 * One thread of the process that does what must not be done on a thread of nng's: deadlines, dialing again, heartbeats,
 * and the end of connections. It sleeps until something is due.
 */
struct link_kept {
	/* Does what is due; gives when to be called next (clock_monotonic_us), LINK_KEEPER_NEVER when only poked. */
	uint64_t (*tick)(void *owner, uint64_t now_us);
	void *owner;
	struct link_kept *next; /* the keeper's own, as is due_us */
	uint64_t due_us;
};

#define LINK_KEEPER_NEVER UINT64_MAX

/* False without a thread. `kept` stays with the caller until link_keeper_remove, after which no tick runs. */
bool link_keeper_add(struct link_kept *kept);
void link_keeper_remove(struct link_kept *kept);
/* Ticks not later than due_us. Cheap when that is nothing new; any thread, under any lock but the keeper's. */
void link_keeper_poke(struct link_kept *kept, uint64_t due_us);

#endif
