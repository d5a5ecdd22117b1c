/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_TOKEN_JWK_H
#define BERTH_TOKEN_JWK_H

#include "base/json.h"

/*
 * One public verification key (RFC 7517, RFC 8037): Ed25519, P-256 or RSA of 2048 to 4096 bits. The key alone decides
 * the algorithm; no header ever does. Immutable and shared by reference count, so any thread may verify with it.
 */
enum jwk_alg { JWK_EDDSA, JWK_ES256, JWK_RS256, JWK_ALG_COUNT };

#define JWK_KID_MAX 64
#define JWK_THUMBPRINT_LEN 43 /* base64url of SHA-256 */
#define JWK_RSA_BITS_MIN 2048
#define JWK_RSA_BITS_MAX 4096
#define JWK_SIGNATURE_MAX 512 /* RSA of 4096 bits */

struct jwk;
struct evp_pkey_st; /* EVP_PKEY, so that readers of this header need not see OpenSSL */

const char *jwk_alg_name(enum jwk_alg alg);                     /* "EdDSA", "ES256", "RS256" */
bool jwk_alg_from_name(struct str name, enum jwk_alg *alg_out); /* exact, case counts */

/*
 * Reads one public JWK. Gives; *key_out stays NULL with OK when the key is none of ours to use: another kty, curve or
 * alg, `use` not "sig", `key_ops` without "verify". ERR_BAD_FIELD with a constant reason when it is malformed, weak
 * or holds a private member. Without `kid` the key is named by its RFC 7638 thumbprint.
 */
MUST_USE enum err jwk_parse(const struct json *object, struct jwk **key_out, const char **reason_out);
/*
 * Gives the key of these numbers, big-endian and unpadded: x for EdDSA; x and y for ES256, each 32 bytes; n and e for
 * RS256. ERR_BAD_FIELD with a constant reason when they are no key that is safe to use. Named `kid`, or by its
 * thumbprint when that is absent.
 */
MUST_USE enum err jwk_from_numbers(enum jwk_alg alg, struct str first, struct str second, struct str kid,
	struct jwk **key_out, const char **reason_out);
/*
 * Gives the public half of an EVP_PKEY, named by its thumbprint; keeps no reference to it. ERR_BAD_FIELD when the kind
 * is not ours.
 */
MUST_USE enum err jwk_from_pkey(const struct evp_pkey_st *pkey, struct jwk **key_out);
struct jwk *jwk_share(const struct jwk *key); /* gives one more reference */
void jwk_free(struct jwk **key);

/* Borrows; 1 to JWK_KID_MAX of A-Z a-z 0-9 and ._~-@:=+ */
const char *jwk_kid(const struct jwk *key);
enum jwk_alg jwk_algorithm(const struct jwk *key);
/* RFC 7638 thumbprint, NUL-terminated. */
void jwk_thumbprint(const struct jwk *key, char text_out[JWK_THUMBPRINT_LEN + 1]);
/* Writes the public JWK with kty, crv, x, y or n, e, kid, alg and use. */
void jwk_write(const struct jwk *key, struct json_writer *w);
bool jwk_kid_ok(struct str kid);
bool jwk_eq(const struct jwk *a, const struct jwk *b); /* the same key under the same name */

/* Whether `signature` is the key's over `signed_bytes`; ECDSA signatures are r||s (RFC 7518 section 3.4). */
bool jwk_verify(const struct jwk *key, struct str signed_bytes, struct str signature);

#endif
