/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/log.h"
#include "base/trace.h"
#include "service/context.h"

#define SPANS_MAX 256
#define EVERY_MS 1000
#define EXPORT_MS 2000
#define ARENA_MAX (1U << 20)

static struct span span_of(const struct trace_span *from)
{
	struct span to = {
		.span_id = (int64_t)from->span_id,
		.has_span_id = true,
		.parent_id = (int64_t)from->parent_id,
		.has_parent_id = true,
		.kind = from->kind,
		.has_kind = true,
		.name = str_from(from->name),
		.has_name = true,
		.route = str_from(from->route),
		.has_route = from->route[0] != '\0',
		.code = str_from(from->code),
		.has_code = from->code[0] != '\0',
		.status = from->status,
		.has_status = true,
		.started_at = from->start,
		.has_started_at = true,
		.ended_at = from->end,
		.has_ended_at = true,
		.has_trace_id = true,
	};

	memcpy(to.trace_id.b, from->trace_id, sizeof to.trace_id.b);
	return to;
}

/* True when there may be more at once. What cannot be handed on is lost: a trace is not worth a queue that grows. */
static bool hand_on(struct context *context, struct arena *arena)
{
	static struct trace_span spans[SPANS_MAX];
	const size_t count = trace_take(spans, SPANS_MAX);
	struct span items[SPANS_MAX];
	const struct span_list request = {.items = {.items = items, .count = count}, .has_items = true};
	struct empty reply;
	enum err err;

	if (count == 0)
		return false;
	for (size_t i = 0; i < count; i++)
		items[i] = span_of(&spans[i]);
	arena_reset(arena);
	err = context_call(context, NULL, OPID_span_export, &request, EXPORT_MS, arena, &reply);
	if (err != OK)
		log_event(LOG_WARN, "spans_lost", LOG_I("count", count), LOG_C("code", err_code(err)));
	return err == OK && count == SPANS_MAX;
}

static void spans_run(struct context *context)
{
	struct arena *arena = arena_new(ARENA_MAX);

	while (arena != NULL && !context_stopping(context)) {
		bool more;

		do
			more = hand_on(context, arena);
		while (more && !context_stopping(context));
		context_wait(context, EVERY_MS);
	}
	arena_free(&arena);
}

const struct job *context_spans_job(const struct context *context)
{
	static const struct job job = {"spans", spans_run};

	return trace_on() && context->dialers[PEER_authsvc][LANE_FAST] != NULL ? &job : NULL;
}
