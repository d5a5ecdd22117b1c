/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_TOKEN_SIGNING_KEY_H
#define BERTH_TOKEN_SIGNING_KEY_H

#include "base/config.h"
#include "token/jwk.h"

/* A private key, only in the process that signs. Immutable; any thread may sign with it. */
struct signing_key;

/* RS256 keys have SIGNING_KEY_RSA_BITS and take up to a second to make. Gives. */
#define SIGNING_KEY_RSA_BITS 3072
#define SIGNING_KEY_DER_MAX 4096

MUST_USE enum err signing_key_generate(enum jwk_alg alg, struct signing_key **key_out);
/* PKCS#8 (RFC 5958) DER, unencrypted: seal it before it is stored. Gives. */
MUST_USE enum err signing_key_export(const struct signing_key *key, struct secret **der_out);
/*
 * Reads what signing_key_export gave; ERR_BAD_FIELD for anything else, other kinds and bytes behind it included.
 * Gives.
 */
MUST_USE enum err signing_key_load(struct str der, struct signing_key **key_out);
void signing_key_free(struct signing_key **key);

const struct jwk *signing_key_public(const struct signing_key *key); /* borrows; kid is the RFC 7638 thumbprint */
const char *signing_key_kid(const struct signing_key *key);
enum jwk_alg signing_key_algorithm(const struct signing_key *key);
/* Signs; ECDSA signatures come out as r||s. */
MUST_USE enum err signing_key_sign(const struct signing_key *key, struct str bytes,
	uint8_t signature_out[JWK_SIGNATURE_MAX], size_t *signature_len_out);

#endif
