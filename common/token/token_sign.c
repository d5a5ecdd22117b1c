/* SPDX-License-Identifier: Apache-2.0 */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "token/dpop.h"
#include "token/token.h"

static bool terminated(const char *text, size_t room)
{
	return memchr(text, '\0', room) != NULL;
}

static bool words_ok(const struct token *token)
{
	struct token probe = {0};

	if (!terminated(token->client_id, sizeof(token->client_id)) || !jwk_kid_ok(str_from(token->client_id)))
		return false;
	if (!terminated(token->scope, sizeof(token->scope)) || !token_set_scope(&probe, str_from(token->scope)))
		return false;
	if (!terminated(token->jkt, sizeof(token->jkt)) ||
		(token->jkt[0] != '\0' && !dpop_jkt_ok(str_from(token->jkt))))
		return false;
	if (token->role_count > TOKEN_ROLES_MAX)
		return false;
	for (unsigned i = 0; i < token->role_count; i++) {
		if (!terminated(token->roles[i], sizeof(token->roles[i])) ||
			token_add_role(&probe, str_from(token->roles[i])) != OK)
			return false;
	}
	return true;
}

static bool resource_ok(const struct token_rules *rules, const struct token *token)
{
	struct token probe = {0};

	return terminated(token->resource, sizeof(token->resource)) &&
	       token_set_resource(&probe, rules, str_from(token->resource));
}

static bool grants_ok(const struct token *token)
{
	struct token probe = {0};

	if (token->grant_count > TOKEN_GRANTS_MAX || (token->grant_count > 0 && uuid_is_nil(&token->person_id)))
		return false;
	for (unsigned i = 0; i < token->grant_count; i++) {
		if (token_add_grant(&probe, &token->grants[i]) != OK)
			return false;
	}
	return true;
}

/* A person has signed in somehow, a client has not. */
static bool proof_ok(const struct token *token)
{
	struct token probe = {0};

	if (uuid_is_nil(&token->person_id))
		return token->acr == ACR_NONE && token->demand == DEMAND_STAFF && token->auth_at == 0 &&
		       token->methods[0] == '\0';
	return acr_name(token->acr)[0] != '\0' && demand_name(token->demand)[0] != '\0' && token->auth_at >= 0 &&
	       token->auth_at <= INSTANT_MAX && terminated(token->methods, sizeof(token->methods)) &&
	       token_set_methods(&probe, str_from(token->methods));
}

/* By the whole seconds that travel. */
static bool life_ok(const struct token *token)
{
	int64_t issued_at_s = token->issued_at / US_PER_S;
	int64_t expires_at_s = token->expires_at / US_PER_S;

	return token->issued_at >= INSTANT_MIN && token->expires_at <= INSTANT_MAX && expires_at_s > issued_at_s &&
	       expires_at_s - issued_at_s <= TOKEN_LIFE_MAX_US / US_PER_S;
}

/* What token_verify would refuse must not be signed. */
static bool signable(const struct token_rules *rules, const struct token *token)
{
	if (rules->issuer.len == 0 || rules->audience.len == 0 || rules->audience.len > TOKEN_AUDIENCE_MAX ||
		rules->env.len == 0)
		return false;
	if (uuid_is_nil(&token->tenant_id) || uuid_is_nil(&token->session_id) || uuid_is_nil(&token->token_id))
		return false;
	return words_ok(token) && resource_ok(rules, token) && grants_ok(token) && proof_ok(token) && life_ok(token) &&
	       !token_is_ambiguous(token);
}

static void put_uuid(struct json_writer *w, const char *claim, const struct uuid *id)
{
	char text[UUID_TEXT_LEN + 1];

	uuid_format(id, text);
	json_key(w, claim);
	json_put_c(w, text);
}

static void put_permissions(struct json_writer *w, const struct token *token)
{
	char text[TOKEN_PERMISSIONS_MAX / 6 + 8];
	size_t len = sizeof(token->permissions);

	while (len > 0 && token->permissions[len - 1] == 0)
		len--;
	json_key(w, "perm");
	json_put_c(w, sodium_bin2base64(
			      text, sizeof(text), token->permissions, len, sodium_base64_VARIANT_URLSAFE_NO_PADDING));
}

static void put_grants(struct json_writer *w, const struct token *token)
{
	uint8_t bytes[sizeof(struct uuid) + TOKEN_GRANT_BYTES];
	char text[2 * sizeof(bytes)];

	if (token->grant_count == 0)
		return;
	json_key(w, "grants");
	json_begin_array(w);
	for (unsigned i = 0; i < token->grant_count; i++) {
		const struct token_grant *grant = &token->grants[i];
		size_t len = TOKEN_GRANT_BYTES;

		while (len > 1 && grant->permissions[len - 1] == 0)
			len--;
		memcpy(bytes, grant->id.b, sizeof(grant->id.b));
		memcpy(bytes + sizeof(grant->id.b), grant->permissions, len);
		text[0] = grant->scope;
		(void)sodium_bin2base64(text + 1, sizeof(text) - 1, bytes, sizeof(grant->id.b) + len,
			sodium_base64_VARIANT_URLSAFE_NO_PADDING);
		json_put_c(w, text);
	}
	json_end_array(w);
}

static void put_who(struct json_writer *w, const struct token *token)
{
	if (uuid_is_nil(&token->person_id)) {
		json_key(w, "sub");
		json_put_c(w, token->client_id);
	} else {
		put_uuid(w, "sub", &token->person_id);
	}
	json_key(w, "client_id");
	json_put_c(w, token->client_id);
	put_uuid(w, "tid", &token->tenant_id);
	put_uuid(w, "sid", &token->session_id);
	put_uuid(w, "jti", &token->token_id);
}

static void put_proof(struct json_writer *w, const struct token *token)
{
	if (token->acr == ACR_NONE)
		return;
	json_key(w, "mfa");
	json_put_c(w, demand_name(token->demand));
	acr_put(w, token->acr, token->auth_at, str_from(token->methods));
}

static void put_audience(struct json_writer *w, const struct token_rules *rules, const struct token *token)
{
	char text[TOKEN_AUDIENCE_MAX + TOKEN_RESOURCE_MAX + 1];

	(void)snprintf(text, sizeof(text), "%.*s%s", STR_ARG(rules->audience), token->resource);
	json_key(w, "aud");
	json_put_c(w, text);
}

static void put_binding(struct json_writer *w, const struct token *token)
{
	if (token->jkt[0] == '\0')
		return;
	json_key(w, "cnf");
	json_begin_object(w);
	json_key(w, "jkt");
	json_put_c(w, token->jkt);
	json_end_object(w);
}

static void put_claims(struct json_writer *w, const struct token_rules *rules, const struct token *token)
{
	json_begin_object(w);
	json_key(w, "iss");
	json_put_str(w, rules->issuer);
	put_audience(w, rules, token);
	json_key(w, "env");
	json_put_str(w, rules->env);
	put_who(w, token);
	json_key(w, "iat");
	json_put_i64(w, token->issued_at / US_PER_S);
	json_key(w, "ims");
	json_put_i64(w, token->issued_at % US_PER_S / US_PER_MS);
	json_key(w, "exp");
	json_put_i64(w, token->expires_at / US_PER_S);
	if (token->scope[0] != '\0') {
		json_key(w, "scope");
		json_put_c(w, token->scope);
	}
	json_key(w, "ev");
	json_put_bool(w, token->email_verified);
	json_key(w, "roles");
	json_begin_array(w);
	for (unsigned i = 0; i < token->role_count; i++)
		json_put_c(w, token->roles[i]);
	json_end_array(w);
	put_permissions(w, token);
	put_grants(w, token);
	put_proof(w, token);
	put_binding(w, token);
	json_end_object(w);
}

enum err token_sign(const struct token_rules *rules, const struct signing_key *key, const struct token *token,
	struct buf *compact_out)
{
	struct json_writer w;
	struct buf claims;
	size_t start = compact_out->len;
	enum err err;

	if (signing_key_algorithm(key) != JWK_EDDSA || !signable(rules, token))
		return ERR_BAD_FIELD;
	buf_init(&claims, TOKEN_LEN_MAX);
	w = json_writer_over(&claims);
	put_claims(&w, rules, token);
	err = buf_ok(&claims) ? jws_sign(key, "at+jwt", buf_str(&claims), compact_out) : ERR_TOO_LARGE;
	if (err == OK && compact_out->len - start > TOKEN_LEN_MAX)
		err = ERR_TOO_LARGE;
	buf_release(&claims);
	return err;
}
