/* SPDX-License-Identifier: Apache-2.0 */
#include "clients.h"

#include "base/encode.h"
#include "issue.h"
#include "people.h"
#include "rules_oauth.h"
#include "token/assertion.h"

#define SECRET_LEN 32

static const char *const known_grants[] = {"authorization_code", "refresh_token", "client_credentials", GRANT_DEVICE};

static enum err check_redirects(struct call *call, const struct texts *uris, const char *field)
{
	const char *reason;

	for (size_t i = 0; i < uris->count; i++) {
		if (!rules_redirect_ok(uris->items[i], &reason))
			return call_refuse(call, ERR_BAD_FIELD, field, "bad_redirect_uri",
				arena_printf(call->arena, "A redirect URI is refused for %s.", reason).p);
	}
	return OK;
}

static enum err check_grants(struct call *call, const struct client_record *record, const struct texts *grants)
{
	for (size_t i = 0; i < grants->count; i++) {
		bool known = false;

		for (size_t k = 0; k < sizeof(known_grants) / sizeof(known_grants[0]); k++)
			known = known || str_eq_c(grants->items[i], known_grants[k]);
		if (!known)
			return call_refuse(call, ERR_BAD_FIELD, "grants", "unknown_grant", "There is no such grant.");
	}
	if (rules_word_listed(record->grants, "client_credentials") && !record->confidential)
		return call_refuse(
			call, ERR_BAD_FIELD, "grants", "public_client", "A public client cannot act for itself.");
	if (rules_word_listed(record->grants, "authorization_code") && record->redirect_uris.len == 0)
		return call_refuse(call, ERR_BAD_FIELD, "redirect_uris", "redirect_uri_missing",
			"The authorization code grant needs a redirect URI.");
	return OK;
}

struct rights clients_rights(const struct client_record *record)
{
	struct rights admin = issue_rights_of_roles(STR(ROLE_ADMIN));
	struct rights rights = issue_rights_of_names(record->permissions);
	struct rights vouched = issue_rights_of_names(record->vouched);
	const bool asked = record->third_party || !rules_word_listed(record->grants, "authorization_code");

	admin = rules_rights_join(&admin, &vouched);
	return asked ? rights : rules_rights_join(&rights, &admin);
}

struct str clients_vouch(struct arena *arena, const struct rights *rights)
{
	struct rights admin = issue_rights_of_roles(STR(ROLE_ADMIN)), beyond = rules_rights_minus(rights, &admin);
	struct texts names;

	return issue_names_of_rights(arena, &beyond, &names) == OK ? desk_join(arena, &names) : STR_NONE;
}

bool clients_is_exceeded(
	bool third_party, struct str vouched, const struct person_record *person, struct rights *reach_out)
{
	struct rights rights = issue_rights_of_person(person);

	for (size_t i = 0; i < person->held.place_count; i++) {
		struct rights there =
			issue_rights_of_role(person->held.places[i].role, person->held.places[i].permissions);

		rights = rules_rights_join(&rights, &there);
	}
	*reach_out = issue_rights_of_role(STR(ROLE_ADMIN), vouched);
	return !third_party && !rules_rights_within(&rights, reach_out);
}

static enum err check_permissions(
	struct call *call, const struct texts *permissions, const struct client_record *record)
{
	struct rights inner = issue_rights_of_names(record->permissions), reach = clients_rights(record);
	struct rights outer = desk_rights(call);
	unsigned bit;

	for (size_t i = 0; i < permissions->count; i++) {
		if (!issue_permission_bit(permissions->items[i], &bit))
			return call_refuse(call, ERR_BAD_FIELD, "permissions", "unknown_permission",
				"There is no such permission.");
	}
	if (!rules_rights_within(&inner, &outer))
		return call_refuse(call, ERR_FORBIDDEN, "permissions", "permission_exceeds_own",
			"A client cannot be given a permission that you do not have yourself.");
	if (!rules_rights_within(&reach, &outer))
		return call_refuse(call, ERR_FORBIDDEN, "third_party", "permission_exceeds_own",
			"A client that people are not asked about takes somebody who may all that an Admin may.");
	return OK;
}

enum err clients_origins(struct call *call, const struct texts *origins, struct str *words_out)
{
	for (size_t i = 0; i < origins->count; i++)
		if (!rules_origin_ok(origins->items[i]))
			return call_refuse(call, ERR_BAD_FIELD, "allowed_origins", "bad_origin",
				"An origin is https://host[:port], http only on a loopback address.");
	*words_out = desk_join(call->arena, origins);
	return words_out->p != NULL ? OK : ERR_OVERLOADED;
}

/* How the client proves itself: by keys, a secret, or not at all. */
static enum err check_method(
	struct call *call, const struct client_create_request *request, struct client_record *record)
{
	const struct str usual = record->confidential ? STR("client_secret_basic") : STR("none");
	const struct str method = request->has_token_endpoint_auth_method ? request->token_endpoint_auth_method : usual;
	const bool keyed = str_eq_c(method, "private_key_jwt");
	const char *reason;
	enum err err;

	if (str_eq_c(method, "none") == record->confidential)
		return call_refuse(call, ERR_BAD_FIELD, "token_endpoint_auth_method", "wrong_kind",
			"A public client proves nothing, a confidential one must.");
	if (keyed != request->has_jwks)
		return call_refuse(call, ERR_BAD_FIELD, "jwks", keyed ? "jwks_missing" : "jwks_unused",
			"Keys belong to private_key_jwt, and to nothing else.");
	if (!keyed)
		return OK;
	if ((err = assertion_keys(call->arena, request->jwks, &record->jwks, &reason)) == ERR_BAD_FIELD)
		return call_refuse(call, ERR_BAD_FIELD, "jwks", "bad_jwks",
			arena_printf(call->arena, "The keys are refused: %s.", reason).p);
	return err;
}

/* Whether it may be reached is the allow-list's word when something is sent, as that changes without clients. */
static enum err check_backchannel(struct call *call, const struct client_record *record)
{
	const char *reason;

	if (record->backchannel_uri.p == NULL && record->backchannel_session)
		return call_refuse(call, ERR_BAD_FIELD, "backchannel_logout_session_required", "uri_missing",
			"It belongs to backchannel_logout_uri.");
	if (record->backchannel_uri.p == NULL)
		return OK;
	if (!rules_redirect_ok(record->backchannel_uri, &reason))
		return call_refuse(call, ERR_BAD_FIELD, "backchannel_logout_uri", "bad_logout_uri",
			arena_printf(call->arena, "The URI is refused for %s.", reason).p);
	if (!egress_url_ok(record->backchannel_uri))
		return call_refuse(call, ERR_BAD_FIELD, "backchannel_logout_uri", "bad_logout_uri",
			"The URI is refused: it needs a path, and a host that can be reached.");
	return OK;
}

enum err clients_make(struct call *call, const struct client_create_request *request, struct client_record *record_out)
{
	struct str code_grants[2] = {STR("authorization_code"), STR("refresh_token")};
	struct texts default_grants = {code_grants, 2};
	const struct texts *grants = request->has_grants ? &request->grants : &default_grants;
	const struct rights rights = desk_rights(call);
	enum err err;

	*record_out = (struct client_record){
		.vouched = clients_vouch(call->arena, &rights),
		.id = uuid_new(),
		.name = request->name,
		.confidential = str_eq_c(request->kind, "confidential"),
		.redirect_uris = desk_join(call->arena, &request->redirect_uris),
		.grants = desk_join(call->arena, grants),
		.permissions = desk_join(call->arena, &request->permissions),
		.dpop_bound = request->has_dpop_bound_access_tokens && request->dpop_bound_access_tokens,
		.id_token_alg = request->has_id_token_alg ? request->id_token_alg : STR("ES256"),
		.created_at = clock_now_us(),
		.require_pushed = request->require_pushed_authorization_requests,
		.third_party = request->third_party,
		.post_logout_uris = desk_join(call->arena, &request->post_logout_redirect_uris),
		.backchannel_uri = request->has_backchannel_logout_uri ? request->backchannel_logout_uri : STR_NONE,
		.backchannel_session = request->backchannel_logout_session_required,
	};
	if ((err = clients_origins(call, &request->allowed_origins, &record_out->allowed_origins)) != OK)
		return err;
	if (record_out->redirect_uris.p == NULL || record_out->grants.p == NULL || record_out->permissions.p == NULL ||
		record_out->vouched.p == NULL)
		return ERR_OVERLOADED;
	if ((err = check_method(call, request, record_out)) != OK)
		return err;
	if ((err = check_redirects(call, &request->redirect_uris, "redirect_uris")) != OK)
		return err;
	err = check_redirects(call, &request->post_logout_redirect_uris, "post_logout_redirect_uris");
	if (err != OK)
		return err;
	if ((err = check_backchannel(call, record_out)) != OK)
		return err;
	if ((err = check_grants(call, record_out, grants)) != OK)
		return err;
	return check_permissions(call, &request->permissions, record_out);
}

/* The request that would make it as it is. */
static struct client_create_request request_for(struct call *call, const struct client_record *record)
{
	return (struct client_create_request){
		.name = record->name,
		.kind = record->confidential ? STR("confidential") : STR("public"),
		.redirect_uris = desk_words(call->arena, record->redirect_uris),
		.grants = desk_words(call->arena, record->grants),
		.has_grants = true,
		.permissions = desk_words(call->arena, record->permissions),
		.id_token_alg = record->id_token_alg,
		.has_id_token_alg = true,
		.allowed_origins = desk_words(call->arena, record->allowed_origins),
		.token_endpoint_auth_method = STR("private_key_jwt"),
		.has_token_endpoint_auth_method = record->jwks.p != NULL,
		.jwks = record->jwks,
		.has_jwks = record->jwks.p != NULL,
		.require_pushed_authorization_requests = record->require_pushed,
		.third_party = record->third_party,
		.post_logout_redirect_uris = desk_words(call->arena, record->post_logout_uris),
		.dpop_bound_access_tokens = record->dpop_bound,
		.has_dpop_bound_access_tokens = true,
		.backchannel_logout_uri = record->backchannel_uri,
		.has_backchannel_logout_uri = record->backchannel_uri.p != NULL,
		.backchannel_logout_session_required = record->backchannel_session,
	};
}

/* Takes over what the request names. */
static void put_changes(const struct client_update_request *request, struct client_create_request *whole)
{
#define TAKE(field) whole->field = request->has_##field ? request->field : whole->field
	TAKE(name);
	TAKE(redirect_uris);
	TAKE(grants);
	TAKE(permissions);
	TAKE(id_token_alg);
	TAKE(allowed_origins);
	TAKE(jwks);
	TAKE(require_pushed_authorization_requests);
	TAKE(third_party);
	TAKE(post_logout_redirect_uris);
	TAKE(dpop_bound_access_tokens);
	TAKE(backchannel_logout_session_required);
#undef TAKE
	whole->has_jwks = whole->has_jwks || request->has_jwks;
	if (!request->has_backchannel_logout_uri)
		return;
	whole->backchannel_logout_uri = request->backchannel_logout_uri;
	whole->has_backchannel_logout_uri = request->backchannel_logout_uri.p != NULL;
	if (!whole->has_backchannel_logout_uri && !request->has_backchannel_logout_session_required)
		whole->backchannel_logout_session_required = false;
}

bool clients_hands_over(const struct client_update_request *request)
{
	return request->has_jwks || request->has_grants || request->has_redirect_uris || request->has_third_party;
}

enum err clients_change(struct call *call, const struct client_update_request *request, const struct client_record *old,
	struct client_record *record_out)
{
	struct client_create_request whole = request_for(call, old);
	enum err err;

	put_changes(request, &whole);
	if ((err = clients_make(call, &whole, record_out)) != OK)
		return err;
	record_out->row_id = old->row_id;
	record_out->id = old->id;
	record_out->secret_hash = old->secret_hash;
	record_out->created_at = old->created_at;
	record_out->version = old->version;
	if (!clients_hands_over(request))
		record_out->vouched = old->vouched;
	return OK;
}

static bool are_within(struct str words, struct str of)
{
	return words.len == 0 || rules_scope_within(words, of);
}

bool clients_loses_address(const struct client_record *old, const struct client_record *record)
{
	return !are_within(old->redirect_uris, record->redirect_uris);
}

bool clients_is_narrower(const struct client_record *old, const struct client_record *record)
{
	return !are_within(old->permissions, record->permissions) || !are_within(old->grants, record->grants) ||
	       (record->dpop_bound && !old->dpop_bound) || (record->third_party && !old->third_party) ||
	       !are_within(old->vouched, record->vouched);
}

struct vault_hash clients_secret_hash(const struct vault *vault, const struct uuid *client_id, struct str secret)
{
	struct str parts[2] = {{(const char *)client_id->b, sizeof(client_id->b)}, secret};

	return vault_hash_parts(vault, VAULT_CLIENT_SECRET, parts, 2);
}

enum err clients_secret(struct call *call, struct client_record *record, struct str *secret_out)
{
	uint8_t random[SECRET_LEN];
	struct vault_hash hash;

	*secret_out = STR_NONE;
	if (!record->confidential || record->jwks.p != NULL)
		return OK;
	random_bytes(random, sizeof(random));
	*secret_out = base64url_encode(call->arena, (struct str){(const char *)random, sizeof(random)});
	if (secret_out->p == NULL)
		return ERR_OVERLOADED;
	hash = clients_secret_hash(desk_state(call)->vault, &record->id, *secret_out);
	record->secret_hash = arena_copy(call->arena, vault_hash_str(&hash));
	return record->secret_hash.p != NULL ? OK : ERR_OVERLOADED;
}

void clients_view(struct call *call, const struct client_record *record, struct client_view *view_out)
{
	*view_out = (struct client_view){
		.id = record->id,
		.has_id = true,
		.name = record->name,
		.has_name = true,
		.kind = record->confidential ? STR("confidential") : STR("public"),
		.has_kind = true,
		.redirect_uris = desk_words(call->arena, record->redirect_uris),
		.has_redirect_uris = true,
		.grants = desk_words(call->arena, record->grants),
		.has_grants = true,
		.permissions = desk_words(call->arena, record->permissions),
		.has_permissions = true,
		.id_token_alg = record->id_token_alg,
		.has_id_token_alg = true,
		.created_at = record->created_at,
		.has_created_at = true,
		.allowed_origins = desk_words(call->arena, record->allowed_origins),
		.has_allowed_origins = record->allowed_origins.len > 0,
		.token_endpoint_auth_method = STR("private_key_jwt"),
		.has_token_endpoint_auth_method = record->jwks.p != NULL,
		.jwks = record->jwks,
		.has_jwks = record->jwks.p != NULL,
		.require_pushed_authorization_requests = record->require_pushed,
		.has_require_pushed_authorization_requests = record->require_pushed,
		.third_party = record->third_party,
		.has_third_party = record->third_party,
		.post_logout_redirect_uris = desk_words(call->arena, record->post_logout_uris),
		.has_post_logout_redirect_uris = record->post_logout_uris.len > 0,
		.dpop_bound_access_tokens = record->dpop_bound,
		.has_dpop_bound_access_tokens = record->dpop_bound,
		.backchannel_logout_uri = record->backchannel_uri,
		.has_backchannel_logout_uri = record->backchannel_uri.p != NULL,
		.backchannel_logout_session_required = record->backchannel_session,
		.has_backchannel_logout_session_required = record->backchannel_session,
	};
}
