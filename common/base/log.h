/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_BASE_LOG_H
#define BERTH_BASE_LOG_H

#include "base/id.h"

/*
 * JSON lines on stderr: {"at","level","service","event","request_id"?,...}. `event` is a short constant in snake_case.
 * Values are encoded (control bytes, quotes, invalid UTF-8), cut at LOG_VALUE_MAX bytes and must never be personal data
 * or secrets: ids, counts, codes, durations, names of operations and dependencies only. One line is one write(2).
 * Thread-safe.
 */
enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

#define LOG_VALUE_MAX 512

struct log_field {
	const char *key; /* NULL ends a list */
	enum { LOG_FIELD_C, LOG_FIELD_STR, LOG_FIELD_I64, LOG_FIELD_UUID } kind;
	const char *c;
	struct str s;
	int64_t i;
	const struct uuid *id;
};

#define LOG_C(k, v) ((struct log_field){.key = (k), .kind = LOG_FIELD_C, .c = (v)})
#define LOG_S(k, v) ((struct log_field){.key = (k), .kind = LOG_FIELD_STR, .s = (v)})
#define LOG_I(k, v) ((struct log_field){.key = (k), .kind = LOG_FIELD_I64, .i = (int64_t)(v)})
#define LOG_ID(k, v) ((struct log_field){.key = (k), .kind = LOG_FIELD_UUID, .id = (v)})

void log_init(const char *service, enum log_level least);
/* The request id that this thread's lines carry until changed; NULL clears. */
void log_set_request(const struct uuid *request_id);
void log_write(enum log_level level, const char *event, const struct log_field *fields);
/* The first element only keeps the list valid when there are no fields; it is skipped. */
#define log_event(level, event, ...) \
	log_write((level), (event), (const struct log_field[]){{0}, ##__VA_ARGS__, {0}} + 1)

/* A broken invariant: logs and aborts. Never for input. */
_Noreturn void log_abort(const char *invariant, const char *file, int line);
#define INVARIANT(cond) ((cond) ? (void)0 : log_abort(#cond, __FILE__, __LINE__))

#endif
