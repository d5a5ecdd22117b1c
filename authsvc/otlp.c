/* SPDX-License-Identifier: Apache-2.0 */
#include "otlp.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"

#define STATUS_ERROR 2 /* opentelemetry.proto.trace.v1.Status.StatusCode */

static void put_hex_id(struct json_writer *w, const char *key, uint64_t id)
{
	char text[17];

	(void)snprintf(text, sizeof(text), "%016llx", (unsigned long long)id);
	json_key(w, key);
	json_put_c(w, text);
}

static void put_nanos(struct json_writer *w, const char *key, instant_us at)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%lld000", (long long)at);
	json_key(w, key);
	json_put_c(w, text);
}

static void put_attribute(struct json_writer *w, const char *key, const char *kind, const char *value)
{
	json_begin_object(w);
	json_key(w, "key");
	json_put_c(w, key);
	json_key(w, "value");
	json_begin_object(w);
	json_key(w, kind);
	json_put_c(w, value);
	json_end_object(w);
	json_end_object(w);
}

static void put_attributes(struct json_writer *w, const struct trace_span *span)
{
	char status[16];

	json_key(w, "attributes");
	json_begin_array(w);
	if (span->route[0] != '\0')
		put_attribute(w, "http.route", "stringValue", span->route);
	if (span->status != 0) {
		(void)snprintf(status, sizeof(status), "%d", span->status);
		put_attribute(w, "http.response.status_code", "intValue", status);
	}
	if (span->code[0] != '\0')
		put_attribute(w, "error.type", "stringValue", span->code);
	json_end_array(w);
}

static void put_span(struct json_writer *w, const struct trace_span *span)
{
	char trace_id[33];

	for (size_t i = 0; i < sizeof(span->trace_id); i++)
		(void)snprintf(trace_id + 2 * i, 3, "%02x", span->trace_id[i]);
	json_begin_object(w);
	json_key(w, "traceId");
	json_put_c(w, trace_id);
	put_hex_id(w, "spanId", span->span_id);
	if (span->parent_id != 0)
		put_hex_id(w, "parentSpanId", span->parent_id);
	json_key(w, "name");
	json_put_c(w, span->name);
	json_key(w, "kind");
	json_put_i64(w, span->kind);
	put_nanos(w, "startTimeUnixNano", span->start);
	put_nanos(w, "endTimeUnixNano", span->end);
	put_attributes(w, span);
	json_key(w, "status");
	json_begin_object(w);
	if (span->code[0] != '\0') {
		json_key(w, "code");
		json_put_i64(w, STATUS_ERROR);
	}
	json_end_object(w);
	json_end_object(w);
}

/* All spans of one process. */
static void put_process(struct json_writer *w, const char *process, const struct trace_span *spans, size_t count)
{
	json_begin_object(w);
	json_key(w, "resource");
	json_begin_object(w);
	json_key(w, "attributes");
	json_begin_array(w);
	put_attribute(w, "service.namespace", "stringValue", "berth");
	put_attribute(w, "service.name", "stringValue", process);
	json_end_array(w);
	json_end_object(w);
	json_key(w, "scopeSpans");
	json_begin_array(w);
	json_begin_object(w);
	json_key(w, "spans");
	json_begin_array(w);
	for (size_t i = 0; i < count; i++)
		if (strcmp(spans[i].process, process) == 0)
			put_span(w, &spans[i]);
	json_end_array(w);
	json_end_object(w);
	json_end_array(w);
	json_end_object(w);
}

static bool is_first_of_process(const struct trace_span *spans, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (strcmp(spans[i].process, spans[index].process) == 0)
			return false;
	return true;
}

void otlp_write(const struct trace_span *spans, size_t count, struct buf *out)
{
	struct json_writer w = json_writer_over(out);

	json_begin_object(&w);
	json_key(&w, "resourceSpans");
	json_begin_array(&w);
	for (size_t i = 0; i < count; i++)
		if (is_first_of_process(spans, i))
			put_process(&w, spans[i].process, spans, count);
	json_end_array(&w);
	json_end_object(&w);
}
