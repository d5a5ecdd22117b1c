/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"
#include "token/test_forge.h"
#include "token/token.h"

#define ARENA_BYTES (1024 * 1024)
#define NOW_S INT64_C(1800000000)
#define NOW (NOW_S * US_PER_S)

static bool is_resource(struct str path)
{
	return str_eq_c(path, "/v1/bookings");
}

static const struct token_rules rules = {.issuer = {"https://berth.example", 21},
	.audience = {"https://berth.example/api", 25},
	.env = {"test", 4},
	.leeway_us = TOKEN_LEEWAY_US,
	.is_resource = is_resource};

#define PERSON "018f3c7e-0000-7000-8000-000000000001"
#define TENANT "018f3c7e-0000-7000-8000-000000000002"
#define SESSION "018f3c7e-0000-7000-8000-000000000003"
#define TOKEN_ID "018f3c7e-0000-7000-8000-000000000004"
#define NIL "00000000-0000-0000-0000-000000000000"

/* Every claim, in one object; a case names the one that it replaces, and what stands in its place (NULL: nothing). */
static const struct {
	const char *claim, *value;
} good_claims[] = {
	{"iss", "\"https://berth.example\""},
	{"aud", "\"https://berth.example/api\""},
	{"env", "\"test\""},
	{"sub", "\"" PERSON "\""},
	{"client_id", "\"web\""},
	{"tid", "\"" TENANT "\""},
	{"sid", "\"" SESSION "\""},
	{"jti", "\"" TOKEN_ID "\""},
	{"iat", "1800000000"},
	{"exp", "1800000600"},
	{"ims", "123"},
	{"scope", "\"openid profile\""},
	{"ev", "true"},
	{"roles", "[\"User\",\"Admin\"]"},
	{"perm", "\"CQE\""},
	{"acr", "\"2fa\""},
	{"mfa", "\"all\""},
	{"auth_time", "1799999990"},
	{"amr", "[\"pwd\",\"otp\",\"mfa\"]"},
};

static struct str claims_with(struct arena *arena, const char *claim, const char *value)
{
	struct str doc = STR("");
	bool known = claim == NULL;

	for (size_t i = 0; i < COUNT_OF(good_claims); i++) {
		const char *put = good_claims[i].value;

		if (claim != NULL && strcmp(claim, good_claims[i].claim) == 0) {
			known = true;
			put = value;
		}
		if (put != NULL)
			doc = arena_printf(arena, "%.*s%s\"%s\":%s", STR_ARG(doc), doc.len > 0 ? "," : "",
				good_claims[i].claim, put);
	}
	if (!known)
		doc = arena_printf(arena, "%.*s,\"%s\":%s", STR_ARG(doc), claim, value);
	return arena_printf(arena, "{%.*s}", STR_ARG(doc));
}

static const struct {
	const char *name, *claim, *value;
	enum err err;
	const char *reason;
} claim_cases[] = {
	{"the claims that we write pass", NULL, NULL, OK, NULL},
	{"rights at a site", "grants", "[\"sAY88fgAAcACAAAAAAAAAAYI\"]", OK, NULL},
	{"rights over four bytes", "grants", "[\"pAY88fgAAcACAAAAAAAAAAYABAQE\"]", OK, NULL},
	{"no rights anywhere", "grants", "[]", OK, NULL},
	{"rights in an object", "grants", "{}", ERR_UNAUTHENTICATED, "grants is no array, too long or a client's"},
	{"rights in nine places", "grants", "[1,1,1,1,1,1,1,1,1]", ERR_UNAUTHENTICATED,
		"grants is no array, too long or a client's"},
	{"rights that are a number", "grants", "[7]", ERR_UNAUTHENTICATED, "a grant is malformed"},
	{"rights without a place", "grants", "[\"\"]", ERR_UNAUTHENTICATED, "a grant is malformed"},
	{"rights of another kind of place", "grants", "[\"tAY88fgAAcACAAAAAAAAAAYI\"]", ERR_UNAUTHENTICATED,
		"a grant is malformed"},
	{"a place without rights", "grants", "[\"sAY88fgAAcACAAAAAAAAAAQ\"]", ERR_UNAUTHENTICATED,
		"a grant is malformed"},
	{"a place with none of the rights", "grants", "[\"sAY88fgAAcACAAAAAAAAAAQA\"]", ERR_UNAUTHENTICATED,
		"a grant is malformed"},
	{"rights over five bytes", "grants", "[\"sAY88fgAAcACAAAAAAAAAAQEBAQEB\"]", ERR_UNAUTHENTICATED,
		"a grant is malformed"},
	{"rights at nothing", "grants", "[\"sAAAAAAAAAAAAAAAAAAAAAIA\"]", ERR_UNAUTHENTICATED, "a grant is malformed"},
	{"rights with a sign that is no base64url", "grants", "[\"s+AY88fgAAcACAAAAAAAAAAY\"]", ERR_UNAUTHENTICATED,
		"a grant is malformed"},
	{"claims that nobody knows pass", "act", "{\"sub\":\"x\"}", OK, NULL},
	{"another issuer", "iss", "\"https://berth.example/\"", ERR_UNAUTHENTICATED, "iss is another"},
	{"no issuer", "iss", NULL, ERR_UNAUTHENTICATED, "iss is another"},
	{"an issuer in an array", "iss", "[\"https://berth.example\"]", ERR_UNAUTHENTICATED, "iss is another"},
	{"another audience", "aud", "\"https://berth.example\"", ERR_UNAUTHENTICATED, "aud is another"},
	{"no audience", "aud", NULL, ERR_UNAUTHENTICATED, "aud is another"},
	{"an audience of null", "aud", "null", ERR_UNAUTHENTICATED, "aud is another"},
	{"no audience in an array", "aud", "[]", ERR_UNAUTHENTICATED, "aud is another"},
	{"the audience among others", "aud", "[\"x\",\"https://berth.example/api\"]", OK, NULL},
	{"only others", "aud", "[\"x\",\"y\"]", ERR_UNAUTHENTICATED, "aud is another"},
	{"an audience beside a number", "aud", "[\"https://berth.example/api\",1]", ERR_UNAUTHENTICATED,
		"aud is another"},
	{"nine audiences", "aud", "[\"https://berth.example/api\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\"]",
		ERR_UNAUTHENTICATED, "aud is another"},
	{"a resource of the audience", "aud", "\"https://berth.example/api/v1/bookings\"", OK, NULL},
	{"a resource among others", "aud", "[\"x\",\"https://berth.example/api/v1/bookings\"]", OK, NULL},
	{"an audience and a resource of it", "aud",
		"[\"https://berth.example/api\",\"https://berth.example/api/v1/bookings\"]", ERR_UNAUTHENTICATED,
		"aud is another"},
	{"a resource that is none", "aud", "\"https://berth.example/api/v1/booking\"", ERR_UNAUTHENTICATED,
		"aud is another"},
	{"a resource with a slash behind", "aud", "\"https://berth.example/api/v1/bookings/\"", ERR_UNAUTHENTICATED,
		"aud is another"},
	{"a resource with a NUL behind", "aud", "\"https://berth.example/api/v1/bookings\\u0000\"", ERR_UNAUTHENTICATED,
		"aud is another"},
	{"the audience with a slash behind", "aud", "\"https://berth.example/api/\"", ERR_UNAUTHENTICATED,
		"aud is another"},
	{"a name that begins with the audience", "aud", "\"https://berth.example/api.evil.example\"",
		ERR_UNAUTHENTICATED, "aud is another"},
	{"the stamp of another environment", "env", "\"staging\"", ERR_UNAUTHENTICATED, "env is another"},
	{"no stamp", "env", NULL, ERR_UNAUTHENTICATED, "env is another"},
	{"no sub", "sub", NULL, ERR_UNAUTHENTICATED, "sub is missing or no string"},
	{"a sub that is a number", "sub", "1", ERR_UNAUTHENTICATED, "sub is missing or no string"},
	{"a sub that is a name", "sub", "\"alice\"", ERR_UNAUTHENTICATED, "sub is neither a person nor the client"},
	{"a nil sub", "sub", "\"" NIL "\"", ERR_UNAUTHENTICATED, "sub is neither a person nor the client"},
	{"a client named like the person", "client_id", "\"018F3C7E-0000-7000-8000-000000000001\"", ERR_UNAUTHENTICATED,
		"sub is neither a person nor the client"},
	{"no client", "client_id", NULL, ERR_UNAUTHENTICATED, "client_id is missing or malformed"},
	{"an empty client", "client_id", "\"\"", ERR_UNAUTHENTICATED, "client_id is missing or malformed"},
	{"a client with a quote", "client_id", "\"a'b\"", ERR_UNAUTHENTICATED, "client_id is missing or malformed"},
	{"a client with a NUL", "client_id", "\"a\\u0000\"", ERR_UNAUTHENTICATED, "client_id is missing or malformed"},
	{"a client of 65 characters", "client_id",
		"\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"", ERR_UNAUTHENTICATED,
		"client_id is missing or malformed"},
	{"no tenant", "tid", NULL, ERR_UNAUTHENTICATED, "tid is missing or malformed"},
	{"a nil tenant", "tid", "\"" NIL "\"", ERR_UNAUTHENTICATED, "tid is missing or malformed"},
	{"a tenant with a blank behind", "tid", "\"" TENANT " \"", ERR_UNAUTHENTICATED, "tid is missing or malformed"},
	{"no session", "sid", NULL, ERR_UNAUTHENTICATED, "sid is missing or malformed"},
	{"a session in braces", "sid", "\"{" SESSION "}\"", ERR_UNAUTHENTICATED, "sid is missing or malformed"},
	{"no token id", "jti", NULL, ERR_UNAUTHENTICATED, "jti is missing or malformed"},
	{"a token id that is a number", "jti", "4", ERR_UNAUTHENTICATED, "jti is missing or malformed"},
	{"no iat", "iat", NULL, ERR_UNAUTHENTICATED, "iat is missing or no whole second"},
	{"an iat that is a string", "iat", "\"1800000000\"", ERR_UNAUTHENTICATED, "iat is missing or no whole second"},
	{"an iat with a fraction", "iat", "1800000000.5", ERR_UNAUTHENTICATED, "iat is missing or no whole second"},
	{"an iat with an exponent", "iat", "18e8", ERR_UNAUTHENTICATED, "iat is missing or no whole second"},
	{"an iat before 1970", "iat", "-1", ERR_UNAUTHENTICATED, "iat is missing or no whole second"},
	{"an iat beyond 64 bits", "iat", "99999999999999999999", ERR_UNAUTHENTICATED,
		"iat is missing or no whole second"},
	{"an iat beyond what microseconds hold", "iat", "9223372036854775807", ERR_UNAUTHENTICATED,
		"iat is missing or no whole second"},
	{"an iat of five seconds ahead is a clock that is off", "iat", "1800000005", OK, NULL},
	{"an iat of six seconds ahead", "iat", "1800000006", ERR_UNAUTHENTICATED, "iat is in the future"},
	{"no exp", "exp", NULL, ERR_UNAUTHENTICATED, "exp is missing or no whole second"},
	{"an exp of null", "exp", "null", ERR_UNAUTHENTICATED, "exp is missing or no whole second"},
	{"an exp that is true", "exp", "true", ERR_UNAUTHENTICATED, "exp is missing or no whole second"},
	{"a life of an hour", "exp", "1800003600", OK, NULL},
	{"a life of an hour and a second", "exp", "1800003601", ERR_UNAUTHENTICATED, "the life is none or too long"},
	{"a life that ends before it begins", "exp", "1799999999", ERR_UNAUTHENTICATED, "the life is none or too long"},
	{"a life of nothing", "exp", "1800000000", ERR_UNAUTHENTICATED, "the life is none or too long"},
	{"an nbf now", "nbf", "1800000000", OK, NULL},
	{"an nbf that is a string", "nbf", "\"0\"", ERR_UNAUTHENTICATED, "nbf is no whole second"},
	{"an nbf in six seconds", "nbf", "1800000006", ERR_UNAUTHENTICATED, "nbf is in the future"},
	{"no milliseconds", "ims", NULL, OK, NULL},
	{"a thousand milliseconds", "ims", "1000", ERR_UNAUTHENTICATED, "ims is not 0 to 999"},
	{"negative milliseconds", "ims", "-1", ERR_UNAUTHENTICATED, "ims is not 0 to 999"},
	{"no scope", "scope", NULL, OK, NULL},
	{"an empty scope", "scope", "\"\"", OK, NULL},
	{"a scope with two blanks", "scope", "\"a  b\"", ERR_UNAUTHENTICATED, "scope is malformed"},
	{"a scope that ends in a blank", "scope", "\"a \"", ERR_UNAUTHENTICATED, "scope is malformed"},
	{"a scope that begins with a blank", "scope", "\" a\"", ERR_UNAUTHENTICATED, "scope is malformed"},
	{"a scope with a quote", "scope", "\"a\\\"b\"", ERR_UNAUTHENTICATED, "scope is malformed"},
	{"a scope with a NUL", "scope", "\"a\\u0000b\"", ERR_UNAUTHENTICATED, "scope is malformed"},
	{"a scope beyond ASCII", "scope", "\"\xc3\xa9\"", ERR_UNAUTHENTICATED, "scope is malformed"},
	{"a scope that is an array", "scope", "[\"a\"]", ERR_UNAUTHENTICATED, "scope is malformed"},
	{"no word on the e-mail address", "ev", NULL, ERR_UNAUTHENTICATED, "ev is missing or no boolean"},
	{"a number for the e-mail address", "ev", "1", ERR_UNAUTHENTICATED, "ev is missing or no boolean"},
	{"an unverified e-mail address is still a token", "ev", "false", OK, NULL},
	{"no roles", "roles", NULL, ERR_UNAUTHENTICATED, "roles is missing, no array or too long"},
	{"roles that are a string", "roles", "\"Admin\"", ERR_UNAUTHENTICATED,
		"roles is missing, no array or too long"},
	{"nine roles", "roles", "[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\"]", ERR_UNAUTHENTICATED,
		"roles is missing, no array or too long"},
	{"an empty list of roles", "roles", "[]", OK, NULL},
	{"a role that is a number", "roles", "[1]", ERR_UNAUTHENTICATED, "a role is malformed"},
	{"an empty role", "roles", "[\"\"]", ERR_UNAUTHENTICATED, "a role is malformed"},
	{"a role of 24 characters", "roles", "[\"aaaaaaaaaaaaaaaaaaaaaaaa\"]", ERR_UNAUTHENTICATED,
		"a role is malformed"},
	{"a role with a NUL", "roles", "[\"Admin\\u0000\"]", ERR_UNAUTHENTICATED, "a role is malformed"},
	{"no permissions", "perm", NULL, ERR_UNAUTHENTICATED, "perm is missing or no bitmap"},
	{"an empty bitmap", "perm", "\"\"", OK, NULL},
	{"permissions in an array", "perm", "[1]", ERR_UNAUTHENTICATED, "perm is missing or no bitmap"},
	{"a padded bitmap", "perm", "\"CQE=\"", ERR_UNAUTHENTICATED, "perm is missing or no bitmap"},
	{"a bitmap of 32 bytes", "perm", "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"", OK, NULL},
	{"a bitmap of 33 bytes", "perm", "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"", ERR_UNAUTHENTICATED,
		"perm is missing or no bitmap"},
	{"a claim twice", "act", "1,\"tid\":\"" SESSION "\"", ERR_UNAUTHENTICATED,
		"the claims are no JSON without duplicates"},
	{"no acr", "acr", NULL, OK, NULL},
	{"an acr that nobody knows", "acr", "\"3fa\"", ERR_UNAUTHENTICATED, "acr is unknown"},
	{"an empty acr", "acr", "\"\"", ERR_UNAUTHENTICATED, "acr is unknown"},
	{"an acr with a NUL", "acr", "\"2fa\\u0000\"", ERR_UNAUTHENTICATED, "acr is unknown"},
	{"an acr that is a number", "acr", "2", ERR_UNAUTHENTICATED, "acr is unknown"},
	{"no mfa", "mfa", NULL, OK, NULL},
	{"an mfa that nobody knows", "mfa", "\"none\"", ERR_UNAUTHENTICATED, "mfa is unknown"},
	{"an empty mfa", "mfa", "\"\"", ERR_UNAUTHENTICATED, "mfa is unknown"},
	{"an mfa that is false", "mfa", "false", ERR_UNAUTHENTICATED, "mfa is unknown"},
	{"no auth_time", "auth_time", NULL, OK, NULL},
	{"an auth_time that is a string", "auth_time", "\"0\"", ERR_UNAUTHENTICATED, "auth_time is no whole second"},
	{"a negative auth_time", "auth_time", "-1", ERR_UNAUTHENTICATED, "auth_time is no whole second"},
	{"no amr", "amr", NULL, OK, NULL},
	{"an empty amr", "amr", "[]", OK, NULL},
	{"an amr that is a string", "amr", "\"pwd\"", ERR_UNAUTHENTICATED, "amr is malformed"},
	{"an amr with an empty word", "amr", "[\"\"]", ERR_UNAUTHENTICATED, "amr is malformed"},
	{"an amr with a blank in front", "amr", "[\" pwd\"]", ERR_UNAUTHENTICATED, "amr is malformed"},
	{"an amr with a NUL", "amr", "[\"pwd\\u0000\"]", ERR_UNAUTHENTICATED, "amr is malformed"},
	{"an amr of more than it holds", "amr", "[\"aaaaaaaaaaaaaaaaaaaaaaaa\",\"bbbbbbbbbbbbbbbbbbbbbbb\"]",
		ERR_UNAUTHENTICATED, "amr is malformed"},
	{"a client alone that signed in", "sub", "\"web\"", ERR_UNAUTHENTICATED, "a client alone has not signed in"},
	{"a key that it is bound to", "cnf", "{\"jkt\":\"" FORGE_KID "\"}", OK, NULL},
	{"a binding to nothing", "cnf", "{}", ERR_UNAUTHENTICATED, "cnf is no thumbprint of a key"},
	{"a binding of null", "cnf", "null", ERR_UNAUTHENTICATED, "cnf is no thumbprint of a key"},
	{"a thumbprint alone", "cnf", "\"" FORGE_KID "\"", ERR_UNAUTHENTICATED, "cnf is no thumbprint of a key"},
	{"a thumbprint that is short", "cnf", "{\"jkt\":\"AAAA\"}", ERR_UNAUTHENTICATED,
		"cnf is no thumbprint of a key"},
	{"a binding to a certificate", "cnf", "{\"x5t#S256\":\"" FORGE_KID "\"}", ERR_UNAUTHENTICATED,
		"cnf is no thumbprint of a key"},
	{"a binding to a certificate too", "cnf", "{\"jkt\":\"" FORGE_KID "\",\"x5t#S256\":\"" FORGE_KID "\"}",
		ERR_UNAUTHENTICATED, "cnf is no thumbprint of a key"},
	{"a claim twice, once escaped", "act", "1,\"t\\u0069d\":\"" SESSION "\"", ERR_UNAUTHENTICATED,
		"the claims are no JSON without duplicates"},
	{"claims with a comment", "act", "1/**/", ERR_UNAUTHENTICATED, "the claims are no JSON without duplicates"},
};

static void every_claim_is_checked(void **state)
{
	struct signing_key *key = forge_key();
	struct keyset *keys = forge_keys(key);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(claim_cases); i++) {
		static const struct token nothing;
		struct arena *arena = arena_new(ARENA_BYTES);
		struct str claims = claims_with(arena, claim_cases[i].claim, claim_cases[i].value);
		struct str compact = forge(
			arena, key, STR("{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"" FORGE_KID "\"}"), claims);
		struct token token;
		const char *reason = NULL;
		enum err err = token_verify(&rules, keys, compact, NOW, &token, &reason);

		CHECK(claim_cases[i].name, err == claim_cases[i].err);
		CHECK(claim_cases[i].name, err == OK || strcmp(reason, claim_cases[i].reason) == 0);
		CHECK(claim_cases[i].name, err == OK || memcmp(&token, &nothing, sizeof(token)) == 0);
		arena_free(&arena);
	}
	keyset_free(&keys);
	signing_key_free(&key);
}

static const struct {
	const char *name, *header;
	bool good;
	const char *reason;
} header_cases[] = {
	{"the media type in full", "\"typ\":\"application/at+jwt\"", true, NULL},
	{"the type in capitals", "\"typ\":\"AT+JWT\"", true, NULL},
	{"an ID token is no access token", "\"typ\":\"JWT\"", false, "typ is not at+jwt"},
	{"a token without a type", "\"x\":1", false, "typ is not at+jwt"},
	{"a type that only begins so", "\"typ\":\"at+jwt2\"", false, "typ is not at+jwt"},
	{"a type with a NUL", "\"typ\":\"at+jwt\\u0000\"", false, "typ is not at+jwt"},
	{"an empty type", "\"typ\":\"\"", false, "typ is not at+jwt"},
};

static void only_access_tokens_pass(void **state)
{
	struct signing_key *key = forge_key();
	struct keyset *keys = forge_keys(key);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(header_cases); i++) {
		struct arena *arena = arena_new(ARENA_BYTES);
		struct str header =
			arena_printf(arena, "{\"alg\":\"EdDSA\",\"kid\":\"" FORGE_KID "\",%s}", header_cases[i].header);
		struct str compact = forge(arena, key, header, claims_with(arena, NULL, NULL));
		struct token token;
		const char *reason;
		enum err err = token_verify(&rules, keys, compact, NOW, &token, &reason);

		CHECK(header_cases[i].name, (err == OK) == header_cases[i].good);
		CHECK(header_cases[i].name, err == OK || strcmp(reason, header_cases[i].reason) == 0);
		arena_free(&arena);
	}
	keyset_free(&keys);
	signing_key_free(&key);
}

static void a_token_of_another_algorithm_is_refused(void **state)
{
	struct signing_key *key = NULL;
	struct keyset *keys;
	struct arena *arena = arena_new(ARENA_BYTES);
	struct token token;
	const char *reason;
	struct str header, compact;

	(void)state;
	assert_int_equal(signing_key_generate(JWK_ES256, &key), OK);
	keys = forge_keys(key);
	header = arena_printf(arena, "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"%s\"}", signing_key_kid(key));
	compact = forge(arena, key, header, claims_with(arena, NULL, NULL));
	assert_int_equal(token_verify(&rules, keys, compact, NOW, &token, &reason), ERR_UNAUTHENTICATED);
	assert_string_equal(reason, "alg is not allowed here");
	arena_free(&arena);
	keyset_free(&keys);
	signing_key_free(&key);
}

static struct token sample(void)
{
	struct token token = {.issued_at = NOW + 999 * US_PER_MS + 999, .expires_at = NOW + 600 * US_PER_S};

	assert_int_equal(uuid_parse(STR(PERSON), &token.person_id), OK);
	assert_int_equal(uuid_parse(STR(TENANT), &token.tenant_id), OK);
	assert_int_equal(uuid_parse(STR(SESSION), &token.session_id), OK);
	assert_int_equal(uuid_parse(STR(TOKEN_ID), &token.token_id), OK);
	memcpy(token.client_id, "web", 4);
	token.acr = ACR_1FA;
	return token;
}

static void a_token_lives_from_its_first_to_its_last_microsecond(void **state)
{
	struct signing_key *key = forge_key();
	struct keyset *keys = forge_keys(key);
	struct token in = sample();
	struct token out;
	const char *reason;
	struct buf compact;

	(void)state;
	buf_init(&compact, TOKEN_LEN_MAX);
	assert_int_equal(token_sign(&rules, key, &in, &compact), OK);
	assert_int_equal(token_verify(&rules, keys, buf_str(&compact), NOW - TOKEN_LEEWAY_US - 1, &out, &reason),
		ERR_UNAUTHENTICATED);
	assert_int_equal(token_verify(&rules, keys, buf_str(&compact), NOW - TOKEN_LEEWAY_US, &out, &reason), OK);
	assert_int_equal(token_verify(&rules, keys, buf_str(&compact), in.expires_at - 1, &out, &reason), OK);
	assert_int_equal(
		token_verify(&rules, keys, buf_str(&compact), in.expires_at, &out, &reason), ERR_TOKEN_EXPIRED);
	assert_string_equal(reason, "exp has passed");
	assert_true(uuid_is_nil(&out.tenant_id));
	buf_release(&compact);
	keyset_free(&keys);
	signing_key_free(&key);
}

static void fill_grants(struct token *token)
{
	for (uint8_t i = 1; i <= TOKEN_GRANTS_MAX + 2; i++) {
		struct token_grant grant = {.id = {{i}}, .scope = "sapg"[i % 4], .permissions = {i, 0, 0, i}};

		assert_int_equal(token_add_grant(token, &grant), i <= TOKEN_GRANTS_MAX ? OK : ERR_TOO_LARGE);
	}
}

static void a_right_in_a_place_is_held_there_alone(void **state)
{
	const struct uuid one = {{1}};
	struct token token = {0};

	(void)state;
	fill_grants(&token);
	assert_true(token_has_at(&token, 24, TOKEN_AREA, &one) && token_may(&token, 24, true));
	assert_false(token_has_at(&token, 24, TOKEN_SITE, &one) || token_may(&token, 24, false));
	assert_false(token_has_at(&token, 25, TOKEN_AREA, &one) || token_has_at(&token, 32, TOKEN_AREA, &one));
}

static void what_is_signed_comes_back(void **state)
{
	struct signing_key *key = forge_key();
	struct keyset *keys = forge_keys(key);
	struct token in = sample();
	struct token out;
	const char *reason;
	struct buf compact;

	(void)state;
	in.email_verified = true;
	for (unsigned i = 0; i < TOKEN_ROLES_MAX; i++)
		assert_int_equal(token_add_role(&in, i == 0 ? STR("Admin") : STR("aaaaaaaaaaaaaaaaaaaaaa_")), OK);
	assert_int_equal(token_add_role(&in, STR("Late")), ERR_BAD_FIELD);
	assert_true(token_set_scope(&in, STR("openid profile email")));
	assert_false(token_set_scope(&in, STR(" openid")));
	fill_grants(&in);
	in.acr = ACR_PHR;
	in.demand = DEMAND_OPTIONAL;
	memcpy(in.jkt, FORGE_KID, sizeof(in.jkt));
	in.auth_at = NOW - 5 * US_PER_S;
	assert_true(token_set_methods(&in, STR("pop mfa")));
	assert_false(token_set_methods(&in, STR("pop ")));
	token_grant(&in, 0);
	token_grant(&in, 8);
	token_grant(&in, 255);
	buf_init(&compact, TOKEN_LEN_MAX);
	assert_int_equal(token_sign(&rules, key, &in, &compact), OK);
	assert_int_equal(token_verify(&rules, keys, buf_str(&compact), NOW, &out, &reason), OK);
	in.issued_at -= 999; /* milliseconds travel */
	assert_memory_equal(&in, &out, sizeof(in));
	assert_true(token_has(&out, 0) && token_has(&out, 8) && token_has(&out, 255));
	assert_false(token_has(&out, 1) || token_has(&out, 7) || token_has(&out, 254) || token_has(&out, 256) ||
		     token_has(&out, UINT32_MAX));
	assert_true(token_has_role(&out, "Admin"));
	assert_false(token_has_role(&out, "admin") || token_has_role(&out, ""));
	assert_true(
		token_has_scope(&out, "openid") && token_has_scope(&out, "profile") && token_has_scope(&out, "email"));
	assert_false(
		token_has_scope(&out, "open") || token_has_scope(&out, "") || token_has_scope(&out, "openid profile"));
	buf_release(&compact);
	keyset_free(&keys);
	signing_key_free(&key);
}

static void a_client_for_itself_has_no_person(void **state)
{
	struct signing_key *key = forge_key();
	struct keyset *keys = forge_keys(key);
	struct token in = sample();
	struct token out;
	const char *reason;
	struct buf compact;

	(void)state;
	in.person_id = UUID_NIL;
	in.acr = ACR_NONE;
	buf_init(&compact, TOKEN_LEN_MAX);
	assert_int_equal(token_sign(&rules, key, &in, &compact), OK);
	assert_int_equal(token_verify(&rules, keys, buf_str(&compact), NOW, &out, &reason), OK);
	assert_true(uuid_is_nil(&out.person_id));
	assert_string_equal(out.client_id, "web");
	assert_false(token_has_scope(&out, ""));
	buf_release(&compact);
	keyset_free(&keys);
	signing_key_free(&key);
}

static void what_would_not_verify_is_not_signed(void **state)
{
	struct signing_key *key = forge_key();
	struct signing_key *other = NULL;
	struct token_rules no_env = rules;
	struct buf compact;

	(void)state;
	buf_init(&compact, TOKEN_LEN_MAX);
#define REFUSED(change)                                                                     \
	do {                                                                                \
		struct token token = sample();                                              \
		change;                                                                     \
		assert_int_equal(token_sign(&rules, key, &token, &compact), ERR_BAD_FIELD); \
		assert_int_equal(compact.len, 0);                                           \
	} while (0)
	REFUSED(token.expires_at = NOW + 3601 * US_PER_S);
	REFUSED(token.expires_at = NOW);
	REFUSED(token.issued_at = -1);
	REFUSED(token.tenant_id = UUID_NIL);
	REFUSED(token.session_id = UUID_NIL);
	REFUSED(token.token_id = UUID_NIL);
	REFUSED(memcpy(token.client_id, PERSON, sizeof(PERSON)));
	REFUSED(token.client_id[0] = '\0');
	REFUSED(memset(token.client_id, 'a', sizeof(token.client_id)));
	REFUSED(memset(token.scope, 'a', sizeof(token.scope)));
	REFUSED(token.scope[0] = '"');
	REFUSED(token.acr = ACR_NONE);
	REFUSED(token.jkt[0] = 'a');
	REFUSED(memset(token.jkt, 'a', sizeof(token.jkt)));
	REFUSED(token.acr = (enum acr)9);
	REFUSED(token.demand = (enum demand)9);
	REFUSED(token.auth_at = -1);
	REFUSED(token.methods[0] = '"');
	REFUSED(memset(token.methods, 'a', sizeof(token.methods)));
	REFUSED(token.person_id = UUID_NIL);
	REFUSED(token.role_count = 1);
	REFUSED(token.role_count = 200);
	REFUSED((memset(token.roles[0], 'a', sizeof(token.roles[0])), token.role_count = 1));
#undef REFUSED
	no_env.env = STR_NONE;
	assert_int_equal(token_sign(&no_env, key, &(struct token){0}, &compact), ERR_BAD_FIELD);
	assert_int_equal(signing_key_generate(JWK_ES256, &other), OK);
	{
		struct token token = sample();

		assert_int_equal(token_sign(&rules, other, &token, &compact), ERR_BAD_FIELD);
		assert_int_equal(token_sign(&no_env, key, &token, &compact), ERR_BAD_FIELD);
	}
	signing_key_free(&other);
	signing_key_free(&key);
	buf_release(&compact);
}

static void a_token_over_four_kibibytes_is_refused(void **state)
{
	struct signing_key *key = forge_key();
	struct keyset *keys = forge_keys(key);
	struct arena *arena = arena_new(ARENA_BYTES);
	struct token token;
	const char *reason;
	struct str padding, compact;
	char *text = arena_take(arena, 3000);

	(void)state;
	memset(text, 'a', 3000);
	padding = arena_printf(arena, "\"%.*s\"", 2999, text);
	compact = forge(arena, key, STR("{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"" FORGE_KID "\"}"),
		claims_with(arena, "pad", padding.p));
	assert_true(compact.len > TOKEN_LEN_MAX);
	assert_int_equal(token_verify(&rules, keys, compact, NOW, &token, &reason), ERR_UNAUTHENTICATED);
	assert_string_equal(reason, "the text is too long");
	arena_free(&arena);
	keyset_free(&keys);
	signing_key_free(&key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_claim_is_checked),
		cmocka_unit_test(only_access_tokens_pass),
		cmocka_unit_test(a_token_of_another_algorithm_is_refused),
		cmocka_unit_test(a_token_lives_from_its_first_to_its_last_microsecond),
		cmocka_unit_test(a_right_in_a_place_is_held_there_alone),
		cmocka_unit_test(what_is_signed_comes_back),
		cmocka_unit_test(a_client_for_itself_has_no_person),
		cmocka_unit_test(what_would_not_verify_is_not_signed),
		cmocka_unit_test(a_token_over_four_kibibytes_is_refused),
	};

	return cmocka_run_group_tests_name("token", tests, NULL, NULL);
}
