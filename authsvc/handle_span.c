/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/trace.h"
#include "desk.h"

#define SERVICE_DEF "contract/authsvc.def"
#include "service/handlers.h"

static void text_copy(char *out, size_t size, bool has, struct str text)
{
	const size_t len = !has ? 0 : text.len < size ? text.len : size - 1;

	if (len > 0)
		memcpy(out, text.p, len);
	out[len] = '\0';
}

/* What another process recorded joins what waits here; with the queue full it is dropped, and counted. */
enum err handle_span_export(struct call *call, const struct span_list *request_in, struct empty *reply_out)
{
	(void)reply_out;
	for (size_t i = 0; i < request_in->items.count; i++) {
		const struct span *from = &request_in->items.items[i];
		struct trace_span span = {.process = peer_name(call->caller),
			.span_id = (uint64_t)from->span_id,
			.parent_id = (uint64_t)from->parent_id,
			.kind = (enum trace_kind)from->kind,
			.status = (int)from->status,
			.start = from->started_at,
			.end = from->ended_at};

		memcpy(span.trace_id, from->trace_id.b, sizeof(span.trace_id));
		text_copy(span.name, sizeof(span.name), true, from->name);
		text_copy(span.route, sizeof(span.route), from->has_route, from->route);
		text_copy(span.code, sizeof(span.code), from->has_code, from->code);
		trace_record(&span);
	}
	return OK;
}
