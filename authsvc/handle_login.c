/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crash.h"
#include "csrf.h"
#include "entry.h"
#include "factor.h"
#include "guard.h"
#include "notice.h"
#include "pages.h"
#include "passkey.h"
#include "rules_web.h"
#include "signin.h"
#include "store_person.h"
#include "ticket.h"

#define SERVICE_DEF "contract/authsvc.def"
#include "service/handlers.h"

#define PAGE_MAX 32768
#define FORM_LOGIN "login"
#define FORM_LOGOUT "logout"

struct shown {
	int status;
	struct str ui_locales;
	struct str tenant_slug, email; /* as typed before */
	enum text alert;               /* TEXT_COUNT: none */
	int64_t wait_s;
};

/* Whoever it is for: which credential, and so which person, the browser says. */
static struct passkey_asked asked_of(struct str seed, const struct entry *entry)
{
	return (struct passkey_asked){
		.seed = seed, .about = entry->resume, .ceremony = PASSKEY_SIGN_IN, .user_verification = true};
}

static enum err offer_passkey(struct call *call, struct str seed, const struct entry *entry, struct sign_in_form *form)
{
	struct passkey_asked asked = asked_of(seed, entry);
	struct passkey_offer offer;
	enum err err = passkey_offer(call, &asked, NULL, 0, &offer);

	form->passkey = (struct passkey_view){
		.challenge = offer.challenge, .options = offer.options, .csrf = form->csrf, .resume = form->resume};
	return err;
}

static enum err show_form(
	struct call *call, const struct entry *entry, const struct shown *shown, struct web_reply *reply)
{
	enum locale locale = entry_locale(call, entry, shown->ui_locales);
	struct page page = {.arena = call->arena, .locale = locale};
	struct sign_in_form form = {
		.tenant_name = entry->tenant.name,
		.client_name = entry->request.client_name,
		.resume = entry->resume,
		.tenant_slug = shown->tenant_slug,
		.email = shown->email.len > 0 ? shown->email : entry->ask.login_hint,
	};
	struct str seed;
	struct buf html;
	enum err err;

	pages_alert(&page, shown->alert, shown->wait_s);
	if ((err = csrf_seed(call, reply, &seed)) != OK)
		return err;
	form.csrf = csrf_token(call, seed, FORM_LOGIN, entry->resume);
	if ((err = offer_passkey(call, seed, entry, &form)) != OK)
		return err;
	web_script(reply);
	entry_form_action(entry, reply);
	buf_init(&html, PAGE_MAX);
	page.out = &html;
	pages_sign_in(&page, &form);
	err = web_page(call, reply, shown->status, &html);
	buf_release(&html);
	return err;
}

/* Who is signed in already sees so, and how to end it. ERR_NOT_FOUND: nobody is. */
static enum err show_signed_in(
	struct call *call, const struct login_page_request *request, struct store *store, struct web_reply *reply)
{
	struct str handle = rules_cookie_get(call->cookie, COOKIE_SESSION);
	struct uuid tenant_id = signin_tenant(call);
	struct page page = {
		.arena = call->arena, .locale = rules_locale_choose(request->ui_locales, call->languages, LOCALE_EN)};
	struct session_record session;
	struct buf html;
	enum err err;

	if (uuid_is_nil(&tenant_id))
		return ERR_NOT_FOUND;
	if ((err = desk_begin_in(call, &tenant_id, store)) != OK)
		return err;
	if ((err = signin_current(call, store, &session)) != OK)
		return err;
	buf_init(&html, PAGE_MAX);
	page.out = &html;
	pages_signed_in(&page, csrf_token(call, handle, FORM_LOGOUT, STR_NONE));
	err = web_page(call, reply, 200, &html);
	buf_release(&html);
	return err;
}

enum err handle_login_page(struct call *call, const struct login_page_request *request_in, struct web_reply *reply_out)
{
	struct shown shown = {.status = 200, .ui_locales = request_in->ui_locales, .alert = TEXT_COUNT};
	struct store store = {0};
	struct entry entry;
	enum err err;

	if ((err = entry_find(call, &store, request_in->resume, &entry)) == ERR_GONE) {
		err = notice_show(
			call, request_in->ui_locales, 400, TEXT_REQUEST_EXPIRED, TEXT_REQUEST_EXPIRED_HELP, reply_out);
		goto done;
	}
	if (err != OK)
		goto done;
	if (!entry.has_request) {
		err = show_signed_in(call, request_in, &store, reply_out);
		if (err != ERR_NOT_FOUND)
			goto done;
	}
	err = show_form(call, &entry, &shown, reply_out);
done:
	store_release(&store);
	return err;
}

/*
 * The tenant that the form names when no request does. An unknown one stays nil and is refused like a wrong
 * password.
 */
static enum err find_tenant(struct call *call, const struct login_submit_request *request, struct entry *entry)
{
	enum err err;

	if (entry->has_request)
		return OK;
	db_set_deadline(desk_of(call)->jobs, call->deadline_us);
	err = store_tenant_by_slug(desk_of(call)->jobs, call->arena, str_trim(request->tenant), &entry->tenant);
	if (err != ERR_NOT_FOUND)
		return err;
	entry->tenant = (struct tenant_record){0};
	return OK;
}

/* Credentials as far as they were checked. */
struct verdict {
	struct sign_in_record record;
	bool match, stale;
	bool has_renewed; /* a hash to stand in place of a stale one */
	struct hash renewed;
};

static enum err find_record(
	struct call *call, const struct uuid *tenant_id, struct str normal_email, struct sign_in_record *record_out)
{
	struct store store = {0};
	enum err err;

	err = desk_begin_in(call, uuid_is_nil(tenant_id) ? &STORE_NO_TENANT : tenant_id, &store);
	if (err == OK)
		err = store_person_sign_in(&store, normal_email, record_out);
	store_release(&store);
	return err;
}

/* The same statement and the same hash, whoever was asked for. No transaction is open while the hash runs. */
static enum err check_password(struct call *call, const struct uuid *tenant_id, struct str normal_email,
	struct str password, struct verdict *verdict_out)
{
	enum err err;

	*verdict_out = (struct verdict){0};
	if ((err = find_record(call, tenant_id, normal_email, &verdict_out->record)) != OK)
		return err;
	err = hasher_check(desk_state(call)->hasher, password,
		verdict_out->record.found ? verdict_out->record.encoded : STR_NONE, verdict_out->record.pepper_epoch,
		call->deadline_us, &verdict_out->match, &verdict_out->stale);
	if (err == ERR_OVERLOADED)
		call->retry_after_s = 2;
	if (verdict_out->record.status != PERSON_ACTIVE)
		verdict_out->match = false;
	return err;
}

/*
 * A wrong password, an unknown address and an unknown tenant leave the same trace at the same cost; the last in the
 * deployment's own log.
 */
static enum err put_refusal(
	struct call *call, const struct uuid *tenant_id, const char *action, const struct sign_in_record *record)
{
	struct trail trail = {.action = action,
		.object_type = "person",
		.object_id = record->id,
		.actor_id = record->id,
		.version = 1};
	struct store store = {0};
	enum err err;

	err = desk_begin_in(call, uuid_is_nil(tenant_id) ? &STORE_NO_TENANT : tenant_id, &store);
	if (err == OK && (err = desk_put_event(call, &store, &trail)) == OK)
		err = desk_commit(call, &store);
	store_release(&store);
	return err;
}

/* An attempt that has to wait is told, but not each: a flood of them would be one of events. */
static enum err put_delay(struct call *call, const struct uuid *tenant_id, struct str normal_email)
{
	struct sign_in_record record = {0};
	enum err err;

	atomic_fetch_add(&desk_state(call)->counts.sign_ins_delayed, 1);
	if (!guard_tells(call, tenant_id, normal_email))
		return OK;
	if ((err = find_record(call, tenant_id, normal_email, &record)) != OK)
		return err;
	return put_refusal(call, tenant_id, "session.delay", &record);
}

/* Waits for a turn to hash, so it holds no transaction. */
static enum err renew_hash(struct call *call, struct str password, struct verdict *verdict)
{
	enum err err;

	if (!verdict->match || !verdict->stale)
		return OK;
	err = hasher_make(desk_state(call)->hasher, password, call->deadline_us, &verdict->renewed);
	verdict->has_renewed = err == OK;
	return err == ERR_OVERLOADED ? OK : err; /* another day */
}

/* The password was right, which is not yet enough. */
static enum err ask_factor(struct call *call, const struct entry *entry, struct store *store,
	const struct uuid *person_id, const struct factor_standing *standing, struct web_reply *reply)
{
	enum err err;

	if ((err = factor_ask(call, reply, &entry->tenant.id, person_id, standing)) != OK)
		return err;
	if ((err = desk_commit(call, store)) != OK)
		return err;
	return web_see_other(reply,
		entry->has_request ? arena_printf(call->arena, "/login/factor?resume=%.*s", STR_ARG(entry->resume))
				   : STR("/login/factor"));
}

/* Session, code and event in one transaction. */
static enum err let_in(struct call *call, const struct entry *entry, struct str normal_email,
	const struct verdict *verdict, struct web_reply *reply, bool *signed_in_out)
{
	struct factor_standing standing;
	struct session_record session;
	struct sign_in_record again;
	struct store store = {0};
	enum err err;

	signin_leave_elsewhere(call, &entry->tenant.id);
	if ((err = desk_begin_in(call, &entry->tenant.id, &store)) != OK)
		goto done;
	/* Suspended, erased or given another password while the hash ran? Whoever does so now waits. */
	if ((err = store_person_hold(&store, verdict->record.row_id)) != OK)
		goto done;
	if ((err = store_person_sign_in(&store, normal_email, &again)) != OK)
		goto done;
	if (!again.found || again.status != PERSON_ACTIVE || !str_eq(again.encoded, verdict->record.encoded)) {
		err = ERR_UNAUTHENTICATED;
		goto done;
	}
	if (verdict->has_renewed &&
		(err = store_credential_rehash(&store, &verdict->record, str_from(verdict->renewed.text),
			 verdict->renewed.pepper_epoch, clock_now_us())) != OK)
		goto done;
	if ((err = store_factor_standing(&store, again.row_id, &standing)) != OK)
		goto done;
	if (standing.factors > 0) {
		err = ask_factor(call, entry, &store, &again.id, &standing, reply);
		goto done;
	}
	err = signin_begin(call, &store, reply, again.row_id, &again.id, &rules_proof_password, &session);
	if (err == OK)
		err = entry_settle(call, &store, entry, &session, STR("/login"), reply);
	*signed_in_out = err == OK;
done:
	store_release(&store);
	return err;
}

static enum err try_credentials(struct call *call, const struct login_submit_request *request,
	const struct entry *entry, struct web_reply *reply, struct shown *shown)
{
	struct str normal_email = rules_email_normal(call->arena, str_trim(request->email));
	struct verdict verdict;
	struct guard guard;
	bool signed_in = false;
	enum err err;

	if (normal_email.p == NULL)
		return ERR_OVERLOADED;
	if ((err = guard_attempt(call, &entry->tenant.id, normal_email, &guard, &shown->wait_s)) != OK)
		return err;
	if (shown->wait_s > 0) {
		shown->status = 429;
		shown->alert = TEXT_WAIT_FMT;
		err = put_delay(call, &entry->tenant.id, normal_email);
		return err == OK ? ERR_UNAUTHENTICATED : err;
	}
	if ((err = check_password(call, &entry->tenant.id, normal_email, request->password, &verdict)) != OK)
		return err;
	if (verdict.match && (err = renew_hash(call, request->password, &verdict)) == OK)
		err = let_in(call, entry, normal_email, &verdict, reply, &signed_in);
	if (signed_in) {
		guard_succeed(call, &guard);
		atomic_fetch_add(&desk_state(call)->counts.sign_ins, 1);
	}
	if (verdict.match && err != ERR_UNAUTHENTICATED)
		return err;
	shown->status = 403;
	shown->alert = TEXT_WRONG_CREDENTIALS;
	atomic_fetch_add(&desk_state(call)->counts.sign_ins_refused, 1);
	err = put_refusal(call, &entry->tenant.id, "session.refuse", &verdict.record);
	return err == OK ? ERR_UNAUTHENTICATED : err;
}

enum err handle_login_submit(
	struct call *call, const struct login_submit_request *request_in, struct web_reply *reply_out)
{
	struct shown shown = {.status = 403,
		.ui_locales = request_in->ui_locales,
		.tenant_slug = request_in->tenant,
		.email = request_in->email,
		.alert = TEXT_FORM_EXPIRED};
	struct store store = {0};
	struct entry entry;
	enum err err;

	if (call->form_fault.p != NULL)
		return notice_show(
			call, shown.ui_locales, 400, TEXT_REQUEST_EXPIRED, TEXT_REQUEST_EXPIRED_HELP, reply_out);
	err = entry_find(call, &store, request_in->resume, &entry);
	store_release(&store);
	if (err == ERR_GONE)
		return notice_show(
			call, shown.ui_locales, 400, TEXT_REQUEST_EXPIRED, TEXT_REQUEST_EXPIRED_HELP, reply_out);
	if (err != OK)
		return err;
	if (!csrf_matches(call, csrf_sent_seed(call), FORM_LOGIN, entry.resume, request_in->csrf))
		return show_form(call, &entry, &shown, reply_out);
	if ((err = find_tenant(call, request_in, &entry)) != OK)
		return err;
	err = try_credentials(call, request_in, &entry, reply_out, &shown);
	if (err != ERR_UNAUTHENTICATED)
		return err;
	/* The page says no more of the tenant than it did before. */
	if (!entry.has_request)
		entry.tenant = (struct tenant_record){0};
	*reply_out = (struct web_reply){0};
	return show_form(call, &entry, &shown, reply_out);
}

/* A passkey of somebody who is known, and did not hold: told like a wrong password. */
static enum err put_passkey_refusal(
	struct call *call, const struct uuid *tenant_id, const struct person_record *person, const char *reason)
{
	struct trail trail = {.action = "factor.refuse",
		.object_type = "person",
		.object_id = person->id,
		.subject_id = person->id,
		.actor_id = person->id,
		.version = 1,
		.after = arena_printf(call->arena, "{\"reason\":\"%s\"}", reason)};
	struct store store = {0};
	enum err err;

	if ((err = desk_begin_in(call, tenant_id, &store)) == OK && (err = desk_put_event(call, &store, &trail)) == OK)
		err = desk_commit(call, &store);
	store_release(&store);
	return err;
}

/* ERR_UNAUTHENTICATED: nobody, or not by this. */
static enum err try_passkey(
	struct call *call, const struct passkey_submit_request *request, struct entry *entry, struct web_reply *reply)
{
	struct passkey_answer answer = {.challenge = request->challenge,
		.client_data = request->client_data,
		.credential = request->credential,
		.authenticator_data = request->authenticator_data,
		.signature = request->signature};
	struct passkey_asked asked = asked_of(csrf_sent_seed(call), entry);
	struct uuid tenant_id, person_id;
	struct person_record person;
	struct session_record session;
	struct factor_record factor;
	struct store store = {0};
	const char *reason = "";
	struct proof proof;
	enum err err;

	if (!passkey_handle_read(call, request->user_handle, &tenant_id, &person_id) ||
		(entry->has_request && !uuid_eq(&entry->tenant.id, &tenant_id)))
		return ERR_UNAUTHENTICATED;
	signin_leave_elsewhere(call, &tenant_id);
	if ((err = desk_begin_in(call, &tenant_id, &store)) != OK ||
		(err = store_person_lock(&store, &person_id, &person)) != OK)
		goto done;
	if (person.status != PERSON_ACTIVE) {
		err = ERR_NOT_FOUND;
		goto done;
	}
	if ((err = passkey_prove(call, &store, &asked, &person, &answer, &factor, &reason)) != OK)
		goto done;
	proof = rules_proof_passkey(false, factor.backup_eligible);
	proof.factor_id = factor.id;
	entry->tenant.id = tenant_id;
	err = signin_begin(call, &store, reply, person.row_id, &person.id, &proof, &session);
	if (err == OK)
		err = entry_settle(call, &store, entry, &session, STR("/login"), reply);
done:
	store_release(&store);
	if (err == ERR_UNAUTHENTICATED && put_passkey_refusal(call, &tenant_id, &person, reason) != OK)
		return ERR_UNAVAILABLE;
	return err == ERR_NOT_FOUND ? ERR_UNAUTHENTICATED : err;
}

enum err handle_login_passkey(
	struct call *call, const struct passkey_submit_request *request_in, struct web_reply *reply_out)
{
	struct shown shown = {.status = 403, .ui_locales = request_in->ui_locales, .alert = TEXT_FORM_EXPIRED};
	struct store store = {0};
	struct entry entry;
	enum err err;

	err = call->form_fault.p != NULL ? ERR_GONE : entry_find(call, &store, request_in->resume, &entry);
	store_release(&store);
	if (err == ERR_GONE)
		return notice_show(
			call, shown.ui_locales, 400, TEXT_REQUEST_EXPIRED, TEXT_REQUEST_EXPIRED_HELP, reply_out);
	if (err != OK)
		return err;
	if (csrf_matches(call, csrf_sent_seed(call), FORM_LOGIN, entry.resume, request_in->csrf)) {
		err = try_passkey(call, request_in, &entry, reply_out);
		if (err == OK)
			atomic_fetch_add(&desk_state(call)->counts.sign_ins, 1);
		if (err != ERR_UNAUTHENTICATED)
			return err;
		atomic_fetch_add(&desk_state(call)->counts.sign_ins_refused, 1);
		shown.alert = TEXT_PASSKEY_FAILED;
		*reply_out = (struct web_reply){0};
	}
	return show_form(call, &entry, &shown, reply_out);
}

enum err handle_logout(struct call *call, const struct logout_request *request_in, struct web_reply *reply_out)
{
	struct str handle = rules_cookie_get(call->cookie, COOKIE_SESSION);
	struct uuid tenant_id = signin_tenant(call);
	struct session_record session;
	struct store store = {0};
	enum err err;

	if (uuid_is_nil(&tenant_id) || !csrf_matches(call, handle, FORM_LOGOUT, STR_NONE, request_in->csrf))
		return web_see_other(reply_out, STR("/login"));
	if ((err = desk_begin_in(call, &tenant_id, &store)) != OK)
		goto done;
	err = signin_known(call, &store, &session);
	if (err == OK && (err = signin_end(call, &store, &session, "logout")) == OK) {
		CRASH_POINT("logout.before_commit");
		err = desk_commit(call, &store);
		CRASH_POINT("logout.after_commit");
	}
	if (err != OK && err != ERR_NOT_FOUND)
		goto done;
	if ((err = web_cookie(call, reply_out, COOKIE_SESSION, STR_NONE)) == OK)
		err = web_see_other(reply_out, STR("/login"));
done:
	store_release(&store);
	return err;
}
