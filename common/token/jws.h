/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_TOKEN_JWS_H
#define BERTH_TOKEN_JWS_H

#include "token/keyset.h"
#include "token/signing_key.h"

/* JSON Web Signature, compact serialization (RFC 7515 section 7.1), with the cautions of RFC 8725. */
#define JWS_COMPACT_MAX (16 * 1024)
#define JWS_TYP_MAX 64
#define JWS_ALLOW(alg) (1U << (alg))
#define JWS_ALLOW_ALL (JWS_ALLOW(JWK_EDDSA) | JWS_ALLOW(JWK_ES256) | JWS_ALLOW(JWK_RS256))

struct jws_rules {
	unsigned algs_allowed; /* JWS_ALLOW(…) of each */
	size_t len_max;        /* of the compact text; 0: JWS_COMPACT_MAX */
	bool kid_optional;     /* without `kid`: the only key of the algorithm. Never for our own tokens */
};

struct jws {
	enum jwk_alg alg;
	const struct jwk *key; /* borrows from the key set */
	const struct json *header;
	struct str header_text; /* JSON as it was signed */
	struct str typ;         /* STR_NONE when absent */
	struct str payload;
};

/* The reason given when the only fault seen was a `kid` that the set does not hold: compare by address. */
extern const char jws_unknown_key[];

/*
 * Checks the signature of `compact`; nothing of an unverified one comes out. ERR_UNAUTHENTICATED with a constant
 * reason otherwise (never NULL on failure), an arena too small for the text included: 64 KiB and twice the text do for
 * any header. Refused: padding or foreign characters in base64url, a header with duplicate members, `alg` other than
 * the key's or not allowed, `crit`, `jku`, `x5u`, `jwk`, `x5c`, `b64`, `zip`, `enc`, a `kid` that names no key or
 * several. Results borrow from the arena and the key set.
 */
MUST_USE enum err jws_verify(struct arena *arena, const struct jws_rules *rules, const struct keyset *keys,
	struct str compact, struct jws *jws_out, const char **reason_out);
/*
 * The same of a text that brings its key in `jwk`, for proofs of possession alone (RFC 9449 section 4.2): the signature
 * says that its writer holds the key, and nothing of who that is. `kid` is not looked at. Gives *key_out, which
 * *jws_out borrows.
 */
MUST_USE enum err jws_verify_own(struct arena *arena, const struct jws_rules *rules, struct str compact,
	struct jws *jws_out, struct jwk **key_out, const char **reason_out);
/* Appends the compact JWS of `payload` with the header {"alg","typ"?,"kid"}; `typ` NULL leaves it out. */
MUST_USE enum err jws_sign(const struct signing_key *key, const char *typ, struct str payload, struct buf *compact_out);

#endif
