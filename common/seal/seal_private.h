/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_SEAL_SEAL_PRIVATE_H
#define BERTH_SEAL_SEAL_PRIVATE_H

/* Private to common/seal: the vault, and wrapping without a database. */
#include "seal/seal.h"

#define SEAL_KEY_LEN 32U
#define SEAL_MASTERS_MAX 16U
#define SEAL_WRAPPED_LEN (SEAL_OVERHEAD + SEAL_KEY_LEN)
#define SEAL_VERSION 1U

struct seal_key {
	uint8_t key[SEAL_KEY_LEN];
	struct seal *seal;
	bool used;
};

/* All that must not be swapped, dumped or left behind, in one locked piece. */
struct seal_vault {
	struct key_epoch masters[SEAL_MASTERS_MAX];
	uint8_t index_key[SEAL_KEY_LEN];
	uint8_t scratch[SEAL_KEY_LEN]; /* a key between being made or unwrapped and being wrapped */
	struct seal_key slots[SEAL_KEYS_MAX];
};

struct seal {
	char service[32];
	size_t master_count;
	struct seal_vault *vault;
	uint16_t free_slots[SEAL_KEYS_MAX];
	size_t free_count;
};

/* Whose key: what the wrapping binds it to. */
struct seal_owner {
	struct uuid tenant_id, subject_id;
};

/* A slot without contents; NULL when all are in use. */
struct seal_key *seal_key_take(struct seal *seal);
/* The newest master key's epoch. */
int64_t seal_epoch(const struct seal *seal);
void seal_wrap(const struct seal *seal, const struct seal_owner *owner, const uint8_t key[SEAL_KEY_LEN],
	uint8_t wrapped_out[SEAL_WRAPPED_LEN]);
/* ERR_INTERNAL (logged): not wrapped for this owner under this epoch, or the epoch's master key is not here. */
MUST_USE enum err seal_unwrap(const struct seal *seal, const struct seal_owner *owner, int64_t epoch,
	struct str wrapped, uint8_t key_out[SEAL_KEY_LEN]);

#endif
