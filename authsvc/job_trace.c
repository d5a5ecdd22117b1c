/* SPDX-License-Identifier: Apache-2.0 */
#include "job_trace.h"

#include "base/log.h"
#include "base/trace.h"
#include "otlp.h"
#include "state.h"

#define EVERY_MS 500
#define SPANS_MAX 512
#define DOCUMENT_MAX (1U << 20)
#define PURPOSE "traces"

/* Told when it turns, so that a collector that is away is two lines. */
static void tell(bool *away, enum err err)
{
	if (*away == (err != OK))
		return;
	*away = err != OK;
	log_event(
		*away ? LOG_WARN : LOG_INFO, *away ? "collector_away" : "collector_back", LOG_C("code", err_code(err)));
}

/* What cannot be handed over is lost: a trace is not worth a queue that grows. */
static size_t spans_send(struct state *state, struct buf *document, bool *away)
{
	static struct trace_span spans[SPANS_MAX];
	const size_t count = trace_take(spans, SPANS_MAX);
	enum err err = ERR_TOO_LARGE;

	if (count == 0)
		return 0;
	buf_reset(document);
	otlp_write(spans, count, document);
	if (buf_ok(document))
		err = egress_post(
			state->egress, state->config->trace_url, PURPOSE, "application/json", buf_str(document));
	atomic_fetch_add(err == OK ? &state->counts.spans_exported : &state->counts.spans_lost, count);
	tell(away, err);
	return count;
}

void job_trace_run(struct context *context)
{
	struct state *state = context_state(context);
	struct buf document;
	bool away = false;

	if (state->config->trace_url == NULL)
		return;
	buf_init(&document, DOCUMENT_MAX);
	while (!context_stopping(context)) {
		if (spans_send(state, &document, &away) < SPANS_MAX)
			context_wait(context, EVERY_MS);
	}
	buf_release(&document);
}
