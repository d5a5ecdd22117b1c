/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/crash.h"
#include "base/log.h"
#include "consent.h"
#include "handle_token.h"
#include "issue.h"
#include "possession.h"
#include "refusal.h"
#include "store_device.h"
#include "ticket.h"

#define SERVICE_DEF "contract/authsvc.def"
#include "service/handlers.h"

#define SALT_LEN 32

/* Nothing was wrong with the request. */
static enum err put_off(struct exchange *exchange, const char *error, const char *description)
{
	return web_oauth_error(exchange->call, exchange->reply, 400, error, description);
}

static enum err refuse(struct exchange *exchange, const char *error, const char *reason)
{
	exchange->error = error;
	exchange->reason = reason;
	return put_off(exchange, error, reason);
}

static enum err invalid_grant(struct exchange *exchange)
{
	return refuse(exchange, "invalid_grant", "the code or token is unknown, used, expired or another client's");
}

/* The client is told no more than above, its tenant what was wrong. */
static enum err invalid_grant_for(struct exchange *exchange, const char *reason)
{
	enum err err = invalid_grant(exchange);

	exchange->reason = reason;
	return err;
}

bool handle_token_target(struct exchange *exchange, struct str granted)
{
	const struct token_request *request = exchange->request;

	return issue_resource(
		exchange->call, request->has_resource ? request->resource : STR_NONE, granted, &exchange->resource);
}

static enum err invalid_target(struct exchange *exchange)
{
	return refuse(exchange, "invalid_target", "the resource is unknown, or exceeds what was granted");
}

static enum err put_event(struct exchange *exchange, const struct family_record *family,
	const struct person_record *person, const char *action, const char *reason)
{
	char client[UUID_TEXT_LEN + 1];
	struct trail trail = {
		.action = action,
		.object_type = "grant",
		.object_id = family->id,
		.subject_id = person->id,
		.actor_id = person->id,
		.client_id = exchange->client.id,
		.version = 1,
	};

	uuid_format(&exchange->client.id, client);
	trail.after = arena_printf(exchange->call->arena, "{\"client_id\":\"%s\",\"reason\":\"%s\"}", client, reason);
	return desk_put_event(exchange->call, exchange->store, &trail);
}

/* A code or token that came twice: whoever has the other copy must lose what it gave. */
static enum err revoke_stolen(
	struct exchange *exchange, int64_t family_row_id, const struct uuid *family_id, const char *reason)
{
	struct trail trail = {.action = "grant.revoke", .object_type = "grant", .object_id = *family_id, .version = 1};
	size_t count;
	enum err err;

	trail.client_id = exchange->client.id;
	err = store_family_revoke(exchange->store, FAMILY_ITSELF, family_row_id, reason, clock_now_us(), &count);
	if (err != OK)
		return err;
	if (count == 0)
		return invalid_grant(exchange);
	log_event(LOG_WARN, "grant_reused", LOG_C("reason", reason), LOG_ID("client_id", &exchange->client.id));
	trail.after = arena_printf(exchange->call->arena, "{\"reason\":\"%s\"}", reason);
	if ((err = desk_put_event(exchange->call, exchange->store, &trail)) != OK)
		return err;
	CRASH_POINT("token.before_revoke_commit");
	if ((err = desk_commit(exchange->call, exchange->store)) != OK)
		return err;
	CRASH_POINT("token.after_revoke_commit");
	return invalid_grant(exchange);
}

static struct str refresh_token_of(struct exchange *exchange, const struct family_record *family)
{
	if (family->refresh_salt.p == NULL)
		return STR_NONE;
	return ticket_refresh_new(desk_state(exchange->call)->vault, &exchange->store->tenant_id, &family->id,
		family->state.generation, family->refresh_salt, exchange->call->arena);
}

enum err handle_token_sign(struct exchange *exchange, const struct family_record *family,
	const struct person_record *person, const struct rights *bound, const struct scope *scope, struct str nonce)
{
	struct issue issue = {
		.tenant_id = exchange->store->tenant_id,
		.client = &exchange->client,
		.person = person,
		.scope = scope,
		.bound = bound,
		.grant_id = family->id,
		.session_id = family->session_id,
		.auth_at = family->auth_at,
		.proof = family->proof,
		.resource = exchange->resource,
		.nonce = nonce,
		.jkt = exchange->jkt,
		.refresh_token = refresh_token_of(exchange, family),
	};

	if (family->refresh_salt.p != NULL && issue.refresh_token.p == NULL)
		return ERR_OVERLOADED;
	return issue_tokens(exchange->call, &issue, exchange->reply);
}

static enum err finish(struct exchange *exchange, const struct family_record *family,
	const struct person_record *person, const struct scope *scope, struct str nonce)
{
	const struct rights *bound;
	struct rights reach;
	enum err err;

	err = consent_bound(exchange->store, &exchange->client, person, family->scope, &reach, &bound);
	if (err != OK)
		return err;
	if ((err = handle_token_sign(exchange, family, person, bound, scope, nonce)) != OK)
		return err;
	CRASH_POINT("token.before_commit");
	if ((err = desk_commit(exchange->call, exchange->store)) != OK)
		return err;
	CRASH_POINT("token.after_commit");
	return OK;
}

static enum err code_to_family(
	struct exchange *exchange, const struct code_record *code, struct family_record *family_out)
{
	uint8_t salt[SALT_LEN];

	*family_out = (struct family_record){
		.id = uuid_new(),
		.client_row_id = code->client_row_id,
		.person_row_id = code->person_row_id,
		.session_row_id = code->session_row_id,
		.scope = code->scope,
		.resource = code->resource,
		.session_id = code->session_id,
		.auth_at = code->auth_at,
		.proof = code->proof,
		/* A confidential client's refresh tokens are bound to what it proves itself by (RFC 9449 section 5). */
		.jkt = exchange->client.confidential ? STR_NONE : exchange->jkt,
	};
	/*
	 * A refresh token goes to every client that is registered for it; offline_access asks for nothing more here.
	 */
	if (rules_word_listed(exchange->client.grants, "refresh_token")) {
		random_bytes(salt, sizeof(salt));
		family_out->refresh_salt =
			arena_copy(exchange->call->arena, (struct str){(const char *)salt, sizeof(salt)});
		if (family_out->refresh_salt.p == NULL)
			return ERR_OVERLOADED;
	}
	return store_family_insert(exchange->store, family_out, clock_now_us());
}

/* What a code must fulfil beyond being there: NULL, or what is wrong. None of these spends it. */
static const char *code_fault(const struct exchange *exchange, const struct code_record *code)
{
	if (code->client_row_id != exchange->client.row_id)
		return "the code is another client's";
	if (clock_now_us() >= code->expires_at)
		return "the code has expired";
	if (code->session_ended)
		return "the session of the code has ended";
	if (!rules_redirect_listed(exchange->client.redirect_uris, code->redirect_uri) ||
		!str_eq(code->redirect_uri, exchange->request->redirect_uri))
		return "redirect_uri is not that of the code";
	if (!rules_verifier_matches(code->code_challenge, exchange->request->code_verifier))
		return "code_verifier does not fit the challenge";
	return NULL;
}

/* A code of the client that was exchanged before. */
static enum err replayed(struct exchange *exchange, const struct code_record *code)
{
	atomic_fetch_add(&desk_state(exchange->call)->counts.code_replays, 1);
	if (code->family_row_id == 0)
		return invalid_grant_for(exchange, "the code was used");
	return revoke_stolen(exchange, code->family_row_id, &code->family_id, "code_replay");
}

/* A code, or what a person agreed to for a device, which has no row among the codes. */
static enum err spend_code(struct exchange *exchange, const struct code_record *code)
{
	struct person_record person;
	struct family_record family;
	struct scope scope;
	bool alive = true; /* the row of a device is locked, and gone when its person is locked out */
	enum err err;

	if ((err = store_person_standing(exchange->store, code->person_row_id, &person)) != OK)
		return err;
	/* Again, now that whoever ends the person's sessions would wait, or was waited for. */
	if (code->row_id != 0 && (err = store_code_alive(exchange->store, code, &alive)) != OK)
		return err;
	if (person.status != PERSON_ACTIVE || !alive)
		return invalid_grant(exchange);
	if (!rules_scope_parse(exchange->call->arena, code->scope, issue_permission_bit, &scope))
		return ERR_INTERNAL;
	if ((err = code_to_family(exchange, code, &family)) != OK)
		return err;
	if (code->row_id != 0 && (err = store_code_use(exchange->store, code, family.row_id, clock_now_us())) != OK)
		return err;
	err = put_event(
		exchange, &family, &person, "grant.create", code->row_id != 0 ? "authorization_code" : "device_code");
	return err == OK ? finish(exchange, &family, &person, &scope, code->nonce) : err;
}

static enum err grant_code(struct exchange *exchange)
{
	struct code_record code;
	struct ticket ticket;
	const char *fault;
	enum err err;

	if (!exchange->request->has_code)
		return refuse(exchange, "invalid_request", "code is missing");
	if (!ticket_parse(desk_state(exchange->call)->vault, VAULT_CODE, exchange->call->arena, exchange->request->code,
		    &ticket) ||
		!uuid_eq(&ticket.tenant_id, &exchange->store->tenant_id))
		return invalid_grant(exchange);
	if ((err = store_code_lock(exchange->store, vault_hash_str(&ticket.hash), &code)) == ERR_NOT_FOUND)
		return invalid_grant(exchange);
	if (err != OK)
		return err;
	if (code.used && code.client_row_id == exchange->client.row_id)
		return replayed(exchange, &code);
	if ((fault = code_fault(exchange, &code)) != NULL || code.used)
		return invalid_grant_for(exchange, fault != NULL ? fault : "the code was used");
	if (code.jkt.p != NULL && !str_eq(code.jkt, exchange->jkt))
		return exchange->jkt.p != NULL
		               ? invalid_grant(exchange)
		               : refuse(exchange, "invalid_dpop_proof", "the code needs its key's proof");
	return handle_token_target(exchange, code.resource) ? spend_code(exchange, &code) : invalid_target(exchange);
}

/* RFC 8628 section 3.5: not yet, or not so often. */
static enum err keep_waiting(struct exchange *exchange, const struct device_record *device)
{
	instant_us now = clock_now_us();
	int64_t interval_s = rules_device_interval_s(device->interval_s, device->polled_at, now);
	enum err err;

	if ((err = store_device_polled(exchange->store, device, interval_s, now)) != OK)
		return err;
	if ((err = desk_commit(exchange->call, exchange->store)) != OK)
		return err;
	return interval_s > device->interval_s
	               ? put_off(exchange, "slow_down", "wait five seconds longer between requests")
	               : put_off(exchange, "authorization_pending", "the person has not decided yet");
}

/* The row goes with the tokens: a device code is good once. */
static enum err spend_device(struct exchange *exchange, const struct device_record *device)
{
	const struct code_record code = {.client_row_id = device->client_row_id,
		.person_row_id = device->person_row_id,
		.scope = device->scope,
		.resource = device->resource,
		.auth_at = device->auth_at,
		.proof = device->proof};
	enum err err;

	if (!handle_token_target(exchange, device->resource))
		return invalid_target(exchange);
	if ((err = store_device_delete(exchange->store, device)) != OK)
		return err;
	return spend_code(exchange, &code);
}

static enum err grant_device(struct exchange *exchange)
{
	struct device_record device;
	struct ticket ticket;
	enum err err;

	if (!exchange->request->has_device_code)
		return refuse(exchange, "invalid_request", "device_code is missing");
	if (!ticket_parse(desk_state(exchange->call)->vault, VAULT_DEVICE, exchange->call->arena,
		    exchange->request->device_code, &ticket) ||
		!uuid_eq(&ticket.tenant_id, &exchange->store->tenant_id))
		return invalid_grant(exchange);
	err = store_device_lock(exchange->store, vault_hash_str(&ticket.hash), exchange->client.row_id, &device);
	if (err == ERR_NOT_FOUND)
		return invalid_grant(exchange);
	if (err != OK)
		return err;
	if (clock_now_us() >= device.expires_at)
		return put_off(exchange, "expired_token", "the codes have expired");
	if (!device.decided)
		return keep_waiting(exchange, &device);
	if (device.person_row_id == 0)
		return put_off(exchange, "access_denied", "the person refused");
	return spend_device(exchange, &device);
}

bool handle_token_narrow(const struct exchange *exchange, const struct family_record *family, struct scope *scope_out)
{
	const struct token_request *request = exchange->request;
	struct str wanted = request->has_scope ? request->scope : family->scope;

	return rules_scope_parse(exchange->call->arena, wanted, issue_permission_bit, scope_out) &&
	       rules_scope_within(scope_out->text, family->scope);
}

static enum err answer_refresh(struct exchange *exchange, struct family_record *family, bool rotate)
{
	struct person_record person;
	struct scope scope;
	enum err err;

	if (!handle_token_narrow(exchange, family, &scope))
		return refuse(exchange, "invalid_scope", "the scope exceeds what was granted");
	if (!handle_token_target(exchange, family->resource))
		return invalid_target(exchange);
	if ((err = store_person_standing(exchange->store, family->person_row_id, &person)) != OK)
		return err;
	if (person.status != PERSON_ACTIVE)
		return invalid_grant(exchange);
	if (rotate && (err = store_family_rotate(exchange->store, family, clock_now_us())) != OK)
		return err;
	return finish(exchange, family, &person, &scope, STR_NONE);
}

static enum err grant_refresh(struct exchange *exchange)
{
	struct state *state = desk_state(exchange->call);
	struct refresh_ticket ticket;
	struct family_record family;
	enum err err;

	if (!exchange->request->has_refresh_token)
		return refuse(exchange, "invalid_request", "refresh_token is missing");
	if (!ticket_refresh_parse(exchange->call->arena, exchange->request->refresh_token, &ticket) ||
		!uuid_eq(&ticket.tenant_id, &exchange->store->tenant_id))
		return invalid_grant(exchange);
	if ((err = store_family_lock(exchange->store, &ticket.family_id, &family)) == ERR_NOT_FOUND)
		return invalid_grant(exchange);
	if (err != OK)
		return err;
	if (family.client_row_id != exchange->client.row_id ||
		!ticket_refresh_genuine(state->vault, &ticket, family.refresh_salt))
		return invalid_grant(exchange);
	/* Before anything is made of it: whoever lacks the key cannot end the grant by an old token either. */
	if (family.jkt.p != NULL && !str_eq(family.jkt, exchange->jkt))
		return exchange->jkt.p != NULL
		               ? invalid_grant(exchange)
		               : refuse(exchange, "invalid_dpop_proof", "the refresh token needs its key's proof");
	switch (rules_refresh_decide(&family.state, ticket.generation, clock_now_us())) {
	case REFRESH_ROTATE:
		return answer_refresh(exchange, &family, true);
	case REFRESH_REPEAT:
		atomic_fetch_add(&state->counts.refresh_repeats, 1);
		return answer_refresh(exchange, &family, false);
	case REFRESH_EXPIRED:
		return invalid_grant(exchange);
	case REFRESH_THEFT:
		atomic_fetch_add(&state->counts.refresh_thefts, 1);
		return revoke_stolen(exchange, family.row_id, &family.id, "refresh_reuse");
	}
	return ERR_INTERNAL;
}

enum err handle_token_for_client(struct exchange *exchange)
{
	struct scope scope;
	struct issue issue = {
		.tenant_id = exchange->store->tenant_id,
		.client = &exchange->client,
		.scope = &scope,
		.grant_id = uuid_new(),
		.jkt = exchange->jkt,
	};
	enum err err;

	if (!exchange->client.confidential)
		return refuse(exchange, "unauthorized_client", "a public client cannot act for itself");
	if (!rules_scope_parse(exchange->call->arena,
		    exchange->request->has_scope ? exchange->request->scope : STR_NONE, issue_permission_bit, &scope))
		return refuse(exchange, "invalid_scope", "the scope is malformed or holds nothing that is known");
	if (!handle_token_target(exchange, STR("")))
		return invalid_target(exchange);
	issue.resource = exchange->resource;
	if ((err = issue_tokens(exchange->call, &issue, exchange->reply)) != OK || exchange->jkt.p == NULL)
		return err;
	return desk_commit(exchange->call, exchange->store); /* of the proof, which is spent now */
}

struct caller_claim handle_token_claim(const struct token_request *request)
{
	return (struct caller_claim){request->client_id, request->client_secret, true, request->client_assertion_type,
		request->client_assertion};
}

enum err handle_token_issue(struct call *call, const struct token_request *request_in, struct web_reply *reply_out)
{
	static const struct {
		const char *name;
		enum err (*grant)(struct exchange *exchange);
	} grants[] = {
		{"authorization_code", grant_code},
		{"refresh_token", grant_refresh},
		{"client_credentials", handle_token_for_client},
		{GRANT_DEVICE, grant_device},
	};
	struct caller_claim claim = handle_token_claim(request_in);
	struct store store = {0};
	struct exchange exchange = {.call = call, .store = &store, .request = request_in, .reply = reply_out};
	struct uuid tenant_id;
	enum err err;

	if ((err = caller_authenticate(call, &claim, reply_out, &store, &exchange.client)) != OK) {
		err = err == ERR_UNAUTHENTICATED ? OK : err;
		goto done;
	}
	err = possession_take(call, &store, &exchange.client, reply_out, &exchange.jkt);
	if (err != OK) {
		err = err == ERR_UNAUTHENTICATED ? OK : err;
		goto done;
	}
	err = refuse(&exchange, request_in->has_grant_type ? "unsupported_grant_type" : "invalid_request",
		"grant_type must be authorization_code, refresh_token, client_credentials or " GRANT_DEVICE);
	for (size_t i = 0; i < sizeof(grants) / sizeof(grants[0]); i++) {
		if (!str_eq_c(request_in->grant_type, grants[i].name))
			continue;
		*reply_out = (struct web_reply){0};
		exchange.error = NULL;
		err = rules_word_listed(exchange.client.grants, grants[i].name)
		              ? grants[i].grant(&exchange)
		              : refuse(&exchange, "unauthorized_client", "the client may not use this grant");
	}
done:
	tenant_id = store.tenant_id;
	store_release(&store);
	if (err == OK && exchange.error != NULL)
		err = refusal_tell(call, &tenant_id, &exchange.client, exchange.error, exchange.reason);
	return err;
}
