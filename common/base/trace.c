/* SPDX-License-Identifier: Apache-2.0 */
#include "base/trace.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define REMEMBERED_MAX 256

static struct {
	const char *process;
	uint64_t per_s;
	pthread_mutex_t lock; /* guards all below; held for a copy at most */
	double tokens;
	uint64_t refilled_us;
	struct trace_span spans[TRACE_QUEUE_MAX];
	size_t first, count;
	struct trace_counts counts;
	struct {
		struct uuid request_id;
		struct trace_place place;
	} remembered[REMEMBERED_MAX];
	size_t remembered_next;
} traces = {.process = "", .lock = PTHREAD_MUTEX_INITIALIZER};

static _Thread_local struct trace_place current;

void trace_init(const char *process, uint64_t per_s)
{
	traces.process = process;
	traces.per_s = per_s;
	traces.tokens = (double)per_s;
	traces.refilled_us = clock_monotonic_us();
	traces.first = traces.count = 0;
	traces.counts = (struct trace_counts){0, 0};
}

bool trace_on(void)
{
	return traces.per_s > 0;
}

bool trace_allow(void)
{
	const uint64_t now_us = clock_monotonic_us();
	bool allowed;

	if (!trace_on())
		return false;
	(void)pthread_mutex_lock(&traces.lock);
	if (now_us > traces.refilled_us) {
		traces.tokens += (double)(now_us - traces.refilled_us) * (double)traces.per_s / 1e6;
		traces.refilled_us = now_us;
	}
	if (traces.tokens > (double)traces.per_s)
		traces.tokens = (double)traces.per_s;
	allowed = traces.tokens >= 1.0;
	if (allowed)
		traces.tokens -= 1.0;
	(void)pthread_mutex_unlock(&traces.lock);
	return allowed;
}

/* Digits in small letters only (section 3.2.2.1). */
static bool hex_parse(struct str text, uint8_t *out, bool *zero_out)
{
	*zero_out = true;
	for (size_t i = 0; i < text.len; i++) {
		const char c = text.p[i];
		uint8_t digit;

		if (c >= '0' && c <= '9')
			digit = (uint8_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			digit = (uint8_t)(c - 'a' + 10);
		else
			return false;
		out[i / 2] = (uint8_t)(i % 2 == 0 ? digit << 4 : out[i / 2] | digit);
		*zero_out = *zero_out && digit == 0;
	}
	return true;
}

/* Separators and version; a later version may have more behind what this one has. */
static bool form_ok(struct str text)
{
	uint8_t version;
	bool zero;

	if (text.len < TRACE_TEXT_LEN || text.p[2] != '-' || text.p[35] != '-' || text.p[52] != '-')
		return false;
	if (!hex_parse((struct str){text.p, 2}, &version, &zero) || version == 0xff)
		return false;
	if (text.len == TRACE_TEXT_LEN)
		return true;
	return version != 0 && text.p[TRACE_TEXT_LEN] == '-';
}

bool trace_parse(struct str text, struct trace_place *place_out)
{
	uint8_t flags, span[8];
	bool zero;

	*place_out = (struct trace_place){.span_id = 0};
	if (!form_ok(text))
		return false;
	if (!hex_parse((struct str){text.p + 3, 32}, place_out->trace_id, &zero) || zero)
		return false;
	if (!hex_parse((struct str){text.p + 36, 16}, span, &zero) || zero)
		return false;
	if (!hex_parse((struct str){text.p + 53, 2}, &flags, &zero))
		return false;
	for (size_t i = 0; i < sizeof span; i++)
		place_out->span_id = place_out->span_id << 8 | span[i];
	place_out->sampled = (flags & 1) != 0;
	return true;
}

static char *put_hex(char *p, uint8_t byte)
{
	static const char digits[] = "0123456789abcdef";

	*p++ = digits[byte >> 4];
	*p++ = digits[byte & 15];
	return p;
}

void trace_format(const struct trace_place *place, char text_out[TRACE_TEXT_LEN + 1])
{
	char *p = text_out;

	/* With every request that is forwarded: printf would be the dearest step of it. */
	p = put_hex(p, 0);
	*p++ = '-';
	for (size_t i = 0; i < sizeof place->trace_id; i++)
		p = put_hex(p, place->trace_id[i]);
	*p++ = '-';
	for (int shift = 56; shift >= 0; shift -= 8)
		p = put_hex(p, (uint8_t)(place->span_id >> shift));
	*p++ = '-';
	p = put_hex(p, place->sampled ? 1 : 0);
	*p = '\0';
}

uint64_t trace_new_id(void)
{
	uint64_t id = 0;

	while (id == 0)
		random_bytes(&id, sizeof id);
	return id;
}

struct trace_span trace_begin(
	const struct trace_place *place, enum trace_kind kind, const char *name, struct trace_place *below_out)
{
	struct trace_span span = {.kind = kind};

	*below_out = *place;
	if (!place->sampled || !trace_on())
		return span;
	span.process = traces.process;
	memcpy(span.trace_id, place->trace_id, sizeof span.trace_id);
	span.parent_id = place->span_id;
	span.span_id = below_out->span_id = trace_new_id();
	span.start = clock_now_us();
	(void)snprintf(span.name, sizeof span.name, "%s", name);
	return span;
}

void trace_end(struct trace_span *span, const char *code)
{
	if (span->span_id == 0)
		return;
	span->end = clock_now_us();
	if (code != NULL)
		(void)snprintf(span->code, sizeof span->code, "%s", code);
	trace_record(span);
	span->span_id = 0;
}

void trace_record(const struct trace_span *span)
{
	(void)pthread_mutex_lock(&traces.lock);
	if (traces.count < TRACE_QUEUE_MAX) {
		traces.spans[(traces.first + traces.count) % TRACE_QUEUE_MAX] = *span;
		traces.count++;
		traces.counts.recorded++;
	} else {
		traces.counts.dropped++;
	}
	(void)pthread_mutex_unlock(&traces.lock);
}

const struct trace_place *trace_current(void)
{
	return &current;
}

void trace_set_current(const struct trace_place *place)
{
	current = place != NULL ? *place : (struct trace_place){.span_id = 0};
}

void trace_remember(const struct uuid *request_id, const struct trace_place *place)
{
	if (!place->sampled)
		return;
	(void)pthread_mutex_lock(&traces.lock);
	traces.remembered[traces.remembered_next].request_id = *request_id;
	traces.remembered[traces.remembered_next].place = *place;
	traces.remembered_next = (traces.remembered_next + 1) % REMEMBERED_MAX;
	(void)pthread_mutex_unlock(&traces.lock);
}

bool trace_recall(const struct uuid *request_id, struct trace_place *place_out)
{
	bool found = false;

	*place_out = (struct trace_place){.span_id = 0};
	if (!trace_on() || uuid_is_nil(request_id))
		return false;
	(void)pthread_mutex_lock(&traces.lock);
	for (size_t i = 0; i < REMEMBERED_MAX && !found; i++) {
		found = uuid_eq(&traces.remembered[i].request_id, request_id);
		if (found)
			*place_out = traces.remembered[i].place;
	}
	(void)pthread_mutex_unlock(&traces.lock);
	return found;
}

size_t trace_take(struct trace_span *spans_out, size_t cap)
{
	size_t count = 0;

	(void)pthread_mutex_lock(&traces.lock);
	while (count < cap && traces.count > 0) {
		spans_out[count++] = traces.spans[traces.first];
		traces.first = (traces.first + 1) % TRACE_QUEUE_MAX;
		traces.count--;
	}
	(void)pthread_mutex_unlock(&traces.lock);
	return count;
}

struct trace_counts trace_counts(void)
{
	struct trace_counts counts;

	(void)pthread_mutex_lock(&traces.lock);
	counts = traces.counts;
	(void)pthread_mutex_unlock(&traces.lock);
	return counts;
}
