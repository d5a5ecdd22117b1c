/* SPDX-License-Identifier: Apache-2.0 */
#include "grants.h"
#include "issue.h"
#include "once.h"
#include "people.h"
#include "rules_oauth.h"
#include "service/crash.h"
#include "store_group.h"
#include "store_role_grant.h"

#define SERVICE_DEF "contract/authsvc.def"
#include "service/handlers.h"

#define LIST_GRANTS "grants"

/* -- asking for one -- */

static enum err check_times(struct call *call, const struct role_grant_create_request *request, instant_us now,
	struct role_grant_record *record)
{
	record->starts_at = request->has_starts_at && request->starts_at > now ? request->starts_at : now;
	record->over_at = request->has_ends_at ? request->ends_at : 0;
	if (record->starts_at > now + GRANT_LONGEST_US)
		return call_refuse(
			call, ERR_BAD_FIELD, "starts_at", "too_far", "A grant starts within 366 days from now.");
	if (record->over_at == 0)
		return OK;
	if (record->over_at < record->starts_at + GRANT_SHORTEST_US)
		return call_refuse(
			call, ERR_BAD_FIELD, "ends_at", "ends_before_start", "A grant ends after it has started.");
	if (record->over_at > record->starts_at + GRANT_LONGEST_US)
		return call_refuse(
			call, ERR_BAD_FIELD, "ends_at", "too_long", "A grant that ends lasts 366 days at most.");
	return OK;
}

/* The role is one that the caller may give, and something of it can be held there. */
static enum err check_role(struct call *call, struct store *store, const struct role_grant_record *record)
{
	struct str word = record->role;
	struct texts roles = {&word, 1};
	struct person_record probe = {0};
	struct rights rights, none = {{0}};
	enum err err;

	if (str_eq_c(record->role, ROLE_OWNER))
		return call_refuse(call, ERR_BAD_FIELD, "role", "role_not_grantable",
			"A tenant is handed over, and not granted for a time.");
	if ((err = people_check_roles(call, store, &roles, &probe)) != OK)
		return err;
	rights = issue_rights_of_person(&probe);
	rights = issue_rights_at(record->scope, &rights);
	if (rules_rights_within(&rights, &none))
		return call_refuse(call, ERR_BAD_FIELD, "scope", "nothing_held_there",
			"Nothing that this role grants is of a place or a person.");
	return OK;
}

static enum err check_scope(struct call *call, struct store *store, const struct role_grant_create_request *request,
	struct role_grant_record *record)
{
	struct person_record principal;
	struct group_record group;
	enum err err;

	record->scope = GRANT_TENANT;
	if (request->has_scope && !rules_grant_scope_parse(request->scope, &record->scope))
		return ERR_BAD_FIELD;
	record->scope_id = request->has_scope_id ? request->scope_id : UUID_NIL;
	if ((record->scope == GRANT_TENANT) != uuid_is_nil(&record->scope_id))
		return call_refuse(call, ERR_BAD_FIELD, "scope_id", "scope_id_and_scope",
			"A site, area, principal or group has its id, the tenant none.");
	if (record->scope == GRANT_GROUP) {
		/* Locked: nobody joins or deletes it meanwhile who may not give what is granted over it. */
		err = store_group_lock(store, &record->scope_id, &group);
		return err == ERR_NOT_FOUND ? call_refuse(call, err, "scope_id", NULL, NULL) : err;
	}
	if (record->scope != GRANT_PRINCIPAL)
		return OK;
	err = store_person_read(store, &record->scope_id, &principal);
	if (err == ERR_NOT_FOUND || (err == OK && principal.status == PERSON_ERASED))
		return call_refuse(call, ERR_NOT_FOUND, "scope_id", NULL, NULL);
	return err;
}

/* To whom: a person, whose row is held, or a group. */
static enum err find_holder(struct call *call, struct store *store, const struct role_grant_create_request *request,
	struct role_grant_record *record)
{
	struct person_record person;
	struct group_record group;
	int64_t open;
	enum err err;

	if (request->has_person_id == request->has_group_id)
		return call_refuse(
			call, ERR_BAD_FIELD, "person_id", "exactly_one", "Give either person_id or group_id.");
	if (request->has_person_id) {
		err = store_person_lock(store, &request->person_id, &person);
		if (err == ERR_NOT_FOUND || (err == OK && person.status == PERSON_ERASED))
			return call_refuse(call, ERR_NOT_FOUND, "person_id", NULL, NULL);
		record->person_id = record->subject_id = request->person_id;
		record->person_row_id = person.row_id;
	} else {
		err = store_group_lock(store, &request->group_id, &group);
		if (err == ERR_NOT_FOUND)
			return call_refuse(call, ERR_NOT_FOUND, "group_id", NULL, NULL);
		record->group_id = request->group_id;
		record->group_row_id = group.row_id;
		record->subject_id = call->token.person_id;
	}
	if (err != OK)
		return err;
	err = store_role_grant_open(store, record->person_row_id, record->group_row_id, STR_NONE, &open);
	if (err == OK && open >= GRANTS_OF_ONE_MAX)
		return call_refuse(
			call, ERR_CONFLICT, NULL, "too_many_grants", "One person or group has at most 32 grants.");
	return err;
}

/* With the two-person rule a weighty grant waits for somebody else. */
static enum err wait_for_second(struct call *call, struct store *store, struct role_grant_record *record)
{
	struct rights none = {{0}}, rights;
	enum err err;

	if ((err = grants_rights(store, record, &rights)) != OK)
		return err;
	if ((err = people_check_lasting(call, store, &none, &rights, record->over_at)) != OK)
		return err;
	if ((err = people_check_second(call, store, &none, &rights)) != ERR_FORBIDDEN)
		return err;
	call->field = call->reason = call->detail = STR_NONE;
	record->status = GRANT_PENDING;
	return OK;
}

static enum err create(struct call *call, const struct role_grant_create_request *request, struct store *store,
	struct role_grant *reply)
{
	struct role_grant_record record = {.id = uuid_new(),
		.role = request->role,
		.reason = request->reason,
		.status = GRANT_ACTIVE,
		.granted_by = call->token.person_id};
	instant_us now = clock_now_us();
	enum err err;

	if (uuid_is_nil(&call->token.person_id))
		return call_refuse(call, ERR_FORBIDDEN, NULL, "person_required",
			"A person answers for a grant; the token is a client's.");
	if ((err = check_times(call, request, now, &record)) != OK)
		return err;
	if ((err = find_holder(call, store, request, &record)) != OK)
		return err;
	if ((err = check_scope(call, store, request, &record)) != OK)
		return err;
	if ((err = check_role(call, store, &record)) != OK)
		return err;
	if ((err = wait_for_second(call, store, &record)) != OK)
		return err;
	if ((err = store_role_grant_insert(store, &record, now)) != OK)
		return err;
	return grants_put_event(call, store, "role_grant.create", &record, STR_NONE, reply);
}

enum err handle_role_grant_create(
	struct call *call, const struct role_grant_create_request *request_in, struct role_grant *reply_out)
{
	struct once once;

	CRASH_COMMIT("role_grant_create");
	if (once_open(call, reply_out, &once))
		once.err = create(call, request_in, &once.store, reply_out);
	return once_close(call, &once, reply_out);
}

/* -- looking -- */

enum err handle_role_grant_list(
	struct call *call, const struct role_grant_list_request *request_in, struct role_grant_page *reply_out)
{
	struct role_grant_record *records;
	struct role_grant *items;
	struct store store = {0};
	struct desk_list list;
	size_t count;
	enum err err;

	err = desk_page(call, LIST_GRANTS, request_in->has_limit, request_in->limit, request_in->cursor,
		sizeof(*records), sizeof(*items), &list);
	if (err != OK)
		return err;
	records = list.records;
	items = list.items;
	if ((err = desk_begin(call, &store)) == OK)
		err = store_role_grant_list(&store, &list.after, list.fetch,
			request_in->has_person_id ? &request_in->person_id : NULL,
			request_in->has_group_id ? &request_in->group_id : NULL, records, &count);
	store_release(&store);
	if (err != OK)
		return err;
	*reply_out = (struct role_grant_page){.has_items = true, .has_next_cursor = true};
	reply_out->items.items = items;
	reply_out->items.count = desk_page_shown(&list, count);
	for (size_t i = 0; i < reply_out->items.count && err == OK; i++)
		err = grants_view(call, &records[i], &items[i]);
	reply_out->next_cursor = desk_page_next(call, &list, count, &records[list.limit - 1].id);
	return err;
}

enum err handle_role_grant_read(
	struct call *call, const struct role_grant_ref *request_in, struct role_grant *reply_out)
{
	struct role_grant_record record;
	struct store store = {0};
	enum err err;

	if ((err = desk_begin(call, &store)) != OK)
		goto done;
	if ((err = store_role_grant_read(&store, &request_in->id, &record)) != OK)
		goto done;
	err = grants_view(call, &record, reply_out);
	call->version = record.version;
done:
	store_release(&store);
	return err;
}

/* -- ending -- */

static enum err revoke(struct call *call, const struct uuid *id, struct store *store, struct role_grant *reply)
{
	struct role_grant_record record;
	enum err err;

	if ((err = store_role_grant_lock(store, id, &record)) != OK)
		return err;
	if ((err = desk_check_version(call, record.version)) != OK)
		return err;
	if ((err = grants_check_rank(call, store, &record)) != OK)
		return err;
	if (str_eq_c(str_from(grants_status(&record)), "ended") || record.status == GRANT_REFUSED ||
		record.status == GRANT_REVOKED)
		return call_refuse(call, ERR_CONFLICT, NULL, "grant_over", "The grant is over already.");
	return grants_revoke(call, store, &record, reply);
}

enum err handle_role_grant_revoke(
	struct call *call, const struct role_grant_ref *request_in, struct role_grant *reply_out)
{
	struct store store = {0};
	enum err err;

	if ((err = desk_begin(call, &store)) != OK)
		goto done;
	if ((err = revoke(call, &request_in->id, &store, reply_out)) != OK)
		goto done;
	CRASH_POINT("role_grant_revoke.before_commit");
	err = desk_commit(call, &store);
	CRASH_POINT("role_grant_revoke.after_commit");
done:
	store_release(&store);
	return err;
}
