/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_STORE_KEY_H
#define BERTH_AUTHSVC_STORE_KEY_H

#include "store.h"

/* Signing keys. They belong to no tenant: begin the store in STORE_NO_TENANT. */
#define KEY_RECORDS_MAX 32

struct key_record {
	struct uuid id;
	struct str kid, alg;
	enum key_state state;
	struct str public_jwk;
	struct str private_der; /* opened; absent when retired. Wipe it. */
	instant_us created_at, activated_at, retired_at;
};

/* Other replicas wait until the transaction ends. */
MUST_USE enum err store_key_lock(struct store *store);
/* At most KEY_RECORDS_MAX, oldest first. `open`: private parts too. */
MUST_USE enum err store_key_list(
	struct store *store, bool open, struct key_record records_out[KEY_RECORDS_MAX], size_t *count_out);
MUST_USE enum err store_key_insert(struct store *store, const struct key_record *record);
/* The active key of the algorithm retires and the next one takes over. */
MUST_USE enum err store_key_promote(struct store *store, struct str alg, instant_us now);
MUST_USE enum err store_key_forget(struct store *store, instant_us retired_before);

#endif
