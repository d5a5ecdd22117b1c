/* SPDX-License-Identifier: Apache-2.0 */
#include "issue.h"
#include "once.h"
#include "people.h"
#include "service/crash.h"
#include "store_role.h"
#include "store_role_grant.h"

#define SERVICE_DEF "contract/authsvc.def"
#include "service/handlers.h"

#define ROLES_SHOWN_MAX 100

static enum err view_built_in(struct call *call, const struct role *role, struct role_view *view_out)
{
	struct rights rights = issue_rights_of_roles(str_from(role->name));

	*view_out = (struct role_view){.name = str_from(role->name),
		.has_name = true,
		.help = str_from(role->help),
		.has_help = true,
		.has_permissions = true,
		.built_in = true,
		.has_built_in = true};
	return issue_names_of_rights(call->arena, &rights, &view_out->permissions);
}

static void view_own(struct call *call, const struct role_record *record, struct role_view *view_out)
{
	*view_out = (struct role_view){.name = record->name,
		.has_name = true,
		.help = record->help,
		.has_help = true,
		.permissions = desk_words(call->arena, record->permissions),
		.has_permissions = true,
		.id = record->id,
		.has_id = true,
		.version = record->version,
		.has_version = true,
		.has_built_in = true};
}

enum err handle_role_list(struct call *call, const struct empty *request_in, struct role_page *reply_out)
{
	struct role_record records[ROLES_OWN_MAX];
	struct store store = {0};
	const struct role *role;
	struct role_view *items;
	size_t count;
	enum err err;

	(void)request_in;
	reply_out->has_items = reply_out->has_next_cursor = true;
	items = reply_out->items.items = arena_take_array(call->arena, ROLES_SHOWN_MAX, sizeof(*items));
	if (items == NULL)
		return ERR_OVERLOADED;
	if ((err = desk_begin(call, &store)) != OK)
		goto done;
	if ((err = store_role_list(&store, records, &count)) != OK)
		goto done;
	for (size_t i = 0; (role = role_at(i)) != NULL && i < ROLES_SHOWN_MAX - ROLES_OWN_MAX && err == OK; i++)
		err = view_built_in(call, role, &items[reply_out->items.count++]);
	for (size_t i = 0; i < count && err == OK; i++)
		view_own(call, &records[i], &items[reply_out->items.count++]);
done:
	store_release(&store);
	return err;
}

enum err handle_role_read(struct call *call, const struct role_ref *request_in, struct role_view *reply_out)
{
	struct role_record record;
	struct store store = {0};
	enum err err;

	if ((err = desk_begin(call, &store)) != OK)
		goto done;
	if ((err = store_role_read(&store, &request_in->id, &record)) != OK)
		goto done;
	view_own(call, &record, reply_out);
	call->version = record.version;
done:
	store_release(&store);
	return err;
}

/* Known permissions, each once and in the order of their bits, none that the caller lacks. */
static enum err check_permissions(struct call *call, const struct texts *names, struct str *words_out)
{
	struct rights inner = {{0}};
	struct rights outer = desk_rights(call);
	struct texts kept;
	unsigned bit;
	enum err err;

	for (size_t i = 0; i < names->count; i++) {
		if (!issue_permission_bit(names->items[i], &bit))
			return call_refuse(call, ERR_BAD_FIELD, "permissions", "unknown_permission",
				"There is no such permission.");
		inner.bits[bit / 8] |= (uint8_t)(1U << bit % 8);
	}
	if (!rules_rights_within(&inner, &outer))
		return call_refuse(call, ERR_FORBIDDEN, "permissions", "permission_exceeds_own",
			"A role cannot grant a permission that you do not have yourself.");
	if ((err = issue_names_of_rights(call->arena, &inner, &kept)) != OK)
		return err;
	*words_out = desk_join(call->arena, &kept);
	return words_out->p != NULL ? OK : ERR_OVERLOADED;
}

/* Nobody changes a role that grants more than they have. */
static enum err check_rank(struct call *call, const struct role_record *record)
{
	struct rights inner = issue_rights_of_names(record->permissions);
	struct rights outer = desk_rights(call);

	if (rules_rights_within(&inner, &outer))
		return OK;
	return call_refuse(call, ERR_FORBIDDEN, NULL, "permission_exceeds_own",
		"The role grants a permission that you do not have yourself.");
}

/* The tenant is locked: whether it may have one more role, of this name. */
static enum err check_name(struct call *call, struct store *store, struct str name)
{
	struct role_record records[ROLES_OWN_MAX];
	const struct role *role;
	bool taken = false;
	size_t count;
	enum err err;

	if (!rules_role_name_ok(name))
		return call_refuse(
			call, ERR_BAD_FIELD, "name", "bad_name", "A role's name is 1 to 23 of a-z, A-Z, 0-9, _ and -.");
	if ((err = store_role_list(store, records, &count)) != OK)
		return err;
	for (size_t i = 0; (role = role_at(i)) != NULL; i++)
		taken = taken || str_eq_nocase(str_from(role->name), name);
	for (size_t i = 0; i < count; i++)
		taken = taken || str_eq_nocase(records[i].name, name);
	if (taken)
		return call_refuse(call, ERR_CONFLICT, "name", "name_taken", "There is a role of this name.");
	if (count >= ROLES_OWN_MAX)
		return call_refuse(
			call, ERR_CONFLICT, NULL, "too_many_roles", "A tenant has at most 50 roles of its own.");
	return OK;
}

static enum err put_event(struct call *call, struct store *store, const char *action, const struct role_record *before,
	const struct role_record *after)
{
	struct trail trail = {.action = action, .object_type = "role"};
	struct role_view view;

	if (before != NULL) {
		trail.object_id = before->id;
		trail.version = before->version;
		view_own(call, before, &view);
		if ((trail.before = desk_json(call, shape_role_view(), &view)).p == NULL)
			return ERR_OVERLOADED;
	}
	if (after != NULL) {
		trail.object_id = after->id;
		trail.version = after->version;
		view_own(call, after, &view);
		if ((trail.after = desk_json(call, shape_role_view(), &view)).p == NULL)
			return ERR_OVERLOADED;
	}
	return desk_put_event(call, store, &trail);
}

static enum err create(
	struct call *call, const struct role_create_request *request, struct store *store, struct role_view *reply)
{
	struct role_record record = {.id = uuid_new(),
		.name = request->name,
		.help = request->has_help ? request->help : STR(""),
		.version = 1,
		.created_at = clock_now_us()};
	struct tenant_record tenant;
	enum err err;

	if ((err = check_permissions(call, &request->permissions, &record.permissions)) != OK)
		return err;
	if ((err = store_tenant_lock(store, &tenant)) != OK)
		return err;
	if ((err = check_name(call, store, record.name)) != OK)
		return err;
	if ((err = store_role_insert(store, &record, record.created_at)) != OK)
		return err;
	view_own(call, &record, reply);
	call->version = record.version;
	return put_event(call, store, "role.create", NULL, &record);
}

enum err handle_role_create(
	struct call *call, const struct role_create_request *request_in, struct role_view *reply_out)
{
	struct once once;

	CRASH_COMMIT("role_create");
	if (once_open(call, reply_out, &once))
		once.err = create(call, request_in, &once.store, reply_out);
	return once_close(call, &once, reply_out);
}

/* Tokens that say more than the role grants from now on end. */
static enum err revoke_holders(struct store *store, struct str name)
{
	struct uuid ids[PEOPLE_REVOKED_MAX + 1];
	size_t count;
	enum err err;

	if ((err = store_role_holders(store, name, PEOPLE_REVOKED_MAX + 1, ids, &count)) != OK)
		return err;
	return people_revoke(store, ids, count);
}

/* The role as it is, locked, of the version that was read, and not above the caller. */
static enum err lock(struct call *call, struct store *store, const struct uuid *id, struct role_record *record_out)
{
	enum err err;

	if ((err = store_role_lock(store, id, record_out)) != OK)
		return err;
	if ((err = desk_check_version(call, record_out->version)) != OK)
		return err;
	return check_rank(call, record_out);
}

/* A role that nobody has gives nobody anything. */
static enum err check_second(struct call *call, struct store *store, const struct role_record *record,
	const struct rights *before, const struct rights *after)
{
	struct uuid holder;
	int64_t grants;
	size_t count;
	enum err err;

	if ((err = store_role_holders(store, record->name, 1, &holder, &count)) != OK)
		return err;
	if ((err = store_role_grant_open(store, 0, 0, record->name, &grants)) != OK)
		return err;
	if (count == 0 && grants == 0)
		return OK;
	err = people_check_lasting(call, store, before, after, 0);
	return err == OK ? people_check_second(call, store, before, after) : err;
}

static enum err update(
	struct call *call, const struct role_update_request *request, struct store *store, struct role_view *reply)
{
	struct role_record old, record;
	struct rights before, after;
	enum err err;

	if ((err = lock(call, store, &request->id, &old)) != OK)
		return err;
	record = old;
	if (request->has_help)
		record.help = request->help;
	if (request->has_permissions &&
		(err = check_permissions(call, &request->permissions, &record.permissions)) != OK)
		return err;
	if ((err = store_role_update(store, &record, clock_now_us())) != OK)
		return err;
	before = issue_rights_of_names(old.permissions);
	after = issue_rights_of_names(record.permissions);
	if ((err = check_second(call, store, &record, &before, &after)) != OK)
		return err;
	if (!rules_rights_within(&before, &after) && (err = revoke_holders(store, record.name)) != OK)
		return err;
	view_own(call, &record, reply);
	call->version = record.version;
	return put_event(call, store, "role.update", &old, &record);
}

enum err handle_role_update(
	struct call *call, const struct role_update_request *request_in, struct role_view *reply_out)
{
	struct store store = {0};
	enum err err;

	if ((err = desk_begin(call, &store)) != OK)
		goto done;
	if ((err = update(call, request_in, &store, reply_out)) != OK)
		goto done;
	CRASH_POINT("role_update.before_commit");
	err = desk_commit(call, &store);
	CRASH_POINT("role_update.after_commit");
done:
	store_release(&store);
	return err;
}

static enum err forget(struct call *call, const struct uuid *id, struct store *store)
{
	struct tenant_record tenant;
	struct role_record record;
	struct uuid holder;
	int64_t grants;
	size_t count;
	enum err err;

	if ((err = lock(call, store, id, &record)) != OK)
		return err;
	if ((err = store_tenant_read(store, &tenant)) != OK)
		return err;
	if (rules_demand_of(DEMAND_OPTIONAL, tenant.factor_roles, record.name) != DEMAND_OPTIONAL)
		return call_refuse(call, ERR_CONFLICT, NULL, "role_in_use",
			"The tenant demands a second factor of this role; take it off that list first.");
	if ((err = store_role_holders(store, record.name, 1, &holder, &count)) != OK)
		return err;
	if ((err = store_role_grant_open(store, 0, 0, record.name, &grants)) != OK)
		return err;
	if (count > 0 || grants > 0)
		return call_refuse(
			call, ERR_CONFLICT, NULL, "role_in_use", "Somebody has this role; take it away first.");
	if ((err = store_role_delete(store, &record)) != OK)
		return err;
	record.version++;
	return put_event(call, store, "role.delete", &record, NULL);
}

enum err handle_role_delete(struct call *call, const struct role_ref *request_in, struct empty *reply_out)
{
	struct store store = {0};
	enum err err;

	(void)reply_out;
	if ((err = desk_begin(call, &store)) != OK)
		goto done;
	if ((err = forget(call, &request_in->id, &store)) != OK)
		goto done;
	CRASH_POINT("role_delete.before_commit");
	err = desk_commit(call, &store);
	CRASH_POINT("role_delete.after_commit");
done:
	store_release(&store);
	return err;
}

static enum err view_change(
	struct call *call, const struct rights *before, const struct rights *after, struct rights_change *reply)
{
	struct rights gained = rules_rights_minus(after, before);
	struct rights lost = rules_rights_minus(before, after);
	enum err err;

	reply->has_gained = reply->has_lost = reply->has_people = reply->has_people_gaining = reply->has_people_losing =
		true;
	if ((err = issue_names_of_rights(call->arena, &gained, &reply->gained)) != OK)
		return err;
	return issue_names_of_rights(call->arena, &lost, &reply->lost);
}

/* Whoever has a permission by another role too neither gains nor loses it. */
static enum err count_people(struct store *store, struct str name, const struct rights *before,
	const struct rights *after, struct rights_change *reply)
{
	struct rights gained = rules_rights_minus(after, before);
	struct rights lost = rules_rights_minus(before, after);
	struct role_mix *mixes = arena_take_array(store->arena, ROLE_MIXES_MAX, sizeof(*mixes));
	size_t count;
	enum err err;

	if (mixes == NULL)
		return ERR_OVERLOADED;
	if ((err = store_role_mixes(store, name, mixes, &count)) != OK)
		return err;
	for (size_t i = 0; i < count; i++) {
		struct rights others = issue_rights_of_roles(mixes[i].roles);
		struct rights own = issue_rights_of_names(mixes[i].permissions);

		others = rules_rights_join(&others, &own);
		reply->people += mixes[i].people;
		reply->people_gaining += rules_rights_within(&gained, &others) ? 0 : mixes[i].people;
		reply->people_losing += rules_rights_within(&lost, &others) ? 0 : mixes[i].people;
	}
	return OK;
}

static enum err preview(
	struct call *call, const struct role_preview_request *request, struct store *store, struct rights_change *reply)
{
	struct rights before, after;
	struct role_record record = {0};
	struct str words = STR_NONE;
	enum err err;

	if ((err = store_role_read(store, &request->id, &record)) != OK)
		return err;
	if ((err = check_rank(call, &record)) != OK)
		return err;
	if ((err = check_permissions(call, &request->permissions, &words)) != OK)
		return err;
	before = issue_rights_of_names(record.permissions);
	after = issue_rights_of_names(words);
	if ((err = view_change(call, &before, &after, reply)) != OK)
		return err;
	return count_people(store, record.name, &before, &after, reply);
}

enum err handle_role_preview(
	struct call *call, const struct role_preview_request *request_in, struct rights_change *reply_out)
{
	struct store store = {0};
	enum err err;

	if ((err = desk_begin(call, &store)) == OK)
		err = preview(call, request_in, &store, reply_out);
	store_release(&store);
	return err;
}

static enum err preview_person(struct call *call, const struct person_roles_preview_request *request,
	struct store *store, struct rights_change *reply)
{
	struct person_record old, record;
	struct rights before, after;
	enum err err;

	if ((err = store_person_read(store, &request->id, &old)) != OK)
		return err;
	if (old.status == PERSON_ERASED)
		return ERR_NOT_FOUND;
	if ((err = people_check_outranks(call, &old)) != OK)
		return err;
	record = old;
	if ((err = people_check_roles(call, store, &request->roles, &record)) != OK)
		return err;
	if ((err = people_check_not_last(call, store, &old, &record)) != OK)
		return err;
	before = issue_rights_of_role(old.roles, old.permissions);
	after = issue_rights_of_role(record.roles, record.permissions);
	if ((err = people_check_lasting(call, store, &before, &after, 0)) != OK)
		return err;
	if ((err = people_check_second(call, store, &before, &after)) != OK)
		return err;
	if ((err = view_change(call, &before, &after, reply)) != OK)
		return err;
	reply->people = 1;
	reply->people_gaining = reply->gained.count > 0;
	reply->people_losing = reply->lost.count > 0;
	return OK;
}

enum err handle_person_roles_preview(
	struct call *call, const struct person_roles_preview_request *request_in, struct rights_change *reply_out)
{
	struct store store = {0};
	enum err err;

	if ((err = desk_begin(call, &store)) == OK)
		err = preview_person(call, request_in, &store, reply_out);
	store_release(&store);
	return err;
}
