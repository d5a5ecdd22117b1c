/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_STORE_LOGOUT_H
#define BERTH_AUTHSVC_STORE_LOGOUT_H

#include "store.h"

/* Clients that are still to be told of a session's end: one row for each client that got an ID token in it. */

/* For the sessions of the person that this transaction ended, `ended_at` being the instant that it wrote there. */
MUST_USE enum err store_logout_put(struct store *store, int64_t person_row_id, instant_us ended_at);

struct logout_view {
	struct uuid client_id, session_id;
	instant_us created_at;
};
/* For the data subject. */
MUST_USE enum err store_logout_list(struct store *store, const struct uuid *person_id, size_t limit,
	struct logout_view *notices_out, size_t *count_out);

/* -- for the job that tells, with the jobs role -- */
struct logout_record {
	int64_t row_id, client_row_id;
	struct uuid tenant_id, session_id, person_id, client_id;
	int64_t attempts; /* with this one */
	instant_us expires_at;
	struct str uri; /* p == NULL: nobody wants to be told any more */
	struct str id_token_alg;
};
/* The one that is due longest, ours until `lease_us` from now. ERR_NOT_FOUND: none is. */
MUST_USE enum err store_logout_claim(
	struct db *jobs, struct arena *arena, instant_us now, int64_t lease_us, struct logout_record *notice_out);
MUST_USE enum err store_logout_delete(struct db *jobs, int64_t row_id);
/* `all`: whatever else the same client is to be told waits as long. */
MUST_USE enum err store_logout_defer(struct db *jobs, const struct logout_record *notice, bool all, instant_us next_at);
/* In a transaction of the tenant. ERR_NOT_FOUND: somebody else did. */
MUST_USE enum err store_logout_give_up(struct store *store, int64_t row_id);

#endif
