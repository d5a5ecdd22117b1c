/* SPDX-License-Identifier: Apache-2.0 */
#include "issue.h"
#include "once.h"
#include "people.h"
#include "service/crash.h"
#include "store_group.h"
#include "store_role_grant.h"

#define SERVICE_DEF "contract/authsvc.def"
#include "service/handlers.h"

#define LIST_GROUPS "groups"

static void view(const struct group_record *group, struct group_view *view_out)
{
	*view_out = (struct group_view){
		.id = group->id,
		.has_id = true,
		.name = group->name,
		.has_name = true,
		.member_ids = {group->members, group->member_count},
		.has_member_ids = group->members != NULL,
		.version = group->version,
		.has_version = true,
		.created_at = group->created_at,
		.has_created_at = true,
	};
}

static enum err put_event(struct call *call, struct store *store, const char *action, struct str before,
	const struct group_record *group, bool gone)
{
	struct trail trail = {.action = action,
		.object_type = "group",
		.object_id = group->id,
		.version = group->version,
		.before = before};
	struct group_view after;

	if (!gone) {
		view(group, &after);
		if ((trail.after = desk_json(call, shape_group_view(), &after)).p == NULL)
			return ERR_OVERLOADED;
	}
	return desk_put_event(call, store, &trail);
}

static enum err name_verdict(struct call *call, enum err err)
{
	return err == ERR_CONFLICT ? call_refuse(call, err, "name", "name_taken", "There is a group of this name.")
	                           : err;
}

/* Whoever joins comes within reach of those who hold something for the people of the group. */
static enum err check_reach(struct call *call, struct store *store, const struct group_record *group)
{
	struct person_record probe = {.roles = STR(""), .permissions = STR("")};
	struct rights outer = desk_rights(call), none = {{0}}, inner;
	enum err err;

	if ((err = store_role_grant_over_group(store, &group->id, &probe.held)) != OK)
		return err;
	inner = issue_rights_of_person(&probe);
	inner = issue_rights_at(GRANT_GROUP, &inner);
	if (rules_rights_within(&inner, &outer))
		return people_check_lasting(call, store, &none, &inner, 0);
	return call_refuse(call, ERR_FORBIDDEN, "member_ids", "permission_exceeds_own",
		"Somebody holds a right for the people of this group that you do not have yourself.");
}

/*
 * Who may do less than the group gives by its grants cannot put people into it or take them out: what one grants is
 * held to one's own rights.
 */
static enum err check_rank(struct call *call, struct store *store, const struct group_record *group,
	const struct uuid *members, size_t count)
{
	struct person_record probe = {.roles = STR(""), .permissions = STR("")};
	struct rights none = {{0}}, rights;
	size_t stay = 0;
	enum err err;

	if ((err = store_role_grant_of_group(store, group->row_id, &probe.held)) != OK)
		return err;
	if ((err = people_check_outranks(call, &probe)) != OK)
		return err;
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < group->member_count; k++)
			stay += uuid_eq(&members[i], &group->members[k]);
	}
	if (stay == count)
		return OK;
	if ((err = check_reach(call, store, group)) != OK)
		return err;
	rights = issue_rights_of_person(&probe);
	err = people_check_lasting(call, store, &none, &rights, 0);
	return err == OK ? people_check_second(call, store, &none, &rights) : err;
}

/* Makes these people the members; who leaves loses what the group holds. */
static enum err set_members(
	struct call *call, struct store *store, struct group_record *group, const struct uuids *wanted)
{
	struct uuid *gone = arena_take_array(call->arena, GROUP_MEMBERS_MAX, sizeof(*gone));
	struct uuid *kept = arena_take_array(call->arena, wanted->count + 1, sizeof(*kept));
	size_t gone_count = 0, count = 0;
	enum err err;

	if (gone == NULL || kept == NULL)
		return ERR_OVERLOADED;
	for (size_t i = 0; i < wanted->count; i++) {
		bool twice = false;

		for (size_t k = 0; k < count; k++)
			twice = twice || uuid_eq(&kept[k], &wanted->items[i]);
		if (!twice)
			kept[count++] = wanted->items[i];
	}
	if ((err = check_rank(call, store, group, kept, count)) != OK)
		return err;
	if (group->member_count > 0 && (err = store_group_hold(store, group->members, group->member_count)) != OK)
		return err;
	err = store_group_set_members(store, group, kept, count, clock_now_us(), gone, &gone_count);
	if (err == ERR_NOT_FOUND)
		return call_refuse(call, err, "member_ids", NULL, NULL);
	if (err != OK)
		return err;
	if ((err = people_revoke(store, gone, gone_count)) != OK)
		return err;
	return store_group_members(store, group);
}

static enum err create(
	struct call *call, const struct group_create_request *request, struct store *store, struct group_view *reply)
{
	struct group_record group = {.id = uuid_new(), .name = request->name};
	struct tenant_record tenant;
	int64_t count;
	enum err err;

	if ((err = store_tenant_lock(store, &tenant)) != OK)
		return err;
	if ((err = store_group_count(store, &count)) != OK)
		return err;
	if (count >= GROUPS_MAX)
		return call_refuse(call, ERR_CONFLICT, NULL, "too_many_groups", "A tenant has at most 500 groups.");
	if ((err = name_verdict(call, store_group_insert(store, &group, clock_now_us()))) != OK)
		return err;
	if ((err = set_members(call, store, &group, &request->member_ids)) != OK)
		return err;
	view(&group, reply);
	call->version = group.version;
	return put_event(call, store, "group.create", STR_NONE, &group, false);
}

enum err handle_group_create(
	struct call *call, const struct group_create_request *request_in, struct group_view *reply_out)
{
	struct once once;

	CRASH_COMMIT("group_create");
	if (once_open(call, reply_out, &once))
		once.err = create(call, request_in, &once.store, reply_out);
	return once_close(call, &once, reply_out);
}

enum err handle_group_list(struct call *call, const struct page_request *request_in, struct group_page *reply_out)
{
	struct group_record *records;
	struct group_view *items;
	struct store store = {0};
	struct desk_list list;
	size_t count;
	enum err err;

	err = desk_page(call, LIST_GROUPS, request_in->has_limit, request_in->limit, request_in->cursor,
		sizeof(*records), sizeof(*items), &list);
	if (err != OK)
		return err;
	records = list.records;
	items = list.items;
	if ((err = desk_begin(call, &store)) == OK)
		err = store_group_list(&store, &list.after, list.fetch, records, &count);
	store_release(&store);
	if (err != OK)
		return err;
	*reply_out = (struct group_page){.has_items = true, .has_next_cursor = true};
	reply_out->items.items = items;
	reply_out->items.count = desk_page_shown(&list, count);
	for (size_t i = 0; i < reply_out->items.count; i++)
		view(&records[i], &items[i]);
	reply_out->next_cursor = desk_page_next(call, &list, count, &records[list.limit - 1].id);
	return OK;
}

enum err handle_group_read(struct call *call, const struct group_ref *request_in, struct group_view *reply_out)
{
	struct group_record group;
	struct store store = {0};
	enum err err;

	if ((err = desk_begin(call, &store)) != OK)
		goto done;
	if ((err = store_group_read(&store, &request_in->id, &group)) != OK)
		goto done;
	if ((err = store_group_members(&store, &group)) != OK)
		goto done;
	view(&group, reply_out);
	call->version = group.version;
done:
	store_release(&store);
	return err;
}

/* Locked, with its members, of the version that was read. */
static enum err lock(struct call *call, struct store *store, const struct uuid *id, struct group_record *group_out)
{
	enum err err;

	if ((err = store_group_lock(store, id, group_out)) != OK)
		return err;
	if ((err = desk_check_version(call, group_out->version)) != OK)
		return err;
	return store_group_members(store, group_out);
}

static enum err update(
	struct call *call, const struct group_update_request *request, struct store *store, struct group_view *reply)
{
	struct group_record group;
	struct str before;
	enum err err;

	if ((err = lock(call, store, &request->id, &group)) != OK)
		return err;
	view(&group, reply);
	if ((before = desk_json(call, shape_group_view(), reply)).p == NULL)
		return ERR_OVERLOADED;
	if (request->has_name)
		group.name = request->name;
	if ((err = name_verdict(call, store_group_update(store, &group, clock_now_us()))) != OK)
		return err;
	if (request->has_member_ids && (err = set_members(call, store, &group, &request->member_ids)) != OK)
		return err;
	view(&group, reply);
	call->version = group.version;
	return put_event(call, store, "group.update", before, &group, false);
}

enum err handle_group_update(
	struct call *call, const struct group_update_request *request_in, struct group_view *reply_out)
{
	struct store store = {0};
	enum err err;

	if ((err = desk_begin(call, &store)) != OK)
		goto done;
	if ((err = update(call, request_in, &store, reply_out)) != OK)
		goto done;
	CRASH_POINT("group_update.before_commit");
	err = desk_commit(call, &store);
	CRASH_POINT("group_update.after_commit");
done:
	store_release(&store);
	return err;
}

static enum err forget(struct call *call, const struct uuid *id, struct store *store)
{
	struct group_record group;
	struct group_view old;
	struct held over;
	struct uuids nobody = {NULL, 0};
	struct str before;
	int64_t grants;
	enum err err;

	if ((err = lock(call, store, id, &group)) != OK)
		return err;
	if ((err = store_role_grant_open(store, 0, group.row_id, STR_NONE, &grants)) != OK)
		return err;
	if ((err = store_role_grant_over_group(store, &group.id, &over)) != OK)
		return err;
	if (grants > 0 || over.roles.len > 0)
		return call_refuse(call, ERR_CONFLICT, NULL, "group_in_use",
			"The group holds a grant, or there is one for its people; revoke it first.");
	view(&group, &old);
	if ((before = desk_json(call, shape_group_view(), &old)).p == NULL)
		return ERR_OVERLOADED;
	if ((err = set_members(call, store, &group, &nobody)) != OK)
		return err;
	if ((err = store_group_delete(store, &group)) != OK)
		return err;
	group.version++;
	return put_event(call, store, "group.delete", before, &group, true);
}

enum err handle_group_delete(struct call *call, const struct group_ref *request_in, struct empty *reply_out)
{
	struct store store = {0};
	enum err err;

	(void)reply_out;
	if ((err = desk_begin(call, &store)) != OK)
		goto done;
	if ((err = forget(call, &request_in->id, &store)) != OK)
		goto done;
	CRASH_POINT("group_delete.before_commit");
	err = desk_commit(call, &store);
	CRASH_POINT("group_delete.after_commit");
done:
	store_release(&store);
	return err;
}

enum err handle_group_members(
	struct call *call, const struct group_members_request *request_in, struct group_members_reply *reply_out)
{
	const struct uuid *id = &request_in->group_id;
	struct group_record group;
	struct store store = {0};
	bool reaches = false;
	enum err err;

	/* bookingsvc asks for whoever holds something over the group, and of nothing else. */
	for (unsigned i = 0; call->has_token && i < call->token.grant_count; i++)
		reaches = reaches ||
		          (call->token.grants[i].scope == (char)TOKEN_GROUP && uuid_eq(&call->token.grants[i].id, id));
	if (!reaches || !uuid_eq(&call->token.tenant_id, &request_in->tenant_id))
		return ERR_FORBIDDEN;
	reply_out->has_member_ids = true;
	if ((err = desk_begin(call, &store)) != OK)
		goto done;
	if ((err = store_group_read(&store, id, &group)) == OK && (err = store_group_members(&store, &group)) == OK)
		reply_out->member_ids = (struct uuids){group.members, group.member_count};
	if (err == ERR_NOT_FOUND)
		err = OK;
done:
	store_release(&store);
	return err;
}
