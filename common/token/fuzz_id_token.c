/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "token/id_token.h"
#include "token/test_forge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct signing_key *key;
static struct keyset *keys;

/* Any text as a hint, and any claims under a signature that holds. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const instant_us now = INT64_C(1800000000) * US_PER_S;
	struct arena *arena = arena_new(1024 * 1024);
	struct str text = {(const char *)data, len < ID_TOKEN_LEN_MAX / 2 ? len : ID_TOKEN_LEN_MAX / 2};
	struct id_token id_token;
	const char *reason = NULL;
	struct buf compact;

	if (key == NULL) {
		if (signing_key_generate(JWK_ES256, &key) != OK)
			abort();
		keys = forge_keys(key);
	}
	if (id_token_verify(arena, STR("i"), keys, text, now, &id_token, &reason) == OK || reason == NULL)
		abort(); /* nobody guesses a signature */
	buf_init(&compact, ID_TOKEN_LEN_MAX);
	if (jws_sign(key, "JWT", text, &compact) == OK &&
		id_token_verify(arena, STR("i"), keys, buf_str(&compact), now, &id_token, &reason) == OK &&
		(uuid_is_nil(&id_token.person_id) || uuid_is_nil(&id_token.client_id)))
		abort();
	buf_release(&compact);
	arena_free(&arena);
	return 0;
}
