/* SPDX-License-Identifier: Apache-2.0 */
#include "csrf.h"
#include "entry.h"
#include "notice.h"
#include "pages.h"
#include "people.h"
#include "rules_web.h"
#include "service/crash.h"
#include "store_mail.h"
#include "store_session.h"
#include "ticket.h"

#define SERVICE_DEF "contract/authsvc.def"
#include "service/handlers.h"

#define PAGE_MAX 32768
#define FORM_INVITATION "invitation"

/* Whose invitation it is, unless it was used, has expired or never was: ERR_GONE, all alike. */
static enum err find_invited(
	struct store *store, const struct ticket *ticket, bool take, struct person_record *person_out)
{
	int64_t row_id;
	enum err err;

	err = store_link_find(store, LINK_INVITATION, vault_hash_str(&ticket->hash), take, clock_now_us(), &row_id);
	if (err == ERR_NOT_FOUND)
		return ERR_GONE;
	if (err != OK || (err = store_person_lock_row(store, row_id, person_out)) != OK)
		return err;
	return person_out->status == PERSON_INVITED ? OK : ERR_GONE;
}

static enum err write_accepted(
	struct call *call, struct store *store, struct person_record *person, const struct hash *hash)
{
	struct trail trail = {.action = "person.accept",
		.object_type = "person",
		.object_id = person->id,
		.subject_id = person->id,
		.actor_id = person->id};
	instant_us now = clock_now_us();
	enum err err;

	if ((trail.before = people_json(call, person)).p == NULL)
		return ERR_OVERLOADED;
	person->status = PERSON_ACTIVE;
	/* The link came by mail: who follows it has the address. */
	if (person->email_verified_at == 0)
		person->email_verified_at = now;
	if ((err = store_person_update(store, person, now)) != OK)
		return err;
	if ((err = store_credential_put(store, person->row_id, str_from(hash->text), hash->pepper_epoch, now)) != OK)
		return err;
	if ((trail.after = people_json(call, person)).p == NULL)
		return ERR_OVERLOADED;
	trail.version = person->version;
	return desk_put_event(call, store, &trail);
}

/*
 * ERR_GONE, ERR_BAD_FIELD with the reason, or done. The hash, which costs most, is made only for a link that is
 * good.
 */
static enum err accept(struct call *call, struct str token, struct str password, struct ticket *ticket_out)
{
	struct person_record person;
	struct store store = {0};
	struct str normal_email;
	struct hash hash;
	enum err err;

	if (!ticket_parse(desk_state(call)->vault, VAULT_INVITATION, call->arena, token, ticket_out))
		return ERR_GONE;
	if ((err = people_check_password(call, password, STR_NONE)) != OK)
		return err;
	if ((err = desk_begin_in(call, &ticket_out->tenant_id, &store)) == OK)
		err = find_invited(&store, ticket_out, false, &person);
	store_release(&store);
	if (err != OK)
		return err;
	if ((normal_email = rules_email_normal(call->arena, person.email)).p == NULL)
		return ERR_OVERLOADED;
	if ((err = people_check_password(call, password, normal_email)) != OK)
		return err;
	if ((err = hasher_make(desk_state(call)->hasher, password, call->deadline_us, &hash)) != OK)
		return err;
	if ((err = desk_begin_in(call, &ticket_out->tenant_id, &store)) != OK)
		goto done;
	if ((err = find_invited(&store, ticket_out, true, &person)) != OK)
		goto done;
	if ((err = write_accepted(call, &store, &person, &hash)) != OK)
		goto done;
	CRASH_POINT("invitation_accept.before_commit");
	if ((err = desk_commit(call, &store)) != OK)
		goto done;
	CRASH_POINT("invitation_accept.after_commit");
done:
	store_release(&store);
	return err;
}

enum err handle_invitation_accept(
	struct call *call, const struct invitation_accept_request *request_in, struct accepted *reply_out)
{
	struct ticket ticket;

	reply_out->status = STR("accepted");
	reply_out->has_status = true;
	return accept(call, request_in->token, request_in->password, &ticket);
}

struct shown {
	int status;
	struct str token, ui_locales;
	enum text alert; /* TEXT_COUNT: none */
};

/* The form, or the word that the link is gone. */
static enum err show_form(struct call *call, const struct shown *shown, struct web_reply *reply)
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
	if (ticket_parse(desk_state(call)->vault, VAULT_INVITATION, call->arena, shown->token, &ticket) &&
		(err = desk_begin_in(call, &ticket.tenant_id, &store)) == OK &&
		(err = find_invited(&store, &ticket, false, &person)) == OK)
		err = store_tenant_read(&store, &tenant);
	if (err == ERR_GONE)
		err = notice_show(call, shown->ui_locales, 410, TEXT_LINK_GONE, TEXT_INVITATION_GONE_HELP, reply);
	else if (err == OK && (err = csrf_seed(call, reply, &seed)) == OK) {
		page.locale = rules_locale_choose(shown->ui_locales, call->languages, person.locale);
		page.out = &html;
		pages_alert(&page, shown->alert, 0);
		form.csrf = csrf_token(call, seed, FORM_INVITATION, shown->token);
		form.tenant_name = tenant.name;
		form.email = person.email;
		pages_invitation(&page, &form);
		err = web_page(call, reply, shown->status, &html);
	}
	store_release(&store);
	buf_release(&html);
	return err;
}

enum err handle_invitation_page(
	struct call *call, const struct link_page_request *request_in, struct web_reply *reply_out)
{
	struct shown shown = {200, request_in->token, request_in->ui_locales, TEXT_COUNT};

	return show_form(call, &shown, reply_out);
}

enum err handle_invitation_submit(
	struct call *call, const struct invitation_submit_request *request_in, struct web_reply *reply_out)
{
	struct shown shown = {422, request_in->token, STR_NONE, TEXT_PASSWORDS_DIFFER};
	struct store store = {0};
	struct ticket ticket;
	enum err err;

	if (call->form_fault.p != NULL && !str_eq_c(call->form_fault, "password") &&
		!str_eq_c(call->form_fault, "password_again"))
		return notice_show(call, STR_NONE, 410, TEXT_LINK_GONE, TEXT_INVITATION_GONE_HELP, reply_out);
	if (call->form_fault.p != NULL) {
		shown.alert = TEXT_PASSWORD_LONG;
		return show_form(call, &shown, reply_out);
	}
	if (!csrf_matches(call, csrf_sent_seed(call), FORM_INVITATION, request_in->token, request_in->csrf)) {
		shown.status = 403;
		shown.alert = TEXT_FORM_EXPIRED;
		return show_form(call, &shown, reply_out);
	}
	if (!str_eq_secret(request_in->password, request_in->password_again))
		return show_form(call, &shown, reply_out);
	err = accept(call, request_in->token, request_in->password, &ticket);
	if (err == OK) {
		err = entry_begin(call, &store, &ticket.tenant_id, reply_out);
		store_release(&store);
		return err;
	}
	if (err != ERR_BAD_FIELD && err != ERR_GONE)
		return err;
	shown.alert = people_password_alert(call);
	return show_form(call, &shown, reply_out);
}
