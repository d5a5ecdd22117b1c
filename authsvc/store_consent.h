/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_STORE_CONSENT_H
#define BERTH_AUTHSVC_STORE_CONSENT_H

#include "store.h"

/* What people let clients have. */
#define CONSENTS_MAX 200

struct consent_record {
	struct uuid id, client_id;
	struct str client_name, scope;
	instant_us created_at, changed_at;
};

/* The scope agreed to; it is not withdrawn before the transaction ends. ERR_NOT_FOUND: nothing was. */
MUST_USE enum err store_consent_read(
	struct store *store, int64_t person_row_id, int64_t client_row_id, struct str *scope_out);
/* Agrees to the scope, all of it from now on; `id_out` is that of the consent, old or new. */
MUST_USE enum err store_consent_put(struct store *store, int64_t person_row_id, int64_t client_row_id, struct str scope,
	instant_us now, struct uuid *id_out);
/* Oldest first; `consents_out` has room for `limit`. */
MUST_USE enum err store_consent_list(struct store *store, int64_t person_row_id, size_t limit,
	struct consent_record *consents_out, size_t *count_out);
/*
 * Ends the consent and whatever came of it: unused codes, devices that wait, grants, access tokens. ERR_NOT_FOUND: the
 * person has no such consent.
 */
MUST_USE enum err store_consent_withdraw(
	struct store *store, int64_t person_row_id, const struct uuid *id, instant_us now);
/* All that a person agreed to, without what came of it. */
MUST_USE enum err store_consent_delete_person(struct store *store, int64_t person_row_id);

#endif
