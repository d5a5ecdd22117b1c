/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/encode.h"
#include "token/jwk.h"

#define NUMBER_ARENA_BYTES (32 * 1024)

static const char *const private_members[] = {"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"};

enum usable { USABLE, FOREIGN, MALFORMED };

/* An absent member is fine, a string tells whether it is `wanted`, anything else is malformed. */
static enum usable member_is(const struct json *object, const char *member, const char *wanted)
{
	const struct json *value = json_get(object, member);

	if (value == NULL)
		return USABLE;
	if (value->kind != JSON_STRING)
		return MALFORMED;
	return str_eq_c(value->text, wanted) ? USABLE : FOREIGN;
}

/* RFC 7517 section 4.3: strings without duplicates. */
static enum usable key_ops_allow_verify(const struct json *object)
{
	const struct json *ops = json_get(object, "key_ops");
	enum usable usable = FOREIGN;

	if (ops == NULL)
		return USABLE;
	if (ops->kind != JSON_ARRAY)
		return MALFORMED;
	for (const struct json *op = ops->first; op != NULL; op = op->next) {
		if (op->kind != JSON_STRING)
			return MALFORMED;
		for (const struct json *other = ops->first; other != op; other = other->next) {
			if (str_eq(other->text, op->text))
				return MALFORMED;
		}
		if (str_eq_c(op->text, "verify"))
			usable = USABLE;
	}
	return usable;
}

static enum usable alg_of(const struct json *object, enum jwk_alg *alg_out)
{
	struct str kty = json_get_str(object, "kty");
	const struct json *crv = json_get(object, "crv");

	if (kty.p == NULL)
		return MALFORMED;
	if (str_eq_c(kty, "RSA")) {
		*alg_out = JWK_RS256;
		return USABLE;
	}
	if (!str_eq_c(kty, "EC") && !str_eq_c(kty, "OKP"))
		return FOREIGN;
	if (crv == NULL || crv->kind != JSON_STRING)
		return MALFORMED;
	*alg_out = str_eq_c(kty, "EC") ? JWK_ES256 : JWK_EDDSA;
	return str_eq_c(crv->text, *alg_out == JWK_ES256 ? "P-256" : "Ed25519") ? USABLE : FOREIGN;
}

static enum usable worse(enum usable a, enum usable b)
{
	return a > b ? a : b;
}

static enum usable usability(const struct json *object, enum jwk_alg *alg_out, const char **reason_out)
{
	enum usable usable = alg_of(object, alg_out);

	if (usable != USABLE) {
		*reason_out = usable == MALFORMED ? "kty or crv is missing or no string" : NULL;
		return usable;
	}
	for (size_t i = 0; i < sizeof(private_members) / sizeof(private_members[0]); i++) {
		if (json_get(object, private_members[i]) != NULL) {
			*reason_out = "the key holds a private member";
			return MALFORMED;
		}
	}
	usable = worse(member_is(object, "use", "sig"), member_is(object, "alg", jwk_alg_name(*alg_out)));
	usable = worse(usable, key_ops_allow_verify(object));
	*reason_out = usable == MALFORMED ? "use, alg or key_ops is malformed" : NULL;
	return usable;
}

static struct str number_of(struct arena *arena, const struct json *object, const char *member)
{
	struct str text = json_get_str(object, member);

	return text.p != NULL ? base64url_decode(arena, text) : STR_NONE;
}

enum err jwk_parse(const struct json *object, struct jwk **key_out, const char **reason_out)
{
	const struct json *kid = json_get(object, "kid");
	struct arena *arena = NULL;
	struct str first;
	struct str second;
	enum jwk_alg alg = JWK_EDDSA;
	enum err err = ERR_BAD_FIELD;

	*key_out = NULL;
	*reason_out = "the key is no object";
	if (object == NULL || object->kind != JSON_OBJECT)
		return ERR_BAD_FIELD;
	switch (usability(object, &alg, reason_out)) {
	case MALFORMED:
		return ERR_BAD_FIELD;
	case FOREIGN:
		return OK;
	case USABLE:
		break;
	}
	*reason_out = "kid is no string";
	if (kid != NULL && kid->kind != JSON_STRING)
		return ERR_BAD_FIELD;
	*reason_out = "out of memory";
	if ((arena = arena_new(NUMBER_ARENA_BYTES)) == NULL)
		return ERR_OVERLOADED;
	first = number_of(arena, object, alg == JWK_RS256 ? "n" : "x");
	second = alg == JWK_EDDSA ? STR("") : number_of(arena, object, alg == JWK_RS256 ? "e" : "y");
	*reason_out = "a number of the key is missing or no base64url";
	if (first.p != NULL && second.p != NULL)
		err = jwk_from_numbers(alg, first, second, kid != NULL ? kid->text : STR_NONE, key_out, reason_out);
	arena_free(&arena);
	return err;
}
