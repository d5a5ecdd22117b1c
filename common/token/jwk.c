/* SPDX-License-Identifier: Apache-2.0 */
#include "token/jwk.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/encode.h"

#define ED25519_LEN 32
#define P256_LEN 32
#define RSA_LEN_MIN (JWK_RSA_BITS_MIN / 8)
#define RSA_LEN_MAX (JWK_RSA_BITS_MAX / 8)
#define RSA_E_LEN_MAX 4
#define NUMBER_TEXT_MAX (RSA_LEN_MAX * 4 / 3 + 8)

/* How each kind is spelt in JSON. */
static const struct {
	const char *alg, *kty, *crv, *first, *second;
} spellings[JWK_ALG_COUNT] = {
	[JWK_EDDSA] = {"EdDSA", "OKP", "Ed25519", "x", NULL},
	[JWK_ES256] = {"ES256", "EC", "P-256", "x", "y"},
	[JWK_RS256] = {"RS256", "RSA", NULL, "n", "e"},
};

struct number {
	size_t len;
	uint8_t b[RSA_LEN_MAX];
};

struct jwk {
	atomic_uint refs;
	enum jwk_alg alg;
	struct number first;
	struct number second;
	EVP_PKEY *pkey; /* NULL for EdDSA: libsodium takes half of OpenSSL's time (measured: 69 against 142 us) */
	char kid[JWK_KID_MAX + 1];
};

const char *jwk_alg_name(enum jwk_alg alg)
{
	return spellings[alg].alg;
}

bool jwk_alg_from_name(struct str name, enum jwk_alg *alg_out)
{
	for (unsigned i = 0; i < JWK_ALG_COUNT; i++) {
		if (str_eq_c(name, spellings[i].alg)) {
			*alg_out = (enum jwk_alg)i;
			return true;
		}
	}
	return false;
}

bool jwk_kid_ok(struct str kid)
{
	static const char others[] = "._~-@:=+";

	if (kid.p == NULL || kid.len == 0 || kid.len > JWK_KID_MAX)
		return false;
	for (size_t i = 0; i < kid.len; i++) {
		char c = kid.p[i];
		bool alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');

		if (!alnum && memchr(others, c, sizeof(others) - 1) == NULL)
			return false;
	}
	return true;
}

static EVP_PKEY *pkey_from_params(const char *kind, const OSSL_PARAM *params)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, kind, NULL);
	EVP_PKEY *pkey = NULL;

	if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
		EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, (OSSL_PARAM *)(uintptr_t)params) != 1) {
		EVP_PKEY_free(pkey);
		pkey = NULL;
	}
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

/* A point off the curve, or at infinity, gives NULL: OpenSSL checks while it decodes. */
static EVP_PKEY *pkey_of_p256(struct str x, struct str y)
{
	uint8_t point[1 + 2 * P256_LEN] = {POINT_CONVERSION_UNCOMPRESSED};
	char group[] = "prime256v1";
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)),
		OSSL_PARAM_construct_end(),
	};

	memcpy(point + 1, x.p, P256_LEN);
	memcpy(point + 1 + P256_LEN, y.p, P256_LEN);
	return pkey_from_params("EC", params);
}

static EVP_PKEY *pkey_of_rsa(struct str n, struct str e)
{
	BIGNUM *n_big = BN_bin2bn((const unsigned char *)n.p, (int)n.len, NULL);
	BIGNUM *e_big = BN_bin2bn((const unsigned char *)e.p, (int)e.len, NULL);
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params = NULL;
	EVP_PKEY *pkey = NULL;

	if (n_big == NULL || e_big == NULL || builder == NULL ||
		OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n_big) != 1 ||
		OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e_big) != 1 ||
		(params = OSSL_PARAM_BLD_to_param(builder)) == NULL)
		goto done;
	pkey = pkey_from_params("RSA", params);
done:
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(builder);
	BN_free(n_big);
	BN_free(e_big);
	return pkey;
}

static const char *rsa_fault(struct str modulus, struct str exponent)
{
	const uint8_t *n = (const uint8_t *)modulus.p;
	const uint8_t *e = (const uint8_t *)exponent.p;

	if (modulus.len < RSA_LEN_MIN || modulus.len > RSA_LEN_MAX || n[0] == 0 ||
		(modulus.len == RSA_LEN_MIN && n[0] < 0x80) || (n[modulus.len - 1] & 1) == 0)
		return "an RSA modulus is odd and has 2048 to 4096 bits";
	if (exponent.len == 0 || exponent.len > RSA_E_LEN_MAX || e[0] == 0 || (e[exponent.len - 1] & 1) == 0 ||
		(exponent.len == 1 && e[0] < 3))
		return "an RSA exponent is odd, at least 3 and below 2^32";
	return NULL;
}

/* A constant reason why the numbers are no key of the kind, or NULL. */
static const char *numbers_fault(enum jwk_alg alg, struct str first, struct str second)
{
	if (alg == JWK_RS256)
		return rsa_fault(first, second);
	if (alg == JWK_ES256)
		return first.len == P256_LEN && second.len == P256_LEN ? NULL : "P-256 coordinates have 32 bytes";
	if (first.len != ED25519_LEN)
		return "an Ed25519 key has 32 bytes";
	/* Small order and torsion: signatures that hold for any message. */
	return crypto_core_ed25519_is_valid_point((const uint8_t *)first.p) == 1 ? NULL : "not a point of Ed25519";
}

enum err jwk_from_numbers(enum jwk_alg alg, struct str first, struct str second, struct str kid, struct jwk **key_out,
	const char **reason_out)
{
	struct jwk *key = NULL;
	enum err err = ERR_BAD_FIELD;

	*key_out = NULL;
	if ((*reason_out = numbers_fault(alg, first, second)) != NULL)
		return ERR_BAD_FIELD;
	if (kid.p != NULL && !jwk_kid_ok(kid)) {
		*reason_out = "kid is not 1 to 64 safe characters";
		return ERR_BAD_FIELD;
	}
	if ((key = calloc(1, sizeof(*key))) == NULL) {
		*reason_out = "out of memory";
		return ERR_OVERLOADED;
	}
	atomic_init(&key->refs, 1);
	key->alg = alg;
	memcpy(key->first.b, first.p, key->first.len = first.len);
	if (second.len > 0)
		memcpy(key->second.b, second.p, key->second.len = second.len);
	if (alg == JWK_ES256)
		key->pkey = pkey_of_p256(first, second);
	else if (alg == JWK_RS256)
		key->pkey = pkey_of_rsa(first, second);
	if (alg != JWK_EDDSA && key->pkey == NULL) {
		*reason_out = "not a public key of its kind";
		goto done;
	}
	if (kid.p != NULL)
		memcpy(key->kid, kid.p, kid.len);
	else
		jwk_thumbprint(key, key->kid);
	*key_out = key;
	key = NULL;
	err = OK;
done:
	if (alg != JWK_EDDSA)
		ERR_clear_error(); /* the queue is the thread's: libpq and the TLS edge read it too */
	jwk_free(&key);
	return err;
}

/* The fixed-size parts of jwk_from_pkey. */
static enum err numbers_of_pkey(
	const EVP_PKEY *pkey, enum jwk_alg *alg_out, struct number *first_out, struct number *second_out)
{
	uint8_t point[1 + 2 * P256_LEN];
	char group[32] = "";
	size_t len = sizeof(point);
	BIGNUM *n = NULL;
	BIGNUM *e = NULL;
	enum err err = ERR_BAD_FIELD;

	if (EVP_PKEY_is_a(pkey, "ED25519")) {
		*alg_out = JWK_EDDSA;
		first_out->len = ED25519_LEN;
		if (EVP_PKEY_get_raw_public_key(pkey, first_out->b, &first_out->len) == 1)
			err = OK;
	} else if (EVP_PKEY_is_a(pkey, "EC")) {
		*alg_out = JWK_ES256;
		first_out->len = second_out->len = P256_LEN;
		if (EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group), NULL) == 1 &&
			strcmp(group, "prime256v1") == 0 &&
			EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_PUB_KEY, point, len, &len) == 1 &&
			len == sizeof(point) && point[0] == POINT_CONVERSION_UNCOMPRESSED) {
			memcpy(first_out->b, point + 1, P256_LEN);
			memcpy(second_out->b, point + 1 + P256_LEN, P256_LEN);
			err = OK;
		}
	} else if (EVP_PKEY_is_a(pkey, "RSA") && EVP_PKEY_get_bits(pkey) <= JWK_RSA_BITS_MAX) {
		*alg_out = JWK_RS256;
		if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
			EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) == 1 && BN_num_bytes(e) <= RSA_LEN_MAX) {
			first_out->len = (size_t)BN_bn2bin(n, first_out->b);
			second_out->len = (size_t)BN_bn2bin(e, second_out->b);
			err = OK;
		}
	}
	BN_free(n);
	BN_free(e);
	ERR_clear_error();
	return err;
}

enum err jwk_from_pkey(const struct evp_pkey_st *pkey, struct jwk **key_out)
{
	struct number first = {0};
	struct number second = {0};
	const char *reason;
	enum jwk_alg alg;
	enum err err;

	*key_out = NULL;
	if ((err = numbers_of_pkey(pkey, &alg, &first, &second)) != OK)
		return err;
	return jwk_from_numbers(alg, (struct str){(const char *)first.b, first.len},
		(struct str){(const char *)second.b, second.len}, STR_NONE, key_out, &reason);
}

struct jwk *jwk_share(const struct jwk *key)
{
	struct jwk *shared = (struct jwk *)(uintptr_t)key; /* only the count changes */

	atomic_fetch_add_explicit(&shared->refs, 1, memory_order_relaxed);
	return shared;
}

void jwk_free(struct jwk **key)
{
	struct jwk *gone = *key;

	*key = NULL;
	if (gone == NULL || atomic_fetch_sub_explicit(&gone->refs, 1, memory_order_acq_rel) != 1)
		return;
	EVP_PKEY_free(gone->pkey);
	free(gone);
}

const char *jwk_kid(const struct jwk *key)
{
	return key->kid;
}

enum jwk_alg jwk_algorithm(const struct jwk *key)
{
	return key->alg;
}

static bool number_eq(const struct number *a, const struct number *b)
{
	return a->len == b->len && memcmp(a->b, b->b, a->len) == 0;
}

bool jwk_eq(const struct jwk *a, const struct jwk *b)
{
	return a->alg == b->alg && strcmp(a->kid, b->kid) == 0 && number_eq(&a->first, &b->first) &&
	       number_eq(&a->second, &b->second);
}

static const char *number_text(const struct number *number, char text_out[NUMBER_TEXT_MAX])
{
	return sodium_bin2base64(
		text_out, NUMBER_TEXT_MAX, number->b, number->len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

/* RFC 7638 section 3: the required members in lexicographic order, without white space; none needs escaping. */
void jwk_thumbprint(const struct jwk *key, char text_out[JWK_THUMBPRINT_LEN + 1])
{
	char doc_room[2 * NUMBER_TEXT_MAX + 64];
	char first[NUMBER_TEXT_MAX];
	char second[NUMBER_TEXT_MAX];
	struct str doc = {doc_room, 0};
	uint8_t digest[32];
	int len;

	(void)number_text(&key->first, first);
	(void)number_text(&key->second, second);
	if (key->alg == JWK_EDDSA)
		len = snprintf(doc_room, sizeof(doc_room), "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"%s\"}", first);
	else if (key->alg == JWK_ES256)
		len = snprintf(doc_room, sizeof(doc_room),
			"{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}", first, second);
	else
		len = snprintf(
			doc_room, sizeof(doc_room), "{\"e\":\"%s\",\"kty\":\"RSA\",\"n\":\"%s\"}", second, first);
	doc.len = (size_t)len;
	sha256(doc, digest);
	(void)sodium_bin2base64(
		text_out, JWK_THUMBPRINT_LEN + 1, digest, sizeof(digest), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

void jwk_write(const struct jwk *key, struct json_writer *w)
{
	char text[NUMBER_TEXT_MAX];

	json_begin_object(w);
	json_key(w, "kty");
	json_put_c(w, spellings[key->alg].kty);
	if (spellings[key->alg].crv != NULL) {
		json_key(w, "crv");
		json_put_c(w, spellings[key->alg].crv);
	}
	json_key(w, spellings[key->alg].first);
	json_put_c(w, number_text(&key->first, text));
	if (spellings[key->alg].second != NULL) {
		json_key(w, spellings[key->alg].second);
		json_put_c(w, number_text(&key->second, text));
	}
	json_key(w, "kid");
	json_put_c(w, key->kid);
	json_key(w, "alg");
	json_put_c(w, spellings[key->alg].alg);
	json_key(w, "use");
	json_put_c(w, "sig");
	json_end_object(w);
}

static bool verify_with_openssl(EVP_PKEY *pkey, struct str bytes, const uint8_t *signature, size_t signature_len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good;

	good = ctx != NULL && EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, pkey) == 1 &&
	       EVP_DigestVerify(ctx, signature, signature_len, (const unsigned char *)bytes.p, bytes.len) == 1;
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return good;
}

/* r||s of exactly 32 bytes each, brought into the DER that OpenSSL takes; it refuses 0 and the order and above. */
static bool verify_p256(EVP_PKEY *pkey, struct str bytes, struct str signature)
{
	const unsigned char *in = (const unsigned char *)signature.p;
	ECDSA_SIG *pair = NULL;
	BIGNUM *r = NULL;
	BIGNUM *s = NULL;
	unsigned char *der = NULL;
	bool good = false;
	int der_len;

	if (signature.len != 2 * P256_LEN || (pair = ECDSA_SIG_new()) == NULL)
		return false;
	r = BN_bin2bn(in, P256_LEN, NULL);
	s = BN_bin2bn(in + P256_LEN, P256_LEN, NULL);
	if (r == NULL || s == NULL || ECDSA_SIG_set0(pair, r, s) != 1)
		goto done;
	r = s = NULL; /* the pair's now */
	if ((der_len = i2d_ECDSA_SIG(pair, &der)) > 0)
		good = verify_with_openssl(pkey, bytes, der, (size_t)der_len);
done:
	OPENSSL_free(der);
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(pair);
	return good;
}

bool jwk_verify(const struct jwk *key, struct str bytes, struct str signature)
{
	switch (key->alg) {
	case JWK_EDDSA:
		return signature.len == crypto_sign_BYTES &&
		       crypto_sign_verify_detached((const unsigned char *)signature.p, (const unsigned char *)bytes.p,
			       bytes.len, key->first.b) == 0;
	case JWK_ES256:
		return verify_p256(key->pkey, bytes, signature);
	case JWK_RS256:
		return signature.len == key->first.len &&
		       verify_with_openssl(key->pkey, bytes, (const uint8_t *)signature.p, signature.len);
	default:
		return false;
	}
}
