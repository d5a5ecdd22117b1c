/* SPDX-License-Identifier: Apache-2.0 */
#include "keys.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/buf.h"

#define DOCUMENT_MAX (64U * 1024U)

struct key_set {
	atomic_size_t references;
	struct signing_key *active[JWK_ALG_COUNT];
	struct buf document; /* {"keys":[… and "]}" once it is finished */
	bool finished;
};

struct keys {
	pthread_mutex_t mutex;
	struct key_set *held;
};

struct key_set *keys_set_new(void)
{
	struct key_set *set = calloc(1, sizeof(*set));

	if (set == NULL)
		return NULL;
	atomic_init(&set->references, 1);
	buf_init(&set->document, DOCUMENT_MAX);
	buf_put_c(&set->document, "{\"keys\":[");
	return set;
}

enum err keys_set_add(struct key_set *set, struct str public_jwk, struct signing_key **active)
{
	if (set->document.p != NULL && set->document.len > 0 && set->document.p[set->document.len - 1] != '[')
		buf_put_byte(&set->document, ',');
	buf_put_str(&set->document, public_jwk);
	if (*active != NULL) {
		enum jwk_alg alg = signing_key_algorithm(*active);

		signing_key_free(&set->active[alg]);
		set->active[alg] = *active;
		*active = NULL;
	}
	return buf_ok(&set->document) ? OK : ERR_TOO_LARGE;
}

void keys_set_free(struct key_set **set)
{
	struct key_set *old = *set;

	*set = NULL;
	if (old == NULL || atomic_fetch_sub(&old->references, 1) != 1)
		return;
	for (int i = 0; i < JWK_ALG_COUNT; i++)
		signing_key_free(&old->active[i]);
	buf_release(&old->document);
	free(old);
}

struct keys *keys_new(void)
{
	struct keys *keys = calloc(1, sizeof(*keys));

	if (keys != NULL && pthread_mutex_init(&keys->mutex, NULL) != 0) {
		free(keys);
		return NULL;
	}
	return keys;
}

void keys_free(struct keys **keys)
{
	if (*keys == NULL)
		return;
	keys_set_free(&(*keys)->held);
	(void)pthread_mutex_destroy(&(*keys)->mutex);
	free(*keys);
	*keys = NULL;
}

enum err keys_replace(struct keys *keys, struct key_set **set)
{
	struct key_set *old;

	for (int i = 0; i < JWK_ALG_COUNT; i++) {
		if ((*set)->active[i] == NULL)
			return ERR_CONFLICT;
	}
	if (!(*set)->finished)
		buf_put_c(&(*set)->document, "]}");
	(*set)->finished = true;
	if (!buf_ok(&(*set)->document))
		return ERR_TOO_LARGE;
	(void)pthread_mutex_lock(&keys->mutex);
	old = keys->held;
	keys->held = *set;
	(void)pthread_mutex_unlock(&keys->mutex);
	*set = NULL;
	keys_set_free(&old);
	return OK;
}

struct key_set *keys_hold(struct keys *keys)
{
	struct key_set *set;

	(void)pthread_mutex_lock(&keys->mutex);
	set = keys->held;
	if (set != NULL)
		atomic_fetch_add(&set->references, 1);
	(void)pthread_mutex_unlock(&keys->mutex);
	return set;
}

const struct signing_key *keys_active(const struct key_set *set, enum jwk_alg alg)
{
	return set->active[alg];
}

struct str keys_document(const struct key_set *set)
{
	return buf_str(&set->document);
}
