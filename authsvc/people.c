/* SPDX-License-Identifier: Apache-2.0 */
#include "people.h"

#include "egress/egress_address.h"
#include "issue.h"
#include "rules_oauth.h"
#include "store_email.h"
#include "store_grant.h"
#include "store_mail.h"
#include "store_role.h"
#include "store_role_grant.h"
#include "store_session.h"
#include "ticket.h"

void people_view(struct call *call, const struct person_record *record, struct person *view_out)
{
	*view_out = (struct person){
		.id = record->id,
		.has_id = true,
		.email = record->email,
		.has_email = record->email.p != NULL,
		.given_name = record->given_name,
		.has_given_name = record->given_name.p != NULL,
		.family_name = record->family_name,
		.has_family_name = record->family_name.p != NULL,
		.locale = str_from(rules_locale_name(record->locale)),
		.has_locale = true,
		.roles = desk_words(call->arena, record->roles),
		.has_roles = true,
		.status = str_from(rules_status_name(record->status)),
		.has_status = true,
		.email_verified = record->email_verified_at != 0,
		.has_email_verified = true,
		.version = record->version,
		.has_version = true,
		.created_at = record->created_at,
		.has_created_at = true,
	};
}

struct str people_json(struct call *call, const struct person_record *record)
{
	struct person view;

	people_view(call, record, &view);
	return desk_json(call, shape_person(), &view);
}

enum err people_check_email(struct call *call, struct str email, struct str *normal_out)
{
	if (!egress_address_ok(email))
		return call_refuse(call, ERR_BAD_FIELD, "email", "bad_address",
			"This is no e-mail address that mail can be sent to.");
	*normal_out = rules_email_normal(call->arena, email);
	return normal_out->p != NULL ? OK : ERR_OVERLOADED;
}

static bool is_breached(struct call *call, struct str password)
{
	const struct breached *lists = desk_state(call)->breached;

	return breached_has(&lists[0], password) || breached_has(&lists[1], password);
}

enum err people_check_password(struct call *call, struct str password, struct str normal_email)
{
	switch (rules_password_check(password, normal_email)) {
	case PASSWORD_OK:
		if (!is_breached(call, password))
			return OK;
		return call_refuse(call, ERR_BAD_FIELD, "password", "password_breached",
			"This password is known to others: it stands on a list of passwords that became public.");
	case PASSWORD_SHORT:
		return call_refuse(
			call, ERR_BAD_FIELD, "password", "password_short", "A password has at least 15 characters.");
	case PASSWORD_LONG:
		return call_refuse(
			call, ERR_BAD_FIELD, "password", "password_long", "A password has at most 1024 bytes.");
	case PASSWORD_TRIVIAL:
		return call_refuse(
			call, ERR_BAD_FIELD, "password", "password_trivial", "This password is too easy to guess.");
	}
	return ERR_INTERNAL;
}

enum err people_check_outranks(struct call *call, const struct person_record *record)
{
	struct rights inner = issue_rights_of_person(record);
	struct rights outer = desk_rights(call);

	if (rules_rights_within(&inner, &outer))
		return OK;
	return call_refuse(call, ERR_FORBIDDEN, "roles", "role_exceeds_own",
		"A role grants a permission that you do not have yourself.");
}

/* Those of `kept` that are not built in must be the tenant's own. */
static enum err take_own(struct call *call, struct store *store, const struct texts *kept, struct str *permissions_out)
{
	size_t own = 0, found;
	enum err err;

	*permissions_out = STR("");
	for (size_t i = 0; i < kept->count; i++)
		own += role_by_name(kept->items[i]) == NULL;
	if (own == 0)
		return OK;
	if ((err = store_role_take(store, kept->items, kept->count, permissions_out, &found)) != OK)
		return err;
	return found == own ? OK : call_refuse(call, ERR_BAD_FIELD, "roles", "unknown_role", "There is no such role.");
}

enum err people_check_roles(
	struct call *call, struct store *store, const struct texts *roles, struct person_record *record)
{
	struct texts kept = {arena_take_array(call->arena, roles->count + 1, sizeof(*kept.items)), 0};
	enum err err;

	if (kept.items == NULL)
		return ERR_OVERLOADED;
	for (size_t i = 0; i < roles->count; i++) {
		bool twice = false;

		if (role_by_name(roles->items[i]) == NULL && !rules_role_name_ok(roles->items[i]))
			return call_refuse(call, ERR_BAD_FIELD, "roles", "unknown_role", "There is no such role.");
		for (size_t k = 0; k < kept.count; k++)
			twice = twice || str_eq(kept.items[k], roles->items[i]);
		if (!twice)
			kept.items[kept.count++] = roles->items[i];
	}
	if (kept.count > TOKEN_ROLES_MAX)
		return call_refuse(call, ERR_BAD_FIELD, "roles", "too_many_roles", "A person has at most 8 roles.");
	if ((err = take_own(call, store, &kept, &record->permissions)) != OK)
		return err;
	record->roles = desk_join(call->arena, &kept);
	return record->roles.p != NULL ? people_check_outranks(call, record) : ERR_OVERLOADED;
}

enum err people_check_second(
	struct call *call, struct store *store, const struct rights *before, const struct rights *after)
{
	struct rights gained = rules_rights_minus(after, before);
	struct tenant_record tenant;
	enum err err;

	if (!issue_rights_are_weighty(&gained))
		return OK;
	if ((err = store_tenant_read(store, &tenant)) != OK)
		return err;
	if (!tenant.two_person_rule)
		return OK;
	return call_refuse(call, ERR_FORBIDDEN, "roles", "second_person_required",
		"This takes two people here: ask for it by a grant, which somebody else approves.");
}

enum err people_check_lasting(struct call *call, struct store *store, const struct rights *before,
	const struct rights *after, instant_us until)
{
	struct rights gained = rules_rights_minus(after, before), lasting;
	struct person_record giver;
	enum err err;

	if (uuid_is_nil(&call->token.person_id))
		return OK; /* nothing that a client has ends */
	if ((err = store_person_read(store, &call->token.person_id, &giver)) != OK)
		return err;
	if ((err = store_role_grant_lasting(store, giver.row_id, until, &giver.held)) != OK)
		return err;
	lasting = issue_rights_of_person(&giver);
	if (rules_rights_within(&gained, &lasting))
		return OK;
	return call_refuse(call, ERR_FORBIDDEN, "roles", "held_for_a_time",
		"You hold this for a time yourself, and can give it for no longer.");
}

bool people_counts_as(const struct person_record *record, const char *role)
{
	return record->status == PERSON_ACTIVE && record->email_verified_at != 0 &&
	       rules_word_listed(record->roles, role);
}

enum err people_check_not_last(
	struct call *call, struct store *store, const struct person_record *old, const struct person_record *record)
{
	static const struct {
		const char *role, *reason, *detail;
	} pillars[] = {
		{ROLE_ADMIN, "last_admin", "The tenant would be left without an Admin. Make somebody else one first."},
		{ROLE_OWNER, "last_owner",
			"The tenant would be left without an Owner. Hand it over to somebody else first."},
	};
	struct tenant_record tenant;
	int64_t others;
	enum err err;

	if ((err = store_tenant_read(store, &tenant)) != OK)
		return err;
	for (size_t i = 0; i < sizeof(pillars) / sizeof(pillars[0]); i++) {
		if (!people_counts_as(old, pillars[i].role) ||
			(record != NULL && people_counts_as(record, pillars[i].role)))
			continue;
		if ((err = store_person_others(store, old, pillars[i].role, &others)) != OK)
			return err;
		if (others == 0)
			return call_refuse(call, ERR_CONFLICT, NULL, pillars[i].reason, pillars[i].detail);
		if (i == 0 && others == 1 && tenant.two_person_rule)
			return call_refuse(call, ERR_CONFLICT, NULL, "second_admin",
				"The two-person rule takes two Admins. Make somebody else one first.");
	}
	return OK;
}

enum err people_set_roles(struct call *call, struct store *store, const struct person_record *record)
{
	struct texts roles = desk_words(call->arena, record->roles);
	struct uuid actor = desk_actor(call);

	return store_person_set_roles(store, record, roles.items, roles.count, &actor, clock_now_us());
}

enum err people_take_away(struct store *store, const struct person_record *old, const struct person_record *record)
{
	struct rights before = issue_rights_of_person(old);
	struct rights after = issue_rights_of_person(record);

	if (old->status == PERSON_ACTIVE && record->status == PERSON_SUSPENDED)
		return people_lock_out(store, record, "suspended");
	if (!rules_rights_within(&before, &after))
		return store_revocation_add(store, REVOKED_PERSON, &record->id, 1, clock_now_us());
	return OK;
}

enum err people_revoke(struct store *store, const struct uuid *people, size_t count)
{
	instant_us now = clock_now_us();

	if (count == 0)
		return OK;
	if (count > PEOPLE_REVOKED_MAX)
		return store_revocation_add(store, REVOKED_TENANT, &store->tenant_id, 1, now);
	return store_revocation_add(store, REVOKED_PERSON, people, count, now);
}

enum err people_put_event(struct call *call, struct store *store, const char *action,
	const struct person_record *record, struct str before)
{
	struct trail trail = {
		.action = action,
		.object_type = "person",
		.object_id = record->id,
		.subject_id = record->id,
		.version = record->version,
		.before = before,
		.after = people_json(call, record),
	};

	return trail.after.p != NULL ? desk_put_event(call, store, &trail) : ERR_OVERLOADED;
}

enum err people_lock_out(struct store *store, const struct person_record *record, const char *reason)
{
	instant_us now = clock_now_us();
	enum err err;

	if ((err = store_session_end_person(store, record->row_id, now)) != OK)
		return err;
	if ((err = store_family_revoke(store, FAMILY_OF_PERSON, record->row_id, reason, now, NULL)) != OK)
		return err;
	if ((err = store_email_delete(store, record->row_id)) != OK)
		return err;
	return store_revocation_add(store, REVOKED_PERSON, &record->id, 1, now);
}

enum err people_sign_out(struct call *call, struct store *store, const struct person_record *record, const char *reason)
{
	struct trail trail = {.action = "session.end_all",
		.object_type = "person",
		.object_id = record->id,
		.subject_id = record->id,
		.actor_id = call->has_token ? UUID_NIL : record->id,
		.version = record->version,
		.after = arena_printf(call->arena, "{\"reason\":\"%s\"}", reason)};
	enum err err;

	if ((err = people_lock_out(store, record, reason)) != OK)
		return err;
	return desk_put_event(call, store, &trail);
}

struct letter {
	enum link_kind kind;
	enum vault_purpose purpose;
	const char *path;
	enum text subject, body;
	int64_t life_us;
};

static enum err send_letter(struct call *call, struct store *store, const struct person_record *record,
	const struct tenant_record *tenant, const struct letter *letter)
{
	instant_us now = clock_now_us();
	struct ticket ticket;
	struct str token, text;
	enum err err;

	ticket = ticket_new(desk_state(call)->vault, letter->purpose, &store->tenant_id, call->arena, &token);
	if (token.p == NULL)
		return ERR_OVERLOADED;
	if ((err = store_link_insert(store, letter->kind, record->row_id, vault_hash_str(&ticket.hash), now)) != OK)
		return err;
	text = arena_printf(call->arena, "%s\n\n%s%s?token=%.*s\n\n%.*s\n", texts_get(letter->body, record->locale),
		context_public_url(call->worker->context), letter->path, STR_ARG(token), STR_ARG(tenant->name));
	if (text.p == NULL)
		return ERR_OVERLOADED;
	return store_mail_insert(store, &record->id, record->email,
		texts_fill(call->arena, letter->subject, record->locale, tenant->name), text, now + letter->life_us,
		now);
}

enum err people_mail_invitation(
	struct call *call, struct store *store, const struct person_record *record, const struct tenant_record *tenant)
{
	static const struct letter letter = {LINK_INVITATION, VAULT_INVITATION, "/invitation",
		TEXT_MAIL_INVITATION_SUBJECT_FMT, TEXT_MAIL_INVITATION_BODY, INVITATION_LIFE_US};

	return send_letter(call, store, record, tenant, &letter);
}

enum err people_mail_verification(
	struct call *call, struct store *store, const struct person_record *record, const struct tenant_record *tenant)
{
	static const struct letter letter = {LINK_VERIFICATION, VAULT_VERIFICATION, "/verification",
		TEXT_MAIL_VERIFICATION_SUBJECT_FMT, TEXT_MAIL_VERIFICATION_BODY, VERIFICATION_LIFE_US};

	return send_letter(call, store, record, tenant, &letter);
}

enum err people_mail_reset(
	struct call *call, struct store *store, const struct person_record *record, const struct tenant_record *tenant)
{
	static const struct letter letter = {LINK_RESET, VAULT_RESET, "/password/reset", TEXT_MAIL_RESET_SUBJECT_FMT,
		TEXT_MAIL_RESET_BODY, RESET_LIFE_US};

	return send_letter(call, store, record, tenant, &letter);
}

enum err people_tell(
	struct call *call, struct store *store, const struct person_record *record, enum text subject, enum text body)
{
	instant_us now = clock_now_us();
	struct tenant_record tenant;
	struct str text;
	enum err err;

	if ((err = store_tenant_read(store, &tenant)) != OK)
		return err;
	text = arena_printf(call->arena, "%s\n\n%.*s\n", texts_get(body, record->locale), STR_ARG(tenant.name));
	if (text.p == NULL)
		return ERR_OVERLOADED;
	return store_mail_insert(store, &record->id, record->email,
		texts_fill(call->arena, subject, record->locale, tenant.name), text, now + NOTICE_LIFE_US, now);
}

enum text people_password_alert(struct call *call)
{
	enum text alert = TEXT_PASSWORD_SHORT;

	if (str_eq_c(call->reason, "password_long"))
		alert = TEXT_PASSWORD_LONG;
	if (str_eq_c(call->reason, "password_trivial"))
		alert = TEXT_PASSWORD_TRIVIAL;
	if (str_eq_c(call->reason, "password_breached"))
		alert = TEXT_PASSWORD_BREACHED;
	call->field = call->reason = call->detail = STR_NONE;
	return alert;
}
