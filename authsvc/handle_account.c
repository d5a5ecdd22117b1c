/* SPDX-License-Identifier: Apache-2.0 */
#include "base/encode.h"
#include "csrf.h"
#include "factor.h"
#include "pages.h"
#include "passkey.h"
#include "rules_web.h"
#include "service/crash.h"

#define SERVICE_DEF "contract/authsvc.def"
#include "service/handlers.h"

#define PAGE_MAX 131072
#define FORM_ACCOUNT "account"

/* One request of the page on its way. */
struct desk_call {
	struct call *call;
	struct store *store;
	const struct account_submit_request *request; /* NULL: the page is only shown */
	struct suspect owner;
	struct web_reply *reply;
	struct page page;
};

static struct str csrf_of(const struct desk_call *at, struct str seed)
{
	return csrf_token(at->call, seed, FORM_ACCOUNT, STR_NONE);
}

static struct passkey_asked asked_of(const struct desk_call *at)
{
	return (struct passkey_asked){.seed = at->owner.seed, .ceremony = PASSKEY_REGISTER};
}

static enum err offer_passkey(struct desk_call *at, const struct factor_record *factors, struct factors_view *view)
{
	struct passkey_asked asked = asked_of(at);
	struct passkey_offer offer;
	enum err err = passkey_offer_new(
		at->call, &asked, &at->store->tenant_id, &at->owner.person, factors, view->count, &offer);

	view->passkey = (struct passkey_view){
		.challenge = offer.challenge, .options = offer.options, .csrf = view->csrf, .resume = at->page.resume};
	return err;
}

static enum err list_page(struct desk_call *at, int status, enum text alert)
{
	struct factor_record factors[FACTORS_MAX];
	struct str names[FACTORS_MAX];
	struct factors_view view = {.csrf = csrf_of(at, at->owner.seed),
		.names = names,
		.sign_out = csrf_token(at->call, at->owner.seed, "logout", STR_NONE),
		.codes_left = at->owner.standing.codes,
		.may_change = factor_may_change(&at->owner),
		.factors = factors};
	size_t count;
	struct buf html;
	enum err err;

	err = store_factor_list(at->store, at->owner.person.row_id, &at->owner.person.id, factors, &count);
	if (err != OK)
		return err;
	for (size_t i = 0; i < count; i++) {
		if (factors[i].confirmed_at == 0)
			continue;
		names[view.count] = passkey_name(at->call, &factors[i]);
		factors[view.count++] = factors[i];
	}
	view.full = view.count == FACTORS_MAX;
	if (view.may_change && count < FACTORS_MAX && (err = offer_passkey(at, factors, &view)) != OK)
		return err;
	if (view.passkey.options.p != NULL)
		web_script(at->reply);
	pages_alert(&at->page, alert, 0);
	buf_init(&html, PAGE_MAX);
	at->page.out = &html;
	pages_factors(&at->page, &view);
	err = web_page(at->call, at->reply, status, &html);
	buf_release(&html);
	at->page.out = NULL;
	return err;
}

static enum err enrol_page(struct desk_call *at, const struct factor_record *factor, int status, enum text alert)
{
	struct str secret = rules_base32(at->call->arena, factor->data);
	struct str account = percent_encode(at->call->arena, at->owner.person.email);
	struct enrol_view view = {.csrf = csrf_of(at, at->owner.seed), .id = factor->id, .secret = secret};
	struct buf html;
	enum err err;

	/* https://github.com/google/google-authenticator/wiki/Key-Uri-Format, which every app reads. */
	view.uri = arena_printf(at->call->arena,
		"otpauth://totp/Berth:%.*s?secret=%.*s&issuer=Berth&algorithm=SHA1&digits=%d&period=%d",
		STR_ARG(account), STR_ARG(secret), TOTP_DIGITS, TOTP_STEP_S);
	pages_alert(&at->page, alert, 0);
	buf_init(&html, PAGE_MAX);
	at->page.out = &html;
	pages_enrol(&at->page, &view);
	err = web_page(at->call, at->reply, status, &html);
	buf_release(&html);
	at->page.out = NULL;
	return err;
}

static enum err codes_page(struct desk_call *at, const struct str *codes)
{
	struct buf html;
	enum err err;

	buf_init(&html, PAGE_MAX);
	at->page.out = &html;
	pages_codes(&at->page, codes, RECOVERY_CODES);
	err = web_page(at->call, at->reply, 200, &html);
	buf_release(&html);
	at->page.out = NULL;
	return err;
}

static enum err begin_totp(struct desk_call *at)
{
	struct factor_record factors[FACTORS_MAX], factor = {.id = uuid_new(), .kind = FACTOR_TOTP};
	uint8_t secret[TOTP_SECRET_LEN];
	size_t count, kept = 0;
	enum err err;

	err = store_factor_list(at->store, at->owner.person.row_id, &at->owner.person.id, factors, &count);
	if (err != OK)
		return err;
	for (size_t i = 0; i < count; i++) {
		if (factors[i].kind != FACTOR_TOTP) {
			kept++;
			continue;
		}
		/* One app at a time; one begun before is forgotten. */
		if (factors[i].confirmed_at != 0)
			return list_page(at, 409, TEXT_COUNT);
		if ((err = store_factor_delete(at->store, &factors[i])) != OK)
			return err;
	}
	if (kept == FACTORS_MAX)
		return list_page(at, 409, TEXT_COUNT);
	random_bytes(secret, sizeof(secret));
	factor.data = arena_copy(at->call->arena, (struct str){(const char *)secret, sizeof(secret)});
	if (factor.data.p == NULL)
		return ERR_OVERLOADED;
	err = store_factor_insert(at->store, at->owner.person.row_id, &at->owner.person.id, &factor, clock_now_us());
	if (err != OK)
		return err;
	CRASH_POINT("factor_start.before_commit");
	if ((err = desk_commit(at->call, at->store)) != OK)
		return err;
	CRASH_POINT("factor_start.after_commit");
	return enrol_page(at, &factor, 200, TEXT_COUNT);
}

/* With a request that waits, on the way to its client; else to the page of factors. */
static enum err go_on(struct desk_call *at, const char *path)
{
	struct str handle;

	if (at->page.resume.len == 0)
		return web_see_other(at->reply, STR("/account/factors"));
	handle = percent_encode(at->call->arena, at->page.resume);
	return web_see_other(at->reply, arena_printf(at->call->arena, "%s?resume=%.*s", path, STR_ARG(handle)));
}

/* The session rises under a new handle, if `proof` says more than it did; the first factor brings recovery codes. */
static enum err confirmed(struct desk_call *at, const struct factor_record *factor, struct proof proof)
{
	const struct person_record *person = &at->owner.person;
	const bool first = at->owner.standing.factors == 0;
	struct str codes[RECOVERY_CODES];
	struct session_record session;
	enum err err;

	proof.factor_id = factor->id;
	if (first && (err = factor_codes_make(at->call, at->store, person->row_id, codes)) != OK)
		return err;
	if (proof.acr >= at->owner.session.proof.acr) {
		err = signin_begin(at->call, at->store, at->reply, person->row_id, &person->id, &proof, &session);
		if (err != OK)
			return err;
	}
	err = factor_told(at->call, at->store, person, "factor.create", &factor->id, TEXT_MAIL_FACTOR_ADDED);
	if (err != OK)
		return err;
	CRASH_POINT("factor_confirm.before_commit");
	if ((err = desk_commit(at->call, at->store)) != OK)
		return err;
	CRASH_POINT("factor_confirm.after_commit");
	return first ? codes_page(at, codes) : go_on(at, "/login/factor");
}

static enum err add_passkey(struct desk_call *at)
{
	struct passkey_answer answer = {.challenge = at->request->challenge,
		.client_data = at->request->client_data,
		.attestation = at->request->attestation,
		.transports = at->request->transports,
		.name = at->request->name};
	const bool password = rules_proof_has_password(&at->owner.session.proof);
	struct passkey_asked asked = asked_of(at);
	struct factor_record factors[FACTORS_MAX], factor;
	struct proof proof = {.acr = ACR_NONE};
	const char *reason;
	bool verified;
	size_t count;
	enum err err;

	err = store_factor_list(at->store, at->owner.person.row_id, &at->owner.person.id, factors, &count);
	if (err != OK)
		return err;
	if (count == FACTORS_MAX)
		return list_page(at, 409, TEXT_COUNT);
	err = passkey_register(at->call, at->store, &asked, &at->owner.person, &answer, &factor, &verified, &reason);
	if (err == ERR_UNAUTHENTICATED || err == ERR_CONFLICT)
		return list_page(at, err == ERR_CONFLICT ? 409 : 403, TEXT_PASSKEY_FAILED);
	if (err != OK)
		return err;
	/* With nothing beside it, a passkey that did not verify its user is one factor alone. */
	if (password || verified)
		proof = rules_proof_passkey(password, factor.backup_eligible);
	return confirmed(at, &factor, proof);
}

static enum err confirm_totp(struct desk_call *at)
{
	struct factor_record factors[FACTORS_MAX];
	instant_us now = clock_now_us();
	struct uuid id;
	size_t count;
	int64_t step;
	enum err err;

	if (uuid_parse(at->request->factor, &id) != OK)
		return list_page(at, 400, TEXT_COUNT);
	err = store_factor_list(at->store, at->owner.person.row_id, &at->owner.person.id, factors, &count);
	if (err != OK)
		return err;
	for (size_t i = 0; i < count; i++) {
		if (factors[i].confirmed_at != 0 || !uuid_eq(&factors[i].id, &id))
			continue;
		step = rules_totp_match(factors[i].data, str_trim(at->request->code), factors[i].counter, now);
		if (step == 0)
			return enrol_page(at, &factors[i], 403, TEXT_FACTOR_WRONG);
		if ((err = store_factor_use(at->store, &factors[i], step, now)) != OK)
			return err == ERR_NOT_FOUND ? enrol_page(at, &factors[i], 403, TEXT_FACTOR_WRONG) : err;
		return confirmed(at, &factors[i], rules_proof_totp);
	}
	return list_page(at, 404, TEXT_COUNT);
}

static enum err new_codes(struct desk_call *at)
{
	const struct person_record *person = &at->owner.person;
	struct str codes[RECOVERY_CODES];
	enum err err;

	if (at->owner.standing.factors == 0)
		return list_page(at, 409, TEXT_COUNT);
	if ((err = factor_codes_make(at->call, at->store, person->row_id, codes)) != OK)
		return err;
	err = factor_told(at->call, at->store, person, "factor.codes", &UUID_NIL, TEXT_MAIL_FACTOR_CODES);
	if (err != OK)
		return err;
	CRASH_POINT("factor_codes.before_commit");
	if ((err = desk_commit(at->call, at->store)) != OK)
		return err;
	CRASH_POINT("factor_codes.after_commit");
	return codes_page(at, codes);
}

static enum err remove_one(struct desk_call *at)
{
	struct uuid id;
	enum err err;

	if (uuid_parse(at->request->factor, &id) != OK)
		return list_page(at, 400, TEXT_COUNT);
	if ((err = factor_remove(at->call, at->store, &at->owner.person, &id)) == ERR_NOT_FOUND)
		return list_page(at, 404, TEXT_COUNT);
	if (err != OK)
		return err;
	CRASH_POINT("factor_remove.before_commit");
	if ((err = desk_commit(at->call, at->store)) != OK)
		return err;
	CRASH_POINT("factor_remove.after_commit");
	return go_on(at, "/account/factors");
}

static enum err act(struct desk_call *at)
{
	static const struct {
		const char *name;
		enum err (*run)(struct desk_call *at);
	} actions[] = {{"start", begin_totp}, {"confirm", confirm_totp}, {"codes", new_codes}, {"remove", remove_one},
		{"passkey", add_passkey}};
	struct person_record locked;
	enum err err;

	if (at->call->form_fault.p != NULL ||
		!csrf_matches(at->call, at->owner.seed, FORM_ACCOUNT, STR_NONE, at->request->csrf))
		return list_page(at, 403, TEXT_FORM_EXPIRED);
	/* Changes of one person's factors stand in line here, as does whatever ends the sessions. */
	if ((err = store_person_lock_row(at->store, at->owner.person.row_id, &locked)) != OK)
		return err;
	if ((err = factor_owner_hold(at->store, &at->owner)) != OK)
		return err == ERR_NOT_FOUND ? web_see_other(at->reply, STR("/login")) : err;
	if (!factor_may_change(&at->owner))
		return list_page(at, 403, TEXT_COUNT);
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (str_eq_c(at->request->action, actions[i].name))
			return actions[i].run(at);
	}
	return list_page(at, 400, TEXT_COUNT);
}

static enum err serve(struct desk_call *at, struct str ui_locales, struct str resume)
{
	enum err err = factor_owner(at->call, at->store, &at->owner);

	if (err == ERR_NOT_FOUND)
		return web_see_other(at->reply, STR("/login"));
	if (err != OK)
		return err;
	at->page = (struct page){.arena = at->call->arena,
		.resume = resume,
		.locale = rules_locale_choose(ui_locales, at->call->languages, at->owner.person.locale)};
	return at->request != NULL ? act(at) : list_page(at, 200, TEXT_COUNT);
}

enum err handle_account_factors(
	struct call *call, const struct login_page_request *request_in, struct web_reply *reply_out)
{
	struct store store = {0};
	struct desk_call at = {.call = call, .store = &store, .reply = reply_out};
	enum err err = serve(&at, request_in->ui_locales, request_in->resume);

	store_release(&store);
	return err;
}

enum err handle_account_submit(
	struct call *call, const struct account_submit_request *request_in, struct web_reply *reply_out)
{
	struct store store = {0};
	struct desk_call at = {.call = call, .store = &store, .request = request_in, .reply = reply_out};
	enum err err = serve(&at, request_in->ui_locales, request_in->resume);

	store_release(&store);
	return err;
}
