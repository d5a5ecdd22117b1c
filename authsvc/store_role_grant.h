/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_STORE_ROLE_GRANT_H
#define BERTH_AUTHSVC_STORE_ROLE_GRANT_H

#include "store_person.h"

/* Roles granted to a person or a group, for a time, everywhere or in one place. */
#define GRANTS_OF_ONE_MAX 32 /* open ones of a person or of a group */

struct role_grant_record {
	int64_t row_id;
	struct uuid id;
	struct uuid person_id, group_id; /* one of them is nil */
	int64_t person_row_id, group_row_id;
	struct str role;
	enum grant_scope scope;
	struct uuid scope_id;          /* nil: everywhere */
	instant_us starts_at, over_at; /* over_at 0: open */
	enum grant_status status;
	struct uuid subject_id;             /* whom the reason is sealed to */
	struct str reason;                  /* opened; p == NULL: that person was erased */
	struct uuid granted_by, decided_by; /* decided_by nil: nobody yet */
	int64_t version;
	instant_us created_at;
};

MUST_USE enum err store_role_grant_insert(struct store *store, struct role_grant_record *record, instant_us now);
/* In the order of their making, after `after`; `person_id` and `group_id` nil: of all. */
MUST_USE enum err store_role_grant_list(struct store *store, const struct uuid *after, size_t limit,
	const struct uuid *person_id, const struct uuid *group_id, struct role_grant_record *records_out,
	size_t *count_out);
MUST_USE enum err store_role_grant_read(
	struct store *store, const struct uuid *id, struct role_grant_record *record_out);
MUST_USE enum err store_role_grant_lock(
	struct store *store, const struct uuid *id, struct role_grant_record *record_out);
/* Writes status, over_at and decided_by of a locked one; counts its version. */
MUST_USE enum err store_role_grant_decide(struct store *store, struct role_grant_record *record);
/* How many are not over: of a person, of a group (0: of all), of a role (p == NULL: whatever). */
MUST_USE enum err store_role_grant_open(
	struct store *store, int64_t person_row_id, int64_t group_row_id, struct str role, int64_t *count_out);
/* What a group holds or will hold, wherever: all in roles and permissions of *held_out. */
MUST_USE enum err store_role_grant_of_group(struct store *store, int64_t group_row_id, struct held *held_out);
/* The same of what others are granted for its people. */
MUST_USE enum err store_role_grant_over_group(struct store *store, const struct uuid *group_id, struct held *held_out);
/* What the person holds everywhere at least until then (0: for good), in roles and permissions of *held_out. */
MUST_USE enum err store_role_grant_lasting(
	struct store *store, int64_t person_row_id, instant_us until, struct held *held_out);
/* What the person holds just now. */
MUST_USE enum err store_role_grant_held(struct store *store, int64_t person_row_id, struct held *held_out);

#endif
