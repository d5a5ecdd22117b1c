/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_TOKEN_KEYSET_H
#define BERTH_TOKEN_KEYSET_H

#include "token/jwk.h"

/* Up to KEYSET_KEYS_MAX public keys. Built by one thread, then read by any; shared by reference count. */
#define KEYSET_KEYS_MAX 32
#define KEYSET_DOC_MAX (64 * 1024)

struct keyset;

struct keyset *keyset_new(void); /* empty; NULL without memory */
struct keyset *keyset_share(const struct keyset *set);
void keyset_free(struct keyset **set); /* drops one reference */

/*
 * Reads a JWK Set (RFC 7517 section 5). Gives. ERR_BAD_JSON, ERR_BAD_FIELD or ERR_TOO_LARGE with a constant reason; a
 * set in which no key is usable is OK and empty.
 */
MUST_USE enum err keyset_parse(struct str doc, struct keyset **set_out, const char **reason_out);
/* Adds a reference of its own. Only before the set is shared. ERR_TOO_LARGE when full. */
MUST_USE enum err keyset_add(struct keyset *set, const struct jwk *key);

size_t keyset_count(const struct keyset *set);
const struct jwk *keyset_at(const struct keyset *set, size_t index); /* borrows */
/* The only key named `kid`: NULL when there is none or more than one. Borrows. */
const struct jwk *keyset_find(const struct keyset *set, struct str kid);
/* The only key of this algorithm, for senders that name none: NULL when there is none or more than one. Borrows. */
const struct jwk *keyset_only(const struct keyset *set, enum jwk_alg alg);
bool keyset_eq(const struct keyset *a, const struct keyset *b); /* the same keys in the same order */
/* Writes {"keys":[…]} in order. */
void keyset_write(const struct keyset *set, struct json_writer *w);

#endif
