/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "token/dpop.h"
#include "token/test_forge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct signing_key *key;

/* Any text as a proof; any claims, and any header before good ones, under a signature that holds. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const char header[] =
		"{\"typ\":\"dpop+jwt\",\"alg\":\"EdDSA\",\"jwk\":{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" FORGE_X
		"\"}}";
	static const char claims[] =
		"{\"htm\":\"GET\",\"htu\":\"https://a.example/v1\",\"iat\":1800000000,\"jti\":\"1\"}";
	static const struct dpop_request request = {
		.method = {"GET", 3}, .origin = {"https://a.example", 17}, .path = {"/v1", 3}};
	const instant_us now = INT64_C(1800000000) * US_PER_S;
	struct arena *arena = arena_new(1024 * 1024);
	struct str text = {(const char *)data, len < DPOP_LEN_MAX ? len : DPOP_LEN_MAX};
	struct str texts[3];
	struct dpop_proof proof;

	if (key == NULL)
		key = forge_key();
	texts[0] = text;
	texts[1] = forge(arena, key, STR(header), text);
	texts[2] = forge(arena, key, text, STR(claims));
	for (size_t i = 0; i < 3; i++) {
		const char *reason = NULL;
		const enum err err = dpop_verify(arena, &request, texts[i], now, &proof, &reason);

		if (err != OK && reason == NULL)
			abort();
		if (err == OK && (!dpop_jkt_ok(str_from(proof.jkt)) || proof.expires_at <= now))
			abort();
		/* What was signed here can be under this key only. */
		if (err == OK && i > 0 && !str_eq_c(STR(FORGE_KID), proof.jkt))
			abort();
	}
	arena_free(&arena);
	return 0;
}
