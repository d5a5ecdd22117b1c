/* SPDX-License-Identifier: Apache-2.0 */
#include "grants.h"

#include "issue.h"
#include "people.h"
#include "store_group.h"
#include "store_role.h"

const char *grants_status(const struct role_grant_record *record)
{
	instant_us now = clock_now_us();
	bool open = record->status == GRANT_PENDING || record->status == GRANT_ACTIVE;
	bool over = record->over_at != 0 && record->over_at <= now;

	if (record->status == GRANT_PENDING && now > record->created_at + GRANT_WAITS_US)
		over = true;
	return open && over ? "ended" : rules_grant_status_name(record->status);
}

enum err grants_view(struct call *call, const struct role_grant_record *record, struct role_grant *view_out)
{
	struct rights rights = issue_rights_of_roles(record->role);

	rights = issue_rights_at(record->scope, &rights);
	*view_out = (struct role_grant){
		.id = record->id,
		.has_id = true,
		.person_id = record->person_id,
		.has_person_id = !uuid_is_nil(&record->person_id),
		.group_id = record->group_id,
		.has_group_id = !uuid_is_nil(&record->group_id),
		.role = record->role,
		.has_role = true,
		.scope = str_from(rules_grant_scope_name(record->scope)),
		.has_scope = true,
		.scope_id = record->scope_id,
		.has_scope_id = !uuid_is_nil(&record->scope_id),
		.starts_at = record->starts_at,
		.has_starts_at = true,
		.ends_at = record->over_at,
		.has_ends_at = record->over_at != 0,
		.reason = record->reason,
		.has_reason = record->reason.p != NULL,
		.status = str_from(grants_status(record)),
		.has_status = true,
		.has_permissions = true,
		.granted_by = record->granted_by,
		.has_granted_by = true,
		.decided_by = record->decided_by,
		.has_decided_by = !uuid_is_nil(&record->decided_by),
		.version = record->version,
		.has_version = true,
		.created_at = record->created_at,
		.has_created_at = true,
	};
	return issue_names_of_rights(call->arena, &rights, &view_out->permissions);
}

enum err grants_put_event(struct call *call, struct store *store, const char *action,
	const struct role_grant_record *record, struct str before, struct role_grant *reply)
{
	struct trail trail = {.action = action,
		.object_type = "role_grant",
		.object_id = record->id,
		.subject_id = record->subject_id,
		.version = record->version,
		.before = before};
	enum err err;

	if ((err = grants_view(call, record, reply)) != OK)
		return err;
	call->version = record->version;
	trail.after = desk_json(call, shape_role_grant(), reply);
	return trail.after.p != NULL ? desk_put_event(call, store, &trail) : ERR_OVERLOADED;
}

enum err grants_rights(struct store *store, const struct role_grant_record *record, struct rights *rights_out)
{
	struct str permissions;
	size_t count;
	enum err err;

	if ((err = store_role_take(store, &record->role, 1, &permissions, &count)) != OK)
		return err;
	*rights_out = issue_rights_of_role(record->role, permissions);
	*rights_out = issue_rights_at(record->scope, rights_out);
	return OK;
}

enum err grants_check_rank(struct call *call, struct store *store, const struct role_grant_record *record)
{
	struct person_record probe = {.roles = record->role, .permissions = STR("")};
	size_t count;
	enum err err;

	if ((err = store_role_take(store, &probe.roles, 1, &probe.permissions, &count)) != OK)
		return err;
	return people_check_outranks(call, &probe);
}

/* Whoever holds it signs in anew; tokens in the making are waited for. */
static enum err take_away(struct store *store, const struct role_grant_record *record)
{
	struct group_record group = {.row_id = record->group_row_id};
	enum err err;

	if (record->person_row_id != 0) {
		if ((err = store_group_hold(store, &record->person_id, 1)) != OK)
			return err;
		return people_revoke(store, &record->person_id, 1);
	}
	if ((err = store_group_members(store, &group)) != OK || group.member_count == 0)
		return err;
	if ((err = store_group_hold(store, group.members, group.member_count)) != OK)
		return err;
	return people_revoke(store, group.members, group.member_count);
}

enum err grants_revoke(
	struct call *call, struct store *store, struct role_grant_record *record, struct role_grant *reply)
{
	struct str before;
	enum err err;

	if ((err = grants_view(call, record, reply)) != OK)
		return err;
	if ((before = desk_json(call, shape_role_grant(), reply)).p == NULL)
		return ERR_OVERLOADED;
	record->status = GRANT_REVOKED;
	record->over_at = clock_now_us();
	record->decided_by = call->token.person_id;
	if ((err = store_role_grant_decide(store, record)) != OK)
		return err;
	if ((err = take_away(store, record)) != OK)
		return err;
	return grants_put_event(call, store, "role_grant.revoke", record, before, reply);
}
