/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_BOOKINGSVC_STORE_PERSON_H
#define BERTH_BOOKINGSVC_STORE_PERSON_H

#include "store.h"

/* People as numbers, who acts for whom, and vehicles. */

/*
 * numbers_out[i] of people[i]; made when there is none yet. A nil person has 0. One round trip, three when one is
 * new.
 */
MUST_USE enum err store_person_numbers(
	struct tx *tx, const struct uuid *people, size_t count, struct arena *arena, int64_t *numbers_out);
/* In a pipeline: 0 also where there is none yet. */
MUST_USE enum err store_person_numbers_queue(struct tx *tx, const struct uuid *people, size_t count);
MUST_USE enum err store_person_numbers_next(
	struct tx *tx, const struct uuid *people, size_t count, int64_t *numbers_out);
/*
 * The same, and none of them is erased until the commit: for what is written about a person beside stays, which
 * hold their person by themselves. Load keys afterwards: an erasure that came before has destroyed them.
 */
MUST_USE enum err store_person_hold(struct tx *tx, const struct uuid *people, size_t count, struct arena *arena);
/* Never makes one: ERR_NOT_FOUND. */
MUST_USE enum err store_person_number(struct tx *tx, const struct uuid *person_id, int64_t *number_out);
/*
 * Waits for what is being written about the person and lets nothing new begin until the commit. Makes the number if
 * need be.
 */
MUST_USE enum err store_person_lock(
	struct tx *tx, const struct uuid *person_id, struct arena *arena, int64_t *number_out);
/* After the last row that names the number. */
MUST_USE enum err store_person_delete(struct tx *tx, int64_t number);

/* held_out[i]: assistants[i] acts for principals[i]. Nil ids hold nothing. */
MUST_USE enum err store_delegation_held(
	struct tx *tx, const struct uuid *assistants, const struct uuid *principals, size_t count, bool *held_out);
/* *added_out false: the two have one. */
MUST_USE enum err store_delegation_add(struct tx *tx, const struct delegation_row *delegation, bool *added_out);
MUST_USE enum err store_delegation_list(struct tx *tx, const struct page *page, struct arena *arena,
	struct delegation_row **delegations_out, size_t *count_out);
/* On either side. */
MUST_USE enum err store_delegation_of_person(struct tx *tx, const struct uuid *person_id, size_t limit,
	struct arena *arena, struct delegation_row **delegations_out, size_t *count_out);
MUST_USE enum err store_delegation_delete(struct tx *tx, const struct uuid *id, struct delegation_row *delegation_out);

/* *added_out false: the plate is registered in the tenant. */
MUST_USE enum err store_vehicle_add(struct tx *tx, const struct vehicle_row *vehicle, bool *added_out);
MUST_USE enum err store_vehicle_count(struct tx *tx, const struct uuid *person_id, int64_t *count_out);
MUST_USE enum err store_vehicle_read(
	struct tx *tx, const struct uuid *id, struct arena *arena, struct vehicle_row *vehicle_out);
MUST_USE enum err store_vehicle_list(struct tx *tx, const struct uuid *person_id, const struct page *page,
	struct arena *arena, struct vehicle_row **vehicles_out, size_t *count_out);
/* country p == NULL: of any. */
MUST_USE enum err store_vehicle_find(struct tx *tx, struct str plate_index, struct str country, size_t limit,
	struct arena *arena, struct vehicle_row **vehicles_out, size_t *count_out);
/* Only one of this person's. */
MUST_USE enum err store_vehicle_delete(struct tx *tx, const struct uuid *id, const struct uuid *person_id,
	struct arena *arena, struct vehicle_row *vehicle_out);

#endif
