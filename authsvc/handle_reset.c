/* SPDX-License-Identifier: Apache-2.0 */
#include "csrf.h"
#include "entry.h"
#include "guard.h"
#include "mailed.h"
#include "notice.h"
#include "pages.h"
#include "people.h"
#include "rules_web.h"
#include "service/crash.h"
#include "store_factor.h"
#include "store_mail.h"

#define SERVICE_DEF "contract/authsvc.def"
#include "service/handlers.h"

#define PAGE_MAX 32768
#define FORM_FORGOTTEN "forgotten"
#define FORM_RESET "reset"

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
		.ui_locales = request_in->ui_locales,
		.tenant_slug = request_in->tenant,
		.email = request_in->email,
		.alert = TEXT_FORM_EXPIRED};
	struct entry entry;
	enum err err;

	if (call->form_fault.p != NULL)
		return notice_show(
			call, asked.ui_locales, 400, TEXT_REQUEST_EXPIRED, TEXT_REQUEST_EXPIRED_HELP, reply_out);
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
	return notice_show(call, asked.ui_locales, 200, TEXT_FORGOTTEN_SENT, TEXT_FORGOTTEN_SENT_HELP, reply_out);
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
	struct call *call, struct store *store, struct person_record *person, const struct hash *hash)
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

static const struct mailed reset = {.purpose = VAULT_RESET,
	.form = FORM_RESET,
	.crash = "password_reset",
	.gone_help = TEXT_RESET_GONE_HELP,
	.page = pages_reset,
	.find = find_forgetful,
	.write = write_reset};

enum err handle_reset_page(struct call *call, const struct link_page_request *request_in, struct web_reply *reply_out)
{
	return mailed_show(call, &reset, request_in, reply_out);
}

enum err handle_reset_submit(
	struct call *call, const struct invitation_submit_request *request_in, struct web_reply *reply_out)
{
	CRASH_COMMIT("password_reset");
	return mailed_submit(call, &reset, request_in, reply_out);
}
