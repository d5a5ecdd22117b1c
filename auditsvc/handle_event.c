/* SPDX-License-Identifier: Apache-2.0 */
#include "append.h"
#include "base/encode.h"
#include "rules.h"
#include "store.h"

#define SERVICE_DEF "contract/auditsvc.def"
#include "service/handlers.h"

static struct str document(const struct content *content)
{
	return content->present ? content->plain : STR_NONE;
}

/* An event as readers see it: present and null where it has nothing. */
static enum err show(struct arena *arena, const struct event_row *event, struct audit_event *out)
{
	*out = (struct audit_event){
		.id = event->id,
		.has_id = true,
		.at = event->at,
		.has_at = true,
		.service = event->service,
		.has_service = true,
		.action = event->action,
		.has_action = true,
		.object_type = event->object_type,
		.has_object_type = true,
		.object_id = event->object_id,
		.has_object_id = true,
		.object_version = event->object_version,
		.has_object_version = true,
		.actor_id = event->actor_id,
		.has_actor_id = true,
		.client_id = event->client_id,
		.has_client_id = true,
		.on_behalf_id = event->on_behalf_id,
		.has_on_behalf_id = true,
		.subject_id = event->subject_id,
		.has_subject_id = true,
		.request_id = event->request_id,
		.has_request_id = true,
		.before = document(&event->before),
		.has_before = true,
		.after = document(&event->after),
		.has_after = true,
		.erased = rules_event_is_erased(event),
		.has_erased = true,
		.leaf_index = event->leaf_index,
		.has_leaf_index = true,
		.leaf_hash = base64url_encode(arena, (struct str){(const char *)event->leaf_hash.b, HASH_LEN}),
		.has_leaf_hash = true,
	};
	return out->leaf_hash.p ? OK : ERR_OVERLOADED;
}

/* The first page of a list by time begins below its end, which no event of that instant has a leaf to be below of. */
static enum err filter_of(struct call *call, const struct event_list_request *request, struct event_filter *filter_out)
{
	const bool by_time = request->has_from || request->has_to;
	enum err err;

	*filter_out = (struct event_filter){
		.by_time = by_time,
		.behind = {.leaf_index = INT64_MAX, .at = INSTANT_MAX},
		.from = request->has_from ? request->from : INSTANT_MIN,
		.limit = request->has_limit ? request->limit : RULES_PAGE_DEFAULT,
		.actor_id = request->actor_id,
		.object_id = request->object_id,
		.object_type = request->has_object_type ? request->object_type : STR_NONE,
		.action = request->has_action ? request->action : STR_NONE,
	};
	if (request->has_to)
		filter_out->behind = (struct event_place){.leaf_index = -1, .at = request->to};
	if (!request->has_cursor)
		return OK;
	err = rules_cursor_parse(call->arena, request->cursor, by_time, &filter_out->behind);
	if (err == OK && request->has_to && filter_out->behind.at >= request->to)
		err = ERR_BAD_CURSOR;
	return err == OK ? OK : call_refuse(call, err, "cursor", "malformed", NULL);
}

static enum err next_cursor(
	struct call *call, const struct event_filter *filter, const struct event_row *last, struct str *cursor_out)
{
	const struct event_place place = {.leaf_index = last->leaf_index, .at = last->at};

	*cursor_out = rules_cursor(call->arena, filter->by_time, &place);
	return cursor_out->p ? OK : ERR_OVERLOADED;
}

enum err handle_event_list(struct call *call, const struct event_list_request *request, struct event_page *reply_out)
{
	struct event_filter filter;
	struct event_row *events = NULL;
	struct store store = {0};
	size_t count = 0;
	enum err err;

	if ((err = filter_of(call, request, &filter)) != OK)
		return err;
	err = store_begin(call->worker->db, call->worker->seal, call->arena, &call->token.tenant_id, &store);
	if (err != OK || (err = store_event_list(&store, &filter, &events, &count)) != OK)
		goto done;
	if ((err = store_event_open(&store, events, count)) != OK)
		goto done;
	reply_out->items.items = arena_take_array(call->arena, count + 1, sizeof(*reply_out->items.items));
	if (!reply_out->items.items) {
		err = ERR_OVERLOADED;
		goto done;
	}
	for (size_t i = 0; i < count && err == OK; i++)
		err = show(call->arena, &events[i], &reply_out->items.items[i]);
	reply_out->items.count = count;
	reply_out->has_items = true;
	reply_out->has_next_cursor = true;
	if (err == OK && count > 0 && count == (size_t)filter.limit)
		err = next_cursor(call, &filter, &events[count - 1], &reply_out->next_cursor);
done:
	store_release(&store);
	return err;
}

enum err handle_event_read(struct call *call, const struct event_ref *request, struct audit_event *reply_out)
{
	struct event_row event;
	struct store store = {0};
	enum err err;

	err = store_begin(call->worker->db, call->worker->seal, call->arena, &call->token.tenant_id, &store);
	if (err != OK || (err = store_event_read(&store, &request->id, &event)) != OK)
		goto done;
	if ((err = store_event_open(&store, &event, 1)) == OK)
		err = show(call->arena, &event, reply_out);
done:
	store_release(&store);
	return err;
}

/* The service is the arrow's caller: what a message says of itself is not asked. */
static void take(const struct event_entry *entry, enum peer caller, struct event_row *event_out)
{
	*event_out = (struct event_row){
		.tenant_id = entry->tenant_id,
		.id = entry->id,
		.at = entry->at,
		.service = str_from(peer_name(caller)),
		.action = entry->action,
		.object_type = entry->object_type,
		.object_id = entry->object_id,
		.object_version = entry->object_version,
		.actor_id = entry->actor_id,
		.client_id = entry->client_id,
		.on_behalf_id = entry->on_behalf_id,
		.subject_id = entry->subject_id,
		.request_id = entry->request_id,
		.erased = entry->erased,
	};
	if (entry->erased)
		return;
	event_out->before.plain = entry->has_before ? entry->before : STR_NONE;
	event_out->after.plain = entry->has_after ? entry->after : STR_NONE;
}

enum err handle_event_append(
	struct call *call, const struct event_append_request *request, struct event_append_reply *reply_out)
{
	const size_t count = request->events.count;
	struct event_row *events = arena_take_array(call->arena, count + 1, sizeof(*events));
	size_t appended = 0;
	enum err err;

	if (!events)
		return ERR_OVERLOADED;
	for (size_t i = 0; i < count; i++)
		take(&request->events.items[i], call->caller, &events[i]);
	err = append_events(call->worker->db, call->worker->seal, call->arena, events, count, &appended);
	reply_out->appended = (int64_t)appended;
	reply_out->has_appended = true;
	return err;
}
