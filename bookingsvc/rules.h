/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_BOOKINGSVC_RULES_H
#define BERTH_BOOKINGSVC_RULES_H

#include "types.h"

/* Decisions about places and stays. Pure: what they need comes in, no I/O, no clock. */

/* err OK: nothing speaks against it. Else what the caller is told; all constants, detail a sentence. */
struct verdict {
	enum err err;
	const char *field, *reason, *detail;
};
#define VERDICT_OK ((struct verdict){.err = OK})

/* Names in the contract of the numbers in the database. `_parse`: an absent or unknown name gives `fallback`. */
const char *rules_inventory_name(enum inventory inventory);
enum inventory rules_inventory_parse(struct str name, enum inventory fallback);
const char *rules_purpose_name(enum purpose purpose);
enum purpose rules_purpose_parse(struct str name, enum purpose fallback);
const char *rules_spot_status_name(enum spot_status status);
enum spot_status rules_spot_status_parse(struct str name, enum spot_status fallback);
const char *rules_stay_status_name(enum stay_status status);
int rules_stay_status_parse(struct str name); /* 0: absent or unknown */

/* An IANA zone's name as tzdata writes them: UTC, or Area/Location. Whether it exists the database knows. */
bool rules_zone_grammar(struct str name);

/* -- If-Match: `if_match` is the version read, -1 for any -- */
struct verdict rules_version(int64_t if_match, int64_t version);

/* -- who -- */
enum standing {
	STANDING_NONE,
	STANDING_SELF,      /* one's own */
	STANDING_ASSISTANT, /* one's principal's, with booking.act_for */
	STANDING_STAFF      /* anyone's, with booking.manage */
};
/* What the caller may do at one place, for one person, or for those of one group, alone. */
#define REACH_MAX 8
enum reach_where { REACH_SITE = 1, REACH_AREA, REACH_PERSON, REACH_GROUP };
struct reach {
	enum reach_where where;
	struct uuid id;
	const struct uuid *members; /* of a group */
	size_t member_count;
	bool act_for, manage, read_all, site_manage;
};
struct caller {
	struct uuid person_id; /* nil: a client by itself */
	bool act_for, manage, read_all, site_manage;
	bool assists; /* the person asked about, by a grant (rules_caller_at) */
	size_t reach_count;
	struct reach reach[REACH_MAX];
};
/* The caller as they are there: what their reach gives at these ids joins what they may do everywhere. NULL: none. */
struct caller rules_caller_at(const struct caller *caller, const struct uuid *site_id, const struct uuid *area_id,
	const struct uuid *person_id);
/* Whether there is a place where the caller books for others; which, the place will tell. */
bool rules_manages_somewhere(const struct caller *caller);
/* How the caller stands to a stay of `person_id` (nil: of nobody any more). `is_principal`: there is a delegation. */
enum standing rules_standing(const struct caller *caller, const struct uuid *person_id, bool is_principal);
/* A new stay for `person_id`: 403 naming the permission that is missing. */
struct verdict rules_may_book_for(enum standing standing, const struct caller *caller);
/* A stay that exists: 404 unless the caller may see it; with `change` 403 when they may only see it. */
struct verdict rules_may_touch(enum standing standing, const struct caller *caller, bool change);

/* -- a new stay -- */
struct verdict rules_interval(instant_us starts_at, instant_us ends_at);
/* Length, past, planning window: also what availability says of an area as a whole. */
struct verdict rules_time(const struct place *place, instant_us starts_at, instant_us ends_at, instant_us now);
struct verdict rules_create(const struct place *place, instant_us starts_at, instant_us ends_at, instant_us now);

/* -- a stay that exists; each changes `stay` as decided and counts its version, or leaves it alone -- */
struct stay_change {
	const struct place *place; /* where it will be: its area, and its spot or the new one */
	bool to_spot;
	bool has_starts_at, has_ends_at;
	instant_us starts_at, ends_at;
};
/* Rules hold for what the change asks for: a stay made under older rules may keep what it has. */
struct verdict rules_update(struct stay_row *stay, const struct stay_change *change, instant_us now);
struct verdict rules_cancel(struct stay_row *stay, enum standing standing, instant_us now);
struct verdict rules_check_in(struct stay_row *stay, instant_us now);
/* Frees what is left. */
struct verdict rules_check_out(struct stay_row *stay, instant_us now);
/* What erasing the person makes of a stay that has not ended. */
void rules_erase(struct stay_row *stay, instant_us now);

/* -- places -- */
struct area_change {
	struct str name; /* p == NULL: as it is */
	const int64_t *capacity, *longest_stay_min, *window_days;
};
/* `peak`: the most places held at one time from now on. */
struct verdict rules_area_change(struct area_row *area, const struct area_change *change, int64_t peak);

#endif
