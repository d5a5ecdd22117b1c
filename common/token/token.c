/* SPDX-License-Identifier: Apache-2.0 */
#include "token/token.h"

#include <string.h>

#include "base/encode.h"
#include "base/log.h"
#include "token/claims.h"
#include "token/dpop.h"

#define VERIFY_ARENA_BYTES (512 * 1024)
#define AUDIENCES_MAX 8

/* What the claims are read into: the token, and the times that only verification needs. */
struct claims {
	const struct json *root;
	struct arena *arena;
	struct token *token;
};

static const char *read_uuid(const struct json *root, const char *claim, struct uuid *id_out, const char *reason)
{
	struct str text = json_get_str(root, claim);

	return text.p != NULL && uuid_parse(text, id_out) == OK && !uuid_is_nil(id_out) ? NULL : reason;
}

bool token_set_resource(struct token *token, const struct token_rules *rules, struct str path)
{
	if (path.len > 0 && (path.len > TOKEN_RESOURCE_MAX || rules->is_resource == NULL || !rules->is_resource(path)))
		return false;
	memset(token->resource, 0, sizeof(token->resource));
	if (path.len > 0)
		memcpy(token->resource, path.p, path.len);
	return true;
}

/* The audience itself, or one of its resources. */
static bool take_audience(const struct claims *claims, const struct token_rules *rules, struct str aud)
{
	const struct str wanted = rules->audience;

	if (aud.len < wanted.len || memcmp(aud.p, wanted.p, wanted.len) != 0)
		return false;
	return token_set_resource(claims->token, rules, (struct str){aud.p + wanted.len, aud.len - wanted.len});
}

/* RFC 7519 section 4.1.3: one string, or an array of strings of which one is the audience. */
static bool read_audience(const struct claims *claims, const struct token_rules *rules)
{
	const struct json *aud = json_get(claims->root, "aud");
	size_t found = 0;

	if (aud == NULL)
		return false;
	if (aud->kind == JSON_STRING)
		return take_audience(claims, rules, aud->text);
	if (aud->kind != JSON_ARRAY || aud->count > AUDIENCES_MAX)
		return false;
	for (const struct json *one = aud->first; one != NULL; one = one->next) {
		if (one->kind != JSON_STRING)
			return false;
		/* Of two that are ours neither could be told to be the one that is meant. */
		found += take_audience(claims, rules, one->text) ? 1 : 0;
	}
	return found == 1;
}

static const char *check_origin(const struct claims *claims, const struct token_rules *rules)
{
	struct str iss = json_get_str(claims->root, "iss");
	struct str env = json_get_str(claims->root, "env");

	if (iss.p == NULL || !str_eq(iss, rules->issuer))
		return "iss is another";
	if (!read_audience(claims, rules))
		return "aud is another";
	if (rules->env.p != NULL && (env.p == NULL || !str_eq(env, rules->env)))
		return "env is another";
	return NULL;
}

bool token_is_ambiguous(const struct token *token)
{
	char person[UUID_TEXT_LEN + 1];

	uuid_format(&token->person_id, person);
	return str_eq_nocase(str_from(person), str_from(token->client_id));
}

static const char *read_subject(const struct claims *claims)
{
	struct token *token = claims->token;
	struct str sub = json_get_str(claims->root, "sub");
	struct str client_id = json_get_str(claims->root, "client_id");

	if (!jwk_kid_ok(client_id))
		return "client_id is missing or malformed";
	memcpy(token->client_id, client_id.p, client_id.len); /* kid and client_id share shape and bound */
	if (sub.p == NULL)
		return "sub is missing or no string";
	if (str_eq(sub, client_id))
		return NULL;
	if (uuid_parse(sub, &token->person_id) != OK || uuid_is_nil(&token->person_id) || token_is_ambiguous(token))
		return "sub is neither a person nor the client";
	return NULL;
}

static const char *read_ids(const struct claims *claims)
{
	struct token *token = claims->token;
	const char *reason;

	if ((reason = read_uuid(claims->root, "tid", &token->tenant_id, "tid is missing or malformed")) != NULL)
		return reason;
	if ((reason = read_uuid(claims->root, "sid", &token->session_id, "sid is missing or malformed")) != NULL)
		return reason;
	return read_uuid(claims->root, "jti", &token->token_id, "jti is missing or malformed");
}

/* A letter, and base64url of an id with a bitmap behind it. */
static bool read_grant(const struct claims *claims, const struct json *one)
{
	struct token_grant grant = {0};
	struct str bytes;

	if (one->kind != JSON_STRING || one->text.len < 2)
		return false;
	grant.scope = one->text.p[0];
	bytes = base64url_decode(claims->arena, (struct str){one->text.p + 1, one->text.len - 1});
	if (bytes.p == NULL || bytes.len <= sizeof(grant.id.b) ||
		bytes.len > sizeof(grant.id.b) + sizeof(grant.permissions))
		return false;
	memcpy(grant.id.b, bytes.p, sizeof(grant.id.b));
	memcpy(grant.permissions, bytes.p + sizeof(grant.id.b), bytes.len - sizeof(grant.id.b));
	return token_add_grant(claims->token, &grant) == OK;
}

static const char *read_grants(const struct claims *claims)
{
	const struct json *grants = json_get(claims->root, "grants");

	if (grants == NULL)
		return NULL;
	if (grants->kind != JSON_ARRAY || grants->count > TOKEN_GRANTS_MAX || uuid_is_nil(&claims->token->person_id))
		return "grants is no array, too long or a client's";
	for (const struct json *one = grants->first; one != NULL; one = one->next) {
		if (!read_grant(claims, one))
			return "a grant is malformed";
	}
	return NULL;
}

static const char *read_rights(const struct claims *claims)
{
	const struct json *verified = json_get(claims->root, "ev");
	const struct json *roles = json_get(claims->root, "roles");
	struct str perm = json_get_str(claims->root, "perm");
	struct str bits;

	if (verified == NULL || (verified->kind != JSON_TRUE && verified->kind != JSON_FALSE))
		return "ev is missing or no boolean";
	claims->token->email_verified = verified->kind == JSON_TRUE;
	if (roles == NULL || roles->kind != JSON_ARRAY || roles->count > TOKEN_ROLES_MAX)
		return "roles is missing, no array or too long";
	for (const struct json *role = roles->first; role != NULL; role = role->next) {
		if (role->kind != JSON_STRING || token_add_role(claims->token, role->text) != OK)
			return "a role is malformed";
	}
	if (perm.p == NULL || (bits = base64url_decode(claims->arena, perm)).p == NULL ||
		bits.len > sizeof(claims->token->permissions))
		return "perm is missing or no bitmap";
	memcpy(claims->token->permissions, bits.p, bits.len);
	return NULL;
}

/* RFC 6749 section 3.3: words of %x21 / %x23-5B / %x5D-7E, one space between. */
static bool scope_ok(struct str scope)
{
	bool space = true; /* as if one stood in front */

	if (scope.len > TOKEN_SCOPE_MAX)
		return false;
	for (size_t i = 0; i < scope.len; i++) {
		char c = scope.p[i];

		if (c == ' ' ? space : (c < 0x21 || c > 0x7e || c == '"' || c == '\\'))
			return false;
		space = c == ' ';
	}
	return scope.len == 0 || !space;
}

static const char *read_scope(const struct claims *claims)
{
	const struct json *scope = json_get(claims->root, "scope");

	if (scope == NULL)
		return NULL;
	return scope->kind == JSON_STRING && token_set_scope(claims->token, scope->text) ? NULL : "scope is malformed";
}

/* RFC 8176: an array of words. */
static bool read_methods(const struct claims *claims)
{
	const struct json *amr = json_get(claims->root, "amr");
	struct str methods = STR("");

	if (amr == NULL)
		return true;
	if (amr->kind != JSON_ARRAY)
		return false;
	for (const struct json *one = amr->first; one != NULL; one = one->next) {
		if (one->kind != JSON_STRING || one->text.len == 0 || !acr_methods_ok(one->text))
			return false;
		methods = arena_printf(
			claims->arena, "%.*s%s%.*s", STR_ARG(methods), methods.len > 0 ? " " : "", STR_ARG(one->text));
		if (methods.p == NULL || methods.len > AMR_MAX)
			return false;
	}
	return token_set_methods(claims->token, methods);
}

/* RFC 9068 section 2.2.1. A token from before there was anything to say is one of a password. */
static const char *read_proof(const struct claims *claims)
{
	struct token *token = claims->token;
	const struct json *acr = json_get(claims->root, "acr");
	const struct json *auth_time = json_get(claims->root, "auth_time");
	const struct json *mfa = json_get(claims->root, "mfa");

	if (uuid_is_nil(&token->person_id))
		return acr == NULL && auth_time == NULL && mfa == NULL && json_get(claims->root, "amr") == NULL
		               ? NULL
		               : "a client alone has not signed in";
	if (mfa != NULL && (mfa->kind != JSON_STRING || !demand_parse(mfa->text, &token->demand)))
		return "mfa is unknown";
	token->acr = ACR_1FA;
	if (acr != NULL && (acr->kind != JSON_STRING || !acr_parse(acr->text, &token->acr)))
		return "acr is unknown";
	if (auth_time != NULL && !claims_seconds(claims->root, "auth_time", &token->auth_at))
		return "auth_time is no whole second";
	return read_methods(claims) ? NULL : "amr is malformed";
}

/* Any other way to confirm (RFC 7800) is a restriction that nobody here would hold to. */
static bool read_binding(const struct claims *claims)
{
	const struct json *cnf = json_get(claims->root, "cnf");
	const struct str jkt = json_get_str(cnf, "jkt");

	if (cnf == NULL)
		return true;
	if (cnf->kind != JSON_OBJECT || cnf->count != 1 || !dpop_jkt_ok(jkt))
		return false;
	memcpy(claims->token->jkt, jkt.p, jkt.len);
	return true;
}

static const char *read_times(const struct claims *claims, const struct token_rules *rules, instant_us now)
{
	struct token *token = claims->token;
	const struct json *millis = json_get(claims->root, "ims");
	instant_us not_before = 0;
	int64_t ims = 0;

	if (!claims_seconds(claims->root, "iat", &token->issued_at))
		return "iat is missing or no whole second";
	if (!claims_seconds(claims->root, "exp", &token->expires_at))
		return "exp is missing or no whole second";
	if (json_get(claims->root, "nbf") != NULL && !claims_seconds(claims->root, "nbf", &not_before))
		return "nbf is no whole second";
	if (millis != NULL && (millis->kind != JSON_NUMBER || json_to_i64(millis, &ims) != OK || ims < 0 || ims > 999))
		return "ims is not 0 to 999";
	if (token->expires_at <= token->issued_at || token->expires_at - token->issued_at > TOKEN_LIFE_MAX_US)
		return "the life is none or too long";
	if (token->issued_at > now + rules->leeway_us)
		return "iat is in the future";
	if (not_before > now + rules->leeway_us)
		return "nbf is in the future";
	token->issued_at += ims * US_PER_MS;
	return NULL;
}

static const char *read_claims(const struct claims *claims, const struct token_rules *rules, instant_us now)
{
	const char *reason;

	if (claims->root->kind != JSON_OBJECT)
		return "the claims are no object";
	if ((reason = check_origin(claims, rules)) != NULL)
		return reason;
	if ((reason = read_subject(claims)) != NULL)
		return reason;
	if ((reason = read_ids(claims)) != NULL)
		return reason;
	if ((reason = read_rights(claims)) != NULL)
		return reason;
	if ((reason = read_grants(claims)) != NULL)
		return reason;
	if ((reason = read_scope(claims)) != NULL)
		return reason;
	if ((reason = read_proof(claims)) != NULL)
		return reason;
	if (!read_binding(claims))
		return "cnf is no thumbprint of a key";
	return read_times(claims, rules, now);
}

/* RFC 9068 section 4: at+jwt, or with its media type in full; media types ignore case. */
static bool typ_ok(struct str typ)
{
	return str_eq_nocase(typ, STR("at+jwt")) || str_eq_nocase(typ, STR("application/at+jwt"));
}

static const char *verify(struct arena *arena, const struct token_rules *rules, const struct keyset *keys,
	struct str compact, instant_us now, struct token *token)
{
	static const struct jws_rules jws_rules = {.algs_allowed = JWS_ALLOW(JWK_EDDSA), .len_max = TOKEN_LEN_MAX};
	struct claims claims = {.arena = arena, .token = token};
	const char *reason;
	struct jws jws;

	if (jws_verify(arena, &jws_rules, keys, compact, &jws, &reason) != OK)
		return reason;
	if (!typ_ok(jws.typ))
		return "typ is not at+jwt";
	if (json_parse(arena, jws.payload, &claims.root, &reason) != OK)
		return "the claims are no JSON without duplicates";
	return read_claims(&claims, rules, now);
}

enum err token_verify(const struct token_rules *rules, const struct keyset *keys, struct str compact, instant_us now,
	struct token *token_out, const char **reason_out)
{
	struct arena *arena = arena_new(VERIFY_ARENA_BYTES);
	enum err err = OK;

	*token_out = (struct token){0};
	if (arena == NULL) {
		*reason_out = "out of memory";
		return ERR_OVERLOADED;
	}
	if ((*reason_out = verify(arena, rules, keys, compact, now, token_out)) != NULL) {
		err = ERR_UNAUTHENTICATED;
	} else if (token_out->expires_at <= now) {
		*reason_out = "exp has passed";
		err = ERR_TOKEN_EXPIRED;
	}
	if (err != OK)
		*token_out = (struct token){0};
	arena_free(&arena);
	return err;
}

bool token_has(const struct token *token, unsigned permission)
{
	return permission < TOKEN_PERMISSIONS_MAX && (token->permissions[permission / 8] >> permission % 8 & 1) != 0;
}

void token_grant(struct token *token, unsigned permission)
{
	INVARIANT(permission < TOKEN_PERMISSIONS_MAX);
	token->permissions[permission / 8] |= (uint8_t)(1U << permission % 8);
}

static bool grant_has(const struct token_grant *grant, unsigned permission)
{
	return permission < TOKEN_GRANT_BYTES * 8 && (grant->permissions[permission / 8] >> permission % 8 & 1) != 0;
}

bool token_has_at(const struct token *token, unsigned permission, enum token_scope scope, const struct uuid *id)
{
	for (unsigned i = 0; i < token->grant_count; i++) {
		const struct token_grant *grant = &token->grants[i];

		if (grant->scope == (char)scope && uuid_eq(&grant->id, id) && grant_has(grant, permission))
			return true;
	}
	return false;
}

bool token_may(const struct token *token, unsigned permission, bool looks_at_place)
{
	bool somewhere = false;

	for (unsigned i = 0; i < token->grant_count && looks_at_place; i++)
		somewhere = somewhere || grant_has(&token->grants[i], permission);
	return somewhere || token_has(token, permission);
}

enum err token_add_grant(struct token *token, const struct token_grant *grant)
{
	unsigned any = 0;
	unsigned i = 0;

	for (unsigned byte = 0; byte < TOKEN_GRANT_BYTES; byte++)
		any |= grant->permissions[byte];
	if (any == 0 || uuid_is_nil(&grant->id) ||
		(grant->scope != TOKEN_SITE && grant->scope != TOKEN_AREA && grant->scope != TOKEN_PRINCIPAL &&
			grant->scope != TOKEN_GROUP))
		return ERR_BAD_FIELD;
	while (i < token->grant_count &&
		!(token->grants[i].scope == grant->scope && uuid_eq(&token->grants[i].id, &grant->id)))
		i++;
	if (i == TOKEN_GRANTS_MAX)
		return ERR_TOO_LARGE;
	if (i == token->grant_count) {
		token->grants[token->grant_count++] = *grant;
		return OK;
	}
	for (unsigned byte = 0; byte < TOKEN_GRANT_BYTES; byte++)
		token->grants[i].permissions[byte] |= grant->permissions[byte];
	return OK;
}

bool token_has_scope(const struct token *token, const char *scope)
{
	struct str rest = str_from(token->scope);
	struct str word;
	bool more;

	do {
		more = str_cut(&rest, ' ', &word);
		if (word.len > 0 && str_eq_c(word, scope))
			return true;
	} while (more);
	return false;
}

bool token_set_scope(struct token *token, struct str scope)
{
	if (!scope_ok(scope))
		return false;
	memset(token->scope, 0, sizeof(token->scope));
	if (scope.len > 0)
		memcpy(token->scope, scope.p, scope.len);
	return true;
}

bool token_set_methods(struct token *token, struct str methods)
{
	if (!acr_methods_ok(methods))
		return false;
	memset(token->methods, 0, sizeof(token->methods));
	if (methods.len > 0)
		memcpy(token->methods, methods.p, methods.len);
	return true;
}

bool token_has_role(const struct token *token, const char *role)
{
	for (unsigned i = 0; i < token->role_count; i++) {
		if (strcmp(token->roles[i], role) == 0)
			return true;
	}
	return false;
}

enum err token_add_role(struct token *token, struct str role)
{
	if (token->role_count >= TOKEN_ROLES_MAX || role.len == 0 || role.len > TOKEN_ROLE_MAX)
		return ERR_BAD_FIELD;
	for (size_t i = 0; i < role.len; i++) {
		char c = role.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
			    c == '-'))
			return ERR_BAD_FIELD;
	}
	memset(token->roles[token->role_count], 0, sizeof(token->roles[0]));
	memcpy(token->roles[token->role_count++], role.p, role.len);
	return OK;
}
