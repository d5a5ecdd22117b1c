/* SPDX-License-Identifier: Apache-2.0 */
#include "clients.h"
#include "issue.h"
#include "once.h"
#include "people.h"
#include "rules_oauth.h"
#include "service/crash.h"
#include "store_grant.h"
#include "store_session.h"

#define SERVICE_DEF "contract/authsvc.def"
#include "service/handlers.h"

#define LIST_CLIENTS "clients"

/*
 * A client that holds a weighty right, or gets one by a sign-in that asks nothing, is one that whoever registered it
 * may use. No client is asked for by a grant, so with the two-person rule there is none.
 */
static enum err check_second(
	struct call *call, struct store *store, const struct rights *before, const struct client_record *record)
{
	struct rights own = issue_rights_of_names(record->permissions), rights = clients_rights(record);
	enum err err = people_check_lasting(call, store, before, &rights, 0);

	if (err == OK)
		err = people_check_second(call, store, before, &rights);
	if (err != ERR_FORBIDDEN || !str_eq_c(call->reason, "second_person_required"))
		return err;
	return call_refuse(call, err, issue_rights_are_weighty(&own) ? "permissions" : "third_party",
		"second_person_required",
		"With the two-person rule no client has a right to give rights, or gets one unasked.");
}

static enum err create(
	struct call *call, const struct client_create_request *request, struct store *store, struct client_view *reply)
{
	struct trail trail = {.action = "client.create", .object_type = "client", .version = 1};
	struct rights none = {{0}};
	struct client_record record;
	struct str secret;
	enum err err;

	if ((err = clients_make(call, request, &record)) != OK)
		return err;
	if ((err = check_second(call, store, &none, &record)) != OK)
		return err;
	if ((err = clients_secret(call, &record, &secret)) != OK)
		return err;
	if ((err = store_client_insert(store, &record)) != OK)
		return err;
	clients_view(call, &record, reply);
	call->version = 1;
	trail.object_id = record.id;
	trail.after = desk_json(call, shape_client_view(), reply); /* before the secret joins it */
	reply->secret = secret;
	reply->has_secret = secret.p != NULL;
	return trail.after.p != NULL ? desk_put_event(call, store, &trail) : ERR_OVERLOADED;
}

enum err handle_client_create(
	struct call *call, const struct client_create_request *request_in, struct client_view *reply_out)
{
	struct once once;

	CRASH_COMMIT("client_create");
	if (once_open(call, reply_out, &once))
		once.err = create(call, request_in, &once.store, reply_out);
	return once_close(call, &once, reply_out);
}

enum err handle_client_list(struct call *call, const struct page_request *request_in, struct client_page *reply_out)
{
	struct client_record *records;
	struct client_view *items;
	struct store store = {0};
	struct desk_list list;
	size_t count;
	enum err err;

	err = desk_page(call, LIST_CLIENTS, request_in->has_limit, request_in->limit, request_in->cursor,
		sizeof(*records), sizeof(*items), &list);
	if (err != OK)
		return err;
	records = list.records;
	items = list.items;
	if ((err = desk_begin(call, &store)) == OK)
		err = store_client_list(&store, &list.after, list.fetch, records, &count);
	store_release(&store);
	if (err != OK)
		return err;
	*reply_out = (struct client_page){.has_items = true, .has_next_cursor = true};
	reply_out->items.items = items;
	reply_out->items.count = desk_page_shown(&list, count);
	for (size_t i = 0; i < reply_out->items.count; i++)
		clients_view(call, &records[i], &items[i]);
	reply_out->next_cursor = desk_page_next(call, &list, count, &records[list.limit - 1].id);
	return OK;
}

enum err handle_client_read(struct call *call, const struct client_ref *request_in, struct client_view *reply_out)
{
	struct client_record record;
	struct store store = {0};
	enum err err;

	if ((err = desk_begin(call, &store)) != OK)
		goto done;
	if ((err = store_client_read(&store, &request_in->id, &record)) != OK)
		goto done;
	clients_view(call, &record, reply_out);
	call->version = record.version;
done:
	store_release(&store);
	return err;
}

/* A change with its event; what it takes away ends. */
static enum err put_change(struct call *call, struct store *store, const struct client_record *old,
	struct client_record *record, struct client_view *reply)
{
	struct trail trail = {.action = "client.update", .object_type = "client", .object_id = record->id};
	const instant_us now = clock_now_us();
	enum err err;

	clients_view(call, old, reply);
	trail.before = desk_json(call, shape_client_view(), reply);
	if ((err = store_client_update(store, record)) != OK)
		return err;
	if (clients_is_narrower(old, record) && (err = store_revocation_narrowed(store, &record->id, now)) != OK)
		return err;
	/* What waits for a sign-in would still be answered there. */
	if (clients_loses_address(old, record) && (err = store_request_delete_client(store, record->row_id)) != OK)
		return err;
	/* Nobody was asked about what it has; everybody is from now on. */
	if (record->third_party && !old->third_party) {
		if ((err = store_code_delete_client(store, record->row_id)) != OK)
			return err;
		err = store_family_revoke(store, FAMILY_OF_CLIENT, record->row_id, "client_changed", now, NULL);
		if (err != OK)
			return err;
	}
	clients_view(call, record, reply);
	call->version = trail.version = record->version;
	trail.after = desk_json(call, shape_client_view(), reply);
	if (trail.before.p == NULL || trail.after.p == NULL)
		return ERR_OVERLOADED;
	return desk_put_event(call, store, &trail);
}

static enum err update(
	struct call *call, const struct client_update_request *request, struct store *store, struct client_view *reply)
{
	struct client_record old, record;
	struct rights before = {{0}};
	enum err err;

	if ((err = store_client_lock(store, &request->id, &old)) != OK)
		return err;
	if ((err = desk_check_version(call, old.version)) != OK)
		return err;
	if ((err = clients_change(call, request, &old, &record)) != OK)
		return err;
	if (!clients_hands_over(request))
		before = clients_rights(&old);
	if ((err = check_second(call, store, &before, &record)) != OK)
		return err;
	return put_change(call, store, &old, &record, reply);
}

enum err handle_client_update(
	struct call *call, const struct client_update_request *request_in, struct client_view *reply_out)
{
	struct store store = {0};
	enum err err;

	if ((err = desk_begin(call, &store)) != OK)
		goto done;
	if ((err = update(call, request_in, &store, reply_out)) != OK)
		goto done;
	CRASH_POINT("client_update.before_commit");
	err = desk_commit(call, &store);
	CRASH_POINT("client_update.after_commit");
done:
	store_release(&store);
	return err;
}

static enum err replace_origins(
	struct call *call, const struct client_origins_request *request, struct store *store, struct client_view *reply)
{
	struct client_record old, record;
	enum err err;

	if ((err = store_client_lock(store, &request->id, &old)) != OK)
		return err;
	record = old;
	if ((err = clients_origins(call, &request->allowed_origins, &record.allowed_origins)) != OK)
		return err;
	if (!str_eq(old.allowed_origins, record.allowed_origins))
		return put_change(call, store, &old, &record, reply);
	clients_view(call, &record, reply);
	call->version = record.version;
	return OK;
}

enum err handle_client_origins_replace(
	struct call *call, const struct client_origins_request *request_in, struct client_view *reply_out)
{
	struct store store = {0};
	enum err err;

	if ((err = desk_begin(call, &store)) != OK)
		goto done;
	if ((err = replace_origins(call, request_in, &store, reply_out)) != OK)
		goto done;
	CRASH_POINT("client_origins_replace.before_commit");
	err = desk_commit(call, &store);
	CRASH_POINT("client_origins_replace.after_commit");
done:
	store_release(&store);
	return err;
}

#define ORIGINS_PAGE 500

enum err handle_origin_list(
	struct call *call, const struct origin_list_request *request_in, struct origin_list *reply_out)
{
	struct desk *desk = call->worker->state;
	struct client_record *records = arena_take_array(call->arena, ORIGINS_PAGE, sizeof(*records));
	const struct uuid after = request_in->has_after ? request_in->after : UUID_NIL;
	size_t count = 0;
	enum err err;

	reply_out->items.items = arena_take_array(call->arena, ORIGINS_PAGE, sizeof(*reply_out->items.items));
	if (records == NULL || reply_out->items.items == NULL)
		return ERR_OVERLOADED;
	db_set_deadline(desk->jobs, call->deadline_us);
	if ((err = store_client_origins(desk->jobs, call->arena, &after, ORIGINS_PAGE, records, &count)) != OK)
		return err;
	for (size_t i = 0; i < count; i++)
		reply_out->items.items[i] = (struct client_origins){.client_id = records[i].id,
			.has_client_id = true,
			.origins = desk_words(call->arena, records[i].allowed_origins),
			.has_origins = true};
	reply_out->items.count = count;
	reply_out->has_items = reply_out->has_more = true;
	reply_out->more = count == ORIGINS_PAGE;
	return OK;
}

static enum err delete_client(struct call *call, const struct uuid *id, struct store *store)
{
	struct trail trail = {.action = "client.delete", .object_type = "client", .object_id = *id};
	struct client_record record;
	struct client_view view;
	instant_us now = clock_now_us();
	int64_t row_id;
	enum err err;

	if ((err = store_client_lock(store, id, &record)) != OK)
		return err;
	trail.version = record.version + 1;
	clients_view(call, &record, &view);
	trail.before = desk_json(call, shape_client_view(), &view);
	if ((err = store_client_delete(store, id, now, &row_id)) != OK)
		return err;
	if ((err = store_family_revoke(store, FAMILY_OF_CLIENT, row_id, "client_deleted", now, NULL)) != OK)
		return err;
	if ((err = store_revocation_add(store, REVOKED_CLIENT, id, 1, now)) != OK)
		return err;
	return desk_put_event(call, store, &trail);
}

enum err handle_client_delete(struct call *call, const struct client_ref *request_in, struct empty *reply_out)
{
	struct store store = {0};
	enum err err;

	(void)reply_out;
	if ((err = desk_begin(call, &store)) != OK)
		goto done;
	if ((err = delete_client(call, &request_in->id, &store)) != OK)
		goto done;
	CRASH_POINT("client_delete.before_commit");
	err = desk_commit(call, &store);
	CRASH_POINT("client_delete.after_commit");
done:
	store_release(&store);
	return err;
}
