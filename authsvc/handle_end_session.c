/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crash.h"
#include "base/encode.h"
#include "caller.h"
#include "csrf.h"
#include "issue.h"
#include "pages.h"
#include "rules_web.h"
#include "signin.h"

#define SERVICE_DEF "contract/authsvc.def"
#include "service/handlers.h"

#define PAGE_MAX 32768
#define FORM_END "end session"

/* A request to sign out (OpenID Connect RP-Initiated Logout 1.0 section 2) on its way. */
struct leaving {
	struct call *call;
	const struct end_session_request *request;
	struct store store;
	bool begun; /* a transaction of the tenant that is meant */
	bool has_hint;
	struct id_token hint;
	struct client_record client; /* row_id 0: none was named */
	struct str location;         /* where to go then; absent: a page */
	struct web_reply *reply;
};

static enum err show_notice(struct leaving *leaving, int status, enum text title, enum text help)
{
	struct call *call = leaving->call;
	struct page page = {.arena = call->arena,
		.locale = rules_locale_choose(leaving->request->ui_locales, call->languages, LOCALE_EN)};
	struct buf html;
	enum err err;

	buf_init(&html, PAGE_MAX);
	page.out = &html;
	pages_notice(&page, title, help);
	err = web_page(call, leaving->reply, status, &html);
	buf_release(&html);
	return err;
}

static enum err begin(struct leaving *leaving, const struct uuid *tenant_id)
{
	enum err err = desk_begin_in(leaving->call, tenant_id, &leaving->store);

	leaving->begun = err == OK;
	return err;
}

/* The client that asks. ERR_NOT_FOUND: what was said of it does not hold. */
static enum err find_client(struct leaving *leaving)
{
	const struct end_session_request *request = leaving->request;
	struct call *call = leaving->call;
	struct str client_id = request->has_client_id ? request->client_id : STR_NONE;
	char hinted[UUID_TEXT_LEN + 1];
	struct uuid id, tenant_id;
	enum err err;

	if (call->form_fault.p != NULL)
		return ERR_NOT_FOUND;
	if (request->has_id_token_hint) {
		if ((err = issue_hint(call, request->id_token_hint, &leaving->hint)) != OK)
			return err == ERR_UNAUTHENTICATED ? ERR_NOT_FOUND : err;
		leaving->has_hint = true;
		uuid_format(&leaving->hint.client_id, hinted);
		if (client_id.p != NULL && !str_eq_c(client_id, hinted))
			return ERR_NOT_FOUND;
		client_id = arena_copy(call->arena, str_from(hinted));
	}
	if (client_id.p == NULL)
		return OK;
	if ((err = caller_tenant(call, client_id, &id, &tenant_id)) != OK || (err = begin(leaving, &tenant_id)) != OK)
		return err;
	return store_client_read(&leaving->store, &id, &leaving->client);
}

/* ERR_NOT_FOUND: a place to go that is not registered. Nobody is sent there, signed out or not. */
static enum err find_way(struct leaving *leaving)
{
	const struct end_session_request *request = leaving->request;
	struct str uri = request->post_logout_redirect_uri;
	char separator = '?';
	enum err err;

	if ((err = find_client(leaving)) != OK || !request->has_post_logout_redirect_uri)
		return err;
	if (leaving->client.row_id == 0 || !rules_redirect_listed(leaving->client.post_logout_uris, uri))
		return ERR_NOT_FOUND;
	leaving->location = uri;
	if (!request->has_state)
		return OK;
	for (size_t i = 0; i < uri.len; i++)
		separator = uri.p[i] == '?' ? '&' : separator;
	leaving->location = arena_printf(leaving->call->arena, "%.*s%cstate=%.*s", STR_ARG(uri), separator,
		STR_ARG(percent_encode(leaving->call->arena, request->state)));
	return leaving->location.p != NULL ? OK : ERR_OVERLOADED;
}

static enum err leave(struct leaving *leaving)
{
	return leaving->location.p != NULL ? web_see_other(leaving->reply, leaving->location)
	                                   : show_notice(leaving, 200, TEXT_SIGNED_OUT, TEXT_SIGNED_OUT_HELP);
}

static struct str csrf_of(struct leaving *leaving, struct str handle)
{
	return csrf_token(leaving->call, handle, FORM_END, leaving->location.p != NULL ? leaving->location : STR(""));
}

static enum err ask(struct leaving *leaving, struct str handle)
{
	const struct end_session_request *request = leaving->request;
	struct call *call = leaving->call;
	struct page page = {
		.arena = call->arena, .locale = rules_locale_choose(request->ui_locales, call->languages, LOCALE_EN)};
	struct end_page view = {.csrf = csrf_of(leaving, handle)};
	char id[UUID_TEXT_LEN + 1];
	struct tenant_record tenant;
	struct buf html;
	enum err err;

	if ((err = store_tenant_read(&leaving->store, &tenant)) != OK)
		return err;
	view.tenant_name = tenant.name;
	if (leaving->location.p != NULL) {
		uuid_format(&leaving->client.id, id);
		view.client_id = str_from(id);
		view.post_logout_redirect_uri = request->post_logout_redirect_uri;
		view.state = request->has_state ? request->state : STR_NONE;
		leaving->reply->form_action = rules_redirect_origin(request->post_logout_redirect_uri);
		leaving->reply->has_form_action = true;
	}
	buf_init(&html, PAGE_MAX);
	page.out = &html;
	pages_end_session(&page, &view);
	err = web_page(call, leaving->reply, 200, &html);
	buf_release(&html);
	return err;
}

static enum err end(struct leaving *leaving, const struct session_record *session)
{
	enum err err;

	if ((err = signin_end(leaving->call, &leaving->store, session, "logout")) != OK)
		return err;
	CRASH_POINT("end_session.before_commit");
	if ((err = desk_commit(leaving->call, &leaving->store)) != OK)
		return err;
	CRASH_POINT("end_session.after_commit");
	if ((err = web_cookie(leaving->call, leaving->reply, COOKIE_SESSION, STR_NONE)) != OK)
		return err;
	return leave(leaving);
}

/* An ID token of this very session says that its client means it; whoever has none is asked first. */
static bool is_meant(const struct leaving *leaving, const struct session_record *session)
{
	return leaving->has_hint && uuid_eq(&leaving->hint.person_id, &session->person_id) &&
	       uuid_eq(&leaving->hint.session_id, &session->id);
}

static enum err end_session(struct leaving *leaving, struct str csrf)
{
	struct str handle = rules_cookie_get(leaving->call->cookie, COOKIE_SESSION);
	struct uuid tenant_id = signin_tenant(leaving->call);
	struct session_record session;
	enum err err;

	if ((err = find_way(leaving)) == ERR_NOT_FOUND)
		return show_notice(leaving, 400, TEXT_REQUEST_REFUSED, TEXT_REQUEST_REFUSED_HELP);
	if (err == OK && !leaving->begun && !uuid_is_nil(&tenant_id))
		err = begin(leaving, &tenant_id);
	if (err != OK)
		return err;
	if (!leaving->begun || (err = signin_known(leaving->call, &leaving->store, &session)) == ERR_NOT_FOUND)
		return leave(leaving);
	if (err != OK)
		return err;
	if (!signin_is_live(&session) &&
		!is_meant(leaving, &session)) /* nobody is signed in: there is nothing to ask */
		return leave(leaving);
	if (is_meant(leaving, &session) || (csrf.p != NULL && str_eq_secret(csrf_of(leaving, handle), csrf)))
		return end(leaving, &session);
	return ask(leaving, handle);
}

enum err handle_end_session(
	struct call *call, const struct end_session_request *request_in, struct web_reply *reply_out)
{
	struct leaving leaving = {.call = call, .request = request_in, .reply = reply_out};
	enum err err = end_session(&leaving, STR_NONE);

	store_release(&leaving.store);
	return err;
}

/* A client's form comes without our cookies (SameSite=Lax): its browser comes back by GET, and brings them. */
static enum err turn_to_get(struct call *call, const struct end_session_request *request, struct web_reply *reply)
{
	const struct {
		const char *name;
		struct str value;
	} pairs[] = {{"id_token_hint", request->id_token_hint}, {"client_id", request->client_id},
		{"post_logout_redirect_uri", request->post_logout_redirect_uri}, {"state", request->state},
		{"ui_locales", request->ui_locales}};
	struct str location = STR("/oauth2/logout");
	char separator = '?';

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		if (pairs[i].value.p == NULL)
			continue;
		location = arena_printf(call->arena, "%.*s%c%s=%.*s", STR_ARG(location), separator, pairs[i].name,
			STR_ARG(percent_encode(call->arena, pairs[i].value)));
		separator = '&';
	}
	return web_see_other(reply, location);
}

enum err handle_end_session_post(
	struct call *call, const struct end_session_form *request_in, struct web_reply *reply_out)
{
	struct end_session_request request = {0};
	struct leaving leaving = {.call = call, .request = &request, .reply = reply_out};
	enum err err;

	shape_carry(shape_end_session_form(), request_in, shape_end_session_request(), &request);
	if (call->form_fault.p == NULL && !request_in->has_csrf)
		return turn_to_get(call, &request, reply_out);
	err = end_session(&leaving, request_in->csrf);
	store_release(&leaving.store);
	return err;
}
