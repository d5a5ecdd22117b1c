/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_TOKEN_TEST_FORGE_H
#define BERTH_TOKEN_TEST_FORGE_H

/* For tests and fuzz targets: signs what no honest issuer would. */
#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "token/jws.h"

/* RFC 8037 appendix A.1 and A.3: the key and its RFC 7638 thumbprint. */
#define FORGE_KID "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
#define FORGE_X "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
#define FORGE_DER                                                          \
	"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20" \
	"\x9d\x61\xb1\x9d\xef\xfd\x5a\x60\xba\x84\x4a\xf4\x92\xec\x2c\xc4" \
	"\x44\x49\xc5\x69\x7b\x32\x69\x19\x70\x3b\xac\x03\x1c\xae\x7f\x60"

static inline struct signing_key *forge_key(void)
{
	struct signing_key *key = NULL;

	if (signing_key_load(STR(FORGE_DER), &key) != OK)
		abort();
	return key;
}

static inline struct keyset *forge_keys(const struct signing_key *key)
{
	struct keyset *keys = keyset_new();

	if (keys == NULL || keyset_add(keys, signing_key_public(key)) != OK)
		abort();
	return keys;
}

/* The compact JWS of any bytes as header and payload, really signed; borrows from the arena. */
static inline struct str forge(
	struct arena *arena, const struct signing_key *key, struct str header, struct str payload)
{
	uint8_t signature[JWK_SIGNATURE_MAX];
	struct str header_text = base64url_encode(arena, header);
	struct str payload_text = base64url_encode(arena, payload);
	struct str signed_bytes = arena_printf(arena, "%.*s.%.*s", STR_ARG(header_text), STR_ARG(payload_text));
	struct str signature_text;
	size_t len;

	if (signing_key_sign(key, signed_bytes, signature, &len) != OK)
		abort();
	signature_text = base64url_encode(arena, (struct str){(const char *)signature, len});
	return arena_printf(arena, "%.*s.%.*s", STR_ARG(signed_bytes), STR_ARG(signature_text));
}

#endif
