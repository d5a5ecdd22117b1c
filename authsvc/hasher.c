/* SPDX-License-Identifier: Apache-2.0 */
#include "hasher.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "base/wait.h"
#include "hash_memory.h"

#define KEYED_LEN 64

struct peppers {
	struct key_epoch keys[HASHER_PEPPERS_MAX];
	size_t count;
};

struct hasher {
	struct peppers *peppers; /* locked memory */
	struct hash nobody;
	pthread_mutex_t mutex;
	pthread_cond_t freed;
	size_t slots, queue;
	size_t running, waiting;
	uint64_t done, refused;
};

static enum err hasher_open_locks(struct hasher *hasher)
{
	if (pthread_mutex_init(&hasher->mutex, NULL) != 0)
		return ERR_INTERNAL;
	wait_init(&hasher->freed);
	return OK;
}

/* Waits for a slot. The count of waiting threads is bounded, so a storm of sign-ins cannot pile up. */
static enum err slot_take(struct hasher *hasher, uint64_t deadline_us)
{
	enum err err = OK;

	(void)pthread_mutex_lock(&hasher->mutex);
	if (hasher->running >= hasher->slots && hasher->waiting >= hasher->queue) {
		err = ERR_OVERLOADED;
	} else {
		hasher->waiting++;
		while (err == OK && hasher->running >= hasher->slots) {
			if (!wait_until(&hasher->freed, &hasher->mutex, deadline_us))
				err = ERR_OVERLOADED;
		}
		hasher->waiting--;
	}
	if (err == OK)
		hasher->running++;
	else
		hasher->refused++;
	(void)pthread_mutex_unlock(&hasher->mutex);
	return err;
}

static void slot_give(struct hasher *hasher)
{
	(void)pthread_mutex_lock(&hasher->mutex);
	hasher->running--;
	hasher->done++;
	(void)pthread_cond_signal(&hasher->freed);
	(void)pthread_mutex_unlock(&hasher->mutex);
}

/* What Argon2id is fed with. */
static void keyed(const struct key_epoch *pepper, struct str password, uint8_t out[KEYED_LEN])
{
	static const uint8_t personal[crypto_generichash_blake2b_PERSONALBYTES] = "password";

	INVARIANT(crypto_generichash_blake2b_salt_personal(out, KEYED_LEN, (const uint8_t *)password.p, password.len,
			  pepper->key, sizeof(pepper->key), NULL, personal) == 0);
}

static enum err make(const struct key_epoch *pepper, struct str password, struct hash *hash_out)
{
	_Static_assert(HASHER_TEXT_MAX + 1 >= crypto_pwhash_STRBYTES, "room for the encoded hash");
	uint8_t input[KEYED_LEN];
	int failed;

	*hash_out = (struct hash){.pepper_epoch = pepper->epoch};
	keyed(pepper, password, input);
	hash_memory_enter();
	failed = crypto_pwhash_str_alg(hash_out->text, (const char *)input, sizeof(input), HASHER_OPSLIMIT,
		HASHER_MEMLIMIT, crypto_pwhash_ALG_ARGON2ID13);
	hash_memory_leave();
	sodium_memzero(input, sizeof(input));
	return failed ? ERR_OVERLOADED : OK; /* it fails for want of memory only */
}

static enum err hasher_fill(struct hasher *hasher, const struct secret *peppers)
{
	char random[32];
	enum err err;

	if ((hasher->peppers = sodium_malloc(sizeof(*hasher->peppers))) == NULL)
		return ERR_OVERLOADED;
	memset(hasher->peppers, 0, sizeof(*hasher->peppers));
	if ((err = secret_to_keys(peppers, hasher->peppers->keys, HASHER_PEPPERS_MAX, &hasher->peppers->count)) != OK)
		return err;
	random_bytes(random, sizeof(random));
	return make(&hasher->peppers->keys[0], (struct str){random, sizeof(random)}, &hasher->nobody);
}

enum err hasher_new(const struct secret *peppers, size_t slots, size_t queue, struct hasher **hasher_out)
{
	struct hasher *hasher = calloc(1, sizeof(*hasher));
	enum err err;

	*hasher_out = NULL;
	if (hasher == NULL)
		return ERR_OVERLOADED;
	hasher->slots = slots;
	hasher->queue = queue;
	if ((err = hasher_open_locks(hasher)) == OK)
		err = hasher_fill(hasher, peppers);
	if (err != OK)
		hasher_free(&hasher);
	*hasher_out = hasher;
	return err;
}

void hasher_free(struct hasher **hasher)
{
	if (*hasher == NULL)
		return;
	if ((*hasher)->peppers != NULL)
		sodium_free((*hasher)->peppers);
	free(*hasher);
	*hasher = NULL;
}

enum err hasher_make(struct hasher *hasher, struct str password, uint64_t deadline_us, struct hash *hash_out)
{
	enum err err;

	if ((err = slot_take(hasher, deadline_us)) != OK)
		return err;
	err = make(&hasher->peppers->keys[0], password, hash_out);
	slot_give(hasher);
	return err;
}

static const struct key_epoch *pepper_of(const struct hasher *hasher, int64_t epoch)
{
	for (size_t i = 0; i < hasher->peppers->count; i++) {
		if (hasher->peppers->keys[i].epoch == epoch)
			return &hasher->peppers->keys[i];
	}
	return NULL;
}

enum err hasher_check(struct hasher *hasher, struct str password, struct str text, int64_t pepper_epoch,
	uint64_t deadline_us, bool *match_out, bool *stale_out)
{
	const struct key_epoch *pepper = pepper_of(hasher, pepper_epoch);
	char encoded[HASHER_TEXT_MAX + 1] = {0};
	bool real = text.len > 0 && text.len <= HASHER_TEXT_MAX && pepper != NULL;
	uint8_t input[KEYED_LEN];
	enum err err;

	*match_out = *stale_out = false;
	memcpy(encoded, real ? text.p : hasher->nobody.text, real ? text.len : strlen(hasher->nobody.text));
	keyed(real ? pepper : &hasher->peppers->keys[0], password, input);
	if ((err = slot_take(hasher, deadline_us)) != OK)
		goto done;
	hash_memory_enter();
	*match_out = crypto_pwhash_str_verify(encoded, (const char *)input, sizeof(input)) == 0 && real;
	hash_memory_leave();
	slot_give(hasher);
	if (*match_out)
		*stale_out = pepper_epoch != hasher->peppers->keys[0].epoch ||
		             crypto_pwhash_str_needs_rehash(encoded, HASHER_OPSLIMIT, HASHER_MEMLIMIT) != 0;
done:
	sodium_memzero(input, sizeof(input));
	return err;
}

struct hasher_counts hasher_counts(struct hasher *hasher)
{
	struct hasher_counts counts;

	(void)pthread_mutex_lock(&hasher->mutex);
	counts = (struct hasher_counts){hasher->done, hasher->refused, hasher->running, hasher->waiting};
	(void)pthread_mutex_unlock(&hasher->mutex);
	return counts;
}
