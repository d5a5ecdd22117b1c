/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"
#include "token/test_forge.h"

#define ARENA_BYTES (1024 * 1024)

/* Of keys from RFCs that carry no kid, so that senders that name none are tried too. */
static const struct jws_rules any_key = {.algs_allowed = JWS_ALLOW_ALL, .kid_optional = true};
static const struct jws_rules ours = {.algs_allowed = JWS_ALLOW(JWK_EDDSA)};

#define RFC7515_EC_KEY                                                                             \
	"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"," \
	"\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}"
#define RFC7515_RSA_KEY                                                                              \
	"{\"kty\":\"RSA\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-" \
	"Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_" \
	"7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb" \
	"3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FR" \
	"WyuXpoQ\",\"e\":\"AQAB\"}"
#define RFC8037_KEY "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" FORGE_X "\"}"
#define RFC7515_PAYLOAD "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
#define RFC7515_CLAIMS "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}"
#define RFC7515_ES256                           \
	"eyJhbGciOiJFUzI1NiJ9." RFC7515_PAYLOAD \
	".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
#define RFC7515_RS256                                                                                \
	"eyJhbGciOiJSUzI1NiJ9." RFC7515_PAYLOAD                                                      \
	".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2" \
	"Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQ" \
	"BMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6Ie" \
	"YI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
#define RFC8037_EDDSA                                                                                \
	"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGc" \
	"vMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
#define ALL_KEYS "{\"keys\":[" RFC7515_EC_KEY "," RFC7515_RSA_KEY "," RFC8037_KEY "]}"

static const struct {
	const char *name, *keys, *compact, *payload, *reason;
	unsigned algs_allowed;
} vectors[] = {
	{"RFC 7515 appendix A.2: RS256", ALL_KEYS, RFC7515_RS256, RFC7515_CLAIMS, NULL, JWS_ALLOW_ALL},
	{"RFC 7515 appendix A.3: ES256", ALL_KEYS, RFC7515_ES256, RFC7515_CLAIMS, NULL, JWS_ALLOW_ALL},
	{"RFC 8037 appendix A.4: EdDSA", ALL_KEYS, RFC8037_EDDSA, "Example of Ed25519 signing", NULL, JWS_ALLOW_ALL},
	{"RFC 7515 appendix A.1: HS256 is not supported", ALL_KEYS,
		"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." RFC7515_PAYLOAD
		".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
		NULL, "alg is not supported", JWS_ALLOW_ALL},
	{"RFC 7515 appendix A.5: an unsecured JWS has no signature", ALL_KEYS,
		"eyJhbGciOiJub25lIn0." RFC7515_PAYLOAD ".", NULL, "the signature is empty or too long", JWS_ALLOW_ALL},
	{"none with something as its signature", ALL_KEYS, "eyJhbGciOiJub25lIn0." RFC7515_PAYLOAD ".AAAA", NULL,
		"alg is not supported", JWS_ALLOW_ALL},
	{"RS256 where only EdDSA is allowed", ALL_KEYS, RFC7515_RS256, NULL, "alg is not allowed here",
		JWS_ALLOW(JWK_EDDSA)},
	{"a signature of another key", "{\"keys\":[" RFC7515_RSA_KEY "]}", RFC7515_ES256, NULL,
		"without kid, no single key fits", JWS_ALLOW_ALL},
	{"an EdDSA signature in a text that says ES256", ALL_KEYS,
		"eyJhbGciOiJFUzI1NiJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
		"hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
		NULL, "the signature is wrong", JWS_ALLOW_ALL},
};

static void published_vectors_are_judged_as_published(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(vectors); i++) {
		struct jws_rules rules = any_key;
		struct arena *arena = arena_new(ARENA_BYTES);
		struct keyset *keys = NULL;
		const char *reason = NULL;
		struct jws jws;
		enum err err;

		rules.algs_allowed = vectors[i].algs_allowed;
		CHECK(vectors[i].name, keyset_parse(str_from(vectors[i].keys), &keys, &reason) == OK);
		err = jws_verify(arena, &rules, keys, str_from(vectors[i].compact), &jws, &reason);
		CHECK(vectors[i].name, (err == OK) == (vectors[i].payload != NULL));
		CHECK(vectors[i].name, err == OK || strcmp(reason, vectors[i].reason) == 0);
		CHECK(vectors[i].name, err != OK || str_eq_c(jws.payload, vectors[i].payload));
		CHECK(vectors[i].name, err == OK || (jws.payload.p == NULL && jws.key == NULL));
		keyset_free(&keys);
		arena_free(&arena);
	}
}

#define GOOD "\"alg\":\"EdDSA\",\"kid\":\"" FORGE_KID "\""

/* Each is signed with the right key, so the header alone decides. */
static const struct {
	const char *name, *header, *reason;
} header_cases[] = {
	{"the header that we write passes", "{" GOOD "}", NULL},
	{"members that nobody knows pass", "{" GOOD ",\"cty\":\"x\",\"iat\":1}", NULL},
	{"white space in the header passes", "\t{ " GOOD "\r\n}", NULL},
	{"a type passes and comes out", "{" GOOD ",\"typ\":\"at+jwt\"}", NULL},
	{"no alg", "{\"kid\":\"" FORGE_KID "\"}", "alg is missing or no string"},
	{"an alg that is null", "{\"alg\":null,\"kid\":\"" FORGE_KID "\"}", "alg is missing or no string"},
	{"an alg that is an array", "{\"alg\":[\"EdDSA\"],\"kid\":\"" FORGE_KID "\"}", "alg is missing or no string"},
	{"none", "{\"alg\":\"none\",\"kid\":\"" FORGE_KID "\"}", "alg is not supported"},
	{"None", "{\"alg\":\"None\",\"kid\":\"" FORGE_KID "\"}", "alg is not supported"},
	{"NONE", "{\"alg\":\"NONE\",\"kid\":\"" FORGE_KID "\"}", "alg is not supported"},
	{"nOnE", "{\"alg\":\"nOnE\",\"kid\":\"" FORGE_KID "\"}", "alg is not supported"},
	{"none with a blank", "{\"alg\":\"none \",\"kid\":\"" FORGE_KID "\"}", "alg is not supported"},
	{"an empty alg", "{\"alg\":\"\",\"kid\":\"" FORGE_KID "\"}", "alg is not supported"},
	{"eddsa in small letters", "{\"alg\":\"eddsa\",\"kid\":\"" FORGE_KID "\"}", "alg is not supported"},
	{"EdDSA with a NUL behind", "{\"alg\":\"EdDSA\\u0000\",\"kid\":\"" FORGE_KID "\"}", "alg is not supported"},
	{"HS256 keyed with the public key", "{\"alg\":\"HS256\",\"kid\":\"" FORGE_KID "\"}", "alg is not supported"},
	{"PS256", "{\"alg\":\"PS256\",\"kid\":\"" FORGE_KID "\"}", "alg is not supported"},
	{"an algorithm of another key", "{\"alg\":\"RS256\",\"kid\":\"" FORGE_KID "\"}", "alg is not allowed here"},
	{"alg twice", "{\"alg\":\"none\"," GOOD "}", "the header is no JSON without duplicates"},
	{"alg twice, once escaped", "{\"al\\u0067\":\"none\"," GOOD "}", "the header is no JSON without duplicates"},
	{"kid twice", "{" GOOD ",\"kid\":\"x\"}", "the header is no JSON without duplicates"},
	{"bytes behind the header", "{" GOOD "}{}", "the header is no JSON without duplicates"},
	{"invalid UTF-8 in the header", "{" GOOD ",\"x\":\"\xff\"}", "the header is no JSON without duplicates"},
	{"a header that is an array", "[]", "the header is no object"},
	{"a header that is a string", "\"alg\"", "the header is no object"},
	{"crit", "{" GOOD ",\"crit\":[\"exp\"],\"exp\":1}", "crit is not supported"},
	{"an empty crit", "{" GOOD ",\"crit\":[]}", "crit is not supported"},
	{"a crit of null", "{" GOOD ",\"crit\":null}", "crit is not supported"},
	{"an unencoded payload", "{" GOOD ",\"b64\":false}", "b64 is not supported"},
	{"an encoded payload, said aloud", "{" GOOD ",\"b64\":true}", "b64 is not supported"},
	{"jku", "{" GOOD ",\"jku\":\"https://attacker.example/keys\"}", "jku is not allowed"},
	{"x5u", "{" GOOD ",\"x5u\":\"http://169.254.169.254/\"}", "x5u is not allowed"},
	{"x5c", "{" GOOD ",\"x5c\":[\"AAAA\"]}", "x5c is not allowed"},
	{"a key of its own", "{" GOOD ",\"jwk\":" RFC8037_KEY "}", "jwk is not allowed"},
	{"compression", "{" GOOD ",\"zip\":\"DEF\"}", "zip is not allowed"},
	{"encryption", "{" GOOD ",\"enc\":\"A256GCM\"}", "enc is not allowed"},
	{"no kid", "{\"alg\":\"EdDSA\"}", "kid is missing"},
	{"a kid that is a number", "{\"alg\":\"EdDSA\",\"kid\":1}", "kid is not 1 to 64 safe characters"},
	{"a kid that is null", "{\"alg\":\"EdDSA\",\"kid\":null}", "kid is not 1 to 64 safe characters"},
	{"an empty kid", "{\"alg\":\"EdDSA\",\"kid\":\"\"}", "kid is not 1 to 64 safe characters"},
	{"a kid that is a path", "{\"alg\":\"EdDSA\",\"kid\":\"../../dev/null\"}",
		"kid is not 1 to 64 safe characters"},
	{"a kid that is SQL", "{\"alg\":\"EdDSA\",\"kid\":\"' or 1=1--\"}", "kid is not 1 to 64 safe characters"},
	{"a kid with a NUL behind", "{\"alg\":\"EdDSA\",\"kid\":\"" FORGE_KID "\\u0000\"}",
		"kid is not 1 to 64 safe characters"},
	{"a kid that nobody has", "{\"alg\":\"EdDSA\",\"kid\":\"k1\"}", jws_unknown_key},
	{"a kid in other letters", "{\"alg\":\"EdDSA\",\"kid\":\"KPRK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k\"}",
		jws_unknown_key},
	{"a typ that is a number", "{" GOOD ",\"typ\":1}", "typ is no string or too long"},
	{"a typ of 65 characters",
		"{" GOOD ",\"typ\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}",
		"typ is no string or too long"},
};

static void the_header_decides_before_the_signature(void **state)
{
	struct signing_key *key = forge_key();
	struct keyset *keys = forge_keys(key);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(header_cases); i++) {
		struct arena *arena = arena_new(ARENA_BYTES);
		struct str compact = forge(arena, key, str_from(header_cases[i].header), STR("payload"));
		const char *reason = NULL;
		struct jws jws;
		enum err err = jws_verify(arena, &ours, keys, compact, &jws, &reason);

		CHECK(header_cases[i].name, (err == OK) == (header_cases[i].reason == NULL));
		CHECK(header_cases[i].name, err == OK || strcmp(reason, header_cases[i].reason) == 0);
		CHECK(header_cases[i].name, err == OK || err == ERR_UNAUTHENTICATED);
		CHECK(header_cases[i].name, err != OK || str_eq(jws.payload, STR("payload")));
		CHECK(header_cases[i].name, (reason == jws_unknown_key) == (header_cases[i].reason == jws_unknown_key));
		arena_free(&arena);
	}
	keyset_free(&keys);
	signing_key_free(&key);
}

static const struct {
	const char *name, *head, *middle, *tail, *reason;
} text_cases[] = {
	/* The compact text's three parts stand where %s is; NULL leaves a part out with its dot. */
	{"the text as it was signed", "%s", ".%s", ".%s", NULL},
	{"a signature that is missing", "%s", ".%s", ".", "the signature is empty or too long"},
	{"a signature that is missing with its dot", "%s", ".%s", "", "the text has not three parts"},
	{"a header that is missing", "", ".%s", ".%s", "the header is empty or too long"},
	{"a payload that is missing", "%s", ".", ".%s", "the signature is wrong"},
	{"a payload that is missing with its dot", "%s", "", ".%s", "the text has not three parts"},
	{"a fourth part", "%s", ".%s", ".%s.AAAA", "the text has not three parts"},
	{"a fourth part that is empty", "%s", ".%s", ".%s.", "the text has not three parts"},
	{"five parts as in a JWE", "%s", ".%s", "..%s.AAAA", "the text has not three parts"},
	{"a padded header", "%s=", ".%s", ".%s", "the header is no base64url"},
	{"a blank before the header", " %s", ".%s", ".%s", "the header is no base64url"},
	{"a padded signature", "%s", ".%s", ".%s==", "the signature is no base64url"},
	{"a blank behind the signature", "%s", ".%s", ".%s ", "the signature is no base64url"},
	{"a newline behind the signature", "%s", ".%s", ".%s\n", "the signature is no base64url"},
	{"a signature with a plus sign", "%s", ".%s", ".+%s", "the signature is no base64url"},
	{"a signature of three bytes more", "%s", ".%s", ".AAAA%s", "the signature is wrong"},
	{"a payload of three bytes more", "%s", ".AAAA%s", ".%s", "the signature is wrong"},
	{"a payload with a padding that was not signed", "%s", ".%s=", ".%s", "the signature is wrong"},
};

static struct str part_printf(struct arena *arena, const char *pattern, struct str part)
{
	const char *at = strstr(pattern, "%s");

	if (at == NULL)
		return str_from(pattern);
	return arena_printf(arena, "%.*s%.*s%s", (int)(at - pattern), pattern, STR_ARG(part), at + 2);
}

static void the_text_has_exactly_three_strict_parts(void **state)
{
	struct signing_key *key = forge_key();
	struct keyset *keys = forge_keys(key);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(text_cases); i++) {
		struct arena *arena = arena_new(ARENA_BYTES);
		struct str rest = forge(arena, key, STR("{" GOOD "}"), STR("{\"a\":1}"));
		struct str header, payload, compact;
		const char *reason = NULL;
		struct jws jws;
		enum err err;

		(void)str_cut(&rest, '.', &header);
		(void)str_cut(&rest, '.', &payload);
		header = part_printf(arena, text_cases[i].head, header);
		payload = part_printf(arena, text_cases[i].middle, payload);
		rest = part_printf(arena, text_cases[i].tail, rest);
		compact = arena_printf(arena, "%.*s%.*s%.*s", STR_ARG(header), STR_ARG(payload), STR_ARG(rest));
		err = jws_verify(arena, &ours, keys, compact, &jws, &reason);
		CHECK(text_cases[i].name, (err == OK) == (text_cases[i].reason == NULL));
		CHECK(text_cases[i].name, err == OK || strcmp(reason, text_cases[i].reason) == 0);
		arena_free(&arena);
	}
	keyset_free(&keys);
	signing_key_free(&key);
}

/* The payload's last digit carries bits that mean nothing: two texts must not mean the same bytes. */
static void a_signed_payload_with_loose_bits_is_refused(void **state)
{
	struct signing_key *key = forge_key();
	struct keyset *keys = forge_keys(key);
	struct arena *arena = arena_new(ARENA_BYTES);
	struct str header = base64url_encode(arena, STR("{" GOOD "}"));
	struct str signed_bytes = arena_printf(arena, "%.*s.AB", STR_ARG(header));
	uint8_t signature[JWK_SIGNATURE_MAX];
	const char *reason;
	struct str text;
	struct jws jws;
	size_t len;

	(void)state;
	assert_int_equal(signing_key_sign(key, signed_bytes, signature, &len), OK);
	text = base64url_encode(arena, (struct str){(const char *)signature, len});
	text = arena_printf(arena, "%.*s.%.*s", STR_ARG(signed_bytes), STR_ARG(text));
	/* A header's own key is believed by jws_verify_own() alone. */
	assert_int_equal(jws_verify(arena, &any_key, NULL, STR(RFC7515_ES256), &jws, &reason), ERR_UNAUTHENTICATED);
	assert_string_equal(reason, "there are no keys");
	assert_int_equal(jws_verify(arena, &ours, keys, text, &jws, &reason), ERR_UNAUTHENTICATED);
	assert_string_equal(reason, "the payload is no base64url");
	arena_free(&arena);
	keyset_free(&keys);
	signing_key_free(&key);
}

/* FIPS 186-5 section 6.4.2: r and s lie between 1 and the order less 1. */
#define ORDER                                                              \
	"\xff\xff\xff\xff\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff" \
	"\xbc\xe6\xfa\xad\xa7\x17\x9e\x84\xf3\xb9\xca\xc2\xfc\x63\x25\x51"
#define ORDER_LESS_1                                                       \
	"\xff\xff\xff\xff\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff" \
	"\xbc\xe6\xfa\xad\xa7\x17\x9e\x84\xf3\xb9\xca\xc2\xfc\x63\x25\x50"
#define ZERO "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define ONE "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"

static const struct {
	const char *name;
	struct str signature;
} ecdsa_cases[] = {
	{"r and s are zero", STR(ZERO ZERO)},
	{"r is zero, s is one", STR(ZERO ONE)},
	{"r is one, s is zero", STR(ONE ZERO)},
	{"r and s are one", STR(ONE ONE)},
	{"r is the order", STR(ORDER ONE)},
	{"s is the order", STR(ONE ORDER)},
	{"r and s are the order", STR(ORDER ORDER)},
	{"r is zero, s is the order less one", STR(ZERO ORDER_LESS_1)},
	{"r and s are the order less one", STR(ORDER_LESS_1 ORDER_LESS_1)},
	{"a signature of 63 bytes", {ONE ONE, 63}},
	{"a signature of 65 bytes", STR(ONE ONE "\0")},
	{"a DER signature", STR("\x30\x06\x02\x01\x01\x02\x01\x01")},
	{"an empty signature", STR("")},
};

static void psychic_and_misshapen_ecdsa_signatures_are_refused(void **state)
{
	struct keyset *keys = NULL;
	const char *reason;

	(void)state;
	assert_int_equal(keyset_parse(STR("{\"keys\":[" RFC7515_EC_KEY "]}"), &keys, &reason), OK);
	for (size_t i = 0; i < COUNT_OF(ecdsa_cases); i++)
		CHECK(ecdsa_cases[i].name, !jwk_verify(keyset_at(keys, 0), STR("x"), ecdsa_cases[i].signature));
	keyset_free(&keys);
}

static void every_flipped_bit_of_a_signature_is_seen(void **state)
{
	static const char *const documents[] = {RFC7515_RS256, RFC7515_ES256, RFC8037_EDDSA};
	struct keyset *keys = NULL;
	const char *reason;

	(void)state;
	assert_int_equal(keyset_parse(STR(ALL_KEYS), &keys, &reason), OK);
	for (size_t d = 0; d < COUNT_OF(documents); d++) {
		struct arena *arena = arena_new(ARENA_BYTES);
		const char *dot = strrchr(documents[d], '.');
		struct str head = {documents[d], (size_t)(dot - documents[d])};
		struct str signature = base64url_decode(arena, str_from(dot + 1));
		char *bytes = arena_take(arena, signature.len);

		memcpy(bytes, signature.p, signature.len);
		assert_true(jwk_verify(keyset_only(keys, d == 0   ? JWK_RS256
							 : d == 1 ? JWK_ES256
								  : JWK_EDDSA),
			head, signature));
		for (size_t i = 0; i < signature.len; i++) {
			bytes[i] = (char)(bytes[i] ^ 1 << i % 8);
			for (size_t k = 0; k < keyset_count(keys); k++)
				assert_false(jwk_verify(keyset_at(keys, k), head, (struct str){bytes, signature.len}));
			bytes[i] = (char)(bytes[i] ^ 1 << i % 8);
		}
		arena_free(&arena);
	}
	keyset_free(&keys);
}

static void a_text_over_its_cap_is_refused_unread(void **state)
{
	static const struct jws_rules small = {.algs_allowed = JWS_ALLOW_ALL, .len_max = 100};
	static char huge[JWS_COMPACT_MAX + 1];
	struct keyset *keys = keyset_new();
	struct arena *arena = arena_new(ARENA_BYTES);
	const char *reason;
	struct jws jws;

	(void)state;
	memset(huge, 'A', sizeof(huge));
	assert_int_equal(jws_verify(arena, &any_key, keys, (struct str){huge, sizeof(huge)}, &jws, &reason),
		ERR_UNAUTHENTICATED);
	assert_string_equal(reason, "the text is too long");
	assert_int_equal(jws_verify(arena, &small, keys, (struct str){huge, 101}, &jws, &reason), ERR_UNAUTHENTICATED);
	assert_string_equal(reason, "the text is too long");
	assert_int_equal(jws_verify(arena, &small, keys, STR(""), &jws, &reason), ERR_UNAUTHENTICATED);
	assert_string_equal(reason, "the text is empty");
	assert_int_equal(jws_verify(arena, &small, keys, STR_NONE, &jws, &reason), ERR_UNAUTHENTICATED);
	huge[10] = '.';
	huge[sizeof(huge) - 1] = '\0';
	huge[JWS_COMPACT_MAX - 10] = '.';
	assert_int_equal(
		jws_verify(arena, &any_key, keys, (struct str){huge + 10 - 9, JWS_COMPACT_MAX - 2}, &jws, &reason),
		ERR_UNAUTHENTICATED);
	arena_free(&arena);
	keyset_free(&keys);
}

static void what_is_signed_verifies_and_only_with_its_key(void **state)
{
	(void)state;
	for (unsigned alg = 0; alg < JWK_ALG_COUNT; alg++) {
		struct signing_key *key = NULL;
		struct signing_key *other = forge_key();
		struct keyset *keys, *others;
		struct arena *arena = arena_new(ARENA_BYTES);
		struct buf compact;
		const char *reason;
		struct jws jws;

		buf_init(&compact, JWS_COMPACT_MAX);
		buf_put_c(&compact, "Bearer ");
		assert_int_equal(signing_key_generate((enum jwk_alg)alg, &key), OK);
		keys = forge_keys(key);
		others = forge_keys(other);
		assert_int_equal(jws_sign(key, "JWT", STR("{\"a\":1}"), &compact), OK);
		buf_consume(&compact, 7);
		assert_int_equal(jws_verify(arena, &any_key, keys, buf_str(&compact), &jws, &reason), OK);
		assert_int_equal(jws.alg, alg);
		assert_true(str_eq_c(jws.typ, "JWT"));
		assert_true(str_eq_c(jws.payload, "{\"a\":1}"));
		assert_string_equal(jwk_kid(jws.key), signing_key_kid(key));
		assert_int_equal(
			jws_verify(arena, &any_key, others, buf_str(&compact), &jws, &reason), ERR_UNAUTHENTICATED);
		assert_ptr_equal(reason, jws_unknown_key);
		buf_reset(&compact);
		assert_int_equal(jws_sign(key, NULL, STR(""), &compact), OK);
		assert_int_equal(jws_verify(arena, &any_key, keys, buf_str(&compact), &jws, &reason), OK);
		assert_null(jws.typ.p);
		assert_int_equal(jws.payload.len, 0);
		buf_release(&compact);
		arena_free(&arena);
		keyset_free(&keys);
		keyset_free(&others);
		signing_key_free(&key);
		signing_key_free(&other);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_vectors_are_judged_as_published),
		cmocka_unit_test(the_header_decides_before_the_signature),
		cmocka_unit_test(the_text_has_exactly_three_strict_parts),
		cmocka_unit_test(a_signed_payload_with_loose_bits_is_refused),
		cmocka_unit_test(psychic_and_misshapen_ecdsa_signatures_are_refused),
		cmocka_unit_test(every_flipped_bit_of_a_signature_is_seen),
		cmocka_unit_test(a_text_over_its_cap_is_refused_unread),
		cmocka_unit_test(what_is_signed_verifies_and_only_with_its_key),
	};

	return cmocka_run_group_tests_name("jws", tests, NULL, NULL);
}
