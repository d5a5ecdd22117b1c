/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_BASE_TRACE_H
#define BERTH_BASE_TRACE_H

#include "base/clock.h"
#include "base/id.h"

/*
 * Distributed traces: where a request stands in its trace (W3C Trace Context, level 1), and the spans of this process
 * that wait to be sent on. Off until trace_init allows any. A span holds names of the code, routes by their template,
 * codes and times; nothing of a person. Recording never waits: with the queue full a span is counted and dropped.
 */
#define TRACE_TEXT_LEN 55
#define TRACE_NAME_MAX 60
#define TRACE_ROUTE_MAX 100
#define TRACE_CODE_MAX 40
#define TRACE_QUEUE_MAX 2048

struct trace_place {
	uint8_t trace_id[16];
	uint64_t span_id; /* of who is above; 0: nobody */
	bool sampled;     /* spans are recorded */
};

/* Numbers as in OTLP. */
enum trace_kind { TRACE_INTERNAL = 1, TRACE_SERVER, TRACE_CLIENT, TRACE_PRODUCER, TRACE_CONSUMER };

struct trace_span {
	const char *process; /* constant */
	uint8_t trace_id[16];
	uint64_t span_id, parent_id; /* parent 0: the first of its trace */
	enum trace_kind kind;
	char name[TRACE_NAME_MAX + 1];
	char route[TRACE_ROUTE_MAX + 1]; /* template; "": none */
	char code[TRACE_CODE_MAX + 1];   /* how it ended, when not well; "": well */
	int status;                      /* of HTTP; 0: none */
	instant_us start, end;
};

/* Before any other thread: at most `per_s` requests a second are recorded, 0: none, under this process's name. */
void trace_init(const char *process, uint64_t per_s);
bool trace_on(void);
/* Whether one more request may be recorded now. */
bool trace_allow(void);

/*
 * Version 00 exactly, or a later one whose first four fields have its form (section 3.2.2); ids of zeros are none. The
 * other flags are not kept.
 */
bool trace_parse(struct str text, struct trace_place *place_out);
void trace_format(const struct trace_place *place, char text_out[TRACE_TEXT_LEN + 1]);
uint64_t trace_new_id(void); /* never 0 */

/*
 * A span below `place`, begun now; `below_out` is the place of what it calls. Without a sampled place its span_id stays
 * 0 and trace_end does nothing.
 */
struct trace_span trace_begin(
	const struct trace_place *place, enum trace_kind kind, const char *name, struct trace_place *below_out);
/* Ends it now and queues it. `code` NULL: well. */
void trace_end(struct trace_span *span, const char *code);
void trace_record(const struct trace_span *span); /* one that has ended */

/* The place of what this thread works at; not sampled when it works at nothing that is recorded. */
const struct trace_place *trace_current(void);
void trace_set_current(const struct trace_place *place); /* copies; NULL: nothing */

/* The place of a request whose consequences leave later (the outbox), for the last few hundred recorded ones. */
void trace_remember(const struct uuid *request_id, const struct trace_place *place);
bool trace_recall(const struct uuid *request_id, struct trace_place *place_out);

/* At most `cap` spans, oldest first; they leave the queue. */
size_t trace_take(struct trace_span *spans_out, size_t cap);
struct trace_counts {
	uint64_t recorded, dropped;
};
struct trace_counts trace_counts(void);

#endif
