/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_STORE_FACTOR_H
#define BERTH_AUTHSVC_STORE_FACTOR_H

#include "rules_factor.h"
#include "store.h"

/* Second factors and recovery codes of a person. */
#define FACTORS_MAX 20 /* of one person, those that are being set up included */

struct factor_record {
	int64_t row_id;
	struct uuid id;
	enum factor_kind kind;
	struct str data; /* opened; by kind */
	int64_t counter;
	instant_us created_at, confirmed_at, used_at; /* confirmed_at 0: being set up */
	struct str credential_hash;                   /* of a passkey; absent else */
	bool backup_eligible, backed_up;
};

/* `data` is sealed under the person's key. Fills row_id. */
MUST_USE enum err store_factor_insert(struct store *store, int64_t person_row_id, const struct uuid *person_id,
	struct factor_record *factor, instant_us now);
/* Oldest first, FACTORS_MAX at most. */
MUST_USE enum err store_factor_list(struct store *store, int64_t person_row_id, const struct uuid *person_id,
	struct factor_record *factors_out, size_t *count_out);
/* Uses it at `counter`, and confirms it. ERR_NOT_FOUND: a counter as high was used before, or it is gone. */
MUST_USE enum err store_factor_use(
	struct store *store, const struct factor_record *factor, int64_t counter, instant_us now);
MUST_USE enum err store_factor_delete(struct store *store, const struct factor_record *factor);
/* A passkey, confirmed by its own registration. ERR_CONFLICT: somebody in the tenant has it already. */
MUST_USE enum err store_passkey_insert(struct store *store, int64_t person_row_id, const struct uuid *person_id,
	struct factor_record *factor, instant_us now);
/* Keeps counter and backed_up of a passkey that was used. ERR_NOT_FOUND: it was used meanwhile, or is gone. */
MUST_USE enum err store_passkey_use(struct store *store, const struct factor_record *factor, instant_us now);
/* ERR_CONFLICT: the challenge was answered before. Only good once committed. */
MUST_USE enum err store_passkey_spend(struct store *store, struct str challenge_hash, instant_us expires_at);
/* All of them, and the recovery codes. */
MUST_USE enum err store_factor_delete_person(struct store *store, int64_t person_row_id);

/*
 * What the factor proved is worth a password from now on: live sessions, grants and codes of the person, and all that
 * no factor is known of; what rests on the factor without a password ends. Access tokens of the person are revoked; a
 * refresh gives one that says so.
 */
MUST_USE enum err store_factor_lower(
	struct store *store, int64_t person_row_id, const struct uuid *person_id, const struct uuid *factor_id);

struct factor_standing {
	int64_t factors, codes; /* confirmed; unused */
	struct str encoded;     /* the password's hash, "" without one: what a sign-in under way is bound to */
};
MUST_USE enum err store_factor_standing(
	struct store *store, int64_t person_row_id, struct factor_standing *standing_out);

/* These from now on; the hashes in hex. */
MUST_USE enum err store_recovery_replace(
	struct store *store, int64_t person_row_id, const struct str *hashes, size_t count, instant_us now);
/* ERR_NOT_FOUND: no unused code of the person. */
MUST_USE enum err store_recovery_use(struct store *store, int64_t person_row_id, struct str hash, instant_us now);

struct recovery_view {
	instant_us created_at, used_at; /* used_at 0: not */
};
MUST_USE enum err store_recovery_list(
	struct store *store, int64_t person_row_id, size_t limit, struct recovery_view *codes_out, size_t *count_out);

#endif
