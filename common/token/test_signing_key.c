/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/test.h"
#include "token/test_forge.h"

static void a_key_that_was_exported_loads_as_the_same(void **state)
{
	(void)state;
	for (unsigned alg = 0; alg < JWK_ALG_COUNT; alg++) {
		struct signing_key *key = NULL;
		struct signing_key *again = NULL;
		struct secret *der = NULL;
		uint8_t signature[JWK_SIGNATURE_MAX];
		size_t len;

		assert_int_equal(signing_key_generate((enum jwk_alg)alg, &key), OK);
		assert_int_equal(signing_key_algorithm(key), alg);
		assert_int_equal(signing_key_export(key, &der), OK);
		assert_true(secret_str(der).len <= SIGNING_KEY_DER_MAX);
		assert_int_equal(signing_key_load(secret_str(der), &again), OK);
		assert_string_equal(signing_key_kid(again), signing_key_kid(key));
		assert_true(jwk_eq(signing_key_public(again), signing_key_public(key)));
		assert_int_equal(signing_key_sign(again, STR("text"), signature, &len), OK);
		assert_true(
			jwk_verify(signing_key_public(key), STR("text"), (struct str){(const char *)signature, len}));
		assert_false(
			jwk_verify(signing_key_public(key), STR("tex"), (struct str){(const char *)signature, len}));
		secret_free(&der);
		signing_key_free(&key);
		signing_key_free(&again);
	}
}

/* RFC 8032 section 7.1, test 1: the key of RFC 8037, an empty message. */
static void ed25519_signs_as_published(void **state)
{
	static const char expected[] = "\xe5\x56\x43\x00\xc3\x60\xac\x72\x90\x86\xe2\xcc\x80\x6e\x82\x8a"
				       "\x84\x87\x7f\x1e\xb8\xe5\xd9\x74\xd8\x73\xe0\x65\x22\x49\x01\x55"
				       "\x5f\xb8\x82\x15\x90\xa3\x3b\xac\xc6\x1e\x39\x70\x1c\xf9\xb4\x6b"
				       "\xd2\x5b\xf5\xf0\x59\x5b\xbe\x24\x65\x51\x41\x43\x8e\x7a\x10\x0b";
	struct signing_key *key = forge_key();
	uint8_t signature[JWK_SIGNATURE_MAX];
	size_t len;

	(void)state;
	assert_string_equal(signing_key_kid(key), FORGE_KID);
	assert_int_equal(signing_key_sign(key, STR(""), signature, &len), OK);
	assert_int_equal(len, 64);
	assert_memory_equal(signature, expected, 64);
	signing_key_free(&key);
}

static void two_keys_are_never_the_same(void **state)
{
	struct signing_key *a = NULL;
	struct signing_key *b = NULL;

	(void)state;
	assert_int_equal(signing_key_generate(JWK_EDDSA, &a), OK);
	assert_int_equal(signing_key_generate(JWK_EDDSA, &b), OK);
	assert_string_not_equal(signing_key_kid(a), signing_key_kid(b));
	signing_key_free(&a);
	signing_key_free(&b);
}

static void bytes_that_are_no_key_are_refused(void **state)
{
	struct signing_key *key = NULL;
	struct secret *der = NULL;
	char longer[sizeof(FORGE_DER)] = FORGE_DER;
	char *copy;
	size_t len;

	(void)state;
	assert_int_equal(signing_key_load(STR_NONE, &key), ERR_BAD_FIELD);
	assert_int_equal(signing_key_load(STR(""), &key), ERR_BAD_FIELD);
	assert_int_equal(signing_key_load(STR("\x30\x80"), &key), ERR_BAD_FIELD);
	assert_int_equal(signing_key_load((struct str){FORGE_DER, sizeof(FORGE_DER) - 2}, &key), ERR_BAD_FIELD);
	assert_int_equal(signing_key_load((struct str){longer, sizeof(longer)}, &key), ERR_BAD_FIELD);
	assert_null(key);
	assert_int_equal(signing_key_generate(JWK_ES256, &key), OK);
	assert_int_equal(signing_key_export(key, &der), OK);
	signing_key_free(&key);
	len = secret_str(der).len;
	copy = malloc(len + 1);
	memcpy(copy, secret_str(der).p, len);
	copy[len] = 0;
	assert_int_equal(signing_key_load((struct str){copy, len + 1}, &key), ERR_BAD_FIELD);
	/* Any byte that changes gives no key, or (in the private number) one whose public half no longer fits. */
	for (size_t i = 0; i < len; i++) {
		copy[i] = (char)(copy[i] ^ 1);
		(void)!signing_key_load((struct str){copy, len}, &key);
		signing_key_free(&key);
		copy[i] = (char)(copy[i] ^ 1);
		assert_int_equal(signing_key_load((struct str){copy, i}, &key), ERR_BAD_FIELD);
	}
	copy[len - 1] = (char)(copy[len - 1] ^ 1); /* of the public point, which stands last */
	assert_int_equal(signing_key_load((struct str){copy, len}, &key), ERR_BAD_FIELD);
	free(copy);
	secret_free(&der);
}

static void load_pkey(EVP_PKEY *pkey, enum err wanted)
{
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(pkey);
	struct signing_key *key = NULL;
	unsigned char *der = NULL;
	int len = i2d_PKCS8_PRIV_KEY_INFO(info, &der);

	assert_true(len > 0);
	assert_int_equal(signing_key_load((struct str){(const char *)der, (size_t)len}, &key), wanted);
	signing_key_free(&key);
	OPENSSL_free(der);
	PKCS8_PRIV_KEY_INFO_free(info);
	EVP_PKEY_free(pkey);
}

static void keys_of_other_kinds_and_sizes_are_refused(void **state)
{
	(void)state;
	load_pkey(EVP_EC_gen("P-384"), ERR_BAD_FIELD);
	load_pkey(EVP_EC_gen("secp256k1"), ERR_BAD_FIELD);
	load_pkey(EVP_RSA_gen(1024), ERR_BAD_FIELD);
	load_pkey(EVP_RSA_gen(2048), OK);
	load_pkey(EVP_PKEY_Q_keygen(NULL, NULL, "X25519"), ERR_BAD_FIELD);
	load_pkey(EVP_PKEY_Q_keygen(NULL, NULL, "ED448"), ERR_BAD_FIELD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_that_was_exported_loads_as_the_same),
		cmocka_unit_test(ed25519_signs_as_published),
		cmocka_unit_test(two_keys_are_never_the_same),
		cmocka_unit_test(bytes_that_are_no_key_are_refused),
		cmocka_unit_test(keys_of_other_kinds_and_sizes_are_refused),
	};

	return cmocka_run_group_tests_name("signing_key", tests, NULL, NULL);
}
