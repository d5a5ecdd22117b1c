/* SPDX-License-Identifier: Apache-2.0 */
#include "cose.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "cbor.h"

/* IANA "COSE Key Common Parameters", "Key Types", "Algorithms", "Elliptic Curves". */
enum { LABEL_KTY = 1, LABEL_ALG = 3, LABEL_FIRST = -1, LABEL_SECOND = -2, LABEL_THIRD = -3 };
enum { KTY_OKP = 1, KTY_EC2 = 2, KTY_RSA = 3 };
enum { CRV_P256 = 1, CRV_P384 = 2, CRV_P521 = 3, CRV_ED25519 = 6 };

#define MEMBERS_MAX 5
#define NUMBER_MAX 512 /* an RSA modulus of 4096 bits */
#define COORDINATE_LEN 32
#define COORDINATE_LEN_MAX 66 /* of P-521 */
#define DER_SEQUENCE 0x30
#define DER_INTEGER 0x02

struct kind {
	int64_t number, kty, crv; /* crv 0: label -1 is no curve but the modulus */
	size_t members;
	enum jwk_alg jwk;  /* JWK_ALG_COUNT: no token is signed so */
	const char *group; /* of those, as OpenSSL calls it, and what is hashed with */
	const char *digest;
	size_t coordinate_len;
};

static const struct kind kinds[] = {
	{-8, KTY_OKP, CRV_ED25519, 4, JWK_EDDSA, NULL, NULL, 0},
	{-7, KTY_EC2, CRV_P256, 5, JWK_ES256, NULL, NULL, COORDINATE_LEN},
	{-257, KTY_RSA, 0, 4, JWK_RS256, NULL, NULL, 0},
	{-35, KTY_EC2, CRV_P384, 5, JWK_ALG_COUNT, "secp384r1", "SHA384", 48},
	{-36, KTY_EC2, CRV_P521, 5, JWK_ALG_COUNT, "secp521r1", "SHA512", COORDINATE_LEN_MAX},
};

#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

struct cose_key {
	const struct kind *kind;
	struct jwk *jwk;
	EVP_PKEY *pkey; /* where there is no jwk */
};

struct members {
	bool seen[MEMBERS_MAX]; /* kty, alg, -1, -2, -3 */
	int64_t kty, alg, crv;
	struct str first, second, third; /* bytes under -1, -2, -3 */
};

static const struct kind *kind_of(int64_t number)
{
	for (size_t i = 0; i < KIND_COUNT; i++) {
		if (kinds[i].number == number)
			return &kinds[i];
	}
	return NULL;
}

bool cose_alg_ok(int64_t number)
{
	return kind_of(number) != NULL;
}

void cose_key_free(struct cose_key **key)
{
	struct cose_key *gone = *key;

	*key = NULL;
	if (gone == NULL)
		return;
	jwk_free(&gone->jwk);
	EVP_PKEY_free(gone->pkey);
	free(gone);
}

int64_t cose_key_alg(const struct cose_key *key)
{
	return key->kind->number;
}

static bool once(struct members *members, unsigned which)
{
	bool first = !members->seen[which];

	members->seen[which] = true;
	return first;
}

/* One label and its value; false when it is unknown or stands twice. kty comes first in the canonical order. */
static bool member_read(struct reader *reader, struct members *m)
{
	switch (cbor_int(reader)) {
	case LABEL_KTY:
		m->kty = cbor_int(reader);
		return once(m, 0);
	case LABEL_ALG:
		m->alg = cbor_int(reader);
		return once(m, 1);
	case LABEL_FIRST:
		if (m->kty == KTY_RSA)
			m->first = cbor_bytes(reader, NUMBER_MAX);
		else
			m->crv = cbor_int(reader);
		return once(m, 2);
	case LABEL_SECOND:
		m->second = cbor_bytes(reader, NUMBER_MAX);
		return once(m, 3);
	case LABEL_THIRD:
		m->third = cbor_bytes(reader, NUMBER_MAX);
		return once(m, 4);
	default:
		return false;
	}
}

static const char *members_fault(const struct members *m, size_t count, const struct kind *kind)
{
	if (kind == NULL)
		return "the key's algorithm is not allowed";
	if (m->kty != kind->kty || m->crv != kind->crv)
		return "the key's type or curve is not its algorithm's";
	return count == kind->members ? NULL : "the key has not the members of its kind";
}

/* A point off the curve, or at infinity, gives NULL: OpenSSL checks while it decodes. */
static EVP_PKEY *pkey_of_point(const struct kind *kind, struct str x, struct str y)
{
	const size_t len = kind->coordinate_len;
	uint8_t point[1 + 2 * COORDINATE_LEN_MAX] = {POINT_CONVERSION_UNCOMPRESSED};
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)(uintptr_t)kind->group, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * len),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY_CTX *ctx = NULL;
	EVP_PKEY *pkey = NULL;

	if (x.p == NULL || y.p == NULL || x.len != len || y.len != len)
		return NULL;
	memcpy(point + 1, x.p, len);
	memcpy(point + 1 + len, y.p, len);
	ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
		EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, (OSSL_PARAM *)(uintptr_t)params) != 1) {
		EVP_PKEY_free(pkey);
		pkey = NULL;
	}
	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error(); /* the queue is the thread's: libpq reads it too */
	return pkey;
}

/* Takes what it is given, one of the two, in every case. */
static enum err key_made(const struct kind *kind, struct jwk *jwk, EVP_PKEY *pkey, struct cose_key **key_out)
{
	struct cose_key *key = calloc(1, sizeof(*key));

	*key_out = key;
	if (key == NULL) {
		jwk_free(&jwk);
		EVP_PKEY_free(pkey);
		return ERR_OVERLOADED;
	}
	*key = (struct cose_key){.kind = kind, .jwk = jwk, .pkey = pkey};
	return OK;
}

enum err cose_key_of_pkey(const struct evp_pkey_st *pkey, struct cose_key **key_out)
{
	const struct kind *kind = kinds;
	struct jwk *jwk = NULL;
	enum err err;

	*key_out = NULL;
	if ((err = jwk_from_pkey(pkey, &jwk)) != OK)
		return err;
	while (kind->jwk != jwk_algorithm(jwk))
		kind++;
	return key_made(kind, jwk, NULL, key_out);
}

static enum err key_of_members(
	const struct kind *kind, const struct members *m, struct cose_key **key_out, const char **reason_out)
{
	const bool rsa = kind->kty == KTY_RSA;
	struct jwk *jwk = NULL;
	EVP_PKEY *pkey = NULL;
	enum err err;

	if (kind->jwk == JWK_ALG_COUNT) {
		*reason_out = "not a public key of its kind";
		if ((pkey = pkey_of_point(kind, m->second, m->third)) == NULL)
			return ERR_BAD_FIELD;
	} else {
		err = jwk_from_numbers(
			kind->jwk, rsa ? m->first : m->second, rsa ? m->second : m->third, STR_NONE, &jwk, reason_out);
		if (err != OK)
			return err;
	}
	err = key_made(kind, jwk, pkey, key_out);
	*reason_out = err == OK ? NULL : "out of memory";
	return err;
}

enum err cose_key_read(struct reader *reader, struct cose_key **key_out, const char **reason_out)
{
	struct members m = {0};
	const struct kind *kind;
	size_t count = cbor_map(reader, MEMBERS_MAX);

	*key_out = NULL;
	*reason_out = "the public key is no COSE key";
	for (size_t i = 0; i < count; i++) {
		if (!member_read(reader, &m) || reader->failed)
			return ERR_BAD_FIELD;
	}
	if (reader->failed)
		return ERR_BAD_FIELD;
	kind = kind_of(m.alg);
	if ((*reason_out = members_fault(&m, count, kind)) != NULL)
		return ERR_BAD_FIELD;
	return key_of_members(kind, &m, key_out, reason_out);
}

/* A positive INTEGER of at most 256 bits in its only encoding, big-endian into 32 bytes. */
static bool der_integer(struct reader *reader, uint8_t out[COORDINATE_LEN])
{
	uint8_t tag = reader_u8(reader);
	size_t len = reader_u8(reader);
	struct str bytes = reader_bytes(reader, len);
	const uint8_t *p = (const uint8_t *)bytes.p;

	if (reader->failed || tag != DER_INTEGER || len == 0 || p[0] >= 0x80)
		return false;
	if (p[0] == 0 && len > 1) {
		if (p[1] < 0x80)
			return false;
		p++;
		len--;
	}
	if (len > COORDINATE_LEN)
		return false;
	memset(out, 0, COORDINATE_LEN - len);
	memcpy(out + COORDINATE_LEN - len, p, len);
	return true;
}

/* OpenSSL takes a signature in its only encoding too: it writes what it read and compares. */
static bool pkey_verify(const struct cose_key *key, struct str signed_bytes, struct str signature)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good = ctx != NULL &&
	            EVP_DigestVerifyInit_ex(ctx, NULL, key->kind->digest, NULL, NULL, key->pkey, NULL) == 1 &&
	            EVP_DigestVerify(ctx, (const unsigned char *)signature.p, signature.len,
			    (const unsigned char *)signed_bytes.p, signed_bytes.len) == 1;

	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return good;
}

bool cose_verify(const struct cose_key *key, struct str signed_bytes, struct str signature)
{
	struct reader reader = reader_over(signature);
	uint8_t pair[2 * COORDINATE_LEN];

	if (key->jwk == NULL)
		return pkey_verify(key, signed_bytes, signature);
	if (key->kind->jwk != JWK_ES256)
		return jwk_verify(key->jwk, signed_bytes, signature);
	if (reader_u8(&reader) != DER_SEQUENCE || reader_u8(&reader) != reader.len || reader.failed)
		return false;
	if (!der_integer(&reader, pair) || !der_integer(&reader, pair + COORDINATE_LEN) || !reader_done(&reader))
		return false;
	return jwk_verify(key->jwk, signed_bytes, (struct str){(const char *)pair, sizeof(pair)});
}
