/* SPDX-License-Identifier: Apache-2.0 */
#include "csrf.h"
#include "entry.h"
#include "guard.h"
#include "notice.h"
#include "pages.h"
#include "people.h"
#include "rules_web.h"
#include "service/crash.h"
#include "store_factor.h"
#include "store_mail.h"
#include "ticket.h"

#define SERVICE_DEF "contract/authsvc.def"
#include "service/handlers.h"

#define PAGE_MAX 32768
#define FORM_FORGOTTEN "forgotten"
#define FORM_RESET "reset"
/* Longer than either answer takes. */
#define PAD_MS 200

static enum err put_event(
	struct call *call, struct store *store, const char *action, const struct person_record *person)
{
	struct trail trail = {.action = action,
		.object_type = "person",
		.object_id = person->id,
		.subject_id = person->id,
		.actor_id = person->id,
		.version = person->version};

	return desk_put_event(call, store, &trail);
}

/* -- asking for the mail -- */

struct asked {
	int status;
	struct str ui_locales, tenant_slug, email;
	enum text alert; /* TEXT_COUNT: none */
	int64_t wait_s;
};

static enum err show_question(
	struct call *call, const struct entry *entry, const struct asked *asked, struct web_reply *reply)
{
	struct page page = {.arena = call->arena, .locale = entry_locale(call, entry, asked->ui_locales)};
	struct sign_in_form form = {.tenant_name = entry->tenant.name,
		.resume = entry->resume,
		.tenant_slug = asked->tenant_slug,
		.email = asked->email};
	struct str seed;
	struct buf html;
	enum err err;

	pages_alert(&page, asked->alert, asked->wait_s);
	if ((err = csrf_seed(call, reply, &seed)) != OK)
		return err;
	form.csrf = csrf_token(call, seed, FORM_FORGOTTEN, entry->resume);
	buf_init(&html, PAGE_MAX);
	page.out = &html;
	pages_forgotten(&page, &form);
	err = web_page(call, reply, asked->status, &html);
	buf_release(&html);
	return err;
}

/* An expired request names no tenant any more; the form then asks for it. */
static enum err find_entry(struct call *call, struct str resume, struct entry *entry_out)
{
	struct store store = {0};
	enum err err = entry_find(call, &store, resume, entry_out);

	store_release(&store);
	if (err != ERR_GONE)
		return err;
	*entry_out = (struct entry){0};
	return OK;
}

enum err handle_forgotten_page(
	struct call *call, const struct login_page_request *request_in, struct web_reply *reply_out)
{
	struct asked asked = {.status = 200, .ui_locales = request_in->ui_locales, .alert = TEXT_COUNT};
	struct entry entry;
	enum err err = find_entry(call, request_in->resume, &entry);

	return err == OK ? show_question(call, &entry, &asked, reply_out) : err;
}

/* Only who has a password, and an address that was proved, gets the mail. */
static enum err send_mail(
	struct call *call, struct store *store, const struct tenant_record *tenant, struct str normal_email)
{
	struct factor_standing standing;
	struct person_record person;
	enum err err;

	if ((err = desk_begin_in(call, &tenant->id, store)) != OK)
		return err;
	if ((err = store_person_by_email(store, normal_email, &person)) != OK)
		return err;
	if ((err = store_factor_standing(store, person.row_id, &standing)) != OK)
		return err;
	if (person.status != PERSON_ACTIVE || person.email_verified_at == 0 || standing.encoded.len == 0)
		return ERR_NOT_FOUND;
	if ((err = people_mail_reset(call, store, &person, tenant)) != OK)
		return err;
	if ((err = put_event(call, store, "password.request", &person)) != OK)
		return err;
	CRASH_POINT("password_request.before_commit");
	if ((err = desk_commit(call, store)) != OK)
		return err;
	CRASH_POINT("password_request.after_commit");
	return OK;
}

/* OK whatever was found. *wait_s > 0: this network asks too often. */
static enum err ask(
	struct call *call, const struct forgotten_submit_request *request, struct entry *entry, int64_t *wait_s)
{
	struct str normal_email = rules_email_normal(call->arena, str_trim(request->email));
	struct store store = {0};
	bool may_mail;
	enum err err = OK;

	if (normal_email.p == NULL)
		return ERR_OVERLOADED;
	if (!entry->has_request) {
		db_set_deadline(desk_of(call)->jobs, call->deadline_us);
		err = store_tenant_by_slug(desk_of(call)->jobs, call->arena, str_trim(request->tenant), &entry->tenant);
	}
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	if ((err = guard_reset(call, &entry->tenant.id, normal_email, wait_s, &may_mail)) != OK)
		return err;
	if (*wait_s == 0 && may_mail && !uuid_is_nil(&entry->tenant.id))
		err = send_mail(call, &store, &entry->tenant, normal_email);
	store_release(&store);
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err handle_forgotten_submit(
	struct call *call, const struct forgotten_submit_request *request_in, struct web_reply *reply_out)
{
	struct asked asked = {.status = 403,
		.tenant_slug = request_in->tenant,
		.email = request_in->email,
		.alert = TEXT_FORM_EXPIRED};
	uint64_t started_us = clock_monotonic_us();
	struct entry entry;
	enum err err;

	if (call->form_fault.p != NULL)
		return notice_show(call, STR_NONE, 400, TEXT_REQUEST_EXPIRED, TEXT_REQUEST_EXPIRED_HELP, reply_out);
	if ((err = find_entry(call, request_in->resume, &entry)) != OK)
		return err;
	if (!csrf_matches(call, csrf_sent_seed(call), FORM_FORGOTTEN, entry.resume, request_in->csrf))
		return show_question(call, &entry, &asked, reply_out);
	if ((err = ask(call, request_in, &entry, &asked.wait_s)) != OK)
		return err;
	if (asked.wait_s > 0) {
		asked.status = 429;
		asked.alert = TEXT_WAIT_FMT;
		if (!entry.has_request)
			entry.tenant = (struct tenant_record){0};
		return show_question(call, &entry, &asked, reply_out);
	}
	people_pad(call, started_us, PAD_MS);
	return notice_show(call, STR_NONE, 200, TEXT_FORGOTTEN_SENT, TEXT_FORGOTTEN_SENT_HELP, reply_out);
}

/* -- following its link -- */

/* Whose link it is, locked: ERR_GONE. The person first, the link then, as all links of one person end together. */
static enum err find_forgetful(
	struct store *store, const struct ticket *ticket, bool take, struct person_record *person_out)
{
	int64_t row_id;
	enum err err;

	err = store_link_find(store, LINK_RESET, vault_hash_str(&ticket->hash), false, clock_now_us(), &row_id);
	if (err == OK)
		err = store_person_lock_row(store, row_id, person_out);
	if (err == OK && take)
		err = store_link_find(store, LINK_RESET, vault_hash_str(&ticket->hash), true, clock_now_us(), &row_id);
	if (err == ERR_NOT_FOUND || (err == OK && person_out->status != PERSON_ACTIVE))
		return ERR_GONE;
	return err;
}

static enum err write_reset(
	struct call *call, struct store *store, const struct person_record *person, const struct hash *hash)
{
	instant_us now = clock_now_us();
	enum err err;

	if ((err = store_credential_put(store, person->row_id, str_from(hash->text), hash->pepper_epoch, now)) != OK)
		return err;
	if ((err = store_link_void(store, LINK_RESET, person->row_id, now)) != OK)
		return err;
	if ((err = people_lock_out(store, person, "password_reset")) != OK)
		return err;
	if ((err = put_event(call, store, "password.reset", person)) != OK)
		return err;
	return people_tell(call, store, person, TEXT_MAIL_PASSWORD_SUBJECT_FMT, TEXT_MAIL_PASSWORD_RESET);
}

/* ERR_GONE, ERR_BAD_FIELD with the reason, or done. The hash is made only for a link that is good. */
static enum err reset(struct call *call, struct str token, struct str password, struct ticket *ticket_out)
{
	struct person_record person;
	struct store store = {0};
	struct str normal_email;
	struct hash hash;
	enum err err;

	if (!ticket_parse(desk_state(call)->vault, VAULT_RESET, call->arena, token, ticket_out))
		return ERR_GONE;
	if ((err = desk_begin_in(call, &ticket_out->tenant_id, &store)) == OK)
		err = find_forgetful(&store, ticket_out, false, &person);
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
	if ((err = find_forgetful(&store, ticket_out, true, &person)) != OK)
		goto done;
	if ((err = write_reset(call, &store, &person, &hash)) != OK)
		goto done;
	CRASH_POINT("password_reset.before_commit");
	if ((err = desk_commit(call, &store)) != OK)
		goto done;
	CRASH_POINT("password_reset.after_commit");
done:
	store_release(&store);
	return err;
}

static enum err show_form(struct call *call, struct str token, struct str ui_locales, enum text alert, int status,
	struct web_reply *reply)
{
	struct page page = {.arena = call->arena};
	struct link_form form = {.token = token};
	struct person_record person = {0};
	struct tenant_record tenant = {0};
	struct store store = {0};
	struct ticket ticket;
	struct buf html;
	struct str seed;
	enum err err = ERR_GONE;

	buf_init(&html, PAGE_MAX);
	if (ticket_parse(desk_state(call)->vault, VAULT_RESET, call->arena, token, &ticket) &&
		(err = desk_begin_in(call, &ticket.tenant_id, &store)) == OK &&
		(err = find_forgetful(&store, &ticket, false, &person)) == OK)
		err = store_tenant_read(&store, &tenant);
	if (err == ERR_GONE) {
		err = notice_show(call, ui_locales, 410, TEXT_LINK_GONE, TEXT_RESET_GONE_HELP, reply);
	} else if (err == OK && (err = csrf_seed(call, reply, &seed)) == OK) {
		page.locale = rules_locale_choose(ui_locales, call->languages, person.locale);
		page.out = &html;
		pages_alert(&page, alert, 0);
		form.csrf = csrf_token(call, seed, FORM_RESET, token);
		form.tenant_name = tenant.name;
		form.email = person.email;
		pages_reset(&page, &form);
		err = web_page(call, reply, status, &html);
	}
	store_release(&store);
	buf_release(&html);
	return err;
}

enum err handle_reset_page(struct call *call, const struct link_page_request *request_in, struct web_reply *reply_out)
{
	return show_form(call, request_in->token, request_in->ui_locales, TEXT_COUNT, 200, reply_out);
}

enum err handle_reset_submit(
	struct call *call, const struct invitation_submit_request *request_in, struct web_reply *reply_out)
{
	enum text alert = TEXT_PASSWORDS_DIFFER;
	struct store store = {0};
	struct ticket ticket;
	enum err err;

	if (call->form_fault.p != NULL && !str_eq_c(call->form_fault, "password") &&
		!str_eq_c(call->form_fault, "password_again"))
		return notice_show(call, STR_NONE, 410, TEXT_LINK_GONE, TEXT_RESET_GONE_HELP, reply_out);
	if (call->form_fault.p != NULL)
		return show_form(call, request_in->token, STR_NONE, TEXT_PASSWORD_LONG, 422, reply_out);
	if (!csrf_matches(call, csrf_sent_seed(call), FORM_RESET, request_in->token, request_in->csrf))
		return show_form(call, request_in->token, STR_NONE, TEXT_FORM_EXPIRED, 403, reply_out);
	if (!str_eq_secret(request_in->password, request_in->password_again))
		return show_form(call, request_in->token, STR_NONE, alert, 422, reply_out);
	err = reset(call, request_in->token, request_in->password, &ticket);
	if (err == OK) {
		/* Nobody is signed in by this: whoever has a second factor shows it as ever. */
		err = entry_begin(call, &store, &ticket.tenant_id, reply_out);
		store_release(&store);
		return err;
	}
	if (err == ERR_BAD_FIELD)
		alert = people_password_alert(call);
	return err == ERR_BAD_FIELD || err == ERR_GONE
	               ? show_form(call, request_in->token, STR_NONE, alert, 422, reply_out)
	               : err;
}
