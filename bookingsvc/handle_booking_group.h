/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_BOOKINGSVC_HANDLE_BOOKING_GROUP_H
#define BERTH_BOOKINGSVC_HANDLE_BOOKING_GROUP_H

#include "handle_booking.h"

/* The items of one tenant in a batch of bookings, and the steps of the single form, each once for all of them. */

struct group {
	struct making **items;
	size_t count;
	instant_us now;
	struct making **open;
	size_t open_count;
	struct uuid *ids, *others; /* ids: of the people, then of who books for others */
	size_t id_count;
	int64_t *numbers; /* of the people, then of who books, for each */
	bool *flags;
	struct place *places;
	const struct stay_row **stays;
	struct collision *collisions;
	struct seal_key **keys;
	const struct seal_key **used_keys;
	struct idempotency_claim *claims;
	struct idempotency_answer *answers;
	struct str *bytes;
	int *statuses;
	struct making **some;
};

#define PILE_MAX IDEMPOTENCY_BATCH_MAX /* items of one transaction */

/* What is written for all groups in one statement, tenants[i] for stays[i] or for events[i]. */
struct pile {
	size_t count;
	struct uuid tenants[PILE_MAX];
	const struct stay_row *stays[PILE_MAX];
	struct event events[PILE_MAX];
	const struct seal_key *keys[PILE_MAX];
};

/* All in the arena, of `count` items of one tenant. False: it is full. */
bool handle_booking_group_init(
	struct group *group, struct arena *arena, struct making **items, size_t count, instant_us now);

const struct uuid *handle_booking_group_tenant(const struct group *group);

/*
 * In this order, each for all groups of the transaction. What is `queued` is flushed before any is taken. An error
 * means that nothing of the transaction is decided.
 */
MUST_USE enum err handle_booking_group_claim(struct group *group, struct tx *tx);
MUST_USE enum err handle_booking_group_check_standing(struct group *group, struct tx *tx);
MUST_USE enum err handle_booking_group_queue_reads(struct group *group, struct tx *tx);
MUST_USE enum err handle_booking_group_take_reads(struct group *group, struct tx *tx);
MUST_USE enum err handle_booking_group_judge(struct group *group, struct tx *tx);
void handle_booking_group_pile_stays(struct group *group, struct pile *pile);
/* When not all of the pile could be added: which of this group were, and what becomes of the others. */
MUST_USE enum err handle_booking_group_queue_there(struct group *group, struct tx *tx);
MUST_USE enum err handle_booking_group_take_there(struct group *group, struct tx *tx);
MUST_USE enum err handle_booking_group_settle_collisions(struct group *group, struct tx *tx);
MUST_USE enum err handle_booking_group_pile_events(struct group *group, struct pile *pile);
MUST_USE enum err handle_booking_group_answer(struct group *group, struct tx *tx);

#endif
