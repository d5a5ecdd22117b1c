/* SPDX-License-Identifier: Apache-2.0 */
#include "token/dpop.h"

#include "base/test.h"
#include "token/test_forge.h"

/* RFC 9449, the examples: proofs for a token endpoint and a protected resource, and the thumbprint of their key. */
#define RFC_HEADER                                                                         \
	"eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZy" \
	"aHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpi" \
	"VFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19"
#define RFC_TOKEN_PROOF                                                                    \
	RFC_HEADER                                                                         \
	"."                                                                                \
	"eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVy" \
	"LmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj" \
	"8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg"
#define RFC_RESOURCE_PROOF                                                                 \
	RFC_HEADER                                                                         \
	"."                                                                                \
	"eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJj" \
	"ZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVI" \
	"eU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey" \
	"71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA"
#define RFC_JKT "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"

static void the_standards_examples_hold(void **state)
{
	static const struct dpop_request token_request = {
		.method = {"POST", 4}, .origin = {"https://server.example.com", 26}, .path = {"/token", 6}};
	static const struct dpop_request resource_request = {.method = {"GET", 3},
		.origin = {"https://resource.example.org", 28},
		.path = {"/protectedresource", 18},
		.token = {"Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU", 43}};
	const instant_us now = INT64_C(1562262620) * US_PER_S;
	struct arena *arena = arena_new(256 * 1024);
	struct dpop_proof proof, other;
	const char *reason;

	(void)state;
	assert_int_equal(dpop_verify(arena, &token_request, STR(RFC_TOKEN_PROOF), now, &proof, &reason), OK);
	assert_null(reason);
	assert_string_equal(proof.jkt, RFC_JKT);
	assert_int_equal(proof.expires_at, INT64_C(1562262676) * US_PER_S);
	assert_int_equal(dpop_verify(arena, &resource_request, STR(RFC_RESOURCE_PROOF), now, &other, &reason), OK);
	assert_string_equal(other.jkt, RFC_JKT);
	assert_memory_not_equal(proof.use, other.use, sizeof(proof.use));
	assert_int_equal(
		dpop_verify(arena, &resource_request, STR(RFC_TOKEN_PROOF), now, &other, &reason), ERR_UNAUTHENTICATED);
	assert_string_equal(other.jkt, "");
	arena_free(&arena);
}

#define NOW (INT64_C(1800000000) * US_PER_S)
#define KEY "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" FORGE_X "\""
#define OTHER "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs\""
#define JWK "\"jwk\":{" KEY "}"
#define HEADER "{\"typ\":\"dpop+jwt\",\"alg\":\"EdDSA\"," JWK "}"
#define ATH ",\"ath\":\"47mKTaMaEn1L3m5DAz9muidMqw636xxw7EFAK_YnPdg\"}"
#define WHERE "\"htm\":\"GET\",\"htu\":\"https://a.example/v1/x%3Ay\""
#define WHEN ",\"iat\":1800000000,\"jti\":\"1\""
#define GOOD "{" WHERE WHEN ATH
#define AT(htu) "{\"htm\":\"GET\",\"htu\":\"" htu "\"" WHEN ATH

struct proof_case {
	const char *name, *header, *claims;
	bool good;
};

static void judge(const struct proof_case *cases, size_t count)
{
	static const struct dpop_request request = {
		.method = {"GET", 3}, .origin = {"https://a.example", 17}, .path = {"/v1/x:y", 7}, .token = {"t", 1}};
	struct signing_key *key = forge_key();

	for (size_t i = 0; i < count; i++) {
		struct arena *arena = arena_new(256 * 1024);
		struct dpop_proof proof;
		const char *reason = NULL;
		struct str text = forge(arena, key, str_from(cases[i].header), str_from(cases[i].claims));
		bool good = dpop_verify(arena, &request, text, NOW, &proof, &reason) == OK;

		if (good != cases[i].good || (reason == NULL) != good)
			fail_msg("%s: %s", cases[i].name, reason != NULL ? reason : "taken");
		assert_string_equal(proof.jkt, good ? FORGE_KID : "");
		arena_free(&arena);
	}
	signing_key_free(&key);
}

static void headers_say_what_it_is_and_bring_the_public_key(void **state)
{
	static const struct proof_case cases[] = {
		{"as it should be", HEADER, GOOD, true},
		{"a kid beside", "{\"typ\":\"dpop+jwt\",\"alg\":\"EdDSA\",\"kid\":\"other\"," JWK "}", GOOD, true},
		{"no typ", "{\"alg\":\"EdDSA\"," JWK "}", GOOD, false},
		{"typ JWT", "{\"typ\":\"JWT\",\"alg\":\"EdDSA\"," JWK "}", GOOD, false},
		{"an access token", "{\"typ\":\"at+jwt\",\"alg\":\"EdDSA\"," JWK "}", GOOD, false},
		{"no key", "{\"typ\":\"dpop+jwt\",\"alg\":\"EdDSA\",\"kid\":\"" FORGE_KID "\"}", GOOD, false},
		{"the key as text", "{\"typ\":\"dpop+jwt\",\"alg\":\"EdDSA\",\"jwk\":\"" FORGE_X "\"}", GOOD, false},
		{"another key", "{\"typ\":\"dpop+jwt\",\"alg\":\"EdDSA\",\"jwk\":{" OTHER "}}", GOOD, false},
		{"the private key",
			"{\"typ\":\"dpop+jwt\",\"alg\":\"EdDSA\",\"jwk\":{" KEY
			",\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\"}}",
			GOOD, false},
		{"a secret", "{\"typ\":\"dpop+jwt\",\"alg\":\"HS256\",\"jwk\":{\"kty\":\"oct\",\"k\":\"AAAA\"}}", GOOD,
			false},
		{"a key for encryption", "{\"typ\":\"dpop+jwt\",\"alg\":\"EdDSA\",\"jwk\":{" KEY ",\"use\":\"enc\"}}",
			GOOD, false},
		{"none", "{\"typ\":\"dpop+jwt\",\"alg\":\"none\"," JWK "}", GOOD, false},
		{"HS256", "{\"typ\":\"dpop+jwt\",\"alg\":\"HS256\"," JWK "}", GOOD, false},
		{"another key's algorithm", "{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\"," JWK "}", GOOD, false},
		{"no algorithm", "{\"typ\":\"dpop+jwt\"," JWK "}", GOOD, false},
		{"crit", "{\"typ\":\"dpop+jwt\",\"alg\":\"EdDSA\",\"crit\":[\"jwk\"]," JWK "}", GOOD, false},
		{"x5c", "{\"typ\":\"dpop+jwt\",\"alg\":\"EdDSA\",\"x5c\":[]," JWK "}", GOOD, false},
		{"two keys", "{\"typ\":\"dpop+jwt\",\"alg\":\"EdDSA\"," JWK "," JWK "}", GOOD, false},
	};

	(void)state;
	judge(cases, COUNT_OF(cases));
}

static void claims_are_of_this_request_alone(void **state)
{
	static const struct proof_case cases[] = {
		{"no object", HEADER, "[]", false},
		{"a claim twice", HEADER, "{" WHERE WHEN ",\"jti\":\"2\"" ATH, false},
		{"no htm", HEADER, "{\"htu\":\"https://a.example/v1/x:y\"" WHEN ATH, false},
		{"htm in lower case", HEADER, "{\"htm\":\"get\",\"htu\":\"https://a.example/v1/x:y\"" WHEN ATH, false},
		{"another method", HEADER, "{\"htm\":\"POST\",\"htu\":\"https://a.example/v1/x:y\"" WHEN ATH, false},
		{"no htu", HEADER, "{\"htm\":\"GET\"" WHEN ATH, false},
		{"a number as htu", HEADER, "{\"htm\":\"GET\",\"htu\":1" WHEN ATH, false},
		{"no ath", HEADER, "{" WHERE WHEN "}", false},
		{"another token's ath", HEADER,
			"{" WHERE WHEN ",\"ath\":\"fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo\"}", false},
		{"no jti", HEADER, "{" WHERE ",\"iat\":1800000000" ATH, false},
		{"an empty jti", HEADER, "{" WHERE ",\"iat\":1800000000,\"jti\":\"\"" ATH, false},
		{"a number as jti", HEADER, "{" WHERE ",\"iat\":1800000000,\"jti\":1" ATH, false},
		{"a jti that is too long", HEADER,
			"{" WHERE ",\"iat\":1800000000,\"jti\":\""
			"0123456789012345678901234567890123456789012345678901234567890123456789"
			"01234567890123456789012345678901234567890123456789012345678\"" ATH,
			false},
		{"no iat", HEADER, "{" WHERE ",\"jti\":\"1\"" ATH, false},
		{"iat as text", HEADER, "{" WHERE ",\"iat\":\"1800000000\",\"jti\":\"1\"" ATH, false},
		{"a minute less a second ago", HEADER, "{" WHERE ",\"iat\":1799999941,\"jti\":\"1\"" ATH, true},
		{"a minute ago", HEADER, "{" WHERE ",\"iat\":1799999940,\"jti\":\"1\"" ATH, false},
		{"a little in the future", HEADER, "{" WHERE ",\"iat\":1800000005,\"jti\":\"1\"" ATH, true},
		{"further in the future", HEADER, "{" WHERE ",\"iat\":1800000006,\"jti\":\"1\"" ATH, false},
	};

	(void)state;
	judge(cases, COUNT_OF(cases));
}

static void addresses_are_compared_in_their_normal_form(void **state)
{
	static const struct proof_case cases[] = {
		{"the plain address", HEADER, AT("https://a.example/v1/x:y"), true},
		{"its default port", HEADER, AT("https://a.example:443/v1/x:y"), true},
		{"in upper case", HEADER, AT("HTTPS://A.EXAMPLE/v1/x:y"), true},
		{"letters under escapes", HEADER, AT("https://a.example/%76%31/x%3ay"), true},
		{"a query", HEADER, AT("https://a.example/v1/x:y?a=b"), true},
		{"a fragment", HEADER, AT("https://a.example/v1/x:y#f"), true},
		{"a path in upper case", HEADER, AT("https://a.example/V1/x:y"), false},
		{"a slash more", HEADER, AT("https://a.example/v1/x:y/"), false},
		{"another path", HEADER, AT("https://a.example/v1/x"), false},
		{"no path", HEADER, AT("https://a.example"), false},
		{"dots", HEADER, AT("https://a.example/v1/../v1/x:y"), false},
		{"without TLS", HEADER, AT("http://a.example/v1/x:y"), false},
		{"without TLS at the same port", HEADER, AT("http://a.example:443/v1/x:y"), false},
		{"another port", HEADER, AT("https://a.example:8443/v1/x:y"), false},
		{"another host", HEADER, AT("https://b.example/v1/x:y"), false},
		{"a host below", HEADER, AT("https://x.a.example/v1/x:y"), false},
		{"a user", HEADER, AT("https://a.example@b.example/v1/x:y"), false},
		{"our host as a user", HEADER, AT("https://u@a.example/v1/x:y"), false},
		{"a path alone", HEADER, AT("/v1/x:y"), false},
		{"another scheme", HEADER, AT("ftp://a.example/v1/x:y"), false},
		{"nothing", HEADER, AT(""), false},
	};

	(void)state;
	judge(cases, COUNT_OF(cases));
}

static void a_thumbprint_has_its_length_and_letters(void **state)
{
	(void)state;
	assert_true(dpop_jkt_ok(STR(RFC_JKT)));
	assert_false(dpop_jkt_ok(STR_NONE));
	assert_false(dpop_jkt_ok(STR("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4")));
	assert_false(dpop_jkt_ok(STR("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4+")));
	assert_false(dpop_jkt_ok(STR("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I=")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_standards_examples_hold),
		cmocka_unit_test(headers_say_what_it_is_and_bring_the_public_key),
		cmocka_unit_test(claims_are_of_this_request_alone),
		cmocka_unit_test(addresses_are_compared_in_their_normal_form),
		cmocka_unit_test(a_thumbprint_has_its_length_and_letters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
