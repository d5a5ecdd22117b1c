/* SPDX-License-Identifier: Apache-2.0 */
#include "token/id_token.h"

#define LEEWAY_US (5 * US_PER_S)

static bool read_uuid(const struct json *root, const char *claim, struct uuid *id_out)
{
	struct str text = json_get_str(root, claim);

	return text.p != NULL && uuid_parse(text, id_out) == OK && !uuid_is_nil(id_out);
}

static bool read_issued(const struct json *root, instant_us now, instant_us *at_out)
{
	const struct json *iat = json_get(root, "iat");
	int64_t seconds;

	if (iat == NULL || iat->kind != JSON_NUMBER || json_to_i64(iat, &seconds) != OK || seconds < 0 ||
		seconds > INSTANT_MAX / US_PER_S)
		return false;
	*at_out = seconds * US_PER_S;
	return *at_out <= now + LEEWAY_US;
}

static const char *read_claims(
	const struct json *root, struct str issuer, instant_us now, struct id_token *id_token_out)
{
	struct str iss;

	if (root->kind != JSON_OBJECT)
		return "the claims are no object";
	iss = json_get_str(root, "iss");
	if (iss.p == NULL || !str_eq(iss, issuer))
		return "iss is another";
	if (!read_uuid(root, "aud", &id_token_out->client_id))
		return "aud is no client";
	if (!read_uuid(root, "sub", &id_token_out->person_id))
		return "sub is no person";
	if (json_get(root, "sid") != NULL && !read_uuid(root, "sid", &id_token_out->session_id))
		return "sid is malformed";
	return read_issued(root, now, &id_token_out->issued_at) ? NULL : "iat is missing, malformed or in the future";
}

enum err id_token_verify(struct arena *arena, struct str issuer, const struct keyset *keys, struct str compact,
	instant_us now, struct id_token *id_token_out, const char **reason_out)
{
	static const struct jws_rules rules = {
		.algs_allowed = JWS_ALLOW(JWK_ES256) | JWS_ALLOW(JWK_RS256), .len_max = ID_TOKEN_LEN_MAX};
	const struct json *root;
	struct jws jws;
	enum err err;

	*id_token_out = (struct id_token){0};
	if ((err = jws_verify(arena, &rules, keys, compact, &jws, reason_out)) != OK)
		return err;
	/* What we sign with the same keys for another purpose bears another type. */
	if (!str_eq_c(jws.typ, "JWT")) {
		*reason_out = "typ is not JWT";
		return ERR_UNAUTHENTICATED;
	}
	if (json_parse(arena, jws.payload, &root, reason_out) != OK) {
		*reason_out = "the claims are no JSON without duplicates";
		return ERR_UNAUTHENTICATED;
	}
	if ((*reason_out = read_claims(root, issuer, now, id_token_out)) == NULL)
		return OK;
	*id_token_out = (struct id_token){0};
	return ERR_UNAUTHENTICATED;
}
