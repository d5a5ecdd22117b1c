/* SPDX-License-Identifier: Apache-2.0 */
#include "token/assertion.h"

#include "base/test.h"
#include "token/test_forge.h"

#define NOW (INT64_C(1800000000) * US_PER_S)
#define HEADER "{\"alg\":\"EdDSA\",\"kid\":\"" FORGE_KID "\"}"
#define WHO "\"iss\":\"c\",\"sub\":\"c\","
#define GOOD "{" WHO "\"aud\":\"i\",\"exp\":1800000060,\"jti\":\"1\"}"

static void assertions_are_judged_claim_by_claim(void **state)
{
	static const struct assertion_rules rules = {.client_id = {"c", 1}, .issuer = {"i", 1}};
	static const struct {
		const char *name, *header, *claims;
		bool good;
	} cases[] = {
		{"as it should be", HEADER, GOOD, true},
		{"without kid, where one key fits", "{\"alg\":\"EdDSA\"}", GOOD, true},
		{"typ JWT", "{\"alg\":\"EdDSA\",\"typ\":\"JWT\"}", GOOD, true},
		{"its own typ", "{\"alg\":\"EdDSA\",\"typ\":\"client-authentication+jwt\"}", GOOD, true},
		{"an access token", "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\"}", GOOD, false},
		{"a proof of possession", "{\"alg\":\"EdDSA\",\"typ\":\"dpop+jwt\"}", GOOD, false},
		{"a logout token", "{\"alg\":\"EdDSA\",\"typ\":\"logout+jwt\"}", GOOD, false},
		{"none", "{\"alg\":\"none\"}", GOOD, false},
		{"HS256", "{\"alg\":\"HS256\"}", GOOD, false},
		{"another key's algorithm", "{\"alg\":\"ES256\"}", GOOD, false},
		{"crit", "{\"alg\":\"EdDSA\",\"crit\":[\"exp\"]}", GOOD, false},
		{"jku", "{\"alg\":\"EdDSA\",\"jku\":\"https://a.example/k\"}", GOOD, false},
		{"an array of one audience", HEADER, "{" WHO "\"aud\":[\"i\"],\"exp\":1800000060,\"jti\":\"1\"}", true},
		{"two audiences", HEADER, "{" WHO "\"aud\":[\"i\",\"j\"],\"exp\":1800000060,\"jti\":\"1\"}", false},
		{"no audience", HEADER, "{" WHO "\"exp\":1800000060,\"jti\":\"1\"}", false},
		{"the token endpoint", HEADER, "{" WHO "\"aud\":\"i/oauth2/token\",\"exp\":1800000060,\"jti\":\"1\"}",
			false},
		{"another iss", HEADER, "{\"iss\":\"d\",\"sub\":\"c\",\"aud\":\"i\",\"exp\":1800000060,\"jti\":\"1\"}",
			false},
		{"another sub", HEADER, "{\"iss\":\"c\",\"sub\":\"d\",\"aud\":\"i\",\"exp\":1800000060,\"jti\":\"1\"}",
			false},
		{"no jti", HEADER, "{" WHO "\"aud\":\"i\",\"exp\":1800000060}", false},
		{"an empty jti", HEADER, "{" WHO "\"aud\":\"i\",\"exp\":1800000060,\"jti\":\"\"}", false},
		{"no exp", HEADER, "{" WHO "\"aud\":\"i\",\"jti\":\"1\"}", false},
		{"expired now", HEADER, "{" WHO "\"aud\":\"i\",\"exp\":1800000000,\"jti\":\"1\"}", false},
		{"five minutes and the leeway", HEADER, "{" WHO "\"aud\":\"i\",\"exp\":1800000305,\"jti\":\"1\"}",
			true},
		{"longer", HEADER, "{" WHO "\"aud\":\"i\",\"exp\":1800000306,\"jti\":\"1\"}", false},
		{"issued in the future", HEADER,
			"{" WHO "\"aud\":\"i\",\"exp\":1800000060,\"iat\":1800000006,\"jti\":\"1\"}", false},
		{"not yet", HEADER, "{" WHO "\"aud\":\"i\",\"exp\":1800000060,\"nbf\":1800000006,\"jti\":\"1\"}",
			false},
		{"a claim twice", HEADER, "{" WHO "\"sub\":\"c\",\"aud\":\"i\",\"exp\":1800000060,\"jti\":\"1\"}",
			false},
		{"no object", HEADER, "[]", false},
	};
	struct signing_key *key = forge_key();
	struct keyset *keys = forge_keys(key);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct arena *arena = arena_new(256 * 1024);
		struct assertion assertion;
		const char *reason = NULL;
		struct str text = forge(arena, key, str_from(cases[i].header), str_from(cases[i].claims));
		bool good = assertion_verify(arena, &rules, keys, text, NOW, &assertion, &reason) == OK;

		if (good != cases[i].good || (reason == NULL) != good)
			fail_msg("%s: %s", cases[i].name, reason != NULL ? reason : "taken");
		arena_free(&arena);
	}
	keyset_free(&keys);
	signing_key_free(&key);
}

#define ED "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\""

static void keys_are_taken_whole_or_not(void **state)
{
	static const struct {
		const char *name, *doc;
		bool good;
	} cases[] = {
		{"one key", "{\"keys\":[{" ED "}]}", true},
		{"one with a name", "{\"keys\":[{" ED ",\"kid\":\"a\",\"x5u\":\"https://a.example\"}]}", true},
		{"none", "{\"keys\":[]}", false},
		{"no set", "{" ED "}", false},
		{"a private one", "{\"keys\":[{" ED ",\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\"}]}", false},
		{"a secret one", "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}", false},
		{"one for encryption beside", "{\"keys\":[{" ED "},{" ED ",\"kid\":\"b\",\"use\":\"enc\"}]}", false},
		{"two of one name", "{\"keys\":[{" ED ",\"kid\":\"a\"},{" ED ",\"kid\":\"a\"}]}", false},
		{"six",
			"{\"keys\":[{" ED ",\"kid\":\"1\"},{" ED ",\"kid\":\"2\"},{" ED ",\"kid\":\"3\"},{" ED
			",\"kid\":\"4\"},{" ED ",\"kid\":\"5\"},{" ED ",\"kid\":\"6\"}]}",
			false},
		{"no JSON", "keys", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct arena *arena = arena_new(256 * 1024);
		const char *reason = NULL;
		struct str normal, again;
		bool good = assertion_keys(arena, str_from(cases[i].doc), &normal, &reason) == OK;

		if (good != cases[i].good)
			fail_msg("%s: %s", cases[i].name, reason != NULL ? reason : "taken");
		if (good) {
			assert_int_equal(assertion_keys(arena, normal, &again, &reason), OK);
			assert_true(str_eq(normal, again));
		}
		arena_free(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(assertions_are_judged_claim_by_claim),
		cmocka_unit_test(keys_are_taken_whole_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
