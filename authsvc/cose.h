/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_COSE_H
#define BERTH_AUTHSVC_COSE_H

#include "base/buf.h"
#include "token/jwk.h"

/*
 * COSE keys (RFC 9052 section 7, RFC 9053, RFC 8230) of the three algorithms that passkeys may have here: ES256, EdDSA
 * over Ed25519, RS256 of 2048 to 4096 bits. A key holds what its kind needs and nothing else (WebAuthn section 5.8.5
 * wants no optional member).
 */
#define COSE_KEY_MAX 1024

/* The algorithm of an IANA number; false when passkeys may not have it. */
bool cose_alg(int64_t number, enum jwk_alg *alg_out);
/*
 * Reads one key and stands behind it. Gives the key; *key_out stays NULL with a constant reason when it is malformed
 * (ERR_BAD_FIELD), or there is no memory (ERR_OVERLOADED).
 */
MUST_USE enum err cose_key(struct reader *reader, struct jwk **key_out, const char **reason_out);
/* Whether `signature`, as authenticators write it (ECDSA in DER, WebAuthn section 6.5.5), is the key's. */
bool cose_verify(const struct jwk *key, struct str signed_bytes, struct str signature);

#endif
