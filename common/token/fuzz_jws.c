/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "token/test_forge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct signing_key *key;
static struct keyset *keys;

static void judge(struct str compact)
{
	static const struct jws_rules rules = {.algs_allowed = JWS_ALLOW_ALL, .kid_optional = true};
	struct arena *arena = arena_new(1024 * 1024);
	const char *reason = NULL;
	struct jws jws;

	if (jws_verify(arena, &rules, keys, compact, &jws, &reason) == OK) {
		if (jws.key == NULL || jws.payload.p == NULL || jwk_algorithm(jws.key) != jws.alg)
			abort();
	} else if (reason == NULL || jws.payload.p != NULL) {
		abort();
	}
	arena_free(&arena);
}

/* The text as it is; then, cut at the first NUL, as a header and payload that were really signed. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str text = {(const char *)data, len};
	struct arena *arena;
	struct str header;

	if (key == NULL) {
		key = forge_key();
		keys = forge_keys(key);
	}
	judge(text);
	if (len > JWS_COMPACT_MAX)
		return 0;
	arena = arena_new(1024 * 1024);
	(void)str_cut(&text, '\0', &header);
	judge(forge(arena, key, header, text));
	arena_free(&arena);
	return 0;
}
