/* SPDX-License-Identifier: Apache-2.0 */
#include "csrf.h"
#include "factor.h"
#include "pages.h"
#include "people.h"
#include "rules_web.h"
#include "service/crash.h"

#define SERVICE_DEF "contract/authsvc.def"
#include "service/handlers.h"

#define PAGE_MAX 131072
#define FORM_SESSIONS "sessions"

/* -- the API -- */

/* The person of the token; locked for what ends everything. */
static enum err find_self(struct call *call, struct store *store, bool lock, struct person_record *person_out)
{
	enum err err;

	if (uuid_is_nil(&call->token.person_id))
		return call_refuse(call, ERR_FORBIDDEN, NULL, "person_required",
			"This belongs to a person; the token is a client's.");
	if ((err = desk_begin(call, store)) != OK)
		return err;
	err = lock ? store_person_lock(store, &call->token.person_id, person_out)
	           : store_person_read(store, &call->token.person_id, person_out);
	if (err != OK)
		return err;
	return person_out->status == PERSON_ACTIVE ? OK : ERR_NOT_FOUND;
}

static void fill_facts(
	struct call *call, const struct session_view *session, int64_t current, struct session_facts *facts_out)
{
	*facts_out = (struct session_facts){
		.id = session->id,
		.has_id = true,
		.created_at = session->created_at,
		.has_created_at = true,
		.last_used_at = session->seen_at,
		.has_last_used_at = true,
		.browser = session->browser,
		.has_browser = session->browser.p != NULL,
		.amr = desk_words(call->arena, session->proof.methods),
		.has_amr = true,
		.current = session->row_id == current,
		.has_current = true,
	};
}

enum err handle_me_session_list(struct call *call, const struct empty *request_in, struct session_list *reply_out)
{
	struct session_view *sessions = arena_take_array(call->arena, SESSIONS_SHOWN_MAX, sizeof(*sessions));
	struct person_record person = {0};
	struct store store = {0};
	int64_t current;
	size_t count;
	enum err err;

	(void)request_in;
	reply_out->items.items = arena_take_array(call->arena, SESSIONS_SHOWN_MAX, sizeof(*reply_out->items.items));
	if (sessions == NULL || reply_out->items.items == NULL)
		return ERR_OVERLOADED;
	if ((err = find_self(call, &store, false, &person)) != OK)
		goto done;
	if ((err = store_session_of_grant(&store, &call->token.session_id, &current)) != OK)
		goto done;
	err = store_session_list(&store, person.row_id, &person.id, true, SESSIONS_SHOWN_MAX, sessions, &count);
	if (err != OK)
		goto done;
	for (size_t i = 0; i < count; i++)
		fill_facts(call, &sessions[i], current, &reply_out->items.items[i]);
	reply_out->items.count = count;
	reply_out->has_items = reply_out->has_next_cursor = true;
done:
	store_release(&store);
	return err;
}

enum err handle_me_session_delete(struct call *call, const struct session_ref *request_in, struct empty *reply_out)
{
	struct session_record session;
	struct person_record person = {0};
	struct store store = {0};
	enum err err;

	(void)reply_out;
	if ((err = find_self(call, &store, false, &person)) != OK)
		goto done;
	if ((err = store_session_lock(&store, person.row_id, &person.id, &request_in->id, &session)) != OK)
		goto done;
	if ((err = signin_end(call, &store, &session, "signed_out")) != OK)
		goto done;
	CRASH_POINT("session_end.before_commit");
	err = desk_commit(call, &store);
	CRASH_POINT("session_end.after_commit");
done:
	store_release(&store);
	return err;
}

enum err handle_me_sessions_delete(struct call *call, const struct empty *request_in, struct empty *reply_out)
{
	struct person_record person = {0};
	struct store store = {0};
	enum err err;

	(void)request_in;
	(void)reply_out;
	if ((err = find_self(call, &store, true, &person)) != OK)
		goto done;
	if ((err = people_sign_out(call, &store, &person, "signed_out")) != OK)
		goto done;
	err = desk_commit(call, &store);
done:
	store_release(&store);
	return err;
}

enum err handle_person_sessions_delete(struct call *call, const struct person_ref *request_in, struct empty *reply_out)
{
	struct person_record person = {0};
	struct store store = {0};
	enum err err;

	(void)reply_out;
	if ((err = desk_begin(call, &store)) != OK)
		goto done;
	if ((err = store_person_lock(&store, &request_in->id, &person)) != OK)
		goto done;
	if (person.status == PERSON_ERASED) {
		err = ERR_NOT_FOUND;
		goto done;
	}
	if ((err = people_check_outranks(call, &person)) != OK)
		goto done;
	if ((err = people_sign_out(call, &store, &person, "signed_out_by_admin")) != OK)
		goto done;
	if ((err = people_tell(call, &store, &person, TEXT_MAIL_SIGNED_OUT_SUBJECT_FMT, TEXT_MAIL_SIGNED_OUT)) != OK)
		goto done;
	CRASH_POINT("session_end_all.before_commit");
	err = desk_commit(call, &store);
	CRASH_POINT("session_end_all.after_commit");
done:
	store_release(&store);
	return err;
}

/* -- the page -- */

static enum err show(struct call *call, struct store *store, const struct suspect *owner, struct str ui_locales,
	int status, enum text alert, struct web_reply *reply)
{
	struct session_view *sessions = arena_take_array(call->arena, SESSIONS_SHOWN_MAX, sizeof(*sessions));
	struct page page = {
		.arena = call->arena, .locale = rules_locale_choose(ui_locales, call->languages, owner->person.locale)};
	struct sessions_view view = {.csrf = csrf_token(call, owner->seed, FORM_SESSIONS, STR_NONE),
		.sessions = sessions,
		.current = owner->session.row_id};
	struct buf html;
	enum err err;

	if (sessions == NULL)
		return ERR_OVERLOADED;
	err = store_session_list(
		store, owner->person.row_id, &owner->person.id, true, SESSIONS_SHOWN_MAX, sessions, &view.count);
	if (err != OK)
		return err;
	pages_alert(&page, alert, 0);
	buf_init(&html, PAGE_MAX);
	page.out = &html;
	pages_sessions(&page, &view);
	err = web_page(call, reply, status, &html);
	buf_release(&html);
	return err;
}

enum err handle_account_sessions(
	struct call *call, const struct login_page_request *request_in, struct web_reply *reply_out)
{
	struct store store = {0};
	struct suspect owner;
	enum err err = factor_owner(call, &store, &owner);

	if (err == ERR_NOT_FOUND)
		err = web_see_other(reply_out, STR("/login"));
	else if (err == OK)
		err = show(call, &store, &owner, request_in->ui_locales, 200, TEXT_COUNT, reply_out);
	store_release(&store);
	return err;
}

/* This browser goes too, and its cookie with it. */
static enum err end_all(struct call *call, struct store *store, struct suspect *owner, struct web_reply *reply)
{
	enum err err;

	if ((err = store_person_lock(store, &owner->person.id, &owner->person)) != OK)
		return err;
	if ((err = people_sign_out(call, store, &owner->person, "signed_out")) != OK)
		return err;
	if ((err = desk_commit(call, store)) != OK)
		return err;
	if ((err = web_cookie(call, reply, COOKIE_SESSION, STR_NONE)) != OK)
		return err;
	return web_see_other(reply, STR("/login"));
}

/* One that is gone already is what was wanted. */
static enum err end_one(
	struct call *call, struct store *store, const struct suspect *owner, struct str text, struct web_reply *reply)
{
	struct session_record session;
	struct uuid id;
	enum err err = ERR_NOT_FOUND;

	if (uuid_parse(text, &id) == OK)
		err = store_session_lock(store, owner->person.row_id, &owner->person.id, &id, &session);
	if (err == OK && (err = signin_end(call, store, &session, "signed_out")) == OK)
		err = desk_commit(call, store);
	return err == OK || err == ERR_NOT_FOUND ? web_see_other(reply, STR("/account/sessions")) : err;
}

static enum err act(struct call *call, const struct sessions_submit_request *request, struct store *store,
	struct suspect *owner, struct web_reply *reply)
{
	if (call->form_fault.p != NULL || !csrf_matches(call, owner->seed, FORM_SESSIONS, STR_NONE, request->csrf))
		return show(call, store, owner, request->ui_locales, 403, TEXT_FORM_EXPIRED, reply);
	return request->session.len > 0 ? end_one(call, store, owner, request->session, reply)
	                                : end_all(call, store, owner, reply);
}

enum err handle_account_sessions_submit(
	struct call *call, const struct sessions_submit_request *request_in, struct web_reply *reply_out)
{
	struct store store = {0};
	struct suspect owner;
	enum err err = factor_owner(call, &store, &owner);

	if (err == ERR_NOT_FOUND)
		err = web_see_other(reply_out, STR("/login"));
	else if (err == OK)
		err = act(call, request_in, &store, &owner, reply_out);
	store_release(&store);
	return err;
}
