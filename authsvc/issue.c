/* SPDX-License-Identifier: Apache-2.0 */
#include "issue.h"

#include <string.h>

#include "base/encode.h"
#include "base/log.h"
#include "token/keyring.h"
#include "web.h"

#define REPLY_MAX (16U * 1024U)
#define ID_CLAIMS_MAX 4096

bool issue_permission_bit(struct str name, unsigned *bit_out)
{
	enum permission permission;

	if (permission_parse(name, &permission) != OK)
		return false;
	*bit_out = (unsigned)permission;
	return true;
}

struct rights issue_rights_of_roles(struct str roles)
{
	struct permission_set set = {0};
	struct rights rights;
	struct str word;
	bool more;

	_Static_assert(sizeof(set.bits) == sizeof(rights.bits), "one bitmap everywhere");
	do {
		const struct role *role;

		more = str_cut(&roles, ' ', &word);
		if ((role = role_by_name(word)) != NULL)
			permission_set_merge(&set, &role->permissions);
	} while (more);
	memcpy(rights.bits, set.bits, sizeof(rights.bits));
	return rights;
}

struct rights issue_rights_of_names(struct str permissions)
{
	struct rights rights = {{0}};
	struct str word;
	unsigned bit;
	bool more;

	do {
		more = str_cut(&permissions, ' ', &word);
		if (issue_permission_bit(word, &bit))
			rights.bits[bit / 8] |= (uint8_t)(1U << bit % 8);
	} while (more);
	return rights;
}

bool issue_resource(const struct call *call, struct str indicator, struct str granted, struct str *path_out)
{
	const struct token_rules *rules = context_token_rules(call->worker->context);
	struct token probe = {0};

	*path_out = granted.p != NULL ? granted : STR("");
	if (indicator.p == NULL)
		return true;
	if (indicator.len < rules->audience.len || memcmp(indicator.p, rules->audience.p, rules->audience.len) != 0)
		return false;
	*path_out = (struct str){indicator.p + rules->audience.len, indicator.len - rules->audience.len};
	return token_set_resource(&probe, rules, *path_out) && rules_resource_within(*path_out, granted);
}

enum err issue_hint(struct call *call, struct str compact, struct id_token *id_token_out)
{
	struct keyset *keys;
	uint64_t generation;
	const char *reason;
	enum err err;

	if ((keys = keyring_keys(context_keyring(call->worker->context), &generation)) == NULL)
		return ERR_UNAVAILABLE;
	err = id_token_verify(call->arena, str_from(context_public_url(call->worker->context)), keys, compact,
		clock_now_us(), id_token_out, &reason);
	keyset_free(&keys);
	return err;
}

struct rights issue_rights_of_person(const struct person_record *person)
{
	struct rights built_in = issue_rights_of_roles(person->roles);
	struct rights own = issue_rights_of_names(person->permissions);
	struct rights held = issue_rights_of_role(person->held.roles, person->held.permissions);

	built_in = rules_rights_join(&built_in, &own);
	return rules_rights_join(&built_in, &held);
}

struct rights issue_rights_of_role(struct str roles, struct str permissions)
{
	struct rights built_in = issue_rights_of_roles(roles);
	struct rights own = issue_rights_of_names(permissions);

	return rules_rights_join(&built_in, &own);
}

bool issue_rights_are_weighty(const struct rights *rights)
{
	struct permission_set set;
	unsigned any = 0;

	memcpy(set.bits, rights->bits, sizeof(set.bits));
	set = permission_set_weighty(&set);
	for (size_t i = 0; i < sizeof(set.bits); i++)
		any |= set.bits[i];
	return any != 0;
}

struct rights issue_rights_at(enum grant_scope scope, const struct rights *rights)
{
	struct permission_set set, some;
	struct rights there;

	memcpy(set.bits, rights->bits, sizeof(set.bits));
	some = scope == GRANT_TENANT                              ? set
	       : scope == GRANT_PRINCIPAL || scope == GRANT_GROUP ? permission_set_of_principal(&set)
	                                                          : permission_set_of_place(&set);
	memcpy(there.bits, some.bits, sizeof(there.bits));
	return there;
}

enum err issue_names_of_rights(struct arena *arena, const struct rights *rights, struct texts *names_out)
{
	*names_out = (struct texts){arena_take_array(arena, PERMISSION_BITS_MAX, sizeof(*names_out->items)), 0};
	if (names_out->items == NULL)
		return ERR_OVERLOADED;
	for (unsigned bit = 0; bit < PERMISSION_BITS_MAX; bit++) {
		if ((rights->bits[bit / 8] >> bit % 8 & 1) != 0)
			names_out->items[names_out->count++] = str_from(permission_name((enum permission)bit));
	}
	return OK;
}

static enum err fill_person(struct token *token, const struct issue *issue)
{
	const struct person_record *person = issue->person;
	struct str roles = person->roles;
	struct str word;
	bool more;

	token->person_id = person->id;
	token->email_verified = person->email_verified_at != 0;
	token->auth_at = issue->auth_at;
	token->acr = issue->proof.acr;
	token->demand = person->demand;
	if (!token_set_methods(token, issue->proof.methods))
		return ERR_INTERNAL;
	do {
		more = str_cut(&roles, ' ', &word);
		if (word.len > 0 && token_add_role(token, word) != OK)
			return ERR_INTERNAL;
	} while (more);
	return OK;
}

/* What the token holds of them. */
static struct rights limit(const struct issue *issue, const struct rights *rights)
{
	struct rights limited = rules_scope_limit(issue->scope, rights);

	return issue->bound != NULL ? rules_rights_meet(&limited, issue->bound) : limited;
}

/* What is granted in places, as far as the scope of the token asks for it. More than a token holds are left out. */
static enum err fill_grants(struct token *token, const struct issue *issue)
{
	static const enum token_scope scopes[GRANT_SCOPES] = {
		[GRANT_SITE] = TOKEN_SITE,
		[GRANT_AREA] = TOKEN_AREA,
		[GRANT_PRINCIPAL] = TOKEN_PRINCIPAL,
		[GRANT_GROUP] = TOKEN_GROUP,
	};
	const struct held *held = &issue->person->held;

	for (size_t i = 0; i < held->place_count; i++) {
		const struct held_place *place = &held->places[i];
		struct rights rights = issue_rights_of_role(place->role, place->permissions);
		struct token_grant grant = {.id = place->id, .scope = (char)scopes[place->scope]};
		enum err err;

		rights = issue_rights_at(place->scope, &rights);
		rights = limit(issue, &rights);
		memcpy(grant.permissions, rights.bits, sizeof(grant.permissions));
		err = token_add_grant(token, &grant);
		if (err == ERR_TOO_LARGE)
			log_event(LOG_WARN, "grants_left_out", LOG_ID("person_id", &issue->person->id));
		else if (err != OK && err != ERR_BAD_FIELD) /* nothing of it is held there */
			return err;
	}
	return OK;
}

/* No token outlives what it says. */
static instant_us expiry(const struct issue *issue, instant_us now)
{
	instant_us until = issue->person != NULL ? issue->person->held.until : 0;

	return until != 0 && until < now + ACCESS_LIFE_US ? until : now + ACCESS_LIFE_US;
}

static enum err sign_access(struct call *call, const struct issue *issue, const struct key_set *keys, instant_us now,
	struct buf *compact_out)
{
	struct rights whole = issue->person != NULL ? issue_rights_of_person(issue->person)
	                                            : issue_rights_of_names(issue->client->permissions);
	struct rights limited = limit(issue, &whole);
	struct token token = {
		.tenant_id = issue->tenant_id,
		.session_id = issue->grant_id,
		.token_id = uuid_new(),
		.issued_at = now,
		.expires_at = expiry(issue, now),
		.email_verified = true,
	};
	enum err err;

	if (issue->jkt.p != NULL)
		memcpy(token.jkt, issue->jkt.p, JWK_THUMBPRINT_LEN);
	memcpy(token.permissions, limited.bits, sizeof(token.permissions));
	uuid_format(&issue->client->id, token.client_id);
	if (!token_set_scope(&token, issue->scope->text) ||
		!token_set_resource(&token, context_token_rules(call->worker->context), issue->resource))
		return ERR_INTERNAL;
	if (issue->person != NULL && (err = fill_person(&token, issue)) != OK)
		return err;
	if (issue->person != NULL && (err = fill_grants(&token, issue)) != OK)
		return err;
	return token_sign(
		context_token_rules(call->worker->context), keys_active(keys, JWK_EDDSA), &token, compact_out);
}

/* OpenID Connect Core section 3.1.3.6: the left half of the hash that the signature uses. */
static struct str at_hash(struct call *call, struct str access_token)
{
	uint8_t digest[32];

	sha256(access_token, digest);
	return base64url_encode(call->arena, (struct str){(const char *)digest, sizeof(digest) / 2});
}

static void put_id(struct json_writer *w, const char *claim, const struct uuid *id)
{
	char text[UUID_TEXT_LEN + 1];

	uuid_format(id, text);
	json_key(w, claim);
	json_put_c(w, text);
}

static enum err sign_id(struct call *call, const struct issue *issue, const struct key_set *keys, instant_us now,
	struct str access_token, struct buf *compact_out)
{
	enum jwk_alg alg = str_eq_c(issue->client->id_token_alg, "RS256") ? JWK_RS256 : JWK_ES256;
	struct json_writer w;
	struct buf claims;
	enum err err;

	buf_init(&claims, ID_CLAIMS_MAX);
	w = json_writer_over(&claims);
	json_begin_object(&w);
	json_key(&w, "iss");
	json_put_c(&w, context_public_url(call->worker->context));
	put_id(&w, "sub", &issue->person->id);
	put_id(&w, "aud", &issue->client->id);
	json_key(&w, "iat");
	json_put_i64(&w, now / US_PER_S);
	json_key(&w, "exp");
	json_put_i64(&w, (now + ID_TOKEN_LIFE_US) / US_PER_S);
	acr_put(&w, issue->proof.acr, issue->auth_at, issue->proof.methods);
	if (!uuid_is_nil(&issue->session_id))
		put_id(&w, "sid", &issue->session_id);
	json_key(&w, "at_hash");
	json_put_str(&w, at_hash(call, access_token));
	if (issue->nonce.p != NULL) {
		json_key(&w, "nonce");
		json_put_str(&w, issue->nonce);
	}
	json_end_object(&w);
	err = buf_ok(&claims) ? jws_sign(keys_active(keys, alg), "JWT", buf_str(&claims), compact_out) : ERR_TOO_LARGE;
	buf_release(&claims);
	return err;
}

static void put_reply(const struct issue *issue, instant_us now, struct str access, struct str id, struct buf *out)
{
	struct json_writer w = json_writer_over(out);

	json_begin_object(&w);
	json_key(&w, "access_token");
	json_put_str(&w, access);
	json_key(&w, "token_type");
	json_put_c(&w, issue->jkt.p != NULL ? "DPoP" : "Bearer");
	json_key(&w, "expires_in");
	json_put_i64(&w, expiry(issue, now) / US_PER_S - now / US_PER_S);
	json_key(&w, "scope");
	json_put_str(&w, issue->scope->text);
	if (issue->refresh_token.p != NULL) {
		json_key(&w, "refresh_token");
		json_put_str(&w, issue->refresh_token);
	}
	if (id.len > 0) {
		json_key(&w, "id_token");
		json_put_str(&w, id);
	}
	json_end_object(&w);
}

enum err issue_tokens(struct call *call, const struct issue *issue, struct web_reply *reply)
{
	struct key_set *keys = keys_hold(desk_state(call)->keys);
	instant_us now = clock_now_us();
	struct buf access, id, body;
	enum err err;

	buf_init(&access, REPLY_MAX);
	buf_init(&id, REPLY_MAX);
	buf_init(&body, REPLY_MAX);
	if (keys == NULL) {
		err = ERR_UNAVAILABLE;
		goto done;
	}
	if ((err = sign_access(call, issue, keys, now, &access)) != OK)
		goto done;
	if (issue->scope->openid && issue->person != NULL &&
		(err = sign_id(call, issue, keys, now, buf_str(&access), &id)) != OK)
		goto done;
	put_reply(issue, now, buf_str(&access), buf_str(&id), &body);
	err = web_json(call, reply, 200, &body);
	if (err == OK)
		atomic_fetch_add(&desk_state(call)->counts.tokens, 1);
done:
	buf_release(&access);
	buf_release(&id);
	buf_release(&body);
	keys_set_free(&keys);
	return err;
}
