/* SPDX-License-Identifier: Apache-2.0 */
#include "ask.h"
#include "base/encode.h"
#include "base/log.h"
#include "caller.h"
#include "consent.h"
#include "pages.h"
#include "pushed.h"
#include "refusal.h"
#include "rules_web.h"
#include "signin.h"
#include "ticket.h"

#define SERVICE_DEF "contract/authsvc.def"
#include "service/handlers.h"

#define PAGE_MAX 32768

/* Nothing is known to be the client's, so nothing is sent anywhere (RFC 9700 section 4.1). */
static enum err refuse_page(struct call *call, const struct authorize_request *request, struct web_reply *reply)
{
	struct page page = {
		.arena = call->arena, .locale = rules_locale_choose(request->ui_locales, call->languages, LOCALE_EN)};
	struct buf html;
	enum err err;

	buf_init(&html, PAGE_MAX);
	page.out = &html;
	pages_notice(&page, TEXT_REQUEST_REFUSED, TEXT_REQUEST_REFUSED_HELP);
	err = web_page(call, reply, 400, &html);
	buf_release(&html);
	return err;
}

/* ERR_NOT_FOUND: the client is unknown. */
static enum err find_client(struct call *call, const struct authorize_request *request, struct store *store,
	struct client_record *client_out)
{
	struct uuid id, tenant_id;
	enum err err;

	if (str_eq_c(call->form_fault, "client_id") || str_eq_c(call->form_fault, "request_uri"))
		return ERR_NOT_FOUND;
	if ((err = caller_tenant(call, request->client_id, &id, &tenant_id)) != OK)
		return err;
	if ((err = desk_begin_in(call, &tenant_id, store)) != OK)
		return err;
	return store_client_read(store, &id, client_out);
}

/* Keeps the request and sends the browser to the page where a person signs in, shows a second factor, or agrees. */
static enum err send_to(struct call *call, struct store *store, const char *path, const struct client_record *client,
	const struct ask *ask, struct web_reply *reply)
{
	struct request_record record = {
		.id = uuid_new(), .client_row_id = client->row_id, .parameters = ask_write(call, ask)};
	struct ticket ticket;
	struct str handle;
	enum err err;

	ticket = ticket_new(desk_state(call)->vault, VAULT_REQUEST, &store->tenant_id, call->arena, &handle);
	if (handle.p == NULL || record.parameters.p == NULL)
		return ERR_OVERLOADED;
	if ((err = store_request_insert(store, &record, vault_hash_str(&ticket.hash), clock_now_us())) != OK)
		return err;
	if ((err = desk_commit(call, store)) != OK)
		return err;
	return web_see_other(reply, arena_printf(call->arena, "%s?resume=%.*s", path, STR_ARG(handle)));
}

/* What was taken from the store is gone with every answer. */
static enum err send_back(struct call *call, struct store *store, struct str location, struct web_reply *reply)
{
	enum err err = desk_commit(call, store);

	return err == OK ? web_see_other(reply, location) : err;
}

static bool is_enough(const struct ask *ask, const struct session_record *session, instant_us now)
{
	return ask_suits(ask, &session->proof) && rules_auth_fresh(session->auth_at, ask->max_age_s, now);
}

/*
 * Leads to a sign-in, or tells a client that wants no page why one is needed: RFC 9470 section 5 where only a stronger
 * one would do. Who has signed in (`session`, else NULL) shows a second factor, which makes it newer and stronger; the
 * password is not asked for again.
 */
static enum err ask_again(struct call *call, struct store *store, const struct client_record *client,
	const struct ask *ask, const struct session_record *session, struct web_reply *reply)
{
	const bool by_factor = session != NULL && rules_acr_wanted(ask->acr_values) >= ACR_2FA;
	const bool weak = session != NULL && !ask_suits(ask, &session->proof);

	if (!ask->prompt.none)
		return send_to(call, store, by_factor ? "/login/factor" : "/login", client, ask, reply);
	return send_back(call, store,
		weak ? ask_error(call, ask->redirect_uri, ask->state, "unmet_authentication_requirements",
			       "the sign-in is not worth what acr_values asks for")
		     : ask_error(call, ask->redirect_uri, ask->state, "login_required", "nobody is signed in"),
		reply);
}

static enum err answer(struct call *call, struct store *store, const struct client_record *client,
	const struct ask *ask, struct web_reply *reply)
{
	const struct consent_case of = {ask, client->row_id, client->id, client->third_party, client->vouched};
	struct session_record session;
	struct str location;
	instant_us now = clock_now_us();
	bool signed_in, asks;
	enum err err;

	if ((err = signin_current(call, store, &session)) != OK && err != ERR_NOT_FOUND)
		return err;
	signed_in = err == OK && !ask->prompt.login && ask_means(ask, &session.person_id);
	if (!signed_in || !is_enough(ask, &session, now))
		return ask_again(call, store, client, ask, signed_in ? &session : NULL, reply);
	if ((err = store_session_seen(store, &session, now)) == ERR_NOT_FOUND)
		return send_to(call, store, "/login", client, ask, reply);
	if (err != OK)
		return err;
	if ((err = consent_needed(store, &of, &session, &asks)) != OK)
		return err;
	if (asks && ask->prompt.none)
		return send_back(call, store,
			ask_error(call, ask->redirect_uri, ask->state, "consent_required", "the person was not asked"),
			reply);
	if (asks)
		return send_to(call, store, "/consent", client, ask, reply);
	if ((err = ask_grant(call, store, ask, client->row_id, &session, &location)) != OK)
		return err;
	return send_back(call, store, location, reply);
}

/* A request on its way: what was asked, or what is wrong with it and whom to tell. */
struct reading {
	struct client_record client;
	bool pushed;
	struct ask ask;
	const char *error, *description;
};

/* ERR_NOT_FOUND: there is nobody to tell that the request is wrong. */
static enum err read_request(
	struct call *call, struct store *store, const struct authorize_request *request, struct reading *reading)
{
	const struct client_record *client = &reading->client;
	enum err err;

	if (reading->pushed) {
		/* What stands beside it in the query counts for nothing (RFC 9101 section 5). */
		if ((err = pushed_take(call, store, client, request->request_uri, &reading->ask)) != OK)
			return err;
		return rules_redirect_listed(client->redirect_uris, reading->ask.redirect_uri) ? OK : ERR_NOT_FOUND;
	}
	if (str_eq_c(call->form_fault, "redirect_uri") ||
		!rules_redirect_listed(client->redirect_uris, request->redirect_uri))
		return ERR_NOT_FOUND;
	reading->error = ask_read(call, request, client, &reading->ask, &reading->description);
	if (reading->error == NULL && client->require_pushed) {
		reading->error = "invalid_request";
		reading->description = "the client is registered to push its requests (RFC 9126)";
	}
	return OK;
}

static enum err refuse_request(struct call *call, const struct reading *reading, struct web_reply *reply)
{
	struct str state = str_eq_c(call->form_fault, "state") ? STR_NONE : reading->ask.state;

	return web_see_other(
		reply, ask_error(call, reading->ask.redirect_uri, state, reading->error, reading->description));
}

/* Keeps what was posted, and has the browser come back for it by GET. */
static enum err turn_to_get(struct call *call, struct store *store, const struct authorize_request *request,
	const struct reading *reading, struct web_reply *reply)
{
	struct str request_uri = request->request_uri;
	enum err err;

	if (!reading->pushed && (err = pushed_keep(call, store, &reading->client, &reading->ask, &request_uri)) != OK)
		return err;
	return send_back(call, store,
		arena_printf(call->arena, "/oauth2/authorize?client_id=%.*s&request_uri=%.*s",
			STR_ARG(percent_encode(call->arena, request->client_id)),
			STR_ARG(percent_encode(call->arena, request_uri))),
		reply);
}

/* Of a client that there is; where there is none, nobody's log is concerned. */
static enum err tell(struct call *call, const struct uuid *tenant_id, const struct reading *reading)
{
	const char *reason = reading->pushed ? "request_uri is none that waits, or another client's"
	                                     : "redirect_uri is not one that is registered";

	if (reading->client.row_id == 0) {
		log_event(LOG_INFO, "client_refused", LOG_C("operation", call->operation->name),
			LOG_C("reason", "there is no such client"));
		return OK;
	}
	if (reading->error != NULL)
		return refusal_tell(call, tenant_id, &reading->client, reading->error, reading->description);
	return refusal_tell(call, tenant_id, &reading->client, "invalid_request", reason);
}

static enum err authorize(
	struct call *call, const struct authorize_request *request, bool posted, struct web_reply *reply)
{
	struct reading reading = {.pushed = request->has_request_uri && pushed_is_ours(request->request_uri)};
	struct store store = {0};
	struct uuid tenant_id;
	enum err err;

	if ((err = find_client(call, request, &store, &reading.client)) != OK)
		goto done;
	/* A pushed request that is posted is taken when the browser comes back. */
	if (!(posted && reading.pushed) && (err = read_request(call, &store, request, &reading)) != OK)
		goto done;
	if (reading.error != NULL)
		err = refuse_request(call, &reading, reply);
	else if (posted)
		err = turn_to_get(call, &store, request, &reading, reply);
	else
		err = answer(call, &store, &reading.client, &reading.ask, reply);
done:
	tenant_id = store.tenant_id;
	store_release(&store);
	if (err == ERR_NOT_FOUND)
		err = refuse_page(call, request, reply);
	else if (reading.error == NULL)
		return err;
	return err == OK ? tell(call, &tenant_id, &reading) : err;
}

enum err handle_authorize(struct call *call, const struct authorize_request *request_in, struct web_reply *reply_out)
{
	return authorize(call, request_in, false, reply_out);
}

/*
 * A browser leaves our cookies out of a form of another site (SameSite=Lax), so whoever is signed in would have to sign
 * in again. The request is kept as if it had been pushed, and the browser comes back for it by GET.
 */
enum err handle_authorize_post(struct call *call, const struct authorize_form *request_in, struct web_reply *reply_out)
{
	struct authorize_request request = {0};

	shape_carry(shape_authorize_form(), request_in, shape_authorize_request(), &request);
	return authorize(call, &request, true, reply_out);
}
