/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_COSE_H
#define BERTH_AUTHSVC_COSE_H

#include "base/buf.h"
#include "token/jwk.h"

/*
 * COSE keys (RFC 9052 section 7, RFC 9053, RFC 8230) of the algorithms that passkeys may have here: ES256, ES384,
 * ES512, EdDSA over Ed25519, RS256 of 2048 to 4096 bits. A key holds what its kind needs and nothing else (WebAuthn
 * section 5.8.5 wants no optional member). Those that tokens may have too are verified as tokens are.
 */
#define COSE_KEY_MAX 1024

struct cose_key;

/* Whether passkeys may have the algorithm of this IANA number. */
bool cose_alg_ok(int64_t number);
/*
 * Reads one key and stands behind it. Gives the key; *key_out stays NULL with a constant reason when it is malformed
 * (ERR_BAD_FIELD), or there is no memory (ERR_OVERLOADED).
 */
MUST_USE enum err cose_key_read(struct reader *reader, struct cose_key **key_out, const char **reason_out);
/* Gives the public half of an EVP_PKEY, of which it keeps nothing. ERR_BAD_FIELD when the kind is none of these. */
MUST_USE enum err cose_key_of_pkey(const struct evp_pkey_st *pkey, struct cose_key **key_out);
void cose_key_free(struct cose_key **key);
int64_t cose_key_alg(const struct cose_key *key); /* the IANA number */
/* Whether `signature`, as authenticators write it (ECDSA in DER, WebAuthn section 6.5.5), is the key's. */
bool cose_verify(const struct cose_key *key, struct str signed_bytes, struct str signature);

#endif
