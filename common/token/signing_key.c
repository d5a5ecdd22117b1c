/* SPDX-License-Identifier: Apache-2.0 */
#include "token/signing_key.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define P256_LEN 32

/* RFC 8410 section 7: an Ed25519 PKCS#8 key is these bytes and the seed, so the key never lies in OpenSSL's heap. */
static const uint8_t ed25519_der_head[] = {
	0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20};
#define ED25519_DER_LEN (sizeof(ed25519_der_head) + crypto_sign_SEEDBYTES)

struct signing_key {
	struct jwk *public_key;
	struct secret *ed25519; /* seed and public key, as libsodium holds them; NULL for the other kinds */
	EVP_PKEY *pkey;         /* NULL for EdDSA */
};

void signing_key_free(struct signing_key **key)
{
	struct signing_key *gone = *key;

	*key = NULL;
	if (gone == NULL)
		return;
	jwk_free(&gone->public_key);
	secret_free(&gone->ed25519);
	EVP_PKEY_free(gone->pkey); /* clears the private numbers */
	free(gone);
}

static enum err ed25519_from_seed(const uint8_t seed[crypto_sign_SEEDBYTES], struct signing_key **key_out)
{
	uint8_t public_bytes[crypto_sign_PUBLICKEYBYTES];
	uint8_t secret_bytes[crypto_sign_SECRETKEYBYTES];
	struct signing_key *key = calloc(1, sizeof(*key));
	const char *reason;
	enum err err = ERR_OVERLOADED;

	(void)crypto_sign_seed_keypair(public_bytes, secret_bytes, seed);
	if (key == NULL || (key->ed25519 = secret_new(secret_bytes, sizeof(secret_bytes))) == NULL)
		goto done;
	err = jwk_from_numbers(JWK_EDDSA, (struct str){(const char *)public_bytes, sizeof(public_bytes)}, STR(""),
		STR_NONE, &key->public_key, &reason);
	if (err != OK)
		goto done;
	*key_out = key;
	key = NULL;
done:
	sodium_memzero(secret_bytes, sizeof(secret_bytes));
	signing_key_free(&key);
	return err;
}

/* Takes `pkey`, also on failure. */
static enum err from_pkey(EVP_PKEY *pkey, struct signing_key **key_out)
{
	struct signing_key *key = calloc(1, sizeof(*key));
	enum err err = ERR_OVERLOADED;

	if (key == NULL) {
		EVP_PKEY_free(pkey);
		return err;
	}
	key->pkey = pkey;
	if ((err = jwk_from_pkey(pkey, &key->public_key)) == OK) {
		*key_out = key;
		key = NULL;
	}
	signing_key_free(&key);
	return err;
}

enum err signing_key_generate(enum jwk_alg alg, struct signing_key **key_out)
{
	uint8_t seed[crypto_sign_SEEDBYTES];
	EVP_PKEY *pkey;
	enum err err;

	*key_out = NULL;
	if (alg == JWK_EDDSA) {
		randombytes_buf(seed, sizeof(seed));
		err = ed25519_from_seed(seed, key_out);
		sodium_memzero(seed, sizeof(seed));
		return err;
	}
	pkey = alg == JWK_ES256 ? EVP_EC_gen("prime256v1") : EVP_RSA_gen(SIGNING_KEY_RSA_BITS);
	if (pkey == NULL) {
		ERR_clear_error();
		return ERR_INTERNAL;
	}
	return from_pkey(pkey, key_out);
}

static enum err export_ed25519(const struct signing_key *key, struct secret **der_out)
{
	uint8_t der[ED25519_DER_LEN];

	memcpy(der, ed25519_der_head, sizeof(ed25519_der_head));
	memcpy(der + sizeof(ed25519_der_head), secret_str(key->ed25519).p, crypto_sign_SEEDBYTES);
	*der_out = secret_new(der, sizeof(der));
	sodium_memzero(der, sizeof(der));
	return *der_out != NULL ? OK : ERR_OVERLOADED;
}

enum err signing_key_export(const struct signing_key *key, struct secret **der_out)
{
	PKCS8_PRIV_KEY_INFO *info;
	unsigned char *der = NULL;
	int der_len = -1;

	*der_out = NULL;
	if (key->ed25519 != NULL)
		return export_ed25519(key, der_out);
	if ((info = EVP_PKEY2PKCS8(key->pkey)) != NULL)
		der_len = i2d_PKCS8_PRIV_KEY_INFO(info, &der);
	PKCS8_PRIV_KEY_INFO_free(info); /* clears the key */
	if (der_len > 0 && der_len <= SIGNING_KEY_DER_MAX)
		*der_out = secret_new(der, (size_t)der_len);
	if (der_len > 0)
		OPENSSL_clear_free(der, (size_t)der_len);
	ERR_clear_error();
	return *der_out != NULL ? OK : ERR_INTERNAL;
}

/* A key that does not verify what it signs was damaged or put together by hand. */
static bool signs_what_it_verifies(const struct signing_key *key)
{
	uint8_t signature[JWK_SIGNATURE_MAX];
	size_t len = 0;

	return signing_key_sign(key, STR("berth"), signature, &len) == OK &&
	       jwk_verify(key->public_key, STR("berth"), (struct str){(const char *)signature, len});
}

enum err signing_key_load(struct str der, struct signing_key **key_out)
{
	const unsigned char *at = (const unsigned char *)der.p;
	struct signing_key *key = NULL;
	PKCS8_PRIV_KEY_INFO *info;
	EVP_PKEY *pkey = NULL;
	enum err err;

	*key_out = NULL;
	if (der.p == NULL || der.len > SIGNING_KEY_DER_MAX)
		return ERR_BAD_FIELD;
	if (der.len == ED25519_DER_LEN && memcmp(der.p, ed25519_der_head, sizeof(ed25519_der_head)) == 0)
		return ed25519_from_seed((const uint8_t *)der.p + sizeof(ed25519_der_head), key_out);
	info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, (long)der.len);
	if (info != NULL && at == (const unsigned char *)der.p + der.len)
		pkey = EVP_PKCS82PKEY(info);
	PKCS8_PRIV_KEY_INFO_free(info);
	ERR_clear_error();
	if (pkey == NULL)
		return ERR_BAD_FIELD;
	if ((err = from_pkey(pkey, &key)) != OK)
		return err;
	/* An Ed25519 key of another encoding than ours has no half that libsodium could use. */
	if (jwk_algorithm(key->public_key) == JWK_EDDSA || !signs_what_it_verifies(key)) {
		signing_key_free(&key);
		return ERR_BAD_FIELD;
	}
	*key_out = key;
	return OK;
}

const struct jwk *signing_key_public(const struct signing_key *key)
{
	return key->public_key;
}

const char *signing_key_kid(const struct signing_key *key)
{
	return jwk_kid(key->public_key);
}

enum jwk_alg signing_key_algorithm(const struct signing_key *key)
{
	return jwk_algorithm(key->public_key);
}

/* The DER of OpenSSL brought into r||s. */
static bool raw_from_der(const uint8_t *der, size_t der_len, uint8_t raw_out[2 * P256_LEN])
{
	const unsigned char *at = der;
	ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)der_len);
	bool good;

	good = pair != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(pair), raw_out, P256_LEN) == P256_LEN &&
	       BN_bn2binpad(ECDSA_SIG_get0_s(pair), raw_out + P256_LEN, P256_LEN) == P256_LEN;
	ECDSA_SIG_free(pair);
	return good;
}

enum err signing_key_sign(const struct signing_key *key, struct str bytes, uint8_t signature_out[JWK_SIGNATURE_MAX],
	size_t *signature_len_out)
{
	const unsigned char *in = (const unsigned char *)bytes.p;
	uint8_t signature[JWK_SIGNATURE_MAX];
	size_t len = sizeof(signature);
	EVP_MD_CTX *ctx;
	bool good;

	*signature_len_out = 0;
	if (key->ed25519 != NULL) {
		(void)crypto_sign_detached(
			signature_out, NULL, in, bytes.len, (const unsigned char *)secret_str(key->ed25519).p);
		*signature_len_out = crypto_sign_BYTES;
		return OK;
	}
	ctx = EVP_MD_CTX_new();
	good = ctx != NULL && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key->pkey) == 1 &&
	       EVP_DigestSign(ctx, signature, &len, in, bytes.len) == 1;
	EVP_MD_CTX_free(ctx);
	if (good && signing_key_algorithm(key) == JWK_ES256) {
		good = raw_from_der(signature, len, signature_out);
		*signature_len_out = 2 * (size_t)P256_LEN;
	} else if (good) {
		memcpy(signature_out, signature, len);
		*signature_len_out = len;
	}
	ERR_clear_error();
	return good ? OK : ERR_INTERNAL;
}
