/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_STORE_PERSON_H
#define BERTH_AUTHSVC_STORE_PERSON_H

#include "store.h"

/* What a person holds just now by grants, their own and those of groups. */
#define HELD_MAX 64
struct held_place {
	enum grant_scope scope; /* not GRANT_TENANT */
	struct uuid id;
	struct str role, permissions; /* permissions: of a role of the tenant's own, names separated by blanks */
};
struct held {
	struct str roles, permissions; /* everywhere, as person_record has them */
	struct held_place *places;
	size_t place_count;
	instant_us until; /* when the first of all ends; 0: none does by itself */
};

struct person_record {
	int64_t row_id;
	struct uuid id;
	struct str email, given_name, family_name; /* opened; absent when erased */
	struct str roles;                          /* names separated by blanks */
	struct str permissions;                    /* what the tenant's own among them grant, likewise */
	bool has_more;    /* store_person_standing_next alone: rights that only store_person_standing reads */
	struct held held; /* of a person who was locked, or is to get a token */
	enum locale locale;
	enum person_status status;
	instant_us email_verified_at; /* 0: not yet */
	enum demand demand;      /* of this person, for a token: store_person_standing alone fills it, and the next */
	struct str factor_roles; /* of the tenant, likewise */
	int64_t version;
	instant_us created_at;
};

/* What is demanded of whoever has and holds this, in a tenant that says so. */
enum demand store_person_demand(const struct person_record *person, enum demand of_tenant, struct str factor_roles);

/* Each opens the personal fields of what it finds. */
MUST_USE enum err store_person_read(struct store *store, const struct uuid *id, struct person_record *person_out);
MUST_USE enum err store_person_lock(struct store *store, const struct uuid *id, struct person_record *person_out);
MUST_USE enum err store_person_lock_row(struct store *store, int64_t row_id, struct person_record *person_out);
MUST_USE enum err store_person_by_email(struct store *store, struct str normal_email, struct person_record *person_out);
/*
 * What a token says of a person, the personal fields left sealed. Held until the transaction ends: nobody loses a
 * right or is suspended between this and the token.
 */
MUST_USE enum err store_person_standing(struct store *store, int64_t row_id, struct person_record *person_out);
/*
 * The same of several in one statement of a pipeline, without what is granted (`has_more` tells) and without the hold:
 * they must be held already, by a statement that has been flushed. Those that are there come out, at most `limit`.
 */
MUST_USE enum err store_person_standing_many_queue(struct store *store, const int64_t *row_ids, size_t count);
MUST_USE enum err store_person_standing_many_next(
	struct store *store, size_t limit, struct person_record *people_out, size_t *count_out);
/* The same hold alone; queued. What is read next is of after whatever was waited for. */
MUST_USE enum err store_person_hold(struct store *store, int64_t row_id);
/* In the order of their making, after `after`, erased ones left out. */
MUST_USE enum err store_person_list(struct store *store, const struct uuid *after, size_t limit,
	struct person_record *people_out, size_t *count_out);
/* Those of `ids` that are active, into ids_out, which has room for all. */
MUST_USE enum err store_person_active(
	struct store *store, const struct uuid *ids, size_t count, struct uuid *ids_out, size_t *count_out);

/* Makes the person's key, seals, indexes; fills row_id. ERR_CONFLICT: the address is taken. */
MUST_USE enum err store_person_insert(
	struct store *store, struct person_record *person, struct str normal_email, instant_us now);
/* Writes names, locale, status and email_verified_at of a locked person; the address stays. Fills version. */
MUST_USE enum err store_person_update(struct store *store, struct person_record *person, instant_us now);
/* Makes the person's roles these; `granted_by` nil: the system. */
MUST_USE enum err store_person_set_roles(struct store *store, const struct person_record *person,
	const struct str *roles, size_t count, const struct uuid *granted_by, instant_us now);
/* Active, verified people with the role, without this one. */
MUST_USE enum err store_person_others(
	struct store *store, const struct person_record *person, const char *role, int64_t *count_out);
/*
 * Removes all but the id of a locked person, who is then erased: fields, roles, credential, sessions, grants, codes,
 * mails, a change of address. The key stays until the person's events have left (seal_erase). *rows_out: rows deleted
 * or made anonymous.
 */
MUST_USE enum err store_person_erase(
	struct store *store, struct person_record *person, instant_us now, int64_t *rows_out);

/* What a sign-in needs to know, in one statement that costs the same whether there is such a person or not. */
struct sign_in_record {
	bool found; /* with a credential */
	int64_t row_id;
	struct uuid id;
	enum person_status status;
	struct str encoded;
	int64_t pepper_epoch;
};
MUST_USE enum err store_person_sign_in(struct store *store, struct str normal_email, struct sign_in_record *out);
MUST_USE enum err store_credential_put(
	struct store *store, int64_t person_row_id, struct str encoded, int64_t pepper_epoch, instant_us now);
/* The same password anew; does nothing when another password was set meanwhile. */
MUST_USE enum err store_credential_rehash(struct store *store, const struct sign_in_record *old, struct str encoded,
	int64_t pepper_epoch, instant_us now);

/* Blind index of an address within the tenant; also the name of an account for counting attempts. */
void store_person_index(const struct seal *seal, const struct uuid *tenant_id, struct str normal_email,
	uint8_t index_out[SEAL_INDEX_LEN]);

#endif
