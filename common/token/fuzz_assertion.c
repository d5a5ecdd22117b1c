/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "token/assertion.h"
#include "token/test_forge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct signing_key *key;
static struct keyset *keys;

/* Any claims under a signature that holds; any text as an assertion, and as a client's keys. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct assertion_rules rules = {.client_id = {"c", 1}, .issuer = {"i", 1}};
	const instant_us now = INT64_C(1800000000) * US_PER_S;
	struct arena *arena = arena_new(1024 * 1024);
	struct str text = {(const char *)data, len < ASSERTION_LEN_MAX ? len : ASSERTION_LEN_MAX};
	struct assertion assertion;
	struct str normal, again;
	const char *reason = NULL;

	if (key == NULL) {
		key = forge_key();
		keys = forge_keys(key);
	}
	if (assertion_verify(arena, &rules, keys, text, now, &assertion, &reason) == OK || reason == NULL)
		abort(); /* nobody guesses a signature */
	(void)assertion_subject(arena, text);
	if (assertion_keys(arena, text, &normal, &reason) == OK &&
		(assertion_keys(arena, normal, &again, &reason) != OK || !str_eq(normal, again)))
		abort();
	text = forge(arena, key, STR("{\"alg\":\"EdDSA\",\"kid\":\"" FORGE_KID "\"}"), text);
	if (assertion_verify(arena, &rules, keys, text, now, &assertion, &reason) == OK &&
		(assertion.expires_at <= now || !str_eq(assertion_subject(arena, text), rules.client_id)))
		abort();
	arena_free(&arena);
	return 0;
}
