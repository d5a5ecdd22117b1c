/* SPDX-License-Identifier: Apache-2.0 */
#include "base/encode.h"
#include "csrf.h"
#include "entry.h"
#include "factor.h"
#include "guard.h"
#include "pages.h"
#include "passkey.h"
#include "people.h"
#include "service/crash.h"

#define SERVICE_DEF "contract/authsvc.def"
#include "service/handlers.h"

#define PAGE_MAX 131072 /* with the options of as many passkeys as there may be */
#define FORM_FACTOR "factor"

struct shown {
	int status;
	enum text alert; /* TEXT_COUNT: none */
	int64_t wait_s;
};

/* Behind a password presence is enough; where there was none, the passkey is all there is and verifies its user. */
static struct passkey_asked asked_of(const struct suspect *suspect, struct str resume)
{
	return (struct passkey_asked){.seed = suspect->seed,
		.about = resume,
		.ceremony = PASSKEY_FACTOR,
		.user_verification = suspect->signed_in && !rules_proof_has_password(&suspect->session.proof)};
}

/* What the person has to show. */
static enum err offer_factors(struct call *call, struct store *store, const struct suspect *suspect,
	const struct entry *entry, struct factor_form *form)
{
	struct passkey_asked asked = asked_of(suspect, entry->resume);
	struct factor_record factors[FACTORS_MAX];
	struct passkey_offer offer;
	bool passkeys = false;
	size_t count;
	enum err err;

	form->code = suspect->standing.codes > 0;
	err = store_factor_list(store, suspect->person.row_id, &suspect->person.id, factors, &count);
	for (size_t i = 0; i < count && err == OK; i++) {
		form->code = form->code || (factors[i].kind == FACTOR_TOTP && factors[i].confirmed_at != 0);
		passkeys = passkeys || factors[i].kind == FACTOR_PASSKEY;
	}
	if (err != OK || !passkeys)
		return err;
	err = passkey_offer(call, &asked, factors, count, &offer);
	form->passkey = (struct passkey_view){
		.challenge = offer.challenge, .options = offer.options, .csrf = form->csrf, .resume = form->resume};
	return err;
}

static enum err show_form(struct call *call, struct store *store, const struct suspect *suspect,
	const struct entry *entry, struct str ui_locales, const struct shown *shown, struct web_reply *reply)
{
	struct page page = {.arena = call->arena, .locale = entry_locale(call, entry, ui_locales)};
	struct factor_form form = {.resume = entry->resume};
	struct buf html;
	enum err err;

	pages_alert(&page, shown->alert, shown->wait_s);
	form.csrf = csrf_token(call, suspect->seed, FORM_FACTOR, entry->resume);
	if ((err = offer_factors(call, store, suspect, entry, &form)) != OK)
		return err;
	if (form.passkey.options.p != NULL)
		web_script(reply);
	if (!form.code) /* then there is no field to tell it at */
		page.fault = NULL;
	entry_form_action(entry, reply);
	buf_init(&html, PAGE_MAX);
	page.out = &html;
	pages_factor(&page, &form);
	err = web_page(call, reply, shown->status, &html);
	buf_release(&html);
	return err;
}

/* Who has nothing to show is sent to where one begins. */
static struct str elsewhere(struct call *call, const struct suspect *suspect, enum err found, struct str resume)
{
	struct str handle = percent_encode(call->arena, resume);

	if (found != OK || !suspect->signed_in)
		return STR("/login");
	return resume.len > 0 ? arena_printf(call->arena, "/account/factors?resume=%.*s", STR_ARG(handle))
	                      : STR("/account/factors");
}

/* Whether the browser has just done what the request waits for: with a factor, after it was made. */
static bool is_answered(const struct store *store, const struct suspect *suspect, const struct entry *entry)
{
	return suspect->signed_in && entry->ask.redirect_uri.p != NULL &&
	       uuid_eq(&entry->tenant.id, &store->tenant_id) && suspect->session.proof.acr >= ACR_2FA &&
	       ask_suits(&entry->ask, &suspect->session.proof) && suspect->session.auth_at > entry->request.created_at;
}

enum err handle_factor_page(struct call *call, const struct login_page_request *request_in, struct web_reply *reply_out)
{
	struct shown shown = {200, TEXT_COUNT, 0};
	struct store store = {0}, kept = {0};
	struct suspect suspect;
	struct entry entry;
	enum err err;

	if ((err = entry_find(call, &kept, request_in->resume, &entry)) == ERR_GONE)
		err = OK; /* the form still proves the factor */
	store_release(&kept);
	if (err != OK)
		goto done;
	err = factor_suspect(call, &store, &suspect);
	if (err == ERR_NOT_FOUND || (err == OK && suspect.standing.factors == 0))
		err = web_see_other(reply_out, elsewhere(call, &suspect, err, request_in->resume));
	else if (err == OK && is_answered(&store, &suspect, &entry))
		err = entry_settle(call, &store, &entry, &suspect.session, STR("/login"), reply_out);
	else if (err == OK)
		err = show_form(call, &store, &suspect, &entry, request_in->ui_locales, &shown, reply_out);
done:
	store_release(&store);
	return err;
}

/* What counts is whose factor is guessed, from wherever. */
static enum err count_attempt(struct call *call, const struct suspect *suspect, const struct uuid *tenant_id,
	struct guard *guard, int64_t *wait_s)
{
	char id[UUID_TEXT_LEN + 1];

	uuid_format(&suspect->person.id, id);
	return guard_attempt(call, tenant_id, arena_printf(call->arena, "factor:%s", id), guard, wait_s);
}

/* Only now the password before it was a sign-in. */
static enum err count_success(
	struct call *call, const struct suspect *suspect, const struct uuid *tenant_id, const struct guard *guard)
{
	struct guard password;
	enum err err;

	guard_succeed(call, guard);
	if (suspect->signed_in)
		return OK;
	err = guard_of(call, tenant_id, rules_email_normal(call->arena, suspect->person.email), &password);
	if (err != OK)
		return err;
	guard_succeed(call, &password);
	atomic_fetch_add(&desk_state(call)->counts.sign_ins, 1);
	return OK;
}

static enum err put_refusal(struct call *call, struct store *store, const struct suspect *suspect, const char *reason)
{
	struct trail trail = {.action = "factor.refuse",
		.object_type = "person",
		.object_id = suspect->person.id,
		.subject_id = suspect->person.id,
		.actor_id = suspect->person.id,
		.version = 1,
		.after = arena_printf(call->arena, "{\"reason\":\"%s\"}", reason)};
	enum err err = desk_put_event(call, store, &trail);

	return err == OK ? desk_commit(call, store) : err;
}

/* A passkey if one was sent, else what was typed. */
static enum err prove(struct call *call, const struct factor_submit_request *request, struct store *store,
	const struct suspect *suspect, const struct entry *entry, struct proof *proof_out, const char **reason_out)
{
	struct passkey_asked asked = asked_of(suspect, entry->resume);
	struct passkey_answer answer = {.challenge = request->challenge,
		.client_data = request->client_data,
		.credential = request->credential,
		.authenticator_data = request->authenticator_data,
		.signature = request->signature};
	const bool password = !suspect->signed_in || rules_proof_has_password(&suspect->session.proof);
	struct factor_record factor;
	enum err err;

	if (request->credential.len == 0) {
		err = factor_prove(call, store, &suspect->person, request->code, proof_out);
		if (!password)
			proof_out->methods = STR("otp mfa");
		return err;
	}
	*reason_out = "another credential";
	err = passkey_prove(call, store, &asked, &suspect->person, &answer, &factor, reason_out);
	if (err != OK)
		return err == ERR_NOT_FOUND ? ERR_UNAUTHENTICATED : err;
	*proof_out = rules_proof_passkey(password, factor.backup_eligible);
	proof_out->factor_id = factor.id;
	return OK;
}

/* ERR_UNAUTHENTICATED: the page is shown again, with what was wrong. */
static enum err try_factor(struct call *call, const struct factor_submit_request *request, struct store *store,
	struct suspect *suspect, const struct entry *entry, struct web_reply *reply, struct shown *shown)
{
	const char *reason = "code";
	struct session_record session;
	struct guard guard;
	struct proof proof;
	enum err err;

	if ((err = count_attempt(call, suspect, &store->tenant_id, &guard, &shown->wait_s)) != OK)
		return err;
	if (shown->wait_s > 0) {
		*shown = (struct shown){429, TEXT_WAIT_FMT, shown->wait_s};
		return ERR_UNAUTHENTICATED;
	}
	/* A session that has ended meanwhile does not rise. */
	if (suspect->signed_in && (err = factor_owner_hold(store, suspect)) != OK)
		return err == ERR_NOT_FOUND ? ERR_UNAUTHENTICATED : err;
	if ((err = prove(call, request, store, suspect, entry, &proof, &reason)) == ERR_UNAUTHENTICATED) {
		*shown = (struct shown){403, request->credential.len > 0 ? TEXT_PASSKEY_FAILED : TEXT_FACTOR_WRONG, 0};
		err = put_refusal(call, store, suspect, reason);
		return err == OK ? ERR_UNAUTHENTICATED : err;
	}
	if (err != OK)
		return err;
	err = signin_begin(call, store, reply, suspect->person.row_id, &suspect->person.id, &proof, &session);
	if (err != OK)
		return err;
	if ((err = web_cookie(call, reply, COOKIE_FACTOR, STR_NONE)) != OK)
		return err;
	err = entry_settle(
		call, store, entry, &session, suspect->signed_in ? STR("/account/factors") : STR("/login"), reply);
	return err == OK ? count_success(call, suspect, &store->tenant_id, &guard) : err;
}

/* The event of the refusal was committed: the page reads in a transaction of its own. */
static enum err show_again(struct call *call, struct store *store, struct suspect *suspect, const struct entry *entry,
	struct str ui_locales, const struct shown *shown, struct web_reply *reply)
{
	enum err err;

	store_release(store);
	*store = (struct store){0};
	*reply = (struct web_reply){0};
	if ((err = factor_suspect(call, store, suspect)) != OK)
		return err == ERR_NOT_FOUND ? web_see_other(reply, STR("/login")) : err;
	return show_form(call, store, suspect, entry, ui_locales, shown, reply);
}

enum err handle_factor_submit(
	struct call *call, const struct factor_submit_request *request_in, struct web_reply *reply_out)
{
	struct shown shown = {403, TEXT_FORM_EXPIRED, 0};
	struct store store = {0}, kept = {0};
	struct suspect suspect;
	struct entry entry;
	enum err err;

	if ((err = entry_find(call, &kept, request_in->resume, &entry)) == ERR_GONE)
		err = OK;
	store_release(&kept);
	if (err != OK)
		goto done;
	err = factor_suspect(call, &store, &suspect);
	if (err == ERR_NOT_FOUND || (err == OK && suspect.standing.factors == 0)) {
		err = web_see_other(reply_out, elsewhere(call, &suspect, err, request_in->resume));
		goto done;
	}
	if (err != OK)
		goto done;
	/* A request of another tenant is not this person's to answer. */
	if (entry.has_request && !uuid_eq(&entry.tenant.id, &store.tenant_id))
		entry = (struct entry){.resume = request_in->resume};
	err = ERR_UNAUTHENTICATED;
	if (call->form_fault.p == NULL &&
		csrf_matches(call, suspect.seed, FORM_FACTOR, entry.resume, request_in->csrf)) {
		if (!suspect.signed_in)
			signin_leave_elsewhere(call, &store.tenant_id);
		err = try_factor(call, request_in, &store, &suspect, &entry, reply_out, &shown);
	}
	if (err == ERR_UNAUTHENTICATED) {
		err = show_again(call, &store, &suspect, &entry, request_in->ui_locales, &shown, reply_out);
	}
done:
	store_release(&store);
	return err;
}

enum err handle_me_factor_list(struct call *call, const struct empty *request_in, struct factor_list *reply_out)
{
	struct factor_record factors[FACTORS_MAX];
	struct factor_standing standing;
	struct person_record person;
	struct store store = {0};
	size_t count;
	enum err err;

	(void)request_in;
	if ((err = desk_begin(call, &store)) != OK)
		goto done;
	if ((err = store_person_read(&store, &call->token.person_id, &person)) != OK)
		goto done;
	if ((err = store_factor_list(&store, person.row_id, &person.id, factors, &count)) != OK)
		goto done;
	if ((err = store_factor_standing(&store, person.row_id, &standing)) != OK)
		goto done;
	reply_out->items.items = arena_take_array(call->arena, FACTORS_MAX, sizeof(*reply_out->items.items));
	if (reply_out->items.items == NULL) {
		err = ERR_OVERLOADED;
		goto done;
	}
	for (size_t i = 0; i < count; i++) {
		if (factors[i].confirmed_at == 0)
			continue;
		reply_out->items.items[reply_out->items.count++] = (struct factor_view){
			.id = factors[i].id,
			.has_id = true,
			.kind = str_from(rules_factor_kind_name(factors[i].kind)),
			.has_kind = true,
			.created_at = factors[i].confirmed_at,
			.has_created_at = true,
			.used_at = factors[i].used_at,
			.has_used_at = factors[i].used_at != 0,
			.name = passkey_name(call, &factors[i]),
			.has_name = passkey_name(call, &factors[i]).p != NULL,
			.backed_up = factors[i].backed_up,
			.has_backed_up = factors[i].kind == FACTOR_PASSKEY,
		};
	}
	reply_out->has_items = reply_out->has_next_cursor = true;
	reply_out->recovery_codes_left = standing.codes;
	reply_out->has_recovery_codes_left = true;
done:
	store_release(&store);
	return err;
}

enum err handle_me_factor_delete(struct call *call, const struct factor_ref *request_in, struct empty *reply_out)
{
	struct person_record person;
	struct store store = {0};
	enum err err;

	(void)reply_out;
	if (call->token.acr < ACR_2FA || clock_now_us() - call->token.auth_at > STEP_UP_MAX_AGE_S * US_PER_S)
		return call_refuse(call, ERR_STEP_UP, NULL, NULL,
			"Removing a factor needs a sign-in with a second factor of the last fifteen minutes.");
	if ((err = desk_begin(call, &store)) != OK)
		goto done;
	if ((err = store_person_lock(&store, &call->token.person_id, &person)) != OK)
		goto done;
	if ((err = factor_remove(call, &store, &person, &request_in->id)) != OK)
		goto done;
	CRASH_POINT("me_factor_delete.before_commit");
	err = desk_commit(call, &store);
	CRASH_POINT("me_factor_delete.after_commit");
done:
	store_release(&store);
	return err;
}

/* Also ends what is open: whoever holds the lost factor may hold a session too. */
enum err handle_person_factors_reset(struct call *call, const struct person_ref *request_in, struct empty *reply_out)
{
	struct person_record person;
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
	if ((err = store_factor_delete_person(&store, person.row_id)) != OK)
		goto done;
	if ((err = people_lock_out(&store, &person, "factors_reset")) != OK)
		goto done;
	if ((err = factor_told(call, &store, &person, "factor.reset", &UUID_NIL, TEXT_MAIL_FACTOR_RESET)) != OK)
		goto done;
	CRASH_POINT("person_factors_reset.before_commit");
	err = desk_commit(call, &store);
	CRASH_POINT("person_factors_reset.after_commit");
done:
	store_release(&store);
	return err;
}
