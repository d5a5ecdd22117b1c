/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"
#include "token/keyset.h"
#include "token/test_forge.h"

/* RFC 7638 section 3.1. */
#define RSA_N                                                                                        \
	"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJE" \
	"CPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2Q" \
	"vzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6" \
	"WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
#define RSA_THUMBPRINT "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
/* RFC 7515 appendix A.3.1. */
#define EC_X "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define EC_Y "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define EC_KEY "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\""
#define OKP_KEY "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" FORGE_X "\""
#define RSA_KEY "\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"AQAB\""
#define ZEROES_256                                                                                   \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static const struct {
	const char *name, *key, *kid;
} thumbprint_cases[] = {
	{"RFC 7638 section 3.1: the RSA example", RSA_KEY, RSA_THUMBPRINT},
	{"RFC 8037 appendix A.3: the Ed25519 example", OKP_KEY, FORGE_KID},
	{"a P-256 key, computed with another program", EC_KEY, "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U"},
};

static struct keyset *parse_one(const char *members, enum err *err_out, const char **reason_out)
{
	struct arena *arena = arena_new(256 * 1024);
	struct str doc = arena_printf(arena, "{\"keys\":[{%s}]}", members);
	struct keyset *keys = NULL;

	*err_out = keyset_parse(doc, &keys, reason_out);
	arena_free(&arena);
	return keys;
}

static void a_key_without_kid_is_named_by_its_thumbprint(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(thumbprint_cases); i++) {
		char thumbprint[JWK_THUMBPRINT_LEN + 1];
		const char *reason;
		enum err err;
		struct keyset *keys = parse_one(thumbprint_cases[i].key, &err, &reason);

		CHECK(thumbprint_cases[i].name, err == OK && keyset_count(keys) == 1);
		CHECK(thumbprint_cases[i].name, strcmp(jwk_kid(keyset_at(keys, 0)), thumbprint_cases[i].kid) == 0);
		jwk_thumbprint(keyset_at(keys, 0), thumbprint);
		CHECK(thumbprint_cases[i].name, strcmp(thumbprint, thumbprint_cases[i].kid) == 0);
		keyset_free(&keys);
	}
}

static const struct {
	const char *name, *key;
	enum err err;
	size_t count;
	const char *reason;
} key_cases[] = {
	{"a P-256 key for signatures is taken", EC_KEY ",\"use\":\"sig\",\"alg\":\"ES256\",\"kid\":\"1\"", OK, 1, NULL},
	{"a key with verify among its operations is taken", EC_KEY ",\"key_ops\":[\"sign\",\"verify\"]", OK, 1, NULL},
	{"members that nobody knows are ignored", OKP_KEY ",\"x5t\":\"AAAA\",\"nbf\":1", OK, 1, NULL},
	{"a kid that is an e-mail address is taken", RSA_KEY ",\"kid\":\"bilbo.baggins@hobbiton.example\"", OK, 1,
		NULL},
	{"a symmetric key is skipped", "\"kty\":\"oct\",\"k\":\"AAAA\"", OK, 0, NULL},
	{"an unknown kty is skipped", "\"kty\":\"AKP\",\"pub\":\"AAAA\"", OK, 0, NULL},
	{"another curve is skipped", "\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"AA\",\"y\":\"AA\"", OK, 0, NULL},
	{"an agreement key is skipped", "\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"" FORGE_X "\"", OK, 0, NULL},
	{"a key for encryption is skipped", RSA_KEY ",\"use\":\"enc\"", OK, 0, NULL},
	{"a key that may not verify is skipped", EC_KEY ",\"key_ops\":[\"encrypt\"]", OK, 0, NULL},
	{"a key without operations is skipped", EC_KEY ",\"key_ops\":[]", OK, 0, NULL},
	{"a key of an algorithm that is not ours is skipped", RSA_KEY ",\"alg\":\"PS256\"", OK, 0, NULL},
	{"the name of an algorithm is exact", RSA_KEY ",\"alg\":\"rs256\"", OK, 0, NULL},
	{"a kty in small letters is another kty", "\"kty\":\"ec\",\"crv\":\"P-256\"", OK, 0, NULL},
	{"no kty", "\"crv\":\"P-256\"", ERR_BAD_FIELD, 0, "kty or crv is missing or no string"},
	{"no crv", "\"kty\":\"EC\",\"x\":\"" EC_X "\"", ERR_BAD_FIELD, 0, "kty or crv is missing or no string"},
	{"a private P-256 key", EC_KEY ",\"d\":\"AAAA\"", ERR_BAD_FIELD, 0, "the key holds a private member"},
	{"a private Ed25519 key", OKP_KEY ",\"d\":\"AAAA\"", ERR_BAD_FIELD, 0, "the key holds a private member"},
	{"one prime of an RSA key", RSA_KEY ",\"q\":\"AAAA\"", ERR_BAD_FIELD, 0, "the key holds a private member"},
	{"a private member of null", RSA_KEY ",\"dp\":null", ERR_BAD_FIELD, 0, "the key holds a private member"},
	{"a secret beside a public key", EC_KEY ",\"k\":\"AAAA\"", ERR_BAD_FIELD, 0, "the key holds a private member"},
	{"operations twice", EC_KEY ",\"key_ops\":[\"verify\",\"verify\"]", ERR_BAD_FIELD, 0,
		"use, alg or key_ops is malformed"},
	{"operations that are a string", EC_KEY ",\"key_ops\":\"verify\"", ERR_BAD_FIELD, 0,
		"use, alg or key_ops is malformed"},
	{"a use that is a number", EC_KEY ",\"use\":1", ERR_BAD_FIELD, 0, "use, alg or key_ops is malformed"},
	{"malformed wins over foreign", EC_KEY ",\"use\":\"enc\",\"alg\":1", ERR_BAD_FIELD, 0,
		"use, alg or key_ops is malformed"},
	{"a kid that is a number", EC_KEY ",\"kid\":1", ERR_BAD_FIELD, 0, "kid is no string"},
	{"an empty kid", EC_KEY ",\"kid\":\"\"", ERR_BAD_FIELD, 0, "kid is not 1 to 64 safe characters"},
	{"a kid with a slash", EC_KEY ",\"kid\":\"../x\"", ERR_BAD_FIELD, 0, "kid is not 1 to 64 safe characters"},
	{"a kid with a NUL", EC_KEY ",\"kid\":\"a\\u0000b\"", ERR_BAD_FIELD, 0, "kid is not 1 to 64 safe characters"},
	{"a kid of 65 characters",
		EC_KEY ",\"kid\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"", ERR_BAD_FIELD,
		0, "kid is not 1 to 64 safe characters"},
	{"a point off the curve", "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"" EC_X "\"",
		ERR_BAD_FIELD, 0, "not a public key of its kind"},
	{"the point at infinity, spelt as zeroes",
		"\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
		"\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"",
		ERR_BAD_FIELD, 0, "not a public key of its kind"},
	{"a short coordinate", "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"AAAA\"", ERR_BAD_FIELD, 0,
		"P-256 coordinates have 32 bytes"},
	{"a coordinate with padding", "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "=\",\"y\":\"" EC_Y "\"",
		ERR_BAD_FIELD, 0, "a number of the key is missing or no base64url"},
	{"no y", "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\"", ERR_BAD_FIELD, 0,
		"a number of the key is missing or no base64url"},
	{"an Ed25519 key of 31 bytes",
		"\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"",
		ERR_BAD_FIELD, 0, "an Ed25519 key has 32 bytes"},
	{"an Ed25519 key of small order",
		"\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"",
		ERR_BAD_FIELD, 0, "not a point of Ed25519"},
	{"an empty Ed25519 key", "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"\"", ERR_BAD_FIELD, 0,
		"an Ed25519 key has 32 bytes"},
	{"an RSA key of 1024 bits", "\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"gQ" ZEROES_256 "AQ\"", ERR_BAD_FIELD, 0,
		"an RSA modulus is odd and has 2048 to 4096 bits"},
	{"an RSA modulus with a leading zero", "\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"AA" RSA_N "\"", ERR_BAD_FIELD, 0,
		"an RSA modulus is odd and has 2048 to 4096 bits"},
	{"an RSA exponent of one", "\"kty\":\"RSA\",\"e\":\"AQ\",\"n\":\"" RSA_N "\"", ERR_BAD_FIELD, 0,
		"an RSA exponent is odd, at least 3 and below 2^32"},
	{"an even RSA exponent", "\"kty\":\"RSA\",\"e\":\"AQAA\",\"n\":\"" RSA_N "\"", ERR_BAD_FIELD, 0,
		"an RSA exponent is odd, at least 3 and below 2^32"},
	{"an RSA exponent of five bytes", "\"kty\":\"RSA\",\"e\":\"AQAAAAE\",\"n\":\"" RSA_N "\"", ERR_BAD_FIELD, 0,
		"an RSA exponent is odd, at least 3 and below 2^32"},
	{"an empty RSA exponent", "\"kty\":\"RSA\",\"e\":\"\",\"n\":\"" RSA_N "\"", ERR_BAD_FIELD, 0,
		"an RSA exponent is odd, at least 3 and below 2^32"},
};

static void a_key_is_taken_skipped_or_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(key_cases); i++) {
		const char *reason = NULL;
		enum err err;
		struct keyset *keys = parse_one(key_cases[i].key, &err, &reason);

		CHECK(key_cases[i].name, err == key_cases[i].err);
		CHECK(key_cases[i].name, err != OK || keyset_count(keys) == key_cases[i].count);
		CHECK(key_cases[i].name, err == OK || (reason != NULL && strcmp(reason, key_cases[i].reason) == 0));
		keyset_free(&keys);
	}
}

static const struct {
	const char *name;
	struct str doc;
	enum err err;
} set_cases[] = {
	{"an empty set is a set", STR("{\"keys\":[]}"), OK},
	{"other members are ignored", STR("{\"keys\":[],\"next\":1}"), OK},
	{"an array is no set", STR("[]"), ERR_BAD_FIELD},
	{"an object without keys is no set", STR("{}"), ERR_BAD_FIELD},
	{"keys that are an object are no set", STR("{\"keys\":{}}"), ERR_BAD_FIELD},
	{"a key that is a string is refused", STR("{\"keys\":[\"\"]}"), ERR_BAD_FIELD},
	{"keys twice are refused", STR("{\"keys\":[],\"keys\":[]}"), ERR_BAD_JSON},
	{"a kty twice is refused", STR("{\"keys\":[{\"kty\":\"oct\",\"kty\":\"EC\"}]}"), ERR_BAD_JSON},
	{"nothing is no document", STR(""), ERR_BAD_JSON},
	{"bytes behind the set are refused", STR("{\"keys\":[]}x"), ERR_BAD_JSON},
};

static void a_set_is_a_strict_document(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(set_cases); i++) {
		struct keyset *keys = NULL;
		const char *reason;

		CHECK(set_cases[i].name, keyset_parse(set_cases[i].doc, &keys, &reason) == set_cases[i].err);
		CHECK(set_cases[i].name, (keys != NULL) == (set_cases[i].err == OK));
		keyset_free(&keys);
	}
}

static struct keyset *parse_many(size_t count, size_t padding, enum err *err_out)
{
	struct keyset *keys = NULL;
	const char *reason;
	struct buf doc;

	buf_init(&doc, 1024 * 1024);
	buf_put_c(&doc, "{\"keys\":[");
	for (size_t i = 0; i < count; i++)
		buf_printf(&doc, "%s{" OKP_KEY ",\"kid\":\"k%zu\"}", i > 0 ? "," : "", i);
	buf_put_c(&doc, "]");
	for (size_t i = 0; i < padding; i++)
		buf_put_byte(&doc, ' ');
	buf_put_c(&doc, "}");
	*err_out = keyset_parse(buf_str(&doc), &keys, &reason);
	buf_release(&doc);
	return keys;
}

static void a_set_is_bounded(void **state)
{
	struct keyset *keys;
	enum err err;

	(void)state;
	keys = parse_many(KEYSET_KEYS_MAX, 0, &err);
	assert_int_equal(err, OK);
	assert_int_equal(keyset_count(keys), KEYSET_KEYS_MAX);
	assert_int_equal(keyset_add(keys, keyset_at(keys, 0)), ERR_TOO_LARGE);
	assert_null(keyset_at(keys, KEYSET_KEYS_MAX));
	keyset_free(&keys);
	keys = parse_many(KEYSET_KEYS_MAX + 1, 0, &err);
	assert_int_equal(err, ERR_TOO_LARGE);
	assert_null(keys);
	keys = parse_many(1, KEYSET_DOC_MAX, &err);
	assert_int_equal(err, ERR_TOO_LARGE);
	assert_null(keys);
}

static void a_name_or_an_algorithm_held_twice_finds_nothing(void **state)
{
	const char *reason;
	enum err err;
	struct keyset *one;
	struct keyset *two = NULL;

	(void)state;
	one = parse_one(OKP_KEY ",\"kid\":\"a\"", &err, &reason);
	assert_int_equal(err, OK);
	assert_int_equal(keyset_parse(STR("{\"keys\":[{" OKP_KEY ",\"kid\":\"a\"},{" EC_KEY ",\"kid\":\"a\"},{" OKP_KEY
					  ",\"kid\":\"b\"}]}"),
				 &two, &reason),
		OK);
	assert_non_null(keyset_find(one, STR("a")));
	assert_null(keyset_find(one, STR("A")));
	assert_null(keyset_find(one, STR_NONE));
	assert_non_null(keyset_only(one, JWK_EDDSA));
	assert_null(keyset_only(one, JWK_RS256));
	assert_null(keyset_find(two, STR("a")));
	assert_non_null(keyset_find(two, STR("b")));
	assert_null(keyset_only(two, JWK_EDDSA));
	assert_non_null(keyset_only(two, JWK_ES256));
	assert_false(keyset_eq(one, two));
	keyset_free(&one);
	keyset_free(&two);
}

static void a_set_that_was_written_reads_back_the_same(void **state)
{
	struct keyset *first = NULL;
	struct keyset *again = NULL;
	struct json_writer w;
	const char *reason;
	struct buf doc;

	(void)state;
	assert_int_equal(keyset_parse(STR("{\"keys\":[{" OKP_KEY "},{" EC_KEY ",\"kid\":\"e\"},{" RSA_KEY "}]}"),
				 &first, &reason),
		OK);
	buf_init(&doc, KEYSET_DOC_MAX);
	w = json_writer_over(&doc);
	keyset_write(first, &w);
	assert_true(buf_ok(&doc));
	assert_int_equal(keyset_parse(buf_str(&doc), &again, &reason), OK);
	assert_true(keyset_eq(first, again));
	assert_int_equal(keyset_count(again), 3);
	buf_put_byte(&doc, 0);
	assert_non_null(strstr(doc.p, "{" OKP_KEY ",\"kid\":\"" FORGE_KID "\""));
	assert_non_null(strstr(doc.p, "\"alg\":\"RS256\",\"use\":\"sig\""));
	buf_release(&doc);
	keyset_free(&first);
	keyset_free(&again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_without_kid_is_named_by_its_thumbprint),
		cmocka_unit_test(a_key_is_taken_skipped_or_refused),
		cmocka_unit_test(a_set_is_a_strict_document),
		cmocka_unit_test(a_set_is_bounded),
		cmocka_unit_test(a_name_or_an_algorithm_held_twice_finds_nothing),
		cmocka_unit_test(a_set_that_was_written_reads_back_the_same),
	};

	return cmocka_run_group_tests_name("jwk", tests, NULL, NULL);
}
