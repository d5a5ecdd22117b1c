/* SPDX-License-Identifier: Apache-2.0 */
#include "token/dpop.h"

#include <string.h>

#include "base/encode.h"
#include "http/http_target.h"
#include "token/claims.h"

#define HTTPS_PORT 443
#define HTTP_PORT 80

static unsigned port_of(const struct http_target *target, struct str *host_out)
{
	unsigned port;

	if (http_authority_parse(target->authority, host_out, &port) != OK)
		return 0;
	return port != 0 ? port : target->https ? HTTPS_PORT : HTTP_PORT;
}

/* RFC 3986 section 6.2.2: with every escape undone, which the grammar allows for no byte that separates. */
static bool paths_eq(struct arena *arena, struct str said, struct str own)
{
	said = percent_decode(arena, said);
	own = percent_decode(arena, own);
	return said.p != NULL && own.p != NULL && str_eq(said, own);
}

static const char *check_target(struct arena *arena, const struct dpop_request *request, struct str htu)
{
	struct http_target said, own;
	struct str said_host, own_host, plain;
	const char *reason;

	(void)str_cut(&htu, '#', &plain);
	if (http_target_parse(plain, HTTP_GET, &said, &reason) != OK || said.form != HTTP_ABSOLUTE_FORM)
		return "htu is no address";
	if (http_target_parse(request->origin, HTTP_GET, &own, &reason) != OK || own.form != HTTP_ABSOLUTE_FORM)
		return "our own address is none";
	if (said.https != own.https || port_of(&said, &said_host) != port_of(&own, &own_host) ||
		!str_eq_nocase(said_host, own_host))
		return "htu is another server";
	return paths_eq(arena, said.path, request->path) ? NULL : "htu is another path";
}

/* RFC 9449 section 4.2: of the token's text as it was sent. */
static bool hash_holds(struct arena *arena, struct str ath, struct str token)
{
	uint8_t digest[32];

	sha256(token, digest);
	return ath.p != NULL &&
	       str_eq(ath, base64url_encode(arena, (struct str){(const char *)digest, sizeof(digest)}));
}

/* Behind the key, whose text has one length, so that no two pairs read the same. */
static void name_use(struct dpop_proof *proof, struct str jti)
{
	char text[JWK_THUMBPRINT_LEN + DPOP_JTI_MAX];

	memcpy(text, proof->jkt, JWK_THUMBPRINT_LEN);
	memcpy(text + JWK_THUMBPRINT_LEN, jti.p, jti.len);
	sha256((struct str){text, JWK_THUMBPRINT_LEN + jti.len}, proof->use);
}

static const char *check_claims(struct arena *arena, const struct dpop_request *request, const struct json *claims,
	instant_us now, struct dpop_proof *proof)
{
	struct str jti = json_get_str(claims, "jti");
	struct str htu = json_get_str(claims, "htu");
	struct str ath = json_get_str(claims, "ath");
	instant_us issued_at = 0;
	const char *reason;

	if (claims->kind != JSON_OBJECT)
		return "the claims are no object";
	if (jti.p == NULL || jti.len == 0 || jti.len > DPOP_JTI_MAX)
		return "jti is missing or too long";
	if (!claims_seconds(claims, "iat", &issued_at))
		return "iat is missing or no whole second";
	if (issued_at > now + DPOP_FUTURE_US)
		return "iat is in the future";
	if ((proof->expires_at = issued_at + DPOP_PAST_US) <= now)
		return "iat is too long ago";
	if (!str_eq(json_get_str(claims, "htm"), request->method))
		return "htm is another method";
	if (htu.p == NULL)
		return "htu is missing or no string";
	if ((reason = check_target(arena, request, htu)) != NULL)
		return reason;
	if (request->token.p != NULL && !hash_holds(arena, ath, request->token))
		return "ath is not of this token";
	name_use(proof, jti);
	return NULL;
}

static const char *verify(struct arena *arena, const struct dpop_request *request, struct str compact, instant_us now,
	struct jwk **key_out, struct dpop_proof *proof)
{
	static const struct jws_rules rules = {.algs_allowed = JWS_ALLOW_ALL, .len_max = DPOP_LEN_MAX};
	const struct json *claims;
	const char *reason;
	struct jws jws;

	if (jws_verify_own(arena, &rules, compact, &jws, key_out, &reason) != OK)
		return reason;
	if (!str_eq_c(jws.typ, DPOP_TYP))
		return "typ is not " DPOP_TYP;
	if (json_parse(arena, jws.payload, &claims, &reason) != OK)
		return "the claims are no JSON without duplicates";
	jwk_thumbprint(jws.key, proof->jkt);
	return check_claims(arena, request, claims, now, proof);
}

enum err dpop_verify(struct arena *arena, const struct dpop_request *request, struct str compact, instant_us now,
	struct dpop_proof *proof_out, const char **reason_out)
{
	struct jwk *key = NULL;

	*proof_out = (struct dpop_proof){0};
	*reason_out = verify(arena, request, compact, now, &key, proof_out);
	jwk_free(&key);
	if (*reason_out == NULL)
		return OK;
	*proof_out = (struct dpop_proof){0};
	return ERR_UNAUTHENTICATED;
}

bool dpop_jkt_ok(struct str jkt)
{
	if (jkt.p == NULL || jkt.len != JWK_THUMBPRINT_LEN)
		return false;
	for (size_t i = 0; i < jkt.len; i++) {
		char c = jkt.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
			    c == '_'))
			return false;
	}
	return true;
}
