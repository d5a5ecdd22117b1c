/* SPDX-License-Identifier: Apache-2.0 */
#include "owner.h"

#include "hasher.h"

enum err owner_find(struct call *call, struct owner *owner_out, struct web_reply *reply)
{
	struct store store = {0};
	enum err err;

	*owner_out = (struct owner){0};
	err = factor_owner(call, &store, &owner_out->suspect);
	owner_out->tenant_id = store.tenant_id;
	if (err == OK) {
		owner_out->normal_email = rules_email_normal(call->arena, owner_out->suspect.person.email);
		err = owner_out->normal_email.p != NULL ? OK : ERR_OVERLOADED;
	}
	if (err == OK)
		err = store_person_sign_in(&store, owner_out->normal_email, &owner_out->record);
	store_release(&store);
	if (err == ERR_NOT_FOUND || (err == OK && !owner_out->record.found)) {
		err = web_see_other(reply, STR("/login"));
		return err == OK ? ERR_NOT_FOUND : err;
	}
	if (err == OK && owner_out->suspect.standing.factors > 0 && owner_out->suspect.session.proof.acr < ACR_2FA) {
		err = web_see_other(reply, STR("/login/factor"));
		return err == OK ? ERR_NOT_FOUND : err;
	}
	return err;
}

static enum err put_refusal(struct call *call, const struct owner *owner)
{
	const struct person_record *person = &owner->suspect.person;
	struct trail trail = {.action = "password.refuse",
		.object_type = "person",
		.object_id = person->id,
		.subject_id = person->id,
		.actor_id = person->id,
		.version = person->version};
	struct store store = {0};
	enum err err;

	if ((err = desk_begin_in(call, &owner->tenant_id, &store)) == OK &&
		(err = desk_put_event(call, &store, &trail)) == OK)
		err = desk_commit(call, &store);
	store_release(&store);
	return err;
}

enum err owner_check(struct call *call, const struct owner *owner, struct str password, struct guard *guard_out,
	int64_t *wait_s_out, bool *match_out)
{
	bool stale;
	enum err err;

	*match_out = false;
	/* The same counters as at the sign-in: a session left open is no way to guess faster. */
	err = guard_attempt(call, &owner->tenant_id, owner->normal_email, guard_out, wait_s_out);
	if (err != OK || *wait_s_out > 0)
		return err;
	err = hasher_check(desk_state(call)->hasher, password, owner->record.encoded, owner->record.pepper_epoch,
		call->deadline_us, match_out, &stale);
	return err == OK && !*match_out ? put_refusal(call, owner) : err;
}

enum err owner_lock(struct call *call, struct store *store, const struct owner *owner)
{
	struct session_record session;
	struct sign_in_record now;
	struct person_record person;
	enum err err;

	if ((err = store_person_lock(store, &owner->suspect.person.id, &person)) != OK)
		return err;
	if ((err = signin_current(call, store, &session)) != OK)
		return err;
	if ((err = store_person_sign_in(store, owner->normal_email, &now)) != OK)
		return err;
	return now.found && now.row_id == owner->record.row_id && str_eq(now.encoded, owner->record.encoded)
	               ? OK
	               : ERR_NOT_FOUND;
}
