/* SPDX-License-Identifier: Apache-2.0 */
#include "token/id_token.h"

#include "base/test.h"
#include "token/test_forge.h"

#define NOW (INT64_C(1800000000) * US_PER_S)
#define SUB "\"sub\":\"018f3c7e-0000-7000-8000-000000000001\","
#define AUD "\"aud\":\"018f3c7e-0000-7000-8000-000000000002\","
#define SID "\"sid\":\"018f3c7e-0000-7000-8000-000000000003\","
#define IAT "\"iat\":1700000000,\"exp\":1700003600"
#define GOOD "{\"iss\":\"i\"," SUB AUD SID IAT "}"

static void an_id_token_is_judged_claim_by_claim(void **state)
{
	static const struct {
		const char *name, *typ, *claims;
		bool good;
	} cases[] = {
		{"one that has expired is still a hint", "JWT", GOOD, true},
		{"no sid", "JWT", "{\"iss\":\"i\"," SUB AUD IAT "}", true},
		{"an access token", "at+jwt", GOOD, false},
		{"a logout token", "logout+jwt", GOOD, false},
		{"another case", "jwt", GOOD, false},
		{"no typ", NULL, GOOD, false},
		{"another issuer", "JWT", "{\"iss\":\"i/\"," SUB AUD IAT "}", false},
		{"no issuer", "JWT", "{" SUB AUD IAT "}", false},
		{"no audience", "JWT", "{\"iss\":\"i\"," SUB IAT "}", false},
		{"an audience in an array", "JWT",
			"{\"iss\":\"i\"," SUB "\"aud\":[\"018f3c7e-0000-7000-8000-000000000002\"]," IAT "}", false},
		{"an audience that is no client", "JWT", "{\"iss\":\"i\"," SUB "\"aud\":\"i\"," IAT "}", false},
		{"no subject", "JWT", "{\"iss\":\"i\"," AUD IAT "}", false},
		{"a nil subject", "JWT", "{\"iss\":\"i\",\"sub\":\"00000000-0000-0000-0000-000000000000\"," AUD IAT "}",
			false},
		{"a sid that is a number", "JWT", "{\"iss\":\"i\"," SUB AUD "\"sid\":1," IAT "}", false},
		{"no iat", "JWT", "{\"iss\":\"i\"," SUB AUD "\"exp\":1}", false},
		{"issued in the future", "JWT", "{\"iss\":\"i\"," SUB AUD "\"iat\":1800000006}", false},
		{"a claim twice", "JWT", "{\"iss\":\"i\"," SUB SUB AUD IAT "}", false},
		{"no object", "JWT", "[]", false},
	};
	struct signing_key *key = NULL;
	struct keyset *keys;

	(void)state;
	assert_int_equal(signing_key_generate(JWK_ES256, &key), OK);
	keys = forge_keys(key);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct arena *arena = arena_new(256 * 1024);
		static const struct id_token nothing;
		struct id_token id_token;
		const char *reason = NULL;
		struct buf compact;
		bool good;

		buf_init(&compact, ID_TOKEN_LEN_MAX);
		assert_int_equal(jws_sign(key, cases[i].typ, str_from(cases[i].claims), &compact), OK);
		good = id_token_verify(arena, STR("i"), keys, buf_str(&compact), NOW, &id_token, &reason) == OK;
		CHECK(cases[i].name, good == cases[i].good && (reason == NULL) == good);
		CHECK(cases[i].name, good || memcmp(&id_token, &nothing, sizeof(nothing)) == 0);
		buf_release(&compact);
		arena_free(&arena);
	}
	keyset_free(&keys);
	signing_key_free(&key);
}

/* The key of access tokens signs none: its algorithm is not among those of ID tokens. */
static void another_algorithm_is_refused(void **state)
{
	struct signing_key *key = forge_key();
	struct keyset *keys = forge_keys(key);
	struct arena *arena = arena_new(256 * 1024);
	struct str text =
		forge(arena, key, STR("{\"alg\":\"EdDSA\",\"typ\":\"JWT\",\"kid\":\"" FORGE_KID "\"}"), STR(GOOD));
	struct id_token id_token;
	const char *reason = NULL;

	(void)state;
	assert_int_equal(id_token_verify(arena, STR("i"), keys, text, NOW, &id_token, &reason), ERR_UNAUTHENTICATED);
	assert_non_null(reason);
	arena_free(&arena);
	keyset_free(&keys);
	signing_key_free(&key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_id_token_is_judged_claim_by_claim),
		cmocka_unit_test(another_algorithm_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
