/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "token/test_forge.h"
#include "token/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct signing_key *key;
static struct keyset *keys;

/* Any claims, under a signature that holds. What passes can be signed again and comes back the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct token_rules rules = {
		.issuer = {"i", 1}, .audience = {"a", 1}, .env = {"e", 1}, .leeway_us = TOKEN_LEEWAY_US};
	const instant_us now = INT64_C(1800000000) * US_PER_S;
	struct arena *arena = arena_new(1024 * 1024);
	struct token token, again;
	const char *reason = NULL;
	struct buf compact;
	struct str text;

	if (key == NULL) {
		key = forge_key();
		keys = forge_keys(key);
	}
	if (len > TOKEN_LEN_MAX)
		len = TOKEN_LEN_MAX;
	text = forge(arena, key, STR("{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"" FORGE_KID "\"}"),
		(struct str){(const char *)data, len});
	if (token_verify(&rules, keys, text, now, &token, &reason) == OK) {
		buf_init(&compact, TOKEN_LEN_MAX);
		if (token_sign(&rules, key, &token, &compact) != OK ||
			token_verify(&rules, keys, buf_str(&compact), now, &again, &reason) != OK ||
			memcmp(&token, &again, sizeof(token)) != 0)
			abort();
		buf_release(&compact);
	} else if (reason == NULL) {
		abort();
	}
	arena_free(&arena);
	return 0;
}
