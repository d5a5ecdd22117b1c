/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_STORE_MAIL_H
#define BERTH_AUTHSVC_STORE_MAIL_H

#include "store.h"

/* Links sent by mail, and the mails that wait to be sent. */
enum link_kind { LINK_INVITATION, LINK_VERIFICATION, LINK_RESET };

/* Makes older links of the kind worthless, but for resets: a stranger may ask for those. */
MUST_USE enum err store_link_insert(
	struct store *store, enum link_kind kind, int64_t person_row_id, struct str token_hash, instant_us now);
/* Whose unused, unexpired link it is: ERR_NOT_FOUND. `take`: it is used by this; of two at once one gets it. */
MUST_USE enum err store_link_find(struct store *store, enum link_kind kind, struct str token_hash, bool take,
	instant_us now, int64_t *person_row_id_out);

/* Makes every link of the kind worthless. */
MUST_USE enum err store_link_void(struct store *store, enum link_kind kind, int64_t person_row_id, instant_us now);

/* Sealed to the person it goes to, whose key must exist. Forgotten at `expires_at`, sent or not. */
MUST_USE enum err store_mail_insert(struct store *store, const struct uuid *person_id, struct str recipient,
	struct str subject, struct str text, instant_us expires_at, instant_us now);

/* For the job, with the jobs role. */
struct mail_record {
	int64_t row_id;
	int64_t attempts; /* this one included */
	instant_us expires_at;
	struct str recipient, subject, text; /* opened; absent when the person was erased */
};
/* One mail that is due, not due again before now + lease. ERR_NOT_FOUND. Commits. */
MUST_USE enum err store_mail_claim(struct db *jobs, struct seal *seal, struct arena *arena, instant_us now,
	int64_t lease_us, struct mail_record *mail_out);
MUST_USE enum err store_mail_defer(struct db *jobs, int64_t row_id, instant_us next_at);
MUST_USE enum err store_mail_delete(struct db *jobs, int64_t row_id);

#endif
