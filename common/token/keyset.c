/* SPDX-License-Identifier: Apache-2.0 */
#include "token/keyset.h"

#include <stdatomic.h>
#include <stdlib.h>

#define PARSE_ARENA_BYTES (4 * 1024 * 1024)

struct keyset {
	atomic_uint refs;
	size_t count;
	struct jwk *keys[KEYSET_KEYS_MAX];
};

struct keyset *keyset_new(void)
{
	struct keyset *set = calloc(1, sizeof(*set));

	if (set != NULL)
		atomic_init(&set->refs, 1);
	return set;
}

struct keyset *keyset_share(const struct keyset *set)
{
	struct keyset *shared = (struct keyset *)(uintptr_t)set; /* only the count changes */

	atomic_fetch_add_explicit(&shared->refs, 1, memory_order_relaxed);
	return shared;
}

void keyset_free(struct keyset **set)
{
	struct keyset *gone = *set;

	*set = NULL;
	if (gone == NULL || atomic_fetch_sub_explicit(&gone->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < gone->count; i++)
		jwk_free(&gone->keys[i]);
	free(gone);
}

enum err keyset_add(struct keyset *set, const struct jwk *key)
{
	if (set->count == KEYSET_KEYS_MAX)
		return ERR_TOO_LARGE;
	set->keys[set->count++] = jwk_share(key);
	return OK;
}

static enum err add_parsed(struct keyset *set, const struct json *keys, const char **reason_out)
{
	enum err err = OK;

	if (keys->count > KEYSET_KEYS_MAX) {
		*reason_out = "more keys than a set may hold";
		return ERR_TOO_LARGE;
	}
	for (const struct json *object = keys->first; object != NULL && err == OK; object = object->next) {
		struct jwk *key = NULL;

		err = jwk_parse(object, &key, reason_out);
		if (err == OK && key != NULL)
			err = keyset_add(set, key);
		jwk_free(&key);
	}
	return err;
}

enum err keyset_parse(struct str doc, struct keyset **set_out, const char **reason_out)
{
	struct arena *arena = NULL;
	struct keyset *set = NULL;
	const struct json *root;
	const struct json *keys;
	enum err err;

	*set_out = NULL;
	*reason_out = "the document is larger than a key set may be";
	if (doc.len > KEYSET_DOC_MAX)
		return ERR_TOO_LARGE;
	*reason_out = "out of memory";
	if ((arena = arena_new(PARSE_ARENA_BYTES)) == NULL || (set = keyset_new()) == NULL) {
		err = ERR_OVERLOADED;
		goto done;
	}
	if ((err = json_parse(arena, doc, &root, reason_out)) != OK)
		goto done;
	if ((keys = json_get(root, "keys")) == NULL || keys->kind != JSON_ARRAY) {
		*reason_out = "the document has no array of keys";
		err = ERR_BAD_FIELD;
		goto done;
	}
	if ((err = add_parsed(set, keys, reason_out)) != OK)
		goto done;
	*set_out = set;
	set = NULL;
done:
	keyset_free(&set);
	arena_free(&arena);
	return err;
}

size_t keyset_count(const struct keyset *set)
{
	return set->count;
}

const struct jwk *keyset_at(const struct keyset *set, size_t index)
{
	return index < set->count ? set->keys[index] : NULL;
}

bool keyset_eq(const struct keyset *a, const struct keyset *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (!jwk_eq(a->keys[i], b->keys[i]))
			return false;
	}
	return true;
}

const struct jwk *keyset_find(const struct keyset *set, struct str kid)
{
	const struct jwk *found = NULL;

	for (size_t i = 0; i < set->count; i++) {
		if (!str_eq_c(kid, jwk_kid(set->keys[i])))
			continue;
		if (found != NULL)
			return NULL;
		found = set->keys[i];
	}
	return found;
}

const struct jwk *keyset_only(const struct keyset *set, enum jwk_alg alg)
{
	const struct jwk *found = NULL;

	for (size_t i = 0; i < set->count; i++) {
		if (jwk_algorithm(set->keys[i]) != alg)
			continue;
		if (found != NULL)
			return NULL;
		found = set->keys[i];
	}
	return found;
}

void keyset_write(const struct keyset *set, struct json_writer *w)
{
	json_begin_object(w);
	json_key(w, "keys");
	json_begin_array(w);
	for (size_t i = 0; i < set->count; i++)
		jwk_write(set->keys[i], w);
	json_end_array(w);
	json_end_object(w);
}
