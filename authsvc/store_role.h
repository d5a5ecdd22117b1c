/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_STORE_ROLE_H
#define BERTH_AUTHSVC_STORE_ROLE_H

#include "store.h"

/* Roles that the tenant made for itself, and who has them. */
#define ROLES_OWN_MAX 50 /* of a tenant */

struct role_record {
	struct uuid id;
	struct str name, help;
	struct str permissions; /* names separated by blanks */
	int64_t version;
	instant_us created_at;
};

/* All of the tenant, by name, into records_out, which has room for ROLES_OWN_MAX. */
MUST_USE enum err store_role_list(struct store *store, struct role_record *records_out, size_t *count_out);
MUST_USE enum err store_role_read(struct store *store, const struct uuid *id, struct role_record *record_out);
/* Until the transaction ends: waits for whoever is giving the role just now, and they for this. */
MUST_USE enum err store_role_lock(struct store *store, const struct uuid *id, struct role_record *record_out);
/* ERR_CONFLICT: the tenant has one of this name. */
MUST_USE enum err store_role_insert(struct store *store, const struct role_record *record, instant_us now);
/* Writes help and permissions of a locked one; counts its version. */
MUST_USE enum err store_role_update(struct store *store, struct role_record *record, instant_us now);
MUST_USE enum err store_role_delete(struct store *store, const struct role_record *record);

/*
 * What those of `names` that are the tenant's own grant together, held so that none of them is deleted before the
 * transaction ends; *count_out says how many there are.
 */
MUST_USE enum err store_role_take(
	struct store *store, const struct str *names, size_t count, struct str *permissions_out, size_t *count_out);

/* Active people with the role, at most `limit` of them. */
MUST_USE enum err store_role_holders(
	struct store *store, struct str name, size_t limit, struct uuid *ids_out, size_t *count_out);

/* What else people have who have the role: each mix once, with how many people have it. */
struct role_mix {
	struct str roles;       /* the others', built in or not */
	struct str permissions; /* of those others that are the tenant's own */
	int64_t people;
};
#define ROLE_MIXES_MAX 1000
MUST_USE enum err store_role_mixes(struct store *store, struct str name, struct role_mix *mixes_out, size_t *count_out);

#endif
