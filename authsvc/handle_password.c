/* SPDX-License-Identifier: Apache-2.0 */
#include "csrf.h"
#include "notice.h"
#include "owner.h"
#include "pages.h"
#include "people.h"
#include "rules_web.h"
#include "service/crash.h"

#define SERVICE_DEF "contract/authsvc.def"
#include "service/handlers.h"

#define PAGE_MAX 32768
#define FORM_PASSWORD "password"

/* One request of the page on its way. */
struct change {
	struct call *call;
	const struct password_submit_request *request;
	struct owner owner;
	struct web_reply *reply;
	int64_t wait_s;
};

static enum err show_form(struct change *change, struct str ui_locales, int status, enum text alert)
{
	struct call *call = change->call;
	struct page page = {.arena = call->arena,
		.locale = rules_locale_choose(ui_locales, call->languages, change->owner.suspect.person.locale)};
	struct buf html;
	enum err err;

	pages_alert(&page, alert, change->wait_s);
	buf_init(&html, PAGE_MAX);
	page.out = &html;
	pages_password(&page, csrf_token(call, change->owner.suspect.seed, FORM_PASSWORD, STR_NONE),
		change->owner.suspect.person.email);
	err = web_page(call, change->reply, status, &html);
	buf_release(&html);
	return err;
}

static enum err put_event(struct change *change, struct store *store, const char *action)
{
	const struct person_record *person = &change->owner.suspect.person;
	struct trail trail = {.action = action,
		.object_type = "person",
		.object_id = person->id,
		.subject_id = person->id,
		.actor_id = person->id,
		.version = person->version};

	return desk_put_event(change->call, store, &trail);
}

/*
 * Everything that was open ends; this browser gets a session of its own again. It is worth what was shown for it, which
 * is the password: a factor that was shown some time ago makes nothing of now fresh.
 */
static enum err write_change(struct change *change, struct store *store, const struct hash *hash)
{
	const struct person_record *person = &change->owner.suspect.person;
	struct session_record session;
	enum err err;

	if ((err = desk_begin_in(change->call, &change->owner.tenant_id, store)) != OK)
		return err;
	if ((err = owner_lock(change->call, store, &change->owner)) != OK)
		return err;
	err = store_credential_put(store, person->row_id, str_from(hash->text), hash->pepper_epoch, clock_now_us());
	if (err != OK)
		return err;
	if ((err = people_lock_out(store, person, "password_change")) != OK)
		return err;
	if ((err = put_event(change, store, "password.change")) != OK)
		return err;
	err = people_tell(change->call, store, person, TEXT_MAIL_PASSWORD_SUBJECT_FMT, TEXT_MAIL_PASSWORD_CHANGED);
	if (err != OK)
		return err;
	err = signin_begin(
		change->call, store, change->reply, person->row_id, &person->id, &rules_proof_password, &session);
	if (err != OK)
		return err;
	CRASH_POINT("password_change.before_commit");
	if ((err = desk_commit(change->call, store)) != OK)
		return err;
	CRASH_POINT("password_change.after_commit");
	return OK;
}

static enum err try_change(struct change *change)
{
	struct call *call = change->call;
	const struct password_submit_request *request = change->request;
	struct store store = {0};
	struct guard guard;
	struct hash hash;
	bool match;
	enum err err;

	if (!str_eq_secret(request->password, request->password_again))
		return show_form(change, request->ui_locales, 422, TEXT_PASSWORDS_DIFFER);
	if ((err = people_check_password(call, request->password, change->owner.normal_email)) == ERR_BAD_FIELD)
		return show_form(change, request->ui_locales, 422, people_password_alert(call));
	if (err != OK)
		return err;
	err = owner_check(call, &change->owner, request->current, &guard, &change->wait_s, &match);
	if (err != OK)
		return err;
	if (change->wait_s > 0)
		return show_form(change, request->ui_locales, 429, TEXT_WAIT_FMT);
	if (!match)
		return show_form(change, request->ui_locales, 403, TEXT_PASSWORD_CURRENT_WRONG);
	if ((err = hasher_make(desk_state(call)->hasher, request->password, call->deadline_us, &hash)) != OK)
		return err;
	err = write_change(change, &store, &hash);
	store_release(&store);
	if (err == ERR_NOT_FOUND) /* signed out or reset meanwhile */
		return web_see_other(change->reply, STR("/login"));
	if (err != OK)
		return err;
	guard_succeed(call, &guard);
	return notice_show(
		call, request->ui_locales, 200, TEXT_PASSWORD_CHANGED, TEXT_PASSWORD_CHANGED_HELP, change->reply);
}

enum err handle_account_password(
	struct call *call, const struct login_page_request *request_in, struct web_reply *reply_out)
{
	struct change change = {.call = call, .reply = reply_out};
	enum err err = owner_find(call, &change.owner, reply_out);

	if (err == ERR_NOT_FOUND)
		return OK;
	return err == OK ? show_form(&change, request_in->ui_locales, 200, TEXT_COUNT) : err;
}

enum err handle_account_password_submit(
	struct call *call, const struct password_submit_request *request_in, struct web_reply *reply_out)
{
	struct change change = {.call = call, .request = request_in, .reply = reply_out};
	enum err err = owner_find(call, &change.owner, reply_out);

	if (err == ERR_NOT_FOUND)
		return OK;
	if (err != OK)
		return err;
	if (call->form_fault.p != NULL && str_starts(call->form_fault, "password"))
		return show_form(&change, request_in->ui_locales, 422, TEXT_PASSWORD_LONG);
	if (call->form_fault.p != NULL ||
		!csrf_matches(call, change.owner.suspect.seed, FORM_PASSWORD, STR_NONE, request_in->csrf))
		return show_form(&change, request_in->ui_locales, 403, TEXT_FORM_EXPIRED);
	return try_change(&change);
}
