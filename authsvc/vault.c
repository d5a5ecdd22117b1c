/* SPDX-License-Identifier: Apache-2.0 */
#include "vault.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

struct vault {
	uint8_t *key; /* locked memory */
};

static const char *const purposes[VAULT_PURPOSES] = {
	[VAULT_CLIENT_SECRET] = "client-secret",
	[VAULT_SESSION] = "session",
	[VAULT_CODE] = "code",
	[VAULT_REQUEST] = "request",
	[VAULT_INVITATION] = "invitation",
	[VAULT_VERIFICATION] = "verification",
	[VAULT_REFRESH] = "refresh",
	[VAULT_CSRF] = "csrf",
	[VAULT_CURSOR] = "cursor",
	[VAULT_THROTTLE] = "throttle",
	[VAULT_RECOVERY] = "recovery",
	[VAULT_PENDING] = "pending",
	[VAULT_RESET] = "reset",
	[VAULT_PUSHED] = "pushed",
	[VAULT_CHALLENGE] = "challenge",
	[VAULT_CREDENTIAL] = "credential",
	[VAULT_DEVICE] = "device",
	[VAULT_USER_CODE] = "user code",
	[VAULT_EMAIL_OLD] = "email-old",
	[VAULT_EMAIL_NEW] = "email-new",
	[VAULT_BROWSER] = "browser",
};

enum err vault_new(const struct secret *secret, struct vault **vault_out)
{
	struct key_epoch keys[1];
	struct vault *vault;
	size_t count;
	enum err err;

	*vault_out = NULL;
	if ((err = secret_to_keys(secret, keys, 1, &count)) != OK)
		return err;
	vault = calloc(1, sizeof(*vault));
	if (vault == NULL || (vault->key = sodium_malloc(sizeof(keys[0].key))) == NULL) {
		free(vault);
		sodium_memzero(keys, sizeof(keys));
		return ERR_OVERLOADED;
	}
	memcpy(vault->key, keys[0].key, sizeof(keys[0].key));
	sodium_memzero(keys, sizeof(keys));
	(void)sodium_mprotect_readonly(vault->key);
	*vault_out = vault;
	return OK;
}

void vault_free(struct vault **vault)
{
	if (*vault == NULL)
		return;
	sodium_free((*vault)->key);
	free(*vault);
	*vault = NULL;
}

static void hash_begin(crypto_generichash_blake2b_state *state, const struct vault *vault, enum vault_purpose purpose)
{
	uint8_t personal[crypto_generichash_blake2b_PERSONALBYTES] = {0};

	memcpy(personal, purposes[purpose], strlen(purposes[purpose]));
	INVARIANT(crypto_generichash_blake2b_init_salt_personal(
			  state, vault->key, 32, VAULT_HASH_LEN, NULL, personal) == 0);
}

struct vault_hash vault_hash(const struct vault *vault, enum vault_purpose purpose, struct str bytes)
{
	return vault_hash_parts(vault, purpose, &bytes, 1);
}

struct vault_hash vault_hash_parts(
	const struct vault *vault, enum vault_purpose purpose, const struct str *parts, size_t count)
{
	crypto_generichash_blake2b_state state;
	struct vault_hash hash;

	hash_begin(&state, vault, purpose);
	for (size_t i = 0; i < count; i++) {
		uint8_t len[4] = {(uint8_t)(parts[i].len >> 24), (uint8_t)(parts[i].len >> 16),
			(uint8_t)(parts[i].len >> 8), (uint8_t)parts[i].len};

		crypto_generichash_blake2b_update(&state, len, sizeof(len));
		if (parts[i].len > 0)
			crypto_generichash_blake2b_update(&state, (const uint8_t *)parts[i].p, parts[i].len);
	}
	crypto_generichash_blake2b_final(&state, hash.b, sizeof(hash.b));
	sodium_memzero(&state, sizeof(state));
	return hash;
}

bool vault_hash_eq(const struct vault_hash *hash, struct str other)
{
	return other.len == sizeof(hash->b) && sodium_memcmp(hash->b, other.p, sizeof(hash->b)) == 0;
}

struct str vault_hash_str(const struct vault_hash *hash)
{
	return (struct str){(const char *)hash->b, sizeof(hash->b)};
}
