/* SPDX-License-Identifier: Apache-2.0 */
#include "people.h"
#include "service/crash.h"
#include "store_grant.h"
#include "store_role.h"
#include "store_tenant.h"

#define SERVICE_DEF "contract/authsvc.def"
#include "service/handlers.h"

#define RULE_OFF_US US_PER_DAY

static void view(struct call *call, const struct tenant_record *record, struct tenant_view *view_out)
{
	*view_out = (struct tenant_view){
		.id = record->id,
		.has_id = true,
		.slug = record->slug,
		.has_slug = true,
		.name = record->name,
		.has_name = true,
		.locale = str_from(rules_locale_name(record->locale)),
		.has_locale = true,
		.registration_domain = record->registration_domain,
		.has_registration_domain = true,
		.version = record->version,
		.has_version = true,
		.second_factor = str_from(demand_name(record->second_factor)),
		.has_second_factor = true,
		.two_person_rule = record->two_person_rule,
		.has_two_person_rule = true,
		.rule_off_asked_by = record->rule_off_by,
		.has_rule_off_asked_by =
			!uuid_is_nil(&record->rule_off_by) && clock_now_us() < record->rule_off_at + RULE_OFF_US,
		.second_factor_roles = desk_words(call->arena, record->factor_roles),
		.has_second_factor_roles = true,
	};
}

enum err handle_tenant_read(struct call *call, const struct empty *request_in, struct tenant_view *reply_out)
{
	struct tenant_record record;
	struct store store = {0};
	enum err err;

	(void)request_in;
	if ((err = desk_begin(call, &store)) != OK)
		goto done;
	if ((err = store_tenant_read(&store, &record)) != OK)
		goto done;
	view(call, &record, reply_out);
	call->version = record.version;
done:
	store_release(&store);
	return err;
}

/* On with two Admins; off by two people who ask for it within a day. */
static enum err change_rule(struct call *call, struct store *store, const struct tenant_update_request *request,
	struct tenant_record *record)
{
	const struct person_record nobody = {.row_id = 0};
	instant_us now = clock_now_us();
	int64_t admins;
	enum err err;

	if (!request->has_two_person_rule || request->two_person_rule == record->two_person_rule) {
		if (request->has_two_person_rule)
			record->rule_off_by = UUID_NIL;
		return OK;
	}
	if (uuid_is_nil(&call->token.person_id))
		return call_refuse(call, ERR_FORBIDDEN, "two_person_rule", "person_required",
			"People decide on this rule; the token is a client's.");
	if (request->two_person_rule) {
		if ((err = store_person_others(store, &nobody, ROLE_ADMIN, &admins)) != OK)
			return err;
		if (admins < 2)
			return call_refuse(call, ERR_CONFLICT, "two_person_rule", "second_admin",
				"The two-person rule takes two Admins. Make somebody else one first.");
		record->two_person_rule = true;
		return OK;
	}
	if (uuid_is_nil(&record->rule_off_by) || uuid_eq(&record->rule_off_by, &call->token.person_id) ||
		now >= record->rule_off_at + RULE_OFF_US) {
		record->rule_off_by = call->token.person_id;
		record->rule_off_at = now;
		return OK;
	}
	record->two_person_rule = false;
	record->rule_off_by = UUID_NIL;
	return OK;
}

/* Roles that there are, each once. */
static enum err change_factor_roles(
	struct call *call, struct store *store, const struct texts *names, struct tenant_record *record)
{
	struct texts kept = {arena_take_array(call->arena, names->count + 1, sizeof(*kept.items)), 0};
	struct role_record own[ROLES_OWN_MAX];
	size_t count;
	enum err err;

	if (kept.items == NULL)
		return ERR_OVERLOADED;
	if ((err = store_role_list(store, own, &count)) != OK)
		return err;
	for (size_t i = 0; i < names->count; i++) {
		bool known = role_by_name(names->items[i]) != NULL, twice = false;

		for (size_t k = 0; k < count; k++)
			known = known || str_eq(own[k].name, names->items[i]);
		for (size_t k = 0; k < kept.count; k++)
			twice = twice || str_eq(kept.items[k], names->items[i]);
		if (!known)
			return call_refuse(
				call, ERR_BAD_FIELD, "second_factor_roles", "unknown_role", "There is no such role.");
		if (!twice)
			kept.items[kept.count++] = names->items[i];
	}
	record->factor_roles = desk_join(call->arena, &kept);
	return record->factor_roles.p != NULL ? OK : ERR_OVERLOADED;
}

static enum err change(struct call *call, struct store *store, const struct tenant_update_request *request,
	struct tenant_record *record)
{
	enum err err;

	if ((err = change_rule(call, store, request, record)) != OK)
		return err;
	if (request->has_name)
		record->name = request->name;
	if (request->has_locale && !rules_locale_parse(request->locale, &record->locale))
		return ERR_BAD_FIELD;
	if (request->has_second_factor && !demand_parse(request->second_factor, &record->second_factor))
		return ERR_BAD_FIELD;
	if (request->has_second_factor_roles &&
		(err = change_factor_roles(call, store, &request->second_factor_roles, record)) != OK)
		return err;
	if (!request->has_registration_domain)
		return OK;
	record->registration_domain = request->registration_domain;
	if (record->registration_domain.p != NULL && !rules_domain_ok(record->registration_domain))
		return call_refuse(call, ERR_BAD_FIELD, "registration_domain", "bad_domain",
			"A domain is written in lower case with at least two labels, as example.com.");
	return OK;
}

static enum err update(
	struct call *call, const struct tenant_update_request *request, struct store *store, struct tenant_view *reply)
{
	struct trail trail = {.action = "tenant.update", .object_type = "tenant"};
	struct tenant_record record, old;
	enum err err;

	if ((err = store_tenant_lock(store, &record)) != OK)
		return err;
	if ((err = desk_check_version(call, record.version)) != OK)
		return err;
	view(call, &record, reply);
	trail.before = desk_json(call, shape_tenant_view(), reply);
	old = record;
	if ((err = change(call, store, request, &record)) != OK)
		return err;
	if ((err = store_tenant_update(store, &record, clock_now_us())) != OK)
		return err;
	/* Tokens say what was demanded when they were made: those of before are not good any more. */
	if ((record.second_factor != old.second_factor || !str_eq(record.factor_roles, old.factor_roles)) &&
		(err = store_revocation_add(store, REVOKED_TENANT, &record.id, 1, clock_now_us())) != OK)
		return err;
	record.version++;
	view(call, &record, reply);
	call->version = record.version;
	trail.after = desk_json(call, shape_tenant_view(), reply);
	trail.object_id = record.id;
	trail.version = record.version;
	if (trail.before.p == NULL || trail.after.p == NULL)
		return ERR_OVERLOADED;
	return desk_put_event(call, store, &trail);
}

enum err handle_tenant_update(
	struct call *call, const struct tenant_update_request *request_in, struct tenant_view *reply_out)
{
	struct store store = {0};
	enum err err;

	if ((err = desk_begin(call, &store)) != OK)
		goto done;
	if ((err = update(call, request_in, &store, reply_out)) != OK)
		goto done;
	CRASH_POINT("tenant_update.before_commit");
	err = desk_commit(call, &store);
	CRASH_POINT("tenant_update.after_commit");
done:
	store_release(&store);
	return err;
}
