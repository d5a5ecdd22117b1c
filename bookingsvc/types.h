/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_BOOKINGSVC_TYPES_H
#define BERTH_BOOKINGSVC_TYPES_H

#include "base/clock.h"
#include "base/id.h"

/*
 * What rules judge and the store keeps. The numbers of the enums stand in the database: append-only. `no` is a
 * row's internal number, for joins and constraints; `id` the public one. Strings lie in the caller's arena.
 */
enum inventory { INVENTORY_NAMED = 1, INVENTORY_POOLED };
enum purpose { PURPOSE_PARKING = 1, PURPOSE_DESK, PURPOSE_ROOM, PURPOSE_CHARGER, PURPOSE_LOCKER };
enum spot_status { SPOT_OPEN = 1, SPOT_CLOSED };
enum stay_status { STAY_CONFIRMED = 1, STAY_CHECKED_IN, STAY_COMPLETED, STAY_CANCELLED };

#define US_PER_MIN (60 * US_PER_S)
#define STAY_LONGEST_MIN INT64_C(44640) /* 31 days: no area may allow more, and reads may look back this far */
#define STAY_LONGEST_US (STAY_LONGEST_MIN * US_PER_MIN)
#define PAST_GRACE_US (5 * US_PER_MIN)
#define ARRIVAL_EARLY_US (30 * US_PER_MIN)
#define LONGEST_STAY_DEFAULT_MIN 1440
#define WINDOW_DEFAULT_DAYS 365
#define PAGE_DEFAULT 50
#define PAGE_MAX 200
#define AREAS_OF_SITE_MAX 200
#define SPOTS_OF_AREA_MAX 2000
#define VEHICLES_OF_PERSON_MAX 20

struct site_row {
	int64_t no;
	struct uuid id;
	struct str name, time_zone;
	int64_t version;
};

struct area_row {
	int64_t no, site_no;
	struct uuid id, site_id;
	struct str name;
	enum inventory inventory;
	enum purpose purpose;
	int64_t capacity; /* pooled */
	int64_t longest_stay_min, lookback_min, window_days;
	int64_t policy_version, version;
};

struct spot_row {
	int64_t no, area_no;
	struct uuid id, area_id;
	struct str name;
	bool accessible, charger;
	enum spot_status status;
	int64_t version;
};

/* What a stay is judged against. The spot's members are 0 and nil for an area without one chosen. */
struct place {
	int64_t site_no, area_no, spot_no;
	struct uuid site_id, area_id, spot_id;
	enum spot_status spot_status;
	enum inventory inventory;
	int64_t capacity, longest_stay_min, lookback_min;
	int64_t policy_version;
	instant_us window_ends_at; /* first instant at which no stay may start, by the site's days */
};

struct stay_row {
	struct uuid id;
	int64_t site_no, area_no, spot_no;         /* spot_no 0: pooled */
	int64_t person_no, created_by_no;          /* 0: none, or erased */
	struct uuid site_id, area_id, spot_id;     /* spot_id nil: pooled */
	struct uuid person_id, created_by_id;      /* nil: none, or erased */
	instant_us starts_at, ends_at, held_until; /* held_until: what overlap is judged by */
	instant_us created_at;
	instant_us checked_in_at, checked_out_at, cancelled_at; /* 0: not */
	int64_t policy_version, version;
	enum stay_status status;
	struct str reason;
	struct str note;   /* sealed */
	bool is_principal; /* the caller assists this person (store_stay_read, store_stay_lock) */
};

struct vehicle_row {
	struct uuid id, person_id;
	struct str plate_index; /* blind index, SEAL_INDEX_LEN bytes */
	struct str country;
	struct str plate, label; /* sealed */
	int64_t version;
	instant_us created_at;
};

struct delegation_row {
	struct uuid id, assistant_id, principal_id;
	instant_us created_at;
};

#endif
