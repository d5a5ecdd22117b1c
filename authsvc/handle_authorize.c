/* SPDX-License-Identifier: Apache-2.0 */
#include "ask.h"
#include "caller.h"
#include "pages.h"
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

/* ERR_NOT_FOUND: the client is unknown, or the redirect URI is not exactly one of its own. */
static enum err find_client(struct call *call, const struct authorize_request *request, struct store *store,
	struct client_record *client_out)
{
	struct uuid id, tenant_id;
	enum err err;

	if (str_eq_c(call->form_fault, "client_id") || str_eq_c(call->form_fault, "redirect_uri"))
		return ERR_NOT_FOUND;
	if ((err = caller_tenant(call, request->client_id, &id, &tenant_id)) != OK)
		return err;
	if ((err = desk_begin_in(call, &tenant_id, store)) != OK)
		return err;
	if ((err = store_client_read(store, &id, client_out)) != OK)
		return err;
	return rules_redirect_listed(client_out->redirect_uris, request->redirect_uri) ? OK : ERR_NOT_FOUND;
}

/* Keeps the request and sends the browser to the sign-in page. */
static enum err send_to_login(struct call *call, struct store *store, const struct client_record *client,
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
	return web_see_other(reply, arena_printf(call->arena, "/login?resume=%.*s", STR_ARG(handle)));
}

static enum err answer(struct call *call, struct store *store, const struct client_record *client,
	const struct ask *ask, struct web_reply *reply)
{
	struct session_record session;
	struct str location;
	instant_us now = clock_now_us();
	bool signed_in;
	enum err err;

	if ((err = signin_current(call, store, &session)) != OK && err != ERR_NOT_FOUND)
		return err;
	signed_in = err == OK && !ask->prompt.login && ask_means(ask, &session.person_id) &&
	            rules_auth_fresh(session.auth_at, ask->max_age_s, now);
	if (!signed_in && ask->prompt.none)
		return web_see_other(
			reply, ask_error(call, ask->redirect_uri, ask->state, "login_required", "nobody is signed in"));
	if (!signed_in)
		return send_to_login(call, store, client, ask, reply);
	if ((err = store_session_seen(store, &session, now)) != OK)
		return err;
	if ((err = ask_grant(call, store, ask, client->row_id, &session, &location)) != OK)
		return err;
	if ((err = desk_commit(call, store)) != OK)
		return err;
	return web_see_other(reply, location);
}

enum err handle_authorize(struct call *call, const struct authorize_request *request_in, struct web_reply *reply_out)
{
	struct store store = {0};
	struct client_record client;
	const char *description = "";
	const char *error;
	struct ask ask;
	enum err err;

	err = find_client(call, request_in, &store, &client);
	if (err == ERR_NOT_FOUND)
		err = refuse_page(call, request_in, reply_out);
	else if (err == OK && (error = ask_read(call, request_in, &client, &ask, &description)) != NULL)
		err = web_see_other(reply_out,
			ask_error(call, ask.redirect_uri, str_eq_c(call->form_fault, "state") ? STR_NONE : ask.state,
				error, description));
	else if (err == OK)
		err = answer(call, &store, &client, &ask, reply_out);
	store_release(&store);
	return err;
}
