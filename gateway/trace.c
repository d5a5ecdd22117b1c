/* SPDX-License-Identifier: Apache-2.0 */
#include "trace.h"

#include <stdio.h>
#include <string.h>

#include "loop.h"

static bool one_in(int64_t many)
{
	return many > 0 && trace_on() && trace_new_id() % (uint64_t)many == 0;
}

void trace_accept(struct exchange *exchange, const struct http_parser *parser)
{
	const int64_t many = exchange->loop->gateway->config->trace_one_in;
	struct str given = STR_NONE;
	struct trace_place above;
	bool wanted;

	if (http_find(parser, "traceparent", &given) == 1 && trace_parse(given, &above)) {
		wanted = above.sampled;
	} else {
		/* A request id is random enough for a trace: its last half has no time in it. */
		above = (struct trace_place){.span_id = 0};
		memcpy(above.trace_id, exchange->request_id.b, sizeof above.trace_id);
		wanted = false;
	}
	above.sampled = (wanted || one_in(many)) && trace_allow();
	exchange->span = trace_begin(&above, TRACE_SERVER, "none", &exchange->trace);
	if (exchange->trace.sampled)
		return;
	/* Unrecorded, it is a hop all the same. */
	exchange->trace.span_id = 0;
	for (size_t i = 8; i < 16; i++)
		exchange->trace.span_id = exchange->trace.span_id << 8 | exchange->request_id.b[i];
}

void trace_forward(struct exchange *exchange)
{
	struct trace_place below;

	exchange->link_span = trace_begin(&exchange->trace, TRACE_CLIENT, exchange->operation->name, &below);
	trace_format(&below, exchange->traceparent);
}

void trace_answer(struct exchange *exchange, int status, enum err err)
{
	struct trace_span *span = &exchange->span;
	const char *code = err != OK ? err_code(err) : NULL;

	trace_end(&exchange->link_span, code);
	if (span->span_id == 0)
		return;
	span->status = status;
	if (exchange->operation != NULL) {
		(void)snprintf(span->name, sizeof span->name, "%s", exchange->operation->name);
		(void)snprintf(span->route, sizeof span->route, "%s", exchange->operation->path);
	}
	trace_end(span, code);
}
