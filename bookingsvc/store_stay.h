/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_BOOKINGSVC_STORE_STAY_H
#define BERTH_BOOKINGSVC_STORE_STAY_H

#include "store.h"

/* Stays, and what they are judged against. */

/* -- places -- */

/* places_out[i] for spots[i]; area_no 0 where the tenant has no such spot. */
MUST_USE enum err store_place_of_spots(
	struct tx *tx, const struct uuid *spots, size_t count, instant_us now, struct place *places_out);
/* The same in a pipeline. */
MUST_USE enum err store_place_queue(struct tx *tx, const struct uuid *spots, size_t count, instant_us now);
MUST_USE enum err store_place_next(struct tx *tx, const struct uuid *spots, size_t count, struct place *places_out);
/* `lock`: as store_area_read. */
MUST_USE enum err store_place_of_area(
	struct tx *tx, const struct uuid *area_id, bool lock, instant_us now, struct place *place_out);

struct named_place {
	struct place place;
	struct str name;
	enum purpose purpose;
};
/* The areas of a site, or one of them. */
MUST_USE enum err store_place_of_site(struct tx *tx, const struct uuid *site_id, const struct uuid *area_id,
	instant_us now, struct arena *arena, struct named_place **places_out, size_t *count_out);

struct spot_state {
	int64_t area_no;
	struct uuid id;
	struct str name;
	enum spot_status status;
	bool taken;
};
/* The spots of these areas, area by area in the order given, by name; at most `limit`. */
MUST_USE enum err store_spot_states(struct tx *tx, const struct named_place *places, size_t count, instant_us starts_at,
	instant_us ends_at, size_t limit, struct arena *arena, struct spot_state **states_out, size_t *count_out);

/* -- counting: under the area's lock when something is decided by it -- */

/* The most places of the pool that are held at one time; `but` (may be nil) is left out. */
MUST_USE enum err store_pool_peak(struct tx *tx, int64_t area_no, instant_us starts_at, instant_us ends_at,
	int64_t lookback_min, const struct uuid *but, int64_t *peak_out);
/* The same for each of the pooled ones among `places`; 0 for the others. One round trip. */
MUST_USE enum err store_pool_peaks(struct tx *tx, const struct named_place *places, size_t count, instant_us starts_at,
	instant_us ends_at, int64_t *peaks_out);
/* Sets place's spot to a free one. ERR_NOT_FOUND: none. */
MUST_USE enum err store_spot_free(struct tx *tx, struct place *place, instant_us starts_at, instant_us ends_at);

/* -- stays -- */

/*
 * added_out[i] false: stays[i] collides with another, in the table or in front of it in the order (spot, start,
 * place in `stays`).
 */
MUST_USE enum err store_stay_add(struct tx *tx, const struct stay_row *const *stays, size_t count, instant_us now,
	struct arena *arena, bool *added_out);
/*
 * The same for stays of several tenants, tenants[i] for stays[i], tenant by tenant. The transaction has named these
 * tenants (tx_set_tenants). *all_out false: some collide; what was added is what is there (by id, as each tenant).
 */
MUST_USE enum err store_stay_put(struct tx *tx, const struct uuid *tenants, const struct stay_row *const *stays,
	size_t count, instant_us now, struct arena *arena, bool *all_out);
MUST_USE enum err store_stay_there_queue(
	struct tx *tx, const struct stay_row *const *stays, size_t count, struct arena *arena);
MUST_USE enum err store_stay_there_next(
	struct tx *tx, const struct stay_row *const *stays, size_t count, bool *there_out);
struct collision {
	bool spot, person;
};
/* What stays[i] collides with now; neither: what was in the way has gone. */
MUST_USE enum err store_stay_collisions(struct tx *tx, const struct stay_row *const *stays, size_t count,
	struct arena *arena, struct collision *collisions_out);

/* `assistant_id` is whose delegations `is_principal` tells of; nil: nobody's. */
MUST_USE enum err store_stay_read(struct tx *tx, const struct uuid *id, bool lock, const struct uuid *assistant_id,
	struct arena *arena, struct stay_row *stay_out);
/* Writes what may change. ERR_CONFLICT: tx_constraint is "booking_spot_free" or "booking_person_free". */
MUST_USE enum err store_stay_change(struct tx *tx, const struct stay_row *stay);

/* Minutes: no stay of the tenant is longer. */
MUST_USE enum err store_lookback(struct tx *tx, int64_t *lookback_min_out);

struct stay_filter {
	int64_t person_no;   /* 0: of anyone */
	struct uuid site_id; /* nil: any */
	int status;          /* 0: any */
	instant_us ends_after, starts_before;
	instant_us after; /* behind this start and id */
	struct uuid after_id;
	size_t limit;
};
MUST_USE enum err store_stay_list(struct tx *tx, const struct stay_filter *filter, struct arena *arena,
	struct stay_row **stays_out, size_t *count_out);

struct totals_row {
	int64_t bookings, cancelled, arrived, booked_minutes;
};
MUST_USE enum err store_stay_totals(
	struct tx *tx, int64_t site_no, instant_us from, instant_us to, struct totals_row *totals_out);

/* -- forgetting -- */

/* Locks stays of the person that are to come or going on, at most `limit`. */
MUST_USE enum err store_stay_live(struct tx *tx, int64_t person_no, instant_us now, size_t limit, struct arena *arena,
	struct uuid **ids_out, size_t *count_out);
/* Removes the person from all stays. *rows_out: how many were changed. */
MUST_USE enum err store_stay_forget(struct tx *tx, int64_t person_no, uint64_t *rows_out);
/* The same for everybody in stays that ended before, at most `limit`. */
MUST_USE enum err store_stay_retain(struct tx *tx, instant_us ended_before, size_t limit, uint64_t *rows_out);
/* As the jobs role: tenants that have such stays, found among `limit` of them. */
MUST_USE enum err store_stay_retain_due(struct tx *jobs_tx, instant_us ended_before, size_t limit, struct arena *arena,
	struct uuid **tenants_out, size_t *count_out);

#endif
