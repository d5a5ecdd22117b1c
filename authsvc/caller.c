/* SPDX-License-Identifier: Apache-2.0 */
#include "caller.h"

#include "base/log.h"
#include "clients.h"
#include "refusal.h"
#include "rules_oauth.h"
#include "token/assertion.h"

enum err caller_tenant(struct call *call, struct str client_id, struct uuid *id_out, struct uuid *tenant_id_out)
{
	struct directory *directory = desk_state(call)->directory;
	enum err err;

	*tenant_id_out = UUID_NIL;
	if (uuid_parse(client_id, id_out) != OK)
		return ERR_NOT_FOUND;
	if (directory_find(directory, id_out, tenant_id_out))
		return OK;
	db_set_deadline(desk_of(call)->jobs, call->deadline_us);
	if ((err = store_tenant_of_client(desk_of(call)->jobs, id_out, tenant_id_out)) == OK)
		directory_put(directory, id_out, tenant_id_out);
	return err;
}

#define ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

/* As read_credentials, of a client that shows an assertion: nothing in it is known to be true yet. */
static const char *read_assertion(
	struct call *call, const struct caller_claim *claim, struct basic *basic_out, const char **description_out)
{
	*description_out = "more than one way of client authentication";
	if (call->authorization.p != NULL || claim->client_secret.p != NULL)
		return "invalid_request";
	*description_out = "client_assertion_type is not " ASSERTION_TYPE;
	if (!str_eq_c(claim->assertion_type, ASSERTION_TYPE))
		return "invalid_request";
	*description_out = "client_assertion is missing";
	if (claim->assertion.p == NULL)
		return "invalid_request";
	if (claim->client_id.p == NULL)
		basic_out->user = assertion_subject(call->arena, claim->assertion);
	*description_out = "the client did not say who it is";
	return basic_out->user.p != NULL ? NULL : "invalid_client";
}

/*
 * *fault_out: RFC 6749's error, or NULL with the credentials in `basic_out`, the password absent for a public
 * client.
 */
static const char *read_credentials(
	struct call *call, const struct caller_claim *claim, struct basic *basic_out, const char **description_out)
{
	*basic_out = (struct basic){claim->client_id, claim->client_secret};
	if (claim->assertion.p != NULL || claim->assertion_type.p != NULL)
		return read_assertion(call, claim, basic_out, description_out);
	if (call->authorization.p == NULL) {
		*description_out = "the client did not say who it is";
		return claim->client_id.p != NULL ? NULL : "invalid_client";
	}
	*description_out = "more than one way of client authentication";
	if (claim->client_secret.p != NULL)
		return "invalid_request";
	*description_out = "the Authorization header is no Basic credentials";
	if (!rules_basic_parse(call->arena, call->authorization, basic_out))
		return "invalid_client";
	*description_out = "client_id differs from the Authorization header";
	return claim->client_id.p == NULL || str_eq(claim->client_id, basic_out->user) ? NULL : "invalid_request";
}

static bool secret_matches(struct call *call, const struct client_record *client, struct str secret)
{
	struct vault_hash hash = clients_secret_hash(desk_state(call)->vault, &client->id, secret);

	return vault_hash_eq(&hash, client->secret_hash);
}

/* An assertion that was good once is spent, whatever the request it came with leads to. */
static enum err spend(
	struct call *call, struct store *store, struct client_record *client, const struct assertion *assertion)
{
	const struct str hash = {(const char *)assertion->jti_hash, sizeof(assertion->jti_hash)};
	const struct uuid id = client->id, tenant_id = store->tenant_id;
	enum err err;

	if ((err = store_assertion_use(store, client->row_id, hash, assertion->expires_at)) != OK)
		return err;
	if ((err = desk_commit(call, store)) != OK)
		return err;
	store_release(store);
	if ((err = desk_begin_in(call, &tenant_id, store)) != OK)
		return err;
	return store_client_read(store, &id, client);
}

/* ERR_NOT_FOUND: the assertion is not the client's, or not good now. */
static enum err prove(
	struct call *call, const struct caller_claim *claim, struct store *store, struct client_record *client)
{
	struct assertion_rules rules = {.issuer = str_from(context_public_url(call->worker->context))};
	struct keyset *keys = NULL;
	struct assertion assertion;
	char id[UUID_TEXT_LEN + 1];
	const char *reason = "the client has no keys";
	enum err err = ERR_UNAUTHENTICATED;

	uuid_format(&client->id, id);
	rules.client_id = str_from(id);
	if (client->jwks.p != NULL && (err = keyset_parse(client->jwks, &keys, &reason)) == OK)
		err = assertion_verify(
			call->arena, &rules, keys, claim->assertion, clock_now_us(), &assertion, &reason);
	keyset_free(&keys);
	if (err == OK && (err = spend(call, store, client, &assertion)) == ERR_CONFLICT)
		reason = "jti was used before";
	if (err != ERR_UNAUTHENTICATED && err != ERR_CONFLICT)
		return err;
	atomic_fetch_add(&desk_state(call)->counts.assertions_refused, 1);
	log_event(LOG_WARN, "assertion_refused", LOG_C("reason", reason), LOG_ID("client_id", &client->id));
	return ERR_NOT_FOUND;
}

/* ERR_NOT_FOUND: this is not how the client proves itself. */
static enum err check(struct call *call, const struct caller_claim *claim, struct str secret, struct store *store,
	struct client_record *client)
{
	if (claim->assertion.p != NULL)
		return prove(call, claim, store, client);
	if (!client->confidential)
		return claim->public_ok && secret.p == NULL ? OK : ERR_NOT_FOUND;
	return caller_is(call, client, secret) ? OK : ERR_NOT_FOUND;
}

bool caller_claimed(struct call *call, const struct caller_claim *claim, struct uuid *id_out,
	struct uuid *tenant_id_out, struct str *secret_out)
{
	const char *description = "";
	struct basic basic;

	if (call->form_fault.p != NULL || claim->assertion.p != NULL || claim->assertion_type.p != NULL)
		return false;
	if (read_credentials(call, claim, &basic, &description) != NULL || basic.password.p == NULL)
		return false;
	*secret_out = basic.password;
	return uuid_parse(basic.user, id_out) == OK &&
	       directory_find(desk_state(call)->directory, id_out, tenant_id_out);
}

bool caller_is(struct call *call, const struct client_record *client, struct str secret)
{
	return client->confidential && client->secret_hash.p != NULL && secret_matches(call, client, secret);
}

static enum err refuse(struct call *call, struct web_reply *reply, const char *error, const char *description)
{
	int status = str_eq_c(str_from(error), "invalid_client") ? 401 : 400;
	enum err err = web_oauth_error(call, reply, status, error, description);

	return err == OK ? ERR_UNAUTHENTICATED : err;
}

/* Whether there is such a client is not told to whoever asks, but to its tenant. */
static enum err refuse_client(
	struct call *call, struct web_reply *reply, struct store *store, const struct client_record *client)
{
	const struct uuid tenant_id = store->tenant_id;
	enum err err = OK;

	store_release(store);
	if (client->row_id != 0)
		err = refusal_tell(call, &tenant_id, client, "invalid_client", "client authentication failed");
	return err == OK ? refuse(call, reply, "invalid_client", "client authentication failed") : err;
}

enum err caller_authenticate(struct call *call, const struct caller_claim *claim, struct web_reply *reply,
	struct store *store_out, struct client_record *client_out)
{
	const char *description = "";
	struct uuid id, tenant_id;
	struct basic basic;
	const char *error;
	enum err err;

	*client_out = (struct client_record){.row_id = 0};
	if (call->form_fault.p != NULL)
		return refuse(call, reply,
			str_eq_c(call->form_fault, "resource") ? "invalid_target" : "invalid_request",
			"a parameter is repeated, too long or malformed");
	if ((error = read_credentials(call, claim, &basic, &description)) != NULL)
		return refuse(call, reply, error, description);
	err = caller_tenant(call, basic.user, &id, &tenant_id);
	if (err == OK && (err = desk_begin_in(call, &tenant_id, store_out)) == OK)
		err = store_client_read(store_out, &id, client_out);
	if (err == OK)
		err = check(call, claim, basic.password, store_out, client_out);
	return err == ERR_NOT_FOUND ? refuse_client(call, reply, store_out, client_out) : err;
}
