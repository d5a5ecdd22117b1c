/* SPDX-License-Identifier: Apache-2.0 */
#include "note.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define SEEDS_MAX 8

struct signer {
	uint8_t *secret_key; /* sodium_malloc */
	uint8_t public_key[PUBLIC_KEY_LEN];
};

static_assert(crypto_sign_BYTES == SIGNATURE_LEN, "Ed25519");
static_assert(crypto_sign_PUBLICKEYBYTES == PUBLIC_KEY_LEN, "Ed25519");
static_assert(crypto_sign_SEEDBYTES == sizeof(((struct key_epoch *)0)->key), "a seed is one key");

enum err note_signer_new(const struct secret *seed, struct signer **signer_out)
{
	struct key_epoch seeds[SEEDS_MAX];
	struct signer *signer = NULL;
	size_t count = 0;
	enum err err;

	*signer_out = NULL;
	if ((err = secret_to_keys(seed, seeds, SEEDS_MAX, &count)) != OK)
		goto done;
	if (count == 0) {
		err = ERR_BAD_FIELD;
		goto done;
	}
	signer = calloc(1, sizeof(*signer));
	if (!signer || !(signer->secret_key = sodium_malloc(crypto_sign_SECRETKEYBYTES))) {
		err = ERR_OVERLOADED;
		goto done;
	}
	(void)crypto_sign_seed_keypair(signer->public_key, signer->secret_key, seeds[0].key);
	*signer_out = signer;
	signer = NULL;
done:
	sodium_memzero(seeds, sizeof(seeds));
	note_signer_free(&signer);
	return err;
}

void note_signer_free(struct signer **signer)
{
	if (!signer || !*signer)
		return;
	sodium_free((*signer)->secret_key);
	free(*signer);
	*signer = NULL;
}

static void put_base64(struct buf *out, const struct hash *root)
{
	char text[sodium_base64_ENCODED_LEN(HASH_LEN, sodium_base64_VARIANT_ORIGINAL)];

	(void)sodium_bin2base64(text, sizeof(text), root->b, HASH_LEN, sodium_base64_VARIANT_ORIGINAL);
	buf_put_c(out, text);
}

void note_write(const struct head_row *head, struct buf *out)
{
	char at[INSTANT_TEXT_MAX];

	instant_format(head->at, at);
	buf_put_str(out, head->origin);
	buf_printf(out, "\n%llu\n", (unsigned long long)head->size);
	put_base64(out, &head->root);
	buf_printf(out, "\n%s\n", at);
}

enum err note_sign(const struct signer *signer, struct head_row *head)
{
	struct buf note;
	enum err err = OK;

	buf_init(&note, NOTE_LEN_MAX);
	note_write(head, &note);
	if (!buf_ok(&note))
		err = ERR_TOO_LARGE;
	else if (crypto_sign_detached(head->signature, NULL, (const uint8_t *)note.p, note.len, signer->secret_key))
		err = ERR_INTERNAL;
	memcpy(head->public_key, signer->public_key, PUBLIC_KEY_LEN);
	buf_release(&note);
	return err;
}

bool note_verify(const struct head_row *head)
{
	struct buf note;
	bool good;

	buf_init(&note, NOTE_LEN_MAX);
	note_write(head, &note);
	good = buf_ok(&note) &&
	       crypto_sign_verify_detached(head->signature, (const uint8_t *)note.p, note.len, head->public_key) == 0;
	buf_release(&note);
	return good;
}
