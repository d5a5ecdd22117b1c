/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_VAULT_H
#define BERTH_AUTHSVC_VAULT_H

#include "base/config.h"
#include "base/id.h"

/*
 * Keyed hashes (BLAKE2b-256) of what must not stand readable in a database: one key from a secret file, one
 * personalisation for each purpose, so that a hash of one kind is worthless as another. Immutable; any thread may
 * use it.
 */
#define VAULT_HASH_LEN 32

enum vault_purpose {
	VAULT_CLIENT_SECRET,
	VAULT_SESSION,
	VAULT_CODE,
	VAULT_REQUEST,
	VAULT_INVITATION,
	VAULT_VERIFICATION,
	VAULT_REFRESH,
	VAULT_CSRF,
	VAULT_CURSOR,
	VAULT_THROTTLE,
	VAULT_RECOVERY,
	VAULT_PENDING,
	VAULT_RESET,
	VAULT_PUSHED,
	VAULT_CHALLENGE,
	VAULT_CREDENTIAL,
	VAULT_DEVICE,
	VAULT_USER_CODE,
	VAULT_EMAIL_OLD,
	VAULT_EMAIL_NEW,
	VAULT_BROWSER,
	VAULT_PURPOSES
};

struct vault_hash {
	uint8_t b[VAULT_HASH_LEN];
};

struct vault;

MUST_USE enum err vault_new(const struct secret *secret, struct vault **vault_out);
void vault_free(struct vault **vault);

struct vault_hash vault_hash(const struct vault *vault, enum vault_purpose purpose, struct str bytes);
/* Of several parts, each with its length, so that no two lists of parts look the same. */
struct vault_hash vault_hash_parts(
	const struct vault *vault, enum vault_purpose purpose, const struct str *parts, size_t count);
bool vault_hash_eq(const struct vault_hash *hash, struct str other); /* constant time */
struct str vault_hash_str(const struct vault_hash *hash);            /* borrows */

#endif
