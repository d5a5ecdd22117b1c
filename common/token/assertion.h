/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_TOKEN_ASSERTION_H
#define BERTH_TOKEN_ASSERTION_H

#include "base/clock.h"
#include "token/jws.h"

/*
 * A client's assertion of itself (RFC 7523 section 3, OpenID Connect Core section 9, private_key_jwt): a JWT under one
 * of the client's registered keys.
 */
#define ASSERTION_LEN_MAX 4096
#define ASSERTION_LIFE_MAX_US (300 * US_PER_S)
#define ASSERTION_LEEWAY_US (5 * US_PER_S) /* for clocks of clients: exp too far ahead, iat and nbf in the future */
#define ASSERTION_JTI_MAX 128
#define ASSERTION_KEYS_MAX 5
#define ASSERTION_DOC_MAX 8192 /* of the keys, as stored */

struct assertion_rules {
	struct str client_id;
	struct str issuer; /* the only audience */
};

struct assertion {
	uint8_t jti_hash[32];
	instant_us expires_at;
};

/*
 * Signature by a key of `keys`, whose kind decides the algorithm; iss and sub the client; aud the issuer alone; exp to
 * come and at most ASSERTION_LIFE_MAX_US ahead; jti; typ absent, JWT or client-authentication+jwt.
 * ERR_UNAUTHENTICATED with a constant reason otherwise. Whether the jti was seen before is for the caller to find out.
 */
MUST_USE enum err assertion_verify(struct arena *arena, const struct assertion_rules *rules, const struct keyset *keys,
	struct str compact, instant_us now, struct assertion *assertion_out, const char **reason_out);
/* `sub` of an assertion that nobody has verified yet, only to find whose keys to ask; STR_NONE: it has none. */
struct str assertion_subject(struct arena *arena, struct str compact);
/*
 * A client's keys as they are registered (RFC 7517): 1 to ASSERTION_KEYS_MAX, public, each usable, each with a name of
 * its own. Gives them, and their normal form in the arena. ERR_BAD_FIELD with a constant reason otherwise.
 */
MUST_USE enum err assertion_keys(struct arena *arena, struct str doc, struct str *normal_out, const char **reason_out);

#endif
