/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crash.h"
#include "csrf.h"
#include "entry.h"
#include "pages.h"
#include "rules_web.h"
#include "signin.h"
#include "store_device.h"
#include "store_person.h"

#define SERVICE_DEF "contract/authsvc.def"
#include "service/handlers.h"

#define PAGE_MAX 65536
#define FORM_CONSENT "consent"

/* One request of the page on its way: what waits for an answer, and who may give it. */
struct matter {
	struct entry entry;
	struct session_record session;
	struct str handle; /* of the session: its forms are bound to it */
	struct str ui_locales;
};

static enum err show_notice(
	struct call *call, struct str ui_locales, int status, enum text title, enum text help, struct web_reply *reply)
{
	struct page page = {
		.arena = call->arena, .locale = rules_locale_choose(ui_locales, call->languages, LOCALE_EN)};
	struct buf html;
	enum err err;

	buf_init(&html, PAGE_MAX);
	page.out = &html;
	pages_notice(&page, title, help);
	err = web_page(call, reply, status, &html);
	buf_release(&html);
	return err;
}

static enum err show_gone(struct call *call, struct str ui_locales, struct web_reply *reply)
{
	return show_notice(call, ui_locales, 400, TEXT_REQUEST_EXPIRED, TEXT_REQUEST_EXPIRED_HELP, reply);
}

/* ERR_GONE: nothing waits. ERR_UNAUTHENTICATED: whoever is signed in, if anybody, has to sign in for this. */
static enum err find_matter(struct call *call, struct store *store, struct str resume, struct matter *matter_out)
{
	enum err err;

	*matter_out = (struct matter){.handle = rules_cookie_get(call->cookie, COOKIE_SESSION)};
	if ((err = entry_find(call, store, resume, &matter_out->entry)) != OK)
		return err;
	if (!matter_out->entry.has_request ||
		(matter_out->entry.ask.redirect_uri.p == NULL && matter_out->entry.ask.device.p == NULL))
		return ERR_GONE;
	if ((err = signin_current(call, store, &matter_out->session)) == ERR_NOT_FOUND)
		return ERR_UNAUTHENTICATED;
	return err != OK || entry_fresh(&matter_out->entry, &matter_out->session) ? err : ERR_UNAUTHENTICATED;
}

static enum err show_matter(struct call *call, struct store *store, const struct matter *matter, struct str ui_locales,
	int status, enum text alert, struct web_reply *reply)
{
	const struct entry *entry = &matter->entry;
	struct page page = {.arena = call->arena, .locale = entry_locale(call, entry, ui_locales)};
	struct consent_page view = {.resume = entry->resume,
		.csrf = csrf_token(call, matter->handle, FORM_CONSENT, entry->resume),
		.client_name = entry->request.client_name,
		.tenant_name = entry->tenant.name,
		.scope = entry->ask.scope,
		.third_party = entry->request.third_party,
		.user_code = entry->ask.user_code,
		.lasts = rules_word_listed(entry->request.client_grants, "refresh_token")};
	struct person_record person;
	struct buf html;
	enum err err;

	if ((err = store_person_read(store, &matter->session.person_id, &person)) != OK)
		return err;
	view.email = person.email;
	pages_alert(&page, alert, 0);
	entry_form_action(entry, reply);
	buf_init(&html, PAGE_MAX);
	page.out = &html;
	pages_consent(&page, &view);
	err = web_page(call, reply, status, &html);
	buf_release(&html);
	return err;
}

/* What both methods answer when there is no matter to look at. */
static enum err turn_away(
	struct call *call, enum err why, struct str resume, struct str ui_locales, struct web_reply *reply)
{
	if (why == ERR_GONE)
		return show_gone(call, ui_locales, reply);
	return web_see_other(reply, arena_printf(call->arena, "/login?resume=%.*s", STR_ARG(resume)));
}

enum err handle_consent_page(
	struct call *call, const struct login_page_request *request_in, struct web_reply *reply_out)
{
	struct store store = {0};
	struct matter matter;
	enum err err;

	err = find_matter(call, &store, request_in->resume, &matter);
	if (err == OK)
		err = show_matter(call, &store, &matter, request_in->ui_locales, 200, TEXT_COUNT, reply_out);
	else if (err == ERR_GONE || err == ERR_UNAUTHENTICATED)
		err = turn_away(call, err, request_in->resume, request_in->ui_locales, reply_out);
	store_release(&store);
	return err;
}

/* What is handed on is what the session is worth now, and stays so until it is committed. */
static enum err hold_session(struct store *store, struct matter *matter)
{
	enum err err = store_session_seen(store, &matter->session, clock_now_us());

	if (err == OK && !entry_fresh(&matter->entry, &matter->session))
		err = ERR_UNAUTHENTICATED;
	return err == ERR_NOT_FOUND ? ERR_UNAUTHENTICATED : err;
}

/* The device is told when it next asks. */
static enum err decide_device(
	struct call *call, struct store *store, const struct matter *matter, bool allowed, struct web_reply *reply)
{
	const struct session_record *session = &matter->session;
	struct device_record device = {.person_row_id = allowed ? session->person_row_id : 0,
		.auth_at = session->auth_at,
		.proof = session->proof};
	struct trail trail = {.action = allowed ? "device.allow" : "device.refuse",
		.object_type = "device",
		.subject_id = session->person_id,
		.actor_id = session->person_id,
		.client_id = matter->entry.request.client_id,
		.version = 1};
	const struct consent_case of = entry_case(&matter->entry);
	enum err err;

	if (uuid_parse(matter->entry.ask.device, &device.id) != OK)
		return ERR_INTERNAL;
	trail.object_id = device.id;
	if ((err = store_device_decide(store, &device, clock_now_us())) != OK)
		return err;
	/* Of own clients too, since a device outlives the browser's session: here is where it can be ended. */
	if (allowed && (err = consent_give(call, store, &of, session->person_row_id, &session->person_id)) != OK)
		return err;
	if ((err = desk_put_event(call, store, &trail)) != OK)
		return err;
	CRASH_POINT("device.before_commit");
	if ((err = desk_commit(call, store)) != OK)
		return err;
	CRASH_POINT("device.after_commit");
	return show_notice(call, matter->ui_locales, 200, allowed ? TEXT_DEVICE_ALLOWED : TEXT_DEVICE_DENIED,
		allowed ? TEXT_DEVICE_ALLOWED_HELP : TEXT_DEVICE_DENIED_HELP, reply);
}

static enum err decide(
	struct call *call, struct store *store, const struct matter *matter, bool allowed, struct web_reply *reply)
{
	const struct entry *entry = &matter->entry;
	const struct session_record *session = &matter->session;
	const struct consent_case of = entry_case(entry);
	struct str location;
	enum err err;

	/* Of two answers at once one ends the request, and the other finds it ended. */
	if ((err = store_request_end(store, &entry->request)) != OK)
		return err;
	if (entry->ask.device.p != NULL)
		return decide_device(call, store, matter, allowed, reply);
	if (!allowed) {
		location = ask_error(
			call, entry->ask.redirect_uri, entry->ask.state, "access_denied", "the person refused");
	} else {
		if ((err = consent_give(call, store, &of, session->person_row_id, &session->person_id)) != OK)
			return err;
		err = ask_grant(call, store, &entry->ask, of.client_row_id, session, &location);
		if (err != OK)
			return err;
	}
	CRASH_POINT("consent.before_commit");
	if ((err = desk_commit(call, store)) != OK)
		return err;
	CRASH_POINT("consent.after_commit");
	return web_see_other(reply, location);
}

enum err handle_consent_submit(
	struct call *call, const struct consent_submit_request *request_in, struct web_reply *reply_out)
{
	const bool allowed = str_eq_c(request_in->decision, "allow");
	struct store store = {0};
	struct matter matter;
	enum err err;

	if (call->form_fault.p != NULL)
		return show_gone(call, request_in->ui_locales, reply_out);
	err = find_matter(call, &store, request_in->resume, &matter);
	matter.ui_locales = request_in->ui_locales;
	if (err == OK) {
		if ((!allowed && !str_eq_c(request_in->decision, "deny")) ||
			!csrf_matches(call, matter.handle, FORM_CONSENT, matter.entry.resume, request_in->csrf))
			err = show_matter(
				call, &store, &matter, request_in->ui_locales, 403, TEXT_FORM_EXPIRED, reply_out);
		else if ((err = hold_session(&store, &matter)) == OK)
			err = decide(call, &store, &matter, allowed, reply_out);
	}
	if (err == ERR_GONE || err == ERR_UNAUTHENTICATED)
		err = turn_away(call, err, request_in->resume, request_in->ui_locales, reply_out);
	store_release(&store);
	return err;
}
