/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_STORE_EMAIL_H
#define BERTH_AUTHSVC_STORE_EMAIL_H

#include "store_person.h"

/* A change of address that waits for both addresses; a person has one at most. */
struct email_change {
	int64_t row_id;
	struct uuid id;
	int64_t person_row_id;
	struct str email; /* the new one, opened; absent from store_email_find */
	instant_us created_at, expires_at;
	bool old_confirmed, new_confirmed;
};
enum email_side { EMAIL_OLD, EMAIL_NEW };

/* Takes the place of one that waited; fills row and times in. */
MUST_USE enum err store_email_insert(struct store *store, const struct uuid *person_id, struct email_change *change,
	struct str old_token_hash, struct str new_token_hash, instant_us now);
/* Whose link it is, unless it was used or has expired: ERR_NOT_FOUND. */
MUST_USE enum err store_email_find(struct store *store, enum email_side side, struct str token_hash, instant_us now,
	struct email_change *change_out);
/* The person's own, with its address: ERR_NOT_FOUND. */
MUST_USE enum err store_email_read(
	struct store *store, int64_t person_row_id, const struct uuid *person_id, struct email_change *change_out);
/* The person is locked. */
MUST_USE enum err store_email_confirm(
	struct store *store, struct email_change *change, enum email_side side, instant_us now);
MUST_USE enum err store_email_delete(struct store *store, int64_t person_row_id);
/* Gives a locked person the address, proved, and its index. ERR_CONFLICT: it is somebody else's. Fills version. */
MUST_USE enum err store_email_swap(
	struct store *store, struct person_record *person, struct str email, struct str normal_email, instant_us now);

#endif
