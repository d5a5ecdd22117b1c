/* SPDX-License-Identifier: Apache-2.0 */
#include "caller.h"
#include "issue.h"
#include "service/crash.h"
#include "store_grant.h"
#include "ticket.h"
#include "token/keyring.h"

#define SERVICE_DEF "contract/authsvc.def"
#include "service/handlers.h"

#define REPLY_MAX 8192

/* A token that somebody shows, as far as it is good. */
struct shown {
	bool access;
	struct token token;          /* of an access token */
	struct family_record family; /* of a refresh token */
	struct person_record person;
	struct uuid client_id;
};

/* ERR_NOT_FOUND: no access token of this tenant that is still good. */
static enum err read_access(struct call *call, struct store *store, struct str text, struct shown *shown)
{
	struct keyset *keys = NULL;
	struct revocation_query query;
	uint64_t generation;
	const char *reason;
	bool hit;
	enum err err;

	if ((keys = keyring_keys(context_keyring(call->worker->context), &generation)) == NULL)
		return ERR_UNAVAILABLE;
	err = token_verify(
		context_token_rules(call->worker->context), keys, text, clock_now_us(), &shown->token, &reason);
	keyset_free(&keys);
	if (err != OK)
		return err == ERR_OVERLOADED ? err : ERR_NOT_FOUND;
	if (!uuid_eq(&shown->token.tenant_id, &store->tenant_id) ||
		uuid_parse(str_from(shown->token.client_id), &shown->client_id) != OK)
		return ERR_NOT_FOUND;
	query = (struct revocation_query){shown->token.session_id, shown->token.token_id, shown->token.person_id,
		shown->client_id, shown->token.issued_at};
	if ((err = store_revocation_hit(store, &query, clock_now_us(), &hit)) != OK)
		return err;
	shown->access = true;
	return hit ? ERR_NOT_FOUND : OK;
}

/* ERR_NOT_FOUND: no refresh token of the client that could still be used. */
static enum err read_refresh(struct call *call, struct store *store, const struct client_record *client,
	struct str text, struct shown *shown)
{
	struct refresh_ticket ticket;
	enum err err;

	if (!ticket_refresh_parse(call->arena, text, &ticket) || !uuid_eq(&ticket.tenant_id, &store->tenant_id))
		return ERR_NOT_FOUND;
	if ((err = store_family_lock(store, &ticket.family_id, &shown->family)) != OK)
		return err;
	if (shown->family.client_row_id != client->row_id ||
		!ticket_refresh_genuine(desk_state(call)->vault, &ticket, shown->family.refresh_salt) ||
		rules_refresh_decide(&shown->family.state, ticket.generation, clock_now_us()) > REFRESH_REPEAT)
		return ERR_NOT_FOUND;
	if ((err = store_person_standing(store, shown->family.person_row_id, &shown->person)) != OK)
		return err;
	shown->client_id = client->id;
	return shown->person.status == PERSON_ACTIVE ? OK : ERR_NOT_FOUND;
}

static enum err read_any(struct call *call, struct store *store, const struct client_record *client, struct str text,
	struct shown *shown_out)
{
	enum err err;

	*shown_out = (struct shown){0};
	err = read_refresh(call, store, client, text, shown_out);
	return err == ERR_NOT_FOUND ? read_access(call, store, text, shown_out) : err;
}

static void put_id(struct json_writer *w, const char *claim, const struct uuid *id)
{
	char text[UUID_TEXT_LEN + 1];

	uuid_format(id, text);
	json_key(w, claim);
	json_put_c(w, text);
}

static void put_times(struct json_writer *w, instant_us issued_at, instant_us expires_at)
{
	json_key(w, "iat");
	json_put_i64(w, issued_at / US_PER_S);
	json_key(w, "exp");
	json_put_i64(w, expires_at / US_PER_S);
}

/* RFC 9470 section 6.2; only of a person. */
static void put_proof(struct json_writer *w, enum acr acr, instant_us auth_at)
{
	if (acr == ACR_NONE)
		return;
	json_key(w, "acr");
	json_put_c(w, acr_name(acr));
	json_key(w, "auth_time");
	json_put_i64(w, auth_at / US_PER_S);
}

/* RFC 9449 section 6.2 */
static void put_binding(struct json_writer *w, struct str jkt)
{
	if (jkt.len == 0)
		return;
	json_key(w, "cnf");
	json_begin_object(w);
	json_key(w, "jkt");
	json_put_str(w, jkt);
	json_end_object(w);
}

/* RFC 7662 section 2.2 */
static void put_active(struct json_writer *w, struct arena *arena, const struct shown *shown, const char *issuer)
{
	const struct token *token = &shown->token;

	json_key(w, "iss");
	json_put_c(w, issuer);
	put_id(w, "client_id", &shown->client_id);
	json_key(w, "scope");
	json_put_str(w, shown->access ? str_from(token->scope) : shown->family.scope);
	if (!shown->access) {
		put_id(w, "sub", &shown->person.id);
		json_key(w, "token_type");
		json_put_c(w, "refresh_token");
		put_binding(w, shown->family.jkt);
		put_proof(w, shown->family.proof.acr, shown->family.auth_at);
		put_times(w, shown->family.created_at, shown->family.state.expires_at);
		return;
	}
	put_id(w, "sub", uuid_is_nil(&token->person_id) ? &shown->client_id : &token->person_id);
	put_id(w, "jti", &token->token_id);
	json_key(w, "aud");
	json_put_str(w, arena_printf(arena, "%s%s", issuer, token->resource));
	json_key(w, "token_type");
	json_put_c(w, token->jkt[0] != '\0' ? "DPoP" : "Bearer");
	put_binding(w, str_from(token->jkt));
	put_proof(w, token->acr, token->auth_at);
	put_times(w, token->issued_at, token->expires_at);
}

static enum err put_introspection(struct call *call, const struct shown *shown, bool active, struct web_reply *reply)
{
	struct json_writer w;
	struct buf buf;
	enum err err;

	buf_init(&buf, REPLY_MAX);
	w = json_writer_over(&buf);
	json_begin_object(&w);
	json_key(&w, "active");
	json_put_bool(&w, active);
	if (active)
		put_active(&w, call->arena, shown, context_public_url(call->worker->context));
	json_end_object(&w);
	err = web_json(call, reply, 200, &buf);
	buf_release(&buf);
	return err;
}

enum err handle_token_introspect(struct call *call, const struct token_query *request_in, struct web_reply *reply_out)
{
	struct caller_claim claim = {request_in->client_id, request_in->client_secret, false,
		request_in->client_assertion_type, request_in->client_assertion};
	struct client_record client;
	struct store store = {0};
	struct shown shown;
	enum err err;

	if ((err = caller_authenticate(call, &claim, reply_out, &store, &client)) != OK) {
		err = err == ERR_UNAUTHENTICATED ? OK : err;
		goto done;
	}
	if (!request_in->has_token) {
		err = web_oauth_error(call, reply_out, 400, "invalid_request", "token is missing");
		goto done;
	}
	err = read_any(call, &store, &client, request_in->token, &shown);
	if (err == OK || err == ERR_NOT_FOUND)
		err = put_introspection(call, &shown, err == OK, reply_out);
done:
	store_release(&store);
	return err;
}

static enum err revoke_shown(
	struct call *call, struct store *store, const struct client_record *client, const struct shown *shown)
{
	struct trail trail = {.action = shown->access ? "token.revoke" : "grant.revoke",
		.object_type = shown->access ? "token" : "grant",
		.object_id = shown->access ? shown->token.token_id : shown->family.id,
		.client_id = client->id,
		.version = 1,
		.after = STR("{\"reason\":\"revoked\"}")};
	enum err err;

	if (shown->access)
		err = store_revocation_add(store, REVOKED_TOKEN, &shown->token.token_id, 1, clock_now_us());
	else
		err = store_family_revoke(store, FAMILY_ITSELF, shown->family.row_id, "revoked", clock_now_us(), NULL);
	if (err == OK)
		err = desk_put_event(call, store, &trail);
	CRASH_POINT("revoke.before_commit");
	if (err == OK)
		err = desk_commit(call, store);
	CRASH_POINT("revoke.after_commit");
	return err;
}

/* RFC 7009. What is unknown or already over is revoked as far as anyone can tell. */
enum err handle_token_revoke(struct call *call, const struct token_query *request_in, struct web_reply *reply_out)
{
	struct caller_claim claim = {request_in->client_id, request_in->client_secret, true,
		request_in->client_assertion_type, request_in->client_assertion};
	struct client_record client;
	struct store store = {0};
	struct shown shown;
	enum err err;

	if ((err = caller_authenticate(call, &claim, reply_out, &store, &client)) != OK) {
		err = err == ERR_UNAUTHENTICATED ? OK : err;
		goto done;
	}
	if (!request_in->has_token) {
		err = web_oauth_error(call, reply_out, 400, "invalid_request", "token is missing");
		goto done;
	}
	err = read_any(call, &store, &client, request_in->token, &shown);
	if (err == OK && !uuid_eq(&shown.client_id, &client.id)) {
		err = web_oauth_error(call, reply_out, 400, "invalid_request", "the token is another client's");
		goto done;
	}
	if (err == OK)
		err = revoke_shown(call, &store, &client, &shown);
	if (err != OK && err != ERR_NOT_FOUND)
		goto done;
	err = OK;
	reply_out->status = 200;
	reply_out->has_status = true;
done:
	store_release(&store);
	return err;
}
