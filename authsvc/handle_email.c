/* SPDX-License-Identifier: Apache-2.0 */
#include "csrf.h"
#include "notice.h"
#include "owner.h"
#include "pages.h"
#include "people.h"
#include "rules_web.h"
#include "service/crash.h"
#include "store_email.h"
#include "store_mail.h"
#include "ticket.h"

#define SERVICE_DEF "contract/authsvc.def"
#include "service/handlers.h"

#define PAGE_MAX 32768
#define FORM_EMAIL "email"
#define FORM_CONFIRM "email-confirm"

static enum err put_event(struct call *call, struct store *store, const char *action,
	const struct person_record *person, struct str before, struct str after)
{
	struct trail trail = {.action = action,
		.object_type = "person",
		.object_id = person->id,
		.subject_id = person->id,
		.actor_id = person->id,
		.version = person->version,
		.before = before,
		.after = after};

	return desk_put_event(call, store, &trail);
}

/* Sealed to the person whose account it is about, whoever reads it. `token` absent: without a link. */
static enum err send(struct call *call, struct store *store, const struct person_record *person, struct str recipient,
	enum text body, struct str token)
{
	instant_us now = clock_now_us();
	struct tenant_record tenant;
	struct str link = STR("");
	struct str text;
	enum err err;

	if ((err = store_tenant_read(store, &tenant)) != OK)
		return err;
	if (token.p != NULL)
		link = arena_printf(call->arena, "%s/email/confirm?token=%.*s\n\n",
			context_public_url(call->worker->context), STR_ARG(token));
	text = arena_printf(
		call->arena, "%s\n\n%.*s%.*s\n", texts_get(body, person->locale), STR_ARG(link), STR_ARG(tenant.name));
	if (link.p == NULL || text.p == NULL)
		return ERR_OVERLOADED;
	return store_mail_insert(store, &person->id, recipient,
		texts_fill(call->arena, TEXT_MAIL_EMAIL_SUBJECT_FMT, person->locale, tenant.name), text,
		now + EMAIL_CHANGE_LIFE_US, now);
}

/* -- asking for it -- */

struct asking {
	struct call *call;
	const struct email_submit_request *request; /* NULL: the page is only shown */
	struct owner owner;
	struct web_reply *reply;
	int64_t wait_s;
};

static enum err show_form(struct asking *asking, struct str ui_locales, int status, enum text alert)
{
	struct call *call = asking->call;
	struct page page = {.arena = call->arena,
		.locale = rules_locale_choose(ui_locales, call->languages, asking->owner.suspect.person.locale)};
	struct buf html;
	enum err err;

	pages_alert(&page, alert, asking->wait_s);
	buf_init(&html, PAGE_MAX);
	page.out = &html;
	pages_email(&page, csrf_token(call, asking->owner.suspect.seed, FORM_EMAIL, STR_NONE),
		asking->request != NULL ? asking->request->email : STR_NONE);
	err = web_page(call, asking->reply, status, &html);
	buf_release(&html);
	return err;
}

/*
 * Whether the address is somebody's shows nowhere: the same rows are written and the same two mails sent. Only the
 * one to the new address then holds no link, so that nothing can come of it.
 */
static enum err write_wish(struct asking *asking, struct store *store, struct str email, struct str normal_email)
{
	struct call *call = asking->call;
	const struct person_record *person = &asking->owner.suspect.person;
	struct email_change change = {.id = uuid_new(), .person_row_id = person->row_id, .email = email};
	struct person_record holder;
	struct ticket old, new;
	struct str old_token, new_token;
	bool taken;
	enum err err;

	if ((err = owner_lock(call, store, &asking->owner)) != OK)
		return err;
	if ((err = store_person_by_email(store, normal_email, &holder)) != OK && err != ERR_NOT_FOUND)
		return err;
	taken = err == OK;
	old = ticket_new(desk_state(call)->vault, VAULT_EMAIL_OLD, &store->tenant_id, call->arena, &old_token);
	new = ticket_new(desk_state(call)->vault, VAULT_EMAIL_NEW, &store->tenant_id, call->arena, &new_token);
	if (old_token.p == NULL || new_token.p == NULL)
		return ERR_OVERLOADED;
	err = store_email_insert(
		store, &person->id, &change, vault_hash_str(&old.hash), vault_hash_str(&new.hash), clock_now_us());
	if (err != OK)
		return err;
	if ((err = send(call, store, person, person->email, TEXT_MAIL_EMAIL_OLD, old_token)) != OK)
		return err;
	err = send(call, store, person, email, taken ? TEXT_MAIL_EMAIL_TAKEN : TEXT_MAIL_EMAIL_NEW,
		taken ? STR_NONE : new_token);
	return err == OK ? put_event(call, store, "person.email_request", person, STR_NONE, STR_NONE) : err;
}

/* Mails to a stranger, and to the owner, are few, whoever asks for them. */
static bool may_mail(struct asking *asking, struct str normal_email)
{
	char id[UUID_TEXT_LEN + 1];
	struct str own;

	uuid_format(&asking->owner.suspect.person.id, id);
	own = arena_printf(asking->call->arena, "email:%s", id);
	return own.p != NULL && guard_may_mail(asking->call, &asking->owner.tenant_id, own) &&
	       guard_may_mail(asking->call, &asking->owner.tenant_id, normal_email);
}

static enum err ask(struct asking *asking)
{
	struct call *call = asking->call;
	struct str email = str_trim(asking->request->email);
	struct store store = {0};
	struct str normal_email;
	struct guard guard;
	bool match;
	enum err err;

	if ((err = people_check_email(call, email, &normal_email)) == ERR_BAD_FIELD) {
		call->field = call->reason = call->detail = STR_NONE;
		return show_form(asking, asking->request->ui_locales, 422, TEXT_EMAIL_BAD);
	}
	if (err != OK)
		return err;
	err = owner_check(call, &asking->owner, asking->request->current, &guard, &asking->wait_s, &match);
	if (err != OK)
		return err;
	if (asking->wait_s > 0)
		return show_form(asking, asking->request->ui_locales, 429, TEXT_WAIT_FMT);
	if (!match)
		return show_form(asking, asking->request->ui_locales, 403, TEXT_PASSWORD_CURRENT_WRONG);
	guard_succeed(call, &guard);
	if (!may_mail(asking, normal_email))
		return show_form(asking, asking->request->ui_locales, 429, TEXT_VERIFICATION_LATER);
	if ((err = desk_begin_in(call, &asking->owner.tenant_id, &store)) == OK &&
		(err = write_wish(asking, &store, email, normal_email)) == OK) {
		CRASH_POINT("email_request.before_commit");
		err = desk_commit(call, &store);
		CRASH_POINT("email_request.after_commit");
	}
	store_release(&store);
	if (err == ERR_NOT_FOUND) /* signed out meanwhile */
		return web_see_other(asking->reply, STR("/login"));
	return err == OK ? notice_show(call, asking->request->ui_locales, 200, TEXT_EMAIL_ASKED, TEXT_EMAIL_ASKED_HELP,
				   asking->reply)
	                 : err;
}

enum err handle_account_email(
	struct call *call, const struct login_page_request *request_in, struct web_reply *reply_out)
{
	struct asking asking = {.call = call, .reply = reply_out};
	enum err err = owner_find(call, &asking.owner, reply_out);

	if (err == ERR_NOT_FOUND)
		return OK;
	return err == OK ? show_form(&asking, request_in->ui_locales, 200, TEXT_COUNT) : err;
}

enum err handle_account_email_submit(
	struct call *call, const struct email_submit_request *request_in, struct web_reply *reply_out)
{
	struct asking asking = {.call = call, .request = request_in, .reply = reply_out};
	enum err err = owner_find(call, &asking.owner, reply_out);

	if (err == ERR_NOT_FOUND)
		return OK;
	if (err != OK)
		return err;
	if (call->form_fault.p != NULL && str_eq_c(call->form_fault, "email"))
		return show_form(&asking, request_in->ui_locales, 422, TEXT_EMAIL_BAD);
	if (call->form_fault.p != NULL ||
		!csrf_matches(call, asking.owner.suspect.seed, FORM_EMAIL, STR_NONE, request_in->csrf))
		return show_form(&asking, request_in->ui_locales, 403, TEXT_FORM_EXPIRED);
	return ask(&asking);
}

/* -- the links -- */

struct found {
	enum email_side side;
	struct uuid tenant_id;
	struct email_change change;
	struct person_record person; /* locked */
	struct str ui_locales;       /* of the form */
};

/* ERR_GONE. The person is locked first and the link read again then: of two that come at once, one is the second. */
static enum err find(struct call *call, struct store *store, struct str token, struct found *found_out)
{
	static const enum vault_purpose purposes[] = {[EMAIL_OLD] = VAULT_EMAIL_OLD, [EMAIL_NEW] = VAULT_EMAIL_NEW};
	struct ticket tickets[2];
	enum err err = ERR_NOT_FOUND;

	*found_out = (struct found){0};
	for (size_t side = 0; side < 2; side++) {
		if (!ticket_parse(desk_state(call)->vault, purposes[side], call->arena, token, &tickets[side]))
			return ERR_GONE;
	}
	if ((err = desk_begin_in(call, &tickets[0].tenant_id, store)) != OK)
		return err;
	found_out->tenant_id = tickets[0].tenant_id;
	for (int turn = 0; turn < 2; turn++) {
		found_out->side = EMAIL_OLD;
		err = store_email_find(
			store, EMAIL_OLD, vault_hash_str(&tickets[EMAIL_OLD].hash), clock_now_us(), &found_out->change);
		if (err == ERR_NOT_FOUND) {
			found_out->side = EMAIL_NEW;
			err = store_email_find(store, EMAIL_NEW, vault_hash_str(&tickets[EMAIL_NEW].hash),
				clock_now_us(), &found_out->change);
		}
		if (err == OK && turn == 0)
			err = store_person_lock_row(store, found_out->change.person_row_id, &found_out->person);
		if (err == ERR_NOT_FOUND)
			return ERR_GONE;
		if (err != OK)
			return err;
	}
	return found_out->person.status == PERSON_ACTIVE ? OK : ERR_GONE;
}

static enum err show_gone(struct call *call, struct str ui_locales, struct web_reply *reply)
{
	return notice_show(call, ui_locales, 410, TEXT_LINK_GONE, TEXT_EMAIL_GONE_HELP, reply);
}

static enum err show_link(struct call *call, struct store *store, const struct found *found, struct str token,
	struct str ui_locales, int status, enum text alert, struct web_reply *reply)
{
	struct page page = {
		.arena = call->arena, .locale = rules_locale_choose(ui_locales, call->languages, found->person.locale)};
	struct link_form form = {.token = token};
	struct tenant_record tenant;
	struct buf html;
	struct str seed;
	enum err err;

	if ((err = store_tenant_read(store, &tenant)) != OK)
		return err;
	if ((err = csrf_seed(call, reply, &seed)) != OK)
		return err;
	pages_alert(&page, alert, 0);
	form.csrf = csrf_token(call, seed, FORM_CONFIRM, token);
	form.tenant_name = tenant.name;
	buf_init(&html, PAGE_MAX);
	page.out = &html;
	pages_email_confirm(&page, &form, found->side == EMAIL_OLD);
	err = web_page(call, reply, status, &html);
	buf_release(&html);
	return err;
}

enum err handle_email_page(struct call *call, const struct link_page_request *request_in, struct web_reply *reply_out)
{
	struct store store = {0};
	struct found found;
	enum err err = find(call, &store, request_in->token, &found);

	if (err == OK)
		err = show_link(
			call, &store, &found, request_in->token, request_in->ui_locales, 200, TEXT_COUNT, reply_out);
	else if (err == ERR_GONE)
		err = show_gone(call, request_in->ui_locales, reply_out);
	store_release(&store);
	return err;
}

/* Both have confirmed: address and index in one statement. ERR_CONFLICT: it became somebody's meanwhile. */
static enum err swap(struct call *call, struct store *store, struct found *found)
{
	struct person_record *person = &found->person;
	struct str old_email = person->email;
	struct str before = people_json(call, person);
	instant_us now = clock_now_us();
	struct email_change change;
	struct str normal_email, after;
	enum err err;

	if ((err = store_email_read(store, person->row_id, &person->id, &change)) != OK)
		return err;
	if ((normal_email = rules_email_normal(call->arena, change.email)).p == NULL || before.p == NULL)
		return ERR_OVERLOADED;
	if ((err = store_email_delete(store, person->row_id)) != OK)
		return err;
	/* What was mailed to the old address opens nothing any more. */
	if ((err = store_link_void(store, LINK_RESET, person->row_id, now)) != OK)
		return err;
	if ((err = store_link_void(store, LINK_VERIFICATION, person->row_id, now)) != OK)
		return err;
	if ((err = store_email_swap(store, person, change.email, normal_email, now)) != OK)
		return err;
	if ((after = people_json(call, person)).p == NULL)
		return ERR_OVERLOADED;
	if ((err = put_event(call, store, "person.email_change", person, before, after)) != OK)
		return err;
	if ((err = send(call, store, person, old_email, TEXT_MAIL_EMAIL_CHANGED, STR_NONE)) != OK)
		return err;
	return send(call, store, person, person->email, TEXT_MAIL_EMAIL_CHANGED, STR_NONE);
}

static enum err confirm(struct call *call, struct store *store, struct found *found, struct web_reply *reply)
{
	enum text title = TEXT_EMAIL_HALF, help = TEXT_EMAIL_HALF_HELP;
	enum err err;

	if ((err = store_email_confirm(store, &found->change, found->side, clock_now_us())) != OK)
		return err;
	if (found->change.old_confirmed && found->change.new_confirmed) {
		title = TEXT_EMAIL_CHANGED;
		help = TEXT_EMAIL_CHANGED_HELP;
		err = swap(call, store, found);
	} else {
		err = put_event(call, store, "person.email_confirm", &found->person, STR_NONE, STR_NONE);
	}
	if (err != OK)
		return err;
	CRASH_POINT("email_confirm.before_commit");
	if ((err = desk_commit(call, store)) != OK)
		return err;
	CRASH_POINT("email_confirm.after_commit");
	return notice_show(call, found->ui_locales, 200, title, help, reply);
}

static enum err cancel(struct call *call, struct store *store, const struct found *found, struct web_reply *reply)
{
	enum err err;

	if ((err = store_email_delete(store, found->person.row_id)) != OK)
		return err;
	if ((err = put_event(call, store, "person.email_cancel", &found->person, STR_NONE, STR_NONE)) != OK)
		return err;
	if ((err = desk_commit(call, store)) != OK)
		return err;
	return notice_show(call, found->ui_locales, 200, TEXT_EMAIL_CANCELLED, TEXT_EMAIL_CANCELLED_HELP, reply);
}

enum err handle_email_submit(
	struct call *call, const struct email_confirm_request *request_in, struct web_reply *reply_out)
{
	struct store store = {0};
	struct found found;
	enum err err = call->form_fault.p != NULL ? ERR_GONE : find(call, &store, request_in->token, &found);

	if (err != OK)
		goto done;
	found.ui_locales = request_in->ui_locales;
	if (!csrf_matches(call, csrf_sent_seed(call), FORM_CONFIRM, request_in->token, request_in->csrf))
		err = show_link(
			call, &store, &found, request_in->token, found.ui_locales, 403, TEXT_FORM_EXPIRED, reply_out);
	else if (str_eq_c(request_in->action, "cancel") && found.side == EMAIL_OLD)
		err = cancel(call, &store, &found, reply_out);
	else if (str_eq_c(request_in->action, "confirm"))
		err = confirm(call, &store, &found, reply_out);
	else
		err = show_link(call, &store, &found, request_in->token, found.ui_locales, 400, TEXT_COUNT, reply_out);
done:
	if (err == ERR_GONE || err == ERR_CONFLICT)
		err = show_gone(call, request_in->ui_locales, reply_out);
	store_release(&store);
	return err;
}
