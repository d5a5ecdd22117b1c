/* SPDX-License-Identifier: Apache-2.0 */
#include "cose.h"

#include <string.h>

#include "cbor.h"

/* IANA "COSE Key Common Parameters", "Key Types", "Algorithms", "Elliptic Curves". */
enum { LABEL_KTY = 1, LABEL_ALG = 3, LABEL_FIRST = -1, LABEL_SECOND = -2, LABEL_THIRD = -3 };
enum { KTY_OKP = 1, KTY_EC2 = 2, KTY_RSA = 3 };
enum { CRV_P256 = 1, CRV_ED25519 = 6 };

#define MEMBERS_MAX 5
#define NUMBER_MAX 512 /* an RSA modulus of 4096 bits */
#define COORDINATE_LEN 32
#define DER_SEQUENCE 0x30
#define DER_INTEGER 0x02

static const struct {
	int64_t number, kty, crv; /* crv 0: label -1 is no curve but the modulus */
	size_t members;
} kinds[JWK_ALG_COUNT] = {
	[JWK_EDDSA] = {-8, KTY_OKP, CRV_ED25519, 4},
	[JWK_ES256] = {-7, KTY_EC2, CRV_P256, 5},
	[JWK_RS256] = {-257, KTY_RSA, 0, 4},
};

struct members {
	bool seen[MEMBERS_MAX]; /* kty, alg, -1, -2, -3 */
	int64_t kty, alg, crv;
	struct str first, second, third; /* bytes under -1, -2, -3 */
};

bool cose_alg(int64_t number, enum jwk_alg *alg_out)
{
	for (unsigned i = 0; i < JWK_ALG_COUNT; i++) {
		if (kinds[i].number == number) {
			*alg_out = (enum jwk_alg)i;
			return true;
		}
	}
	return false;
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

static const char *members_fault(const struct members *m, size_t count, enum jwk_alg *alg_out)
{
	if (!cose_alg(m->alg, alg_out))
		return "the key's algorithm is not allowed";
	if (m->kty != kinds[*alg_out].kty || m->crv != kinds[*alg_out].crv)
		return "the key's type or curve is not its algorithm's";
	return count == kinds[*alg_out].members ? NULL : "the key has not the members of its kind";
}

enum err cose_key(struct reader *reader, struct jwk **key_out, const char **reason_out)
{
	struct members m = {0};
	enum jwk_alg alg;
	size_t count = cbor_map(reader, MEMBERS_MAX);

	*key_out = NULL;
	*reason_out = "the public key is no COSE key";
	for (size_t i = 0; i < count; i++) {
		if (!member_read(reader, &m) || reader->failed)
			return ERR_BAD_FIELD;
	}
	if (reader->failed)
		return ERR_BAD_FIELD;
	if ((*reason_out = members_fault(&m, count, &alg)) != NULL)
		return ERR_BAD_FIELD;
	if (alg == JWK_RS256)
		return jwk_from_numbers(alg, m.first, m.second, STR_NONE, key_out, reason_out);
	return jwk_from_numbers(alg, m.second, m.third, STR_NONE, key_out, reason_out);
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

bool cose_verify(const struct jwk *key, struct str signed_bytes, struct str signature)
{
	struct reader reader = reader_over(signature);
	uint8_t pair[2 * COORDINATE_LEN];

	if (jwk_algorithm(key) != JWK_ES256)
		return jwk_verify(key, signed_bytes, signature);
	if (reader_u8(&reader) != DER_SEQUENCE || reader_u8(&reader) != reader.len || reader.failed)
		return false;
	if (!der_integer(&reader, pair) || !der_integer(&reader, pair + COORDINATE_LEN) || !reader_done(&reader))
		return false;
	return jwk_verify(key, signed_bytes, (struct str){(const char *)pair, sizeof(pair)});
}
