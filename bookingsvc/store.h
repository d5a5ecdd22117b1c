/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_BOOKINGSVC_STORE_H
#define BERTH_BOOKINGSVC_STORE_H

#include "db/db.h"
#include "types.h"

/*
 * Places in PostgreSQL. All of store*.h: the transaction is scoped to the tenant; strings and arrays that come out
 * lie in `arena`; ERR_NOT_FOUND for what the tenant does not have; ERR_OVERLOADED when the arena is full; else the
 * errors of db/tx.h. Locks are taken in one order everywhere: idempotency keys, people, stays that are changed,
 * areas, then what is written; and within one kind in the order of ids.
 */

/* Reads lists: one more row than asked tells that there are more. */
struct page {
	struct uuid after; /* nil: from the beginning */
	size_t limit;
};

MUST_USE enum err store_zone_known(struct tx *tx, struct str zone, bool *known_out);
MUST_USE enum err store_site_add(struct tx *tx, const struct site_row *site, instant_us now);
MUST_USE enum err store_site_read(
	struct tx *tx, const struct uuid *id, bool lock, struct arena *arena, struct site_row *site_out);
MUST_USE enum err store_site_list(
	struct tx *tx, const struct page *page, struct arena *arena, struct site_row **sites_out, size_t *count_out);
MUST_USE enum err store_site_change(struct tx *tx, const struct site_row *site);

MUST_USE enum err store_area_add(struct tx *tx, const struct area_row *area, instant_us now);
/* `lock`: nobody else decides by counting in this area until the commit. */
MUST_USE enum err store_area_read(
	struct tx *tx, const struct uuid *id, bool lock, struct arena *arena, struct area_row *area_out);
MUST_USE enum err store_area_list(struct tx *tx, const struct page *page, const struct uuid *site_id,
	struct arena *arena, struct area_row **areas_out, size_t *count_out);
MUST_USE enum err store_area_count(struct tx *tx, int64_t site_no, int64_t most, int64_t *count_out);
MUST_USE enum err store_area_change(struct tx *tx, const struct area_row *area);

/* ERR_CONFLICT with tx_constraint "spot_name": the area has one of this name. */
MUST_USE enum err store_spot_add(struct tx *tx, const struct spot_row *spot, instant_us now);
MUST_USE enum err store_spot_read(
	struct tx *tx, const struct uuid *id, bool lock, struct arena *arena, struct spot_row *spot_out);
MUST_USE enum err store_spot_list(struct tx *tx, const struct page *page, const struct uuid *area_id,
	struct arena *arena, struct spot_row **spots_out, size_t *count_out);
MUST_USE enum err store_spot_count(struct tx *tx, int64_t area_no, int64_t most, int64_t *count_out);
MUST_USE enum err store_spot_change(struct tx *tx, const struct spot_row *spot);

#endif
