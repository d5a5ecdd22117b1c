/* SPDX-License-Identifier: Apache-2.0 */
#include "token/assertion.h"

#include <string.h>

#include "base/encode.h"
#include "token/claims.h"

/* One that names others as well could be carried to them, or come from them. */
static bool audience_is(const struct json *aud, struct str wanted)
{
	if (aud != NULL && aud->kind == JSON_ARRAY && aud->count == 1)
		aud = aud->first;
	return aud != NULL && aud->kind == JSON_STRING && str_eq(aud->text, wanted);
}

static const char *check_times(const struct json *claims, instant_us now, struct assertion *assertion)
{
	instant_us at = 0;

	if (!claims_seconds(claims, "exp", &assertion->expires_at))
		return "exp is missing or no whole second";
	if (assertion->expires_at <= now)
		return "exp has passed";
	if (assertion->expires_at > now + ASSERTION_LIFE_MAX_US + ASSERTION_LEEWAY_US)
		return "exp is too far ahead";
	if (json_get(claims, "iat") != NULL && (!claims_seconds(claims, "iat", &at) || at > now + ASSERTION_LEEWAY_US))
		return "iat is no whole second or in the future";
	if (json_get(claims, "nbf") != NULL && (!claims_seconds(claims, "nbf", &at) || at > now + ASSERTION_LEEWAY_US))
		return "nbf is no whole second or in the future";
	return NULL;
}

static const char *check_claims(
	const struct assertion_rules *rules, const struct json *claims, instant_us now, struct assertion *assertion)
{
	struct str jti = json_get_str(claims, "jti");

	if (claims->kind != JSON_OBJECT)
		return "the claims are no object";
	if (!str_eq(json_get_str(claims, "iss"), rules->client_id))
		return "iss is not the client";
	if (!str_eq(json_get_str(claims, "sub"), rules->client_id))
		return "sub is not the client";
	if (!audience_is(json_get(claims, "aud"), rules->issuer))
		return "aud is not the issuer alone";
	if (jti.p == NULL || jti.len == 0 || jti.len > ASSERTION_JTI_MAX)
		return "jti is missing or too long";
	sha256(jti, assertion->jti_hash);
	return check_times(claims, now, assertion);
}

/* RFC 8725 section 3.11: a token of another kind says so. */
static bool typ_ok(struct str typ)
{
	return typ.p == NULL || str_eq_nocase(typ, STR("JWT")) || str_eq_nocase(typ, STR("client-authentication+jwt"));
}

static const char *verify(struct arena *arena, const struct assertion_rules *rules, const struct keyset *keys,
	struct str compact, instant_us now, struct assertion *assertion)
{
	static const struct jws_rules jws_rules = {
		.algs_allowed = JWS_ALLOW_ALL, .len_max = ASSERTION_LEN_MAX, .kid_optional = true};
	const struct json *claims;
	const char *reason;
	struct jws jws;

	if (jws_verify(arena, &jws_rules, keys, compact, &jws, &reason) != OK)
		return reason;
	if (!typ_ok(jws.typ))
		return "typ is another kind of token";
	if (json_parse(arena, jws.payload, &claims, &reason) != OK)
		return "the claims are no JSON without duplicates";
	return check_claims(rules, claims, now, assertion);
}

enum err assertion_verify(struct arena *arena, const struct assertion_rules *rules, const struct keyset *keys,
	struct str compact, instant_us now, struct assertion *assertion_out, const char **reason_out)
{
	*assertion_out = (struct assertion){0};
	if ((*reason_out = verify(arena, rules, keys, compact, now, assertion_out)) == NULL)
		return OK;
	*assertion_out = (struct assertion){0};
	return ERR_UNAUTHENTICATED;
}

struct str assertion_subject(struct arena *arena, struct str compact)
{
	const struct json *claims;
	struct str rest = compact, part;
	const char *reason;

	if (compact.len > ASSERTION_LEN_MAX || !str_cut(&rest, '.', &part) || !str_cut(&rest, '.', &part))
		return STR_NONE;
	if ((part = base64url_decode(arena, part)).p == NULL || json_parse(arena, part, &claims, &reason) != OK)
		return STR_NONE;
	return json_get_str(claims, "sub");
}

/* A constant reason why these are no client's keys, or NULL. */
static const char *keys_fault(const struct keyset *set, size_t listed)
{
	if (listed == 0 || listed > ASSERTION_KEYS_MAX)
		return "there must be 1 to 5 keys";
	if (keyset_count(set) != listed)
		return "a key is none of Ed25519, P-256 or RSA for signatures";
	for (size_t i = 0; i < listed; i++) {
		if (keyset_find(set, str_from(jwk_kid(keyset_at(set, i)))) == NULL)
			return "two keys have the same kid";
	}
	return NULL;
}

enum err assertion_keys(struct arena *arena, struct str doc, struct str *normal_out, const char **reason_out)
{
	const struct json *root = NULL, *list;
	struct keyset *set = NULL;
	struct json_writer w;
	struct buf buf;
	enum err err;

	*normal_out = STR_NONE;
	buf_init(&buf, ASSERTION_DOC_MAX);
	if ((err = json_parse(arena, doc, &root, reason_out)) != OK ||
		(err = keyset_parse(doc, &set, reason_out)) != OK) {
		err = err == ERR_OVERLOADED ? err : ERR_BAD_FIELD;
		goto done;
	}
	list = json_get(root, "keys");
	err = ERR_BAD_FIELD;
	if ((*reason_out = keys_fault(set, list != NULL ? list->count : 0)) != NULL)
		goto done;
	w = json_writer_over(&buf);
	keyset_write(set, &w);
	*reason_out = "the keys are too long";
	if (!buf_ok(&buf))
		goto done;
	*normal_out = arena_copy(arena, buf_str(&buf));
	err = normal_out->p != NULL ? OK : ERR_OVERLOADED;
done:
	keyset_free(&set);
	buf_release(&buf);
	return err;
}
