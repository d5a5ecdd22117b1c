/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/seal.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "seal/seal_private.h"

#define NONCE_LEN crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_LEN crypto_aead_xchacha20poly1305_ietf_ABYTES
#define NAME_MAX_LEN 63
/* Two ids, an epoch, four names with their lengths. */
#define CONTEXT_MAX 400

_Static_assert(SEAL_OVERHEAD == 1 + NONCE_LEN + TAG_LEN, "version, nonce, tag");
_Static_assert(SEAL_KEY_LEN == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "one key length");
_Static_assert(SEAL_INDEX_LEN == crypto_generichash_BYTES, "BLAKE2b-256");

/* What a sealed value is bound to: every part with its length, so that no two places read the same. */
struct context {
	uint8_t bytes[CONTEXT_MAX];
	size_t len;
};

static void context_put(struct context *context, const void *bytes, size_t len)
{
	INVARIANT(len <= 255 && context->len + 1 + len <= sizeof(context->bytes));
	context->bytes[context->len++] = (uint8_t)len;
	memcpy(context->bytes + context->len, bytes, len);
	context->len += len;
}

static void context_put_name(struct context *context, const char *name)
{
	size_t len = strlen(name);

	INVARIANT(len > 0 && len <= NAME_MAX_LEN);
	context_put(context, name, len);
}

static void context_put_id(struct context *context, const struct uuid *id)
{
	context_put(context, id ? id->b : UUID_NIL.b, sizeof(id->b));
}

enum err seal_new(const char *service, const struct key_epoch *masters, size_t count, const struct key_epoch *index_key,
	struct seal **seal_out)
{
	struct seal *seal;

	*seal_out = NULL;
	if (!service || !*service || strlen(service) >= sizeof(seal->service) || count == 0 || count > SEAL_MASTERS_MAX)
		return ERR_BAD_FIELD;
	for (size_t i = 1; i < count; i++)
		if (masters[i].epoch >= masters[i - 1].epoch)
			return ERR_BAD_FIELD;
	if (sodium_init() < 0 || !(seal = calloc(1, sizeof(*seal))))
		return ERR_OVERLOADED;
	seal->vault = sodium_malloc(sizeof(*seal->vault));
	if (!seal->vault) {
		free(seal);
		return ERR_OVERLOADED;
	}
	snprintf(seal->service, sizeof(seal->service), "%s", service);
	memset(seal->vault, 0, sizeof(*seal->vault));
	memcpy(seal->vault->masters, masters, count * sizeof(*masters));
	memcpy(seal->vault->index_key, index_key->key, SEAL_KEY_LEN);
	seal->master_count = count;
	while (seal->free_count < SEAL_KEYS_MAX) {
		seal->vault->slots[seal->free_count].seal = seal;
		seal->free_slots[seal->free_count] = (uint16_t)seal->free_count;
		seal->free_count++;
	}
	*seal_out = seal;
	return OK;
}

void seal_free(struct seal **seal)
{
	if (!seal || !*seal)
		return;
	INVARIANT((*seal)->free_count == SEAL_KEYS_MAX);
	sodium_free((*seal)->vault);
	free(*seal);
	*seal = NULL;
}

struct seal_key *seal_key_take(struct seal *seal)
{
	struct seal_key *key;

	if (seal->free_count == 0)
		return NULL;
	key = &seal->vault->slots[seal->free_slots[--seal->free_count]];
	key->used = true;
	return key;
}

void seal_key_free(struct seal_key **key)
{
	struct seal *seal;

	if (!key || !*key)
		return;
	INVARIANT((*key)->used);
	seal = (*key)->seal;
	sodium_memzero((*key)->key, SEAL_KEY_LEN);
	(*key)->used = false;
	seal->free_slots[seal->free_count++] = (uint16_t)(*key - seal->vault->slots);
	*key = NULL;
}

void seal_keys_free(struct seal_key **keys, size_t count)
{
	for (size_t i = 0; i < count; i++)
		seal_key_free(&keys[i]);
}

/* out: version, nonce, ciphertext with tag; SEAL_OVERHEAD longer than plain. */
static void encrypt(const uint8_t *key, const struct context *context, struct str plain, uint8_t *out)
{
	out[0] = SEAL_VERSION;
	random_bytes(out + 1, NONCE_LEN);
	crypto_aead_xchacha20poly1305_ietf_encrypt(out + 1 + NONCE_LEN, NULL, (const uint8_t *)plain.p, plain.len,
		context->bytes, context->len, NULL, out + 1, key);
}

/* plain_out has room for sealed.len - SEAL_OVERHEAD; at least one byte. */
static bool decrypt(const uint8_t *key, const struct context *context, struct str sealed, uint8_t *plain_out)
{
	const uint8_t *p = (const uint8_t *)sealed.p;

	if (sealed.len < SEAL_OVERHEAD || p[0] != SEAL_VERSION)
		return false;
	return crypto_aead_xchacha20poly1305_ietf_decrypt(plain_out, NULL, NULL, p + 1 + NONCE_LEN,
		       sealed.len - 1 - NONCE_LEN, context->bytes, context->len, p + 1, key) == 0;
}

static void place_context(const struct seal *seal, const struct seal_place *place, struct context *context_out)
{
	context_out->len = 0;
	context_put_name(context_out, "field");
	context_put_name(context_out, seal->service);
	context_put_id(context_out, place->tenant_id);
	context_put_name(context_out, place->table);
	context_put_name(context_out, place->column);
	context_put_id(context_out, place->row_id);
}

enum err seal_field(const struct seal_key *key, const struct seal_place *place, struct str plain, struct arena *arena,
	struct str *sealed_out)
{
	struct context context;
	uint8_t *out;

	*sealed_out = STR_NONE;
	if (!plain.p)
		return OK;
	if (!key)
		return ERR_GONE;
	if (plain.len > SEAL_PLAIN_MAX)
		return ERR_TOO_LARGE;
	if (!(out = arena_take(arena, plain.len + SEAL_OVERHEAD)))
		return ERR_OVERLOADED;
	place_context(key->seal, place, &context);
	encrypt(key->key, &context, plain, out);
	*sealed_out = (struct str){(const char *)out, plain.len + SEAL_OVERHEAD};
	return OK;
}

enum err seal_open(const struct seal_key *key, const struct seal_place *place, struct str sealed, struct arena *arena,
	struct str *plain_out)
{
	struct context context;
	uint8_t *out;

	*plain_out = STR_NONE;
	if (!sealed.p)
		return OK;
	if (!key)
		return ERR_GONE;
	if (sealed.len < SEAL_OVERHEAD || sealed.len - SEAL_OVERHEAD > SEAL_PLAIN_MAX)
		goto damaged;
	if (!(out = arena_take(arena, sealed.len - SEAL_OVERHEAD + 1)))
		return ERR_OVERLOADED;
	place_context(key->seal, place, &context);
	if (!decrypt(key->key, &context, sealed, out))
		goto damaged;
	*plain_out = (struct str){(const char *)out, sealed.len - SEAL_OVERHEAD};
	return OK;
damaged:
	log_event(LOG_ERROR, "seal_damaged", LOG_C("table", place->table), LOG_C("column", place->column),
		LOG_ID("row", place->row_id));
	return ERR_INTERNAL;
}

int64_t seal_epoch(const struct seal *seal)
{
	return seal->vault->masters[0].epoch;
}

static void owner_context(
	const struct seal *seal, const struct seal_owner *owner, int64_t epoch, struct context *context_out)
{
	uint8_t number[8];

	for (size_t i = 0; i < sizeof(number); i++)
		number[i] = (uint8_t)((uint64_t)epoch >> (56 - 8 * i));
	context_out->len = 0;
	context_put_name(context_out, "key");
	context_put_name(context_out, seal->service);
	context_put_id(context_out, &owner->tenant_id);
	context_put_id(context_out, &owner->subject_id);
	context_put(context_out, number, sizeof(number));
}

void seal_wrap(const struct seal *seal, const struct seal_owner *owner, const uint8_t key[SEAL_KEY_LEN],
	uint8_t wrapped_out[SEAL_WRAPPED_LEN])
{
	struct context context;

	owner_context(seal, owner, seal_epoch(seal), &context);
	encrypt(seal->vault->masters[0].key, &context, (struct str){(const char *)key, SEAL_KEY_LEN}, wrapped_out);
}

enum err seal_unwrap(const struct seal *seal, const struct seal_owner *owner, int64_t epoch, struct str wrapped,
	uint8_t key_out[SEAL_KEY_LEN])
{
	struct context context;
	size_t i = 0;

	while (i < seal->master_count && seal->vault->masters[i].epoch != epoch)
		i++;
	if (i < seal->master_count && wrapped.len == SEAL_WRAPPED_LEN) {
		owner_context(seal, owner, epoch, &context);
		if (decrypt(seal->vault->masters[i].key, &context, wrapped, key_out))
			return OK;
	}
	log_event(LOG_ERROR, i < seal->master_count ? "seal_key_damaged" : "seal_epoch_unknown", LOG_I("epoch", epoch),
		LOG_ID("tenant", &owner->tenant_id), LOG_ID("subject", &owner->subject_id));
	return ERR_INTERNAL;
}

void seal_index(const struct seal *seal, const struct uuid *tenant_id, const char *column, struct str normalised,
	uint8_t index_out[SEAL_INDEX_LEN])
{
	struct context context = {.len = 0};
	crypto_generichash_state state;

	context_put_name(&context, "index");
	context_put_name(&context, seal->service);
	context_put_id(&context, tenant_id);
	context_put_name(&context, column);
	/* The value stands last and alone, so it needs no length. */
	crypto_generichash_init(&state, seal->vault->index_key, SEAL_KEY_LEN, SEAL_INDEX_LEN);
	crypto_generichash_update(&state, context.bytes, context.len);
	crypto_generichash_update(&state, (const uint8_t *)normalised.p, normalised.len);
	crypto_generichash_final(&state, index_out, SEAL_INDEX_LEN);
	sodium_memzero(&state, sizeof(state));
}
