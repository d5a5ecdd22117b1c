/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_STORE_GROUP_H
#define BERTH_AUTHSVC_STORE_GROUP_H

#include "store.h"

/* Groups of people. */
#define GROUPS_MAX 500 /* of a tenant */
#define GROUP_MEMBERS_MAX 500

struct group_record {
	int64_t row_id;
	struct uuid id;
	struct str name;
	struct uuid *members; /* read apart */
	size_t member_count;
	int64_t version;
	instant_us created_at;
};

/* ERR_CONFLICT: the tenant has one of this name. */
MUST_USE enum err store_group_insert(struct store *store, struct group_record *group, instant_us now);
MUST_USE enum err store_group_count(struct store *store, int64_t *count_out);
/* In the order of their making, after `after`, without members. */
MUST_USE enum err store_group_list(struct store *store, const struct uuid *after, size_t limit,
	struct group_record *groups_out, size_t *count_out);
MUST_USE enum err store_group_read(struct store *store, const struct uuid *id, struct group_record *group_out);
MUST_USE enum err store_group_lock(struct store *store, const struct uuid *id, struct group_record *group_out);
MUST_USE enum err store_group_members(struct store *store, struct group_record *group);
/* Writes the name of a locked one; counts its version. */
MUST_USE enum err store_group_update(struct store *store, struct group_record *group, instant_us now);
/* Makes exactly these people its members. ERR_NOT_FOUND: somebody is not there; gone_out has room for all members. */
MUST_USE enum err store_group_set_members(struct store *store, const struct group_record *group,
	const struct uuid *members, size_t count, instant_us now, struct uuid *gone_out, size_t *gone_count_out);
/* With its grants, which are all over. */
MUST_USE enum err store_group_delete(struct store *store, const struct group_record *group);
/* Tokens of these people that are being made are waited for, and none is made before the transaction ends. */
MUST_USE enum err store_group_hold(struct store *store, const struct uuid *people, size_t count);
/* Those that the person is in: id and name. */
MUST_USE enum err store_group_of_person(
	struct store *store, int64_t person_row_id, size_t limit, struct group_record *groups_out, size_t *count_out);

#endif
