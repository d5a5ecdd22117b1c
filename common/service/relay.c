/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crash.h"
#include "base/log.h"
#include "service/context.h"

#define APPEND_MS 5000
#define SPANS_MAX 16 /* recorded for one message */
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

/*
 * The delivery of an event stands in the trace of the request that made it; one message holds events of many, and goes
 * on in the trace of the first that has one. Another process may have committed it: then nobody here remembers.
 */
static size_t spans_begin(const struct outbox_event *events, size_t count, struct trace_span spans_out[SPANS_MAX],
	struct trace_place *first)
{
	struct uuid seen = UUID_NIL;
	size_t begun = 0;

	*first = (struct trace_place){.span_id = 0};
	for (size_t i = 0; trace_on() && i < count && begun < SPANS_MAX; i++) {
		const struct uuid *request_id = &events[i].event.request_id;
		struct trace_place place, below;

		/* A request's events stand together. */
		if (uuid_eq(request_id, &seen) || !trace_recall(request_id, &place))
			continue;
		seen = *request_id;
		spans_out[begun] = trace_begin(&place, TRACE_PRODUCER, "outbox_deliver", &below);
		if (begun++ == 0)
			*first = below;
	}
	return begun;
}

static enum err deliver(void *ctx, const struct outbox_event *events, size_t count)
{
	struct context *context = ctx;
	struct arena *arena = arena_new(RELAY_ARENA_MAX);
	struct event_append_request request = {.has_events = true};
	struct event_append_reply reply = {0};
	struct trace_span spans[SPANS_MAX];
	struct trace_place first;
	size_t span_count;
	enum err err = ERR_OVERLOADED;

	if (arena == NULL)
		return ERR_OVERLOADED;
	request.events.items = arena_take_array(arena, count, sizeof *request.events.items);
	request.events.count = count;
	if (request.events.items == NULL)
		goto done;
	for (size_t i = 0; i < count; i++)
		entry_of(&events[i], &request.events.items[i]);
	span_count = spans_begin(events, count, spans, &first);
	trace_set_current(&first);
	err = context_call(context, NULL, OPID_event_append, &request, APPEND_MS, arena, &reply);
	trace_set_current(NULL);
	for (size_t i = 0; i < span_count; i++)
		trace_end(&spans[i], err != OK ? err_code(err) : NULL);
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
