/* SPDX-License-Identifier: Apache-2.0 */
#include "ask.h"

#include "issue.h"
#include "store_grant.h"
#include "ticket.h"

#define DOCUMENT_MAX 32768

/* What is not supported at all. */
static const char *refuse_kind(
	const struct authorize_request *request, const struct client_record *client, const char **description_out)
{
	*description_out = "the request object is not supported";
	if (request->has_request)
		return "request_not_supported";
	if (request->has_request_uri)
		return "request_uri_not_supported";
	*description_out = "clients are registered beforehand";
	if (request->has_registration)
		return "registration_not_supported";
	*description_out = "response_type must be code";
	if (!request->has_response_type)
		return "invalid_request";
	if (!str_eq_c(request->response_type, "code"))
		return "unsupported_response_type";
	*description_out = "response_mode must be query";
	if (request->has_response_mode && !str_eq_c(request->response_mode, "query"))
		return "invalid_request";
	*description_out = "the client may not use this grant";
	return rules_word_listed(client->grants, "authorization_code") ? NULL : "unauthorized_client";
}

/* Who is meant (OpenID Connect Core section 3.1.2.1). */
static const char *read_hint(
	struct call *call, struct str hint, const struct client_record *client, struct ask *ask_out)
{
	struct id_token id_token;
	char person[UUID_TEXT_LEN + 1];

	if (issue_hint(call, hint, &id_token) != OK || !uuid_eq(&id_token.client_id, &client->id))
		return "invalid_request";
	uuid_format(&id_token.person_id, person);
	ask_out->hinted = arena_copy(call->arena, str_from(person));
	return ask_out->hinted.p != NULL ? NULL : "server_error";
}

bool ask_means(const struct ask *ask, const struct uuid *person_id)
{
	char person[UUID_TEXT_LEN + 1];

	uuid_format(person_id, person);
	return ask->hinted.p == NULL || str_eq_c(ask->hinted, person);
}

/* What the code is for. */
static const char *read_grant(
	struct call *call, const struct authorize_request *request, struct ask *ask, const char **description_out)
{
	struct scope scope;

	*description_out = "PKCE with S256 is required (RFC 7636)";
	if (!request->has_code_challenge || !str_eq_c(request->code_challenge_method, "S256") ||
		!rules_challenge_ok(request->code_challenge))
		return "invalid_request";
	*description_out = "dpop_jkt is no thumbprint (RFC 9449 section 10)";
	if (request->has_dpop_jkt && !rules_challenge_ok(request->dpop_jkt))
		return "invalid_request";
	ask->jkt = request->has_dpop_jkt ? request->dpop_jkt : STR_NONE;
	*description_out = "the scope is malformed or holds nothing that is known";
	if (!rules_scope_parse(
		    call->arena, request->has_scope ? request->scope : STR_NONE, issue_permission_bit, &scope))
		return "invalid_scope";
	ask->scope = scope.text;
	*description_out = "resource is not the issuer or the path of operations behind it";
	return issue_resource(call, request->has_resource ? request->resource : STR_NONE, STR_NONE, &ask->resource)
	               ? NULL
	               : "invalid_target";
}

/* Who is to sign in, and how recently. */
static const char *read_wishes(struct call *call, const struct authorize_request *request,
	const struct client_record *client, struct ask *ask, const char **description_out)
{
	*description_out = "prompt or max_age is malformed";
	if (!rules_prompt_parse(ask->prompt_text, &ask->prompt) ||
		!rules_max_age_parse(ask->max_age_text, &ask->max_age_s))
		return "invalid_request";
	*description_out = "id_token_hint is no ID token that this client was given";
	return request->has_id_token_hint ? read_hint(call, request->id_token_hint, client, ask) : NULL;
}

const char *ask_read(struct call *call, const struct authorize_request *request, const struct client_record *client,
	struct ask *ask_out, const char **description_out)
{
	const char *error;

	*ask_out = (struct ask){
		.redirect_uri = request->redirect_uri,
		.state = request->has_state ? request->state : STR_NONE,
		.nonce = request->has_nonce ? request->nonce : STR_NONE,
		.code_challenge = request->code_challenge,
		.login_hint = request->has_login_hint ? request->login_hint : STR_NONE,
		.ui_locales = request->has_ui_locales ? request->ui_locales : STR_NONE,
		.prompt_text = request->has_prompt ? request->prompt : STR_NONE,
		.max_age_text = request->has_max_age ? request->max_age : STR_NONE,
		.acr_values = request->acr_values,
		.max_age_s = -1,
	};
	if (call->form_fault.p != NULL) {
		*description_out = "a parameter is repeated, too long or malformed";
		return str_eq_c(call->form_fault, "resource") ? "invalid_target" : "invalid_request";
	}
	if ((error = refuse_kind(request, client, description_out)) != NULL)
		return error;
	if ((error = read_grant(call, request, ask_out, description_out)) != NULL)
		return error;
	return read_wishes(call, request, client, ask_out, description_out);
}

struct kept {
	const char *name;
	struct str *value;
};

/* clang-format off */
#define KEPT(ask) { \
	{"redirect_uri", &(ask)->redirect_uri}, \
	{"scope", &(ask)->scope}, \
	{"state", &(ask)->state}, \
	{"nonce", &(ask)->nonce}, \
	{"code_challenge", &(ask)->code_challenge}, \
	{"login_hint", &(ask)->login_hint}, \
	{"resource", &(ask)->resource}, \
	{"dpop_jkt", &(ask)->jkt}, \
	{"hinted", &(ask)->hinted}, \
	{"acr_values", &(ask)->acr_values}, \
	{"prompt", &(ask)->prompt_text}, \
	{"max_age", &(ask)->max_age_text}, \
	{"device", &(ask)->device}, \
	{"user_code", &(ask)->user_code}, \
	{"ui_locales", &(ask)->ui_locales}, \
}
/* clang-format on */

bool ask_suits(const struct ask *ask, const struct proof *proof)
{
	return proof->acr >= rules_acr_wanted(ask->acr_values);
}

struct str ask_write(struct call *call, const struct ask *ask)
{
	struct ask copy = *ask;
	const struct kept kept[] = KEPT(&copy);
	struct json_writer w;
	struct str document;
	struct buf buf;

	buf_init(&buf, DOCUMENT_MAX);
	w = json_writer_over(&buf);
	json_begin_object(&w);
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		if (kept[i].value->p == NULL)
			continue;
		json_key(&w, kept[i].name);
		json_put_str(&w, *kept[i].value);
	}
	json_end_object(&w);
	document = buf_ok(&buf) ? arena_copy(call->arena, buf_str(&buf)) : STR_NONE;
	buf_release(&buf);
	return document;
}

enum err ask_restore(struct call *call, struct str document, struct ask *ask_out)
{
	const struct kept kept[] = KEPT(ask_out);
	const struct json *root;
	const char *reason;
	enum err err;

	*ask_out = (struct ask){.max_age_s = -1};
	if ((err = json_parse(call->arena, document, &root, &reason)) != OK)
		return err;
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		*kept[i].value = json_get_str(root, kept[i].name);
	if (!rules_prompt_parse(ask_out->prompt_text, &ask_out->prompt) ||
		!rules_max_age_parse(ask_out->max_age_text, &ask_out->max_age_s))
		return ERR_INTERNAL;
	if (ask_out->device.p != NULL)
		return ask_out->scope.p != NULL && ask_out->user_code.p != NULL ? OK : ERR_INTERNAL;
	return ask_out->redirect_uri.p != NULL && ask_out->scope.p != NULL && ask_out->code_challenge.p != NULL
	               ? OK
	               : ERR_INTERNAL;
}

struct str ask_error(
	struct call *call, struct str redirect_uri, struct str state, const char *error, const char *description)
{
	const struct web_pair pairs[] = {{"error", str_from(error)}, {"error_description", str_from(description)},
		{"state", state}, {NULL, STR_NONE}};

	return web_back(call, redirect_uri, pairs);
}

enum err ask_grant(struct call *call, struct store *store, const struct ask *ask, int64_t client_row_id,
	const struct session_record *session, struct str *location_out)
{
	struct code_record code = {
		.client_row_id = client_row_id,
		.person_row_id = session->person_row_id,
		.session_row_id = session->row_id,
		.redirect_uri = ask->redirect_uri,
		.scope = ask->scope,
		.nonce = ask->nonce,
		.code_challenge = ask->code_challenge,
		.resource = ask->resource,
		.jkt = ask->jkt,
		.auth_at = session->auth_at,
		.proof = session->proof,
	};
	struct ticket ticket;
	struct str text;
	enum err err;

	if (!ask_means(ask, &session->person_id)) {
		*location_out = ask_error(
			call, ask->redirect_uri, ask->state, "login_required", "another person has signed in");
		return location_out->p != NULL ? OK : ERR_OVERLOADED;
	}
	ticket = ticket_new(desk_state(call)->vault, VAULT_CODE, &store->tenant_id, call->arena, &text);
	if (text.p == NULL)
		return ERR_OVERLOADED;
	if ((err = store_code_insert(store, &code, vault_hash_str(&ticket.hash), clock_now_us())) != OK)
		return err;
	*location_out = web_back(call, ask->redirect_uri,
		(const struct web_pair[]){{"code", text}, {"state", ask->state}, {NULL, STR_NONE}});
	return location_out->p != NULL ? OK : ERR_OVERLOADED;
}
