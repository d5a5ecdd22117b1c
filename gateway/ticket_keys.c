/* SPDX-License-Identifier: Apache-2.0 */
#include "ticket_keys.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>

static bool key_make(struct ticket_key *key, uint64_t now_us)
{
	if (RAND_bytes(key->name, sizeof key->name) != 1 || RAND_bytes(key->aes, sizeof key->aes) != 1 ||
		RAND_bytes(key->mac, sizeof key->mac) != 1) {
		OPENSSL_cleanse(key, sizeof *key);
		return false;
	}
	key->made_us = now_us;
	return true;
}

static void key_expire(struct ticket_key *key, uint64_t now_us)
{
	if (key->made_us != 0 && now_us - key->made_us >= 2 * TICKET_KEYS_LIFE_US)
		OPENSSL_cleanse(key, sizeof *key);
}

bool ticket_keys_age(struct ticket_keys *keys, uint64_t now_us)
{
	key_expire(&keys->before, now_us);
	if (keys->now.made_us != 0 && now_us - keys->now.made_us < TICKET_KEYS_LIFE_US)
		return true;
	keys->before = keys->now;
	key_expire(&keys->before, now_us);
	return key_make(&keys->now, now_us);
}

const struct ticket_key *ticket_keys_sealing(struct ticket_keys *keys, uint64_t now_us)
{
	return ticket_keys_age(keys, now_us) ? &keys->now : NULL;
}

const struct ticket_key *ticket_keys_opening(
	struct ticket_keys *keys, const uint8_t name[TICKET_KEYS_NAME_LEN], uint64_t now_us, bool *old_out)
{
	if (!ticket_keys_age(keys, now_us))
		return NULL;
	*old_out = false;
	if (CRYPTO_memcmp(keys->now.name, name, TICKET_KEYS_NAME_LEN) == 0)
		return &keys->now;
	*old_out = true;
	if (keys->before.made_us != 0 && CRYPTO_memcmp(keys->before.name, name, TICKET_KEYS_NAME_LEN) == 0)
		return &keys->before;
	return NULL;
}

void ticket_keys_wipe(struct ticket_keys *keys)
{
	OPENSSL_cleanse(keys, sizeof *keys);
}
