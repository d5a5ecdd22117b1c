/* SPDX-License-Identifier: Apache-2.0 */
#include "h2_guard.h"

#include <string.h>

#define PREFACE_LEN 24
#define FRAME_HEAD_LEN 9

/* RFC 9113 section 6, RFC 9218 section 7.1. */
enum {
	TYPE_DATA = 0,
	TYPE_HEADERS = 1,
	TYPE_PRIORITY = 2,
	TYPE_RST_STREAM = 3,
	TYPE_SETTINGS = 4,
	TYPE_PUSH_PROMISE = 5,
	TYPE_PING = 6,
	TYPE_GOAWAY = 7,
	TYPE_WINDOW_UPDATE = 8,
	TYPE_CONTINUATION = 9,
	TYPE_PRIORITY_UPDATE = 16,
};
#define FLAG_END_STREAM 0x1
#define FLAG_END_HEADERS 0x4
#define FLAG_PADDED 0x8
#define FLAG_PRIORITY 0x20
#define PRIORITY_LEN 5

static const struct {
	const char *name;
	unsigned burst, per_s;
} budgets[H2_BUDGET_COUNT] = {
#define X(name, text, burst, per_s) [H2_BUDGET_##name] = {text, burst, per_s},
	H2_BUDGETS(X)
#undef X
};

struct frame {
	size_t len;
	unsigned type, flags;
	uint32_t stream_id;
};

const char *h2_budget_name(enum h2_budget budget)
{
	return budgets[budget].name;
}

void h2_guard_init(struct h2_guard *guard, uint64_t now_us)
{
	*guard = (struct h2_guard){.now_us = now_us, .frame_at_us = now_us, .left = PREFACE_LEN};
	for (size_t i = 0; i < H2_BUDGET_COUNT; i++) {
		guard->budgets[i].level = budgets[i].burst;
		guard->budgets[i].at_us = now_us;
	}
}

bool h2_guard_spend(struct h2_guard *guard, enum h2_budget budget)
{
	double *level = &guard->budgets[budget].level;
	const uint64_t since_us = guard->now_us - guard->budgets[budget].at_us;

	guard->budgets[budget].at_us = guard->now_us;
	*level += (double)since_us * budgets[budget].per_s / 1e6;
	if (*level > budgets[budget].burst)
		*level = budgets[budget].burst;
	if (*level < 1)
		return false;
	*level -= 1;
	return true;
}

void h2_guard_credit(struct h2_guard *guard, enum h2_budget budget, unsigned count)
{
	guard->budgets[budget].level += count;
	if (guard->budgets[budget].level > budgets[budget].burst)
		guard->budgets[budget].level = budgets[budget].burst;
}

void h2_guard_reset(struct h2_guard *guard, uint32_t stream_id)
{
	guard->resets[guard->reset_at++ % H2_RESETS_KEPT] = stream_id;
}

static bool was_reset(const struct h2_guard *guard, uint32_t stream_id)
{
	for (size_t i = 0; i < H2_RESETS_KEPT; i++)
		if (guard->resets[i] == stream_id)
			return true;
	return false;
}

/* RFC 9113 section 5.1.1. What is too long ago to be known counts as opened. */
static bool was_opened(const struct h2_guard *guard, uint32_t stream_id)
{
	const uint32_t back = (guard->last_id - stream_id) / 2;

	return back >= 64 || (guard->opened >> back & 1) != 0;
}

static void note_opened(struct h2_guard *guard, uint32_t stream_id)
{
	const uint32_t forth = (stream_id - guard->last_id + 1) / 2;

	guard->opened = (forth < 64 ? guard->opened << forth : 0) | 1;
	guard->last_id = stream_id;
}

static enum h2_verdict charge(struct h2_guard *guard, enum h2_budget budget, enum h2_budget *budget_out)
{
	*budget_out = budget;
	return h2_guard_spend(guard, budget) ? H2_PASS : H2_CALM;
}

/* DATA and HEADERS of a stream that does not stand (any more). */
static enum h2_verdict judge_closed(struct h2_guard *guard, uint32_t stream_id, enum h2_budget *budget_out)
{
	/* Idle or of the wrong parity: the session knows the right error. */
	if (stream_id == 0 || stream_id % 2 == 0 || stream_id > guard->last_id)
		return H2_PASS;
	if (guard->leaving || was_reset(guard, stream_id))
		return charge(guard, H2_BUDGET_STRAY, budget_out);
	return was_opened(guard, stream_id) ? H2_CLOSED : H2_WRONG;
}

/* Bytes of a field section fragment, when padding is told by its own byte, which has not been read yet. */
static size_t fragment_len(const struct frame *frame)
{
	const size_t extra = ((frame->flags & FLAG_PADDED) != 0 ? 1U : 0U) +
	                     ((frame->flags & FLAG_PRIORITY) != 0 ? PRIORITY_LEN : 0U);

	return frame->len > extra ? frame->len - extra : 0;
}

static enum h2_verdict judge_headers(
	struct h2_guard *guard, const struct frame *frame, bool open, enum h2_budget *budget_out)
{
	const bool fresh = frame->stream_id % 2 == 1 && frame->stream_id > guard->last_id;

	guard->section_open = (frame->flags & FLAG_END_HEADERS) == 0;
	guard->budgets[H2_BUDGET_CONTINUATION].level = H2_CONTINUATIONS_MAX;
	if (fresh)
		note_opened(guard, frame->stream_id);
	if (fragment_len(frame) == 0 && !h2_guard_spend(guard, H2_BUDGET_EMPTY)) {
		*budget_out = H2_BUDGET_EMPTY;
		return H2_CALM;
	}
	return fresh || open ? H2_PASS : judge_closed(guard, frame->stream_id, budget_out);
}

static enum h2_verdict judge_continuation(struct h2_guard *guard, const struct frame *frame, enum h2_budget *budget_out)
{
	if ((frame->flags & FLAG_END_HEADERS) != 0)
		guard->section_open = false;
	if (frame->len == 0 && !h2_guard_spend(guard, H2_BUDGET_EMPTY)) {
		*budget_out = H2_BUDGET_EMPTY;
		return H2_CALM;
	}
	return charge(guard, H2_BUDGET_CONTINUATION, budget_out);
}

static enum h2_verdict judge_data(
	struct h2_guard *guard, const struct frame *frame, bool open, enum h2_budget *budget_out)
{
	if (!open)
		return judge_closed(guard, frame->stream_id, budget_out);
	if ((frame->flags & FLAG_END_STREAM) != 0)
		return H2_PASS;
	guard->pad_next = (frame->flags & FLAG_PADDED) != 0 && frame->len > 0;
	return frame->len == 0 ? charge(guard, H2_BUDGET_EMPTY, budget_out) : H2_PASS;
}

static enum h2_verdict judge(struct h2_guard *guard, const struct frame *frame, h2_open_fn *open, const void *ctx,
	enum h2_budget *budget_out)
{
	switch (frame->type) {
	case TYPE_DATA:
		return judge_data(guard, frame, open(ctx, frame->stream_id), budget_out);
	case TYPE_HEADERS:
		return judge_headers(guard, frame, open(ctx, frame->stream_id), budget_out);
	case TYPE_CONTINUATION:
		return judge_continuation(guard, frame, budget_out);
	case TYPE_PRIORITY:
		/* nghttp2 does not look at it any more. */
		if (frame->stream_id == 0)
			return H2_WRONG;
		guard->depends_of = frame->len == PRIORITY_LEN ? frame->stream_id : 0;
		guard->depends_on = 0;
		guard->depends_len = 0;
		return charge(guard, H2_BUDGET_PRIORITY, budget_out);
	case TYPE_PRIORITY_UPDATE:
		return charge(guard, H2_BUDGET_PRIORITY, budget_out);
	case TYPE_RST_STREAM:
		return charge(guard, H2_BUDGET_RESET, budget_out);
	case TYPE_SETTINGS:
		return charge(guard, H2_BUDGET_SETTINGS, budget_out);
	case TYPE_PING:
		return charge(guard, H2_BUDGET_PING, budget_out);
	case TYPE_WINDOW_UPDATE:
		return charge(guard, H2_BUDGET_WINDOW, budget_out);
	case TYPE_PUSH_PROMISE:
		return H2_PASS; /* ends the connection */
	default:
		return charge(guard, H2_BUDGET_UNKNOWN, budget_out);
	}
}

static struct frame frame_of(const uint8_t *head)
{
	return (struct frame){.len = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2],
		.type = head[3],
		.flags = head[4],
		.stream_id = ((uint32_t)head[5] << 24 | (uint32_t)head[6] << 16 | (uint32_t)head[7] << 8 | head[8]) &
	                     0x7fffffffU};
}

/* RFC 7540 section 5.3.1: on which stream the frame's own one depends, in four bytes of which these are the next. */
static enum h2_verdict take_dependency(struct h2_guard *guard, const uint8_t *bytes, size_t len)
{
	const uint32_t of = guard->depends_of;

	for (size_t i = 0; i < len && guard->depends_len < 4; i++, guard->depends_len++)
		guard->depends_on = guard->depends_on << 8 | bytes[i];
	if (guard->depends_len < 4)
		return H2_PASS;
	guard->depends_of = 0;
	return (guard->depends_on & 0x7fffffffU) == of ? H2_WRONG : H2_PASS;
}

/* Of the payload; *take_out how much of it is here. */
static enum h2_verdict take_payload(
	struct h2_guard *guard, const uint8_t *bytes, size_t len, size_t *take_out, enum h2_budget *budget_out)
{
	if (guard->pad_next && len > 0) {
		guard->pad_next = false;
		/* Padding that fills the frame; more of it the session refuses. */
		if ((size_t)bytes[0] + 1 >= guard->left && charge(guard, H2_BUDGET_EMPTY, budget_out) != H2_PASS)
			return H2_CALM;
	}
	*take_out = len < guard->left ? len : guard->left;
	guard->left -= *take_out;
	if (guard->left == 0 && !guard->section_open)
		guard->frame_at_us = 0;
	return guard->depends_of != 0 ? take_dependency(guard, bytes, *take_out) : H2_PASS;
}

enum h2_verdict h2_guard_next(struct h2_guard *guard, const uint8_t *bytes, size_t len, h2_open_fn *open,
	const void *ctx, size_t *take_out, enum h2_budget *budget_out)
{
	const size_t missing = FRAME_HEAD_LEN - guard->head_len;
	enum h2_verdict verdict;
	struct frame frame;
	size_t rest = 0;

	if (guard->left > 0)
		return take_payload(guard, bytes, len, take_out, budget_out);
	if (guard->frame_at_us == 0)
		guard->frame_at_us = guard->now_us;
	*take_out = len < missing ? len : missing;
	memcpy(guard->head + guard->head_len, bytes, *take_out);
	guard->head_len += *take_out;
	if (guard->head_len < FRAME_HEAD_LEN)
		return H2_PASS;
	guard->head_len = 0;
	frame = frame_of(guard->head);
	guard->left = frame.len;
	if ((verdict = judge(guard, &frame, open, ctx, budget_out)) != H2_PASS)
		return verdict;
	/* A body has a deadline of its own. */
	if (frame.type == TYPE_DATA)
		guard->frame_at_us = 0;
	verdict = take_payload(guard, bytes + *take_out, len - *take_out, &rest, budget_out);
	*take_out += rest;
	return verdict;
}
