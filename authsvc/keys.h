/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_KEYS_H
#define BERTH_AUTHSVC_KEYS_H

#include "base/arena.h"
#include "token/signing_key.h"

/*
 * The signing keys as this process holds them: one active key of each algorithm and the JWK Set of all that may
 * still verify. A set is immutable and counted; whoever signs holds it meanwhile. Thread-safe.
 */
struct key_set;
struct keys;

/* A set in the making. Takes the key; NULL: not (yet) one that signs. The public JWK is copied. */
struct key_set *keys_set_new(void); /* NULL without memory */
MUST_USE enum err keys_set_add(struct key_set *set, struct str public_jwk, struct signing_key **active);
void keys_set_free(struct key_set **set); /* drops one reference; NULL is fine */

struct keys *keys_new(void); /* NULL without memory */
void keys_free(struct keys **keys);
/* Takes the set. ERR_CONFLICT: an algorithm has no active key, and what was held stays. */
MUST_USE enum err keys_replace(struct keys *keys, struct key_set **set);
/* NULL before the first replace. Gives a reference: keys_set_free. */
struct key_set *keys_hold(struct keys *keys);

const struct signing_key *keys_active(const struct key_set *set, enum jwk_alg alg); /* borrows from the set */
struct str keys_document(const struct key_set *set); /* {"keys":[…]}; borrows from the set */

#endif
