/* SPDX-License-Identifier: Apache-2.0 */
#include "csrf.h"
#include "guard.h"
#include "hasher.h"
#include "notice.h"
#include "pages.h"
#include "people.h"
#include "rules_web.h"
#include "service/crash.h"
#include "store_consent.h"
#include "store_factor.h"
#include "store_mail.h"
#include "ticket.h"

#define SERVICE_DEF "contract/authsvc.def"
#include "service/handlers.h"

#define PAGE_MAX 32768
#define FORM_VERIFICATION "verification"

static enum err put_event(struct call *call, struct store *store, const char *action,
	const struct person_record *person, struct str before)
{
	struct trail trail = {.action = action,
		.object_type = "person",
		.object_id = person->id,
		.subject_id = person->id,
		.actor_id = person->id,
		.version = person->version,
		.before = before,
		.after = people_json(call, person)};

	return trail.after.p != NULL ? desk_put_event(call, store, &trail) : ERR_OVERLOADED;
}

/* The tenant of a slug, or ERR_NOT_FOUND. */
static enum err find_tenant(struct call *call, struct str slug, struct tenant_record *tenant_out)
{
	db_set_deadline(desk_of(call)->jobs, call->deadline_us);
	return store_tenant_by_slug(desk_of(call)->jobs, call->arena, slug, tenant_out);
}

static bool may_register_again(const struct person_record *known)
{
	return known->status == PERSON_ACTIVE && known->email_verified_at == 0;
}

/*
 * Whoever registered before need not be the owner of the address: nothing of what they have done with the account opens
 * it later on.
 */
static enum err leave_nothing(struct store *store, const struct person_record *known)
{
	enum err err;

	if ((err = people_lock_out(store, known, "registered_again")) != OK)
		return err;
	if ((err = store_factor_delete_person(store, known->row_id)) != OK)
		return err;
	return store_consent_delete_person(store, known->row_id);
}

/*
 * A new person, or again one who registered and never proved the address: the last to register holds the newest
 * link.
 */
static enum err write_registered(struct call *call, const struct registration_create_request *request,
	struct store *store, struct str normal_email, struct person_record *person, struct str *before_out)
{
	struct str user_role = STR(ROLE_USER);
	struct person_record known;
	instant_us now = clock_now_us();
	enum err err;

	*before_out = STR_NONE;
	if ((err = store_person_by_email(store, normal_email, &known)) == ERR_NOT_FOUND) {
		if ((err = store_person_insert(store, person, normal_email, now)) != OK)
			return err;
		person->roles = user_role;
		return store_person_set_roles(store, person, &user_role, 1, &UUID_NIL, now);
	}
	if (err != OK)
		return err;
	if (!may_register_again(&known))
		return ERR_CONFLICT;
	if ((err = store_person_lock(store, &known.id, &known)) != OK)
		return err;
	/* Again: whoever proves the address meanwhile was waited for. */
	if (!may_register_again(&known))
		return ERR_CONFLICT;
	if ((err = leave_nothing(store, &known)) != OK)
		return err;
	if ((*before_out = people_json(call, &known)).p == NULL)
		return ERR_OVERLOADED;
	known.given_name = request->given_name;
	known.family_name = request->family_name;
	known.locale = person->locale;
	*person = known;
	return store_person_update(store, person, now);
}

static enum err write_all(struct call *call, const struct registration_create_request *request,
	const struct tenant_record *tenant, struct str normal_email, const struct hash *hash, struct store *store)
{
	struct person_record person = {.id = uuid_new(),
		.status = PERSON_ACTIVE,
		.email = request->email,
		.given_name = request->given_name,
		.family_name = request->family_name,
		.locale = tenant->locale};
	struct str before;
	enum err err;

	if (request->has_locale && !rules_locale_parse(request->locale, &person.locale))
		return ERR_BAD_FIELD;
	if ((err = write_registered(call, request, store, normal_email, &person, &before)) != OK)
		return err;
	if ((err = store_credential_put(
		     store, person.row_id, str_from(hash->text), hash->pepper_epoch, clock_now_us())) != OK)
		return err;
	if ((err = people_mail_verification(call, store, &person, tenant)) != OK)
		return err;
	return put_event(call, store, "person.register", &person, before);
}

static enum err register_person(struct call *call, const struct registration_create_request *request,
	struct str normal_email, const struct hash *hash)
{
	struct tenant_record tenant;
	struct store store = {0};
	enum err err;

	if ((err = find_tenant(call, request->tenant, &tenant)) != OK)
		goto done;
	if (!rules_email_in_domain(normal_email, tenant.registration_domain) ||
		!guard_may_mail(call, &tenant.id, normal_email))
		goto done;
	if ((err = desk_begin_in(call, &tenant.id, &store)) != OK)
		goto done;
	if ((err = write_all(call, request, &tenant, normal_email, hash, &store)) != OK)
		goto done;
	CRASH_POINT("registration.before_commit");
	err = desk_commit(call, &store);
	CRASH_POINT("registration.after_commit");
done:
	store_release(&store);
	/* Whether the tenant exists, lets people register, or knows the address: the answer is the same. */
	return err == ERR_NOT_FOUND || err == ERR_CONFLICT ? OK : err;
}

enum err handle_registration_create(
	struct call *call, const struct registration_create_request *request_in, struct accepted *reply_out)
{
	struct str normal_email;
	struct hash hash;
	enum err err;

	if ((err = people_check_email(call, request_in->email, &normal_email)) != OK)
		return err;
	if ((err = people_check_password(call, request_in->password, normal_email)) != OK)
		return err;
	if ((err = hasher_make(desk_state(call)->hasher, request_in->password, call->deadline_us, &hash)) != OK)
		return err;
	reply_out->status = STR("accepted");
	reply_out->has_status = true;
	return register_person(call, request_in, normal_email, &hash);
}

static enum err send_again(struct call *call, const struct verification_send_request *request, struct str normal_email)
{
	struct tenant_record tenant;
	struct person_record person;
	struct store store = {0};
	enum err err;

	if ((err = find_tenant(call, request->tenant, &tenant)) != OK)
		goto done;
	if (!guard_may_mail(call, &tenant.id, normal_email))
		goto done;
	if ((err = desk_begin_in(call, &tenant.id, &store)) != OK)
		goto done;
	if ((err = store_person_by_email(&store, normal_email, &person)) != OK)
		goto done;
	if (person.status != PERSON_ACTIVE || person.email_verified_at != 0)
		goto done;
	if ((err = people_mail_verification(call, &store, &person, &tenant)) != OK)
		goto done;
	err = desk_commit(call, &store);
done:
	store_release(&store);
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err handle_verification_send(
	struct call *call, const struct verification_send_request *request_in, struct accepted *reply_out)
{
	struct str normal_email;
	enum err err;

	if ((err = people_check_email(call, request_in->email, &normal_email)) != OK)
		return err;
	reply_out->status = STR("accepted");
	reply_out->has_status = true;
	return send_again(call, request_in, normal_email);
}

/* ERR_GONE: used, expired or never given. */
static enum err find_unverified(
	struct store *store, const struct ticket *ticket, bool take, struct person_record *person_out)
{
	int64_t row_id;
	enum err err;

	err = store_link_find(store, LINK_VERIFICATION, vault_hash_str(&ticket->hash), take, clock_now_us(), &row_id);
	if (err == ERR_NOT_FOUND)
		return ERR_GONE;
	if (err != OK || (err = store_person_lock_row(store, row_id, person_out)) != OK)
		return err;
	return person_out->status == PERSON_ACTIVE ? OK : ERR_GONE;
}

/*
 * The mail proves the address and the password proves who registered it: an address that somebody else registered is
 * not confirmed under a password that its owner never chose. ERR_BAD_FIELD: another password; ERR_RATE_LIMITED: too
 * often.
 */
static enum err check_owner(struct call *call, const struct ticket *ticket, struct str password,
	struct sign_in_record *record_out, struct guard *guard_out)
{
	struct person_record person;
	struct store store = {0};
	struct str normal_email = STR_NONE;
	int64_t wait_s = 0;
	bool match = false, stale;
	enum err err;

	if ((err = desk_begin_in(call, &ticket->tenant_id, &store)) != OK)
		goto done;
	if ((err = find_unverified(&store, ticket, false, &person)) != OK)
		goto done;
	if ((normal_email = rules_email_normal(call->arena, person.email)).p == NULL)
		err = ERR_OVERLOADED;
	else
		err = store_person_sign_in(&store, normal_email, record_out);
done:
	store_release(&store);
	if (err != OK || (err = guard_attempt(call, &ticket->tenant_id, normal_email, guard_out, &wait_s)) != OK)
		return err;
	if (wait_s > 0) {
		call->retry_after_s = (uint32_t)wait_s;
		return ERR_RATE_LIMITED;
	}
	err = hasher_check(desk_state(call)->hasher, password, record_out->found ? record_out->encoded : STR_NONE,
		record_out->pepper_epoch, call->deadline_us, &match, &stale);
	if (err == OK && !match)
		err = call_refuse(call, ERR_BAD_FIELD, "password", "password_wrong",
			"This is not the password that was chosen with the registration; register again.");
	return err;
}

/* Under the person's lock: a registration that came meanwhile has another password. */
static bool is_unchanged(const struct sign_in_record *checked, const struct sign_in_record *now)
{
	return now->found && now->row_id == checked->row_id && str_eq(now->encoded, checked->encoded);
}

static enum err write_verified(struct call *call, struct store *store, struct person_record *person)
{
	instant_us now = clock_now_us();
	struct str before;
	enum err err;

	if ((before = people_json(call, person)).p == NULL)
		return ERR_OVERLOADED;
	person->email_verified_at = now;
	if ((err = store_person_update(store, person, now)) != OK)
		return err;
	return put_event(call, store, "person.verify", person, before);
}

static enum err confirm(struct call *call, struct str token, struct str password)
{
	struct sign_in_record checked = {0}, record = {0};
	struct person_record person;
	struct store store = {0};
	struct str normal_email;
	struct ticket ticket;
	struct guard guard;
	enum err err;

	if (!ticket_parse(desk_state(call)->vault, VAULT_VERIFICATION, call->arena, token, &ticket))
		return ERR_GONE;
	if ((err = check_owner(call, &ticket, password, &checked, &guard)) != OK)
		return err;
	if ((err = desk_begin_in(call, &ticket.tenant_id, &store)) != OK)
		goto done;
	if ((err = find_unverified(&store, &ticket, true, &person)) != OK)
		goto done;
	if ((normal_email = rules_email_normal(call->arena, person.email)).p == NULL) {
		err = ERR_OVERLOADED;
		goto done;
	}
	if ((err = store_person_sign_in(&store, normal_email, &record)) != OK)
		goto done;
	if (!is_unchanged(&checked, &record)) {
		err = ERR_GONE;
		goto done;
	}
	if ((err = write_verified(call, &store, &person)) != OK)
		goto done;
	CRASH_POINT("verification.before_commit");
	if ((err = desk_commit(call, &store)) != OK)
		goto done;
	CRASH_POINT("verification.after_commit");
	guard_succeed(call, &guard);
done:
	store_release(&store);
	return err;
}

enum err handle_verification_confirm(
	struct call *call, const struct verification_confirm_request *request_in, struct accepted *reply_out)
{
	reply_out->status = STR("accepted");
	reply_out->has_status = true;
	return confirm(call, request_in->token, request_in->password);
}

/* A form rather than the deed itself: mail scanners follow links. */
static enum err show_form(struct call *call, struct str token, struct str ui_locales, enum text alert, int status,
	struct web_reply *reply)
{
	struct page page = {.arena = call->arena};
	struct link_form form = {.token = token};
	struct person_record person = {0};
	struct store store = {0};
	struct ticket ticket;
	struct str seed;
	struct buf html;
	enum err err = ERR_GONE;

	buf_init(&html, PAGE_MAX);
	if (ticket_parse(desk_state(call)->vault, VAULT_VERIFICATION, call->arena, token, &ticket) &&
		(err = desk_begin_in(call, &ticket.tenant_id, &store)) == OK)
		err = find_unverified(&store, &ticket, false, &person);
	if (err == ERR_GONE) {
		err = notice_show(call, ui_locales, 410, TEXT_LINK_GONE, TEXT_VERIFICATION_GONE_HELP, reply);
	} else if (err == OK && (err = csrf_seed(call, reply, &seed)) == OK) {
		page.locale = rules_locale_choose(ui_locales, call->languages, person.locale);
		page.out = &html;
		pages_alert(&page, alert, 0);
		form.email = person.email;
		form.csrf = csrf_token(call, seed, FORM_VERIFICATION, token);
		pages_verification(&page, &form);
		err = web_page(call, reply, status, &html);
	}
	store_release(&store);
	buf_release(&html);
	return err;
}

enum err handle_verification_page(
	struct call *call, const struct link_page_request *request_in, struct web_reply *reply_out)
{
	return show_form(call, request_in->token, request_in->ui_locales, TEXT_COUNT, 200, reply_out);
}

enum err handle_verification_submit(
	struct call *call, const struct verification_submit_request *request_in, struct web_reply *reply_out)
{
	enum err err;

	if (call->form_fault.p == NULL &&
		!csrf_matches(call, csrf_sent_seed(call), FORM_VERIFICATION, request_in->token, request_in->csrf))
		return show_form(call, request_in->token, request_in->ui_locales, TEXT_FORM_EXPIRED, 403, reply_out);
	err = call->form_fault.p == NULL ? confirm(call, request_in->token, request_in->password) : ERR_GONE;
	if (err == ERR_BAD_FIELD || err == ERR_RATE_LIMITED) {
		call->field = call->reason = call->detail = STR_NONE;
		return show_form(call, request_in->token, request_in->ui_locales,
			err == ERR_BAD_FIELD ? TEXT_VERIFICATION_PASSWORD_WRONG : TEXT_VERIFICATION_LATER,
			err == ERR_BAD_FIELD ? 422 : 429, reply_out);
	}
	if (err == ERR_GONE)
		return notice_show(
			call, request_in->ui_locales, 410, TEXT_LINK_GONE, TEXT_VERIFICATION_GONE_HELP, reply_out);
	if (err != OK)
		return err;
	return notice_show(call, request_in->ui_locales, 200, TEXT_VERIFIED, TEXT_VERIFIED_HELP, reply_out);
}
