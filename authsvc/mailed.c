/* SPDX-License-Identifier: Apache-2.0 */
#include "mailed.h"

#include "csrf.h"
#include "entry.h"
#include "notice.h"
#include "people.h"
#include "rules_web.h"
#include "service/crash.h"

#define PAGE_MAX 32768

struct shown {
	int status;
	struct str token, ui_locales;
	enum text alert; /* TEXT_COUNT: none */
};

static enum err show(struct call *call, const struct mailed *mailed, const struct shown *shown, struct web_reply *reply)
{
	struct page page = {.arena = call->arena};
	struct link_form form = {.token = shown->token};
	struct person_record person = {0};
	struct tenant_record tenant = {0};
	struct store store = {0};
	struct ticket ticket;
	struct buf html;
	struct str seed;
	enum err err = ERR_GONE;

	buf_init(&html, PAGE_MAX);
	if (ticket_parse(desk_state(call)->vault, mailed->purpose, call->arena, shown->token, &ticket) &&
		(err = desk_begin_in(call, &ticket.tenant_id, &store)) == OK &&
		(err = mailed->find(&store, &ticket, false, &person)) == OK)
		err = store_tenant_read(&store, &tenant);
	if (err == ERR_GONE) {
		err = notice_show(call, shown->ui_locales, 410, TEXT_LINK_GONE, mailed->gone_help, reply);
	} else if (err == OK && (err = csrf_seed(call, reply, &seed)) == OK) {
		page.locale = rules_locale_choose(shown->ui_locales, call->languages, person.locale);
		page.out = &html;
		pages_alert(&page, shown->alert, 0);
		form.csrf = csrf_token(call, seed, mailed->form, shown->token);
		form.tenant_name = tenant.name;
		form.email = person.email;
		mailed->page(&page, &form);
		err = web_page(call, reply, shown->status, &html);
	}
	store_release(&store);
	buf_release(&html);
	return err;
}

enum err mailed_show(struct call *call, const struct mailed *mailed, const struct link_page_request *request,
	struct web_reply *reply)
{
	const struct shown shown = {200, request->token, request->ui_locales, TEXT_COUNT};

	return show(call, mailed, &shown, reply);
}

static enum err check(struct call *call, struct str password, const struct person_record *person)
{
	struct str normal_email = rules_email_normal(call->arena, person->email);

	return normal_email.p != NULL ? people_check_password(call, password, normal_email) : ERR_OVERLOADED;
}

enum err mailed_set(struct call *call, const struct mailed *mailed, struct str token, struct str password,
	struct ticket *ticket_out)
{
	struct person_record person;
	struct store store = {0};
	struct hash hash;
	enum err err;

	if (!ticket_parse(desk_state(call)->vault, mailed->purpose, call->arena, token, ticket_out))
		return ERR_GONE;
	if (mailed->password_first && (err = people_check_password(call, password, STR_NONE)) != OK)
		return err;
	if ((err = desk_begin_in(call, &ticket_out->tenant_id, &store)) == OK)
		err = mailed->find(&store, ticket_out, false, &person);
	store_release(&store);
	if (err != OK || (err = check(call, password, &person)) != OK)
		return err;
	if ((err = hasher_make(desk_state(call)->hasher, password, call->deadline_us, &hash)) != OK)
		return err;
	if ((err = desk_begin_in(call, &ticket_out->tenant_id, &store)) != OK)
		goto done;
	if ((err = mailed->find(&store, ticket_out, true, &person)) != OK)
		goto done;
	if ((err = mailed->write(call, &store, &person, &hash)) != OK)
		goto done;
	CRASH_POINT_OF(mailed->crash, "before_commit");
	if ((err = desk_commit(call, &store)) != OK)
		goto done;
	CRASH_POINT_OF(mailed->crash, "after_commit");
done:
	store_release(&store);
	return err;
}

/* Its two passwords alone are told of; whatever else is malformed comes of no page of ours. */
static bool is_foreign(const struct call *call)
{
	return call->form_fault.p != NULL && !str_eq_c(call->form_fault, "password") &&
	       !str_eq_c(call->form_fault, "password_again");
}

enum err mailed_submit(struct call *call, const struct mailed *mailed, const struct invitation_submit_request *request,
	struct web_reply *reply)
{
	struct shown shown = {422, request->token, request->ui_locales, TEXT_PASSWORD_LONG};
	struct store store = {0};
	struct ticket ticket;
	enum err err;

	if (is_foreign(call))
		return notice_show(call, shown.ui_locales, 410, TEXT_LINK_GONE, mailed->gone_help, reply);
	if (call->form_fault.p != NULL)
		return show(call, mailed, &shown, reply);
	if (!csrf_matches(call, csrf_sent_seed(call), mailed->form, request->token, request->csrf)) {
		shown.status = 403;
		shown.alert = TEXT_FORM_EXPIRED;
		return show(call, mailed, &shown, reply);
	}
	shown.alert = TEXT_PASSWORDS_DIFFER;
	if (!str_eq_secret(request->password, request->password_again))
		return show(call, mailed, &shown, reply);
	err = mailed_set(call, mailed, request->token, request->password, &ticket);
	if (err == OK) {
		err = entry_begin(call, &store, &ticket.tenant_id, reply);
		store_release(&store);
		return err;
	}
	if (err != ERR_BAD_FIELD && err != ERR_GONE)
		return err;
	if (err == ERR_BAD_FIELD)
		shown.alert = people_password_alert(call);
	return show(call, mailed, &shown, reply);
}
