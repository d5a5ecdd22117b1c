/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crash.h"
#include "base/log.h"
#include "service/context.h"

#define APPEND_MS 5000
#define RELAY_ARENA_MAX (16U << 20)

static void entry_of(const struct outbox_event *from, struct event_entry *to)
{
	const struct event *event = &from->event;

	*to = (struct event_entry){
		.id = event->id,
		.has_id = true,
		.tenant_id = from->tenant_id,
		.has_tenant_id = true,
		.at = event->at,
		.has_at = true,
		.action = str_from(event->action),
		.has_action = true,
		.object_type = str_from(event->object_type),
		.has_object_type = true,
		.object_id = event->object_id,
		.has_object_id = true,
		.object_version = event->object_version,
		.has_object_version = true,
		.actor_id = event->actor_id,
		.has_actor_id = !uuid_is_nil(&event->actor_id),
		.client_id = event->client_id,
		.has_client_id = !uuid_is_nil(&event->client_id),
		.on_behalf_id = event->on_behalf_id,
		.has_on_behalf_id = !uuid_is_nil(&event->on_behalf_id),
		.subject_id = event->subject_id,
		.has_subject_id = !uuid_is_nil(&event->subject_id),
		.request_id = event->request_id,
		.has_request_id = !uuid_is_nil(&event->request_id),
		.before = event->before,
		.has_before = event->before.p != NULL,
		.after = event->after,
		.has_after = event->after.p != NULL,
		.erased = from->erased,
		.has_erased = true,
	};
}

static enum err deliver(void *ctx, const struct outbox_event *events, size_t count)
{
	struct context *context = ctx;
	struct arena *arena = arena_new(RELAY_ARENA_MAX);
	struct event_append_request request = {.has_events = true};
	struct event_append_reply reply = {0};
	enum err err = ERR_OVERLOADED;

	if (arena == NULL)
		return ERR_OVERLOADED;
	request.events.items = arena_take_array(arena, count, sizeof *request.events.items);
	request.events.count = count;
	if (request.events.items == NULL)
		goto done;
	for (size_t i = 0; i < count; i++)
		entry_of(&events[i], &request.events.items[i]);
	err = context_call(context, NULL, OPID_event_append, &request, APPEND_MS, arena, &reply);
done:
	arena_free(&arena);
	return err;
}

enum err context_start_relay(struct context *context)
{
	struct outbox_relay_config config = {.db = &context->db_jobs, .deliver = deliver, .ctx = context};
	enum err err;

	if (!context->service->outbox)
		return OK;
	if ((err = context_seal(context, &context->relay_seal)) != OK)
		return err;
	config.seal = context->relay_seal;
	if ((err = outbox_relay_new(&config, &context->relay)) != OK)
		return err;
	return outbox_relay_start(context->relay);
}
