/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GATEWAY_H2_GUARD_H
#define BERTH_GATEWAY_H2_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "h2_limits.h"

/*
 * Looks at every frame before the session does: cuts the bytes of a connection at frames, keeps the budgets, and
 * refuses what RFC 9113 section 5.1 forbids on closed streams, where nghttp2 is lenient. Knows only headers of frames
 * and how DATA is padded.
 */
struct h2_guard {
	uint8_t head[9];
	size_t head_len;     /* of the frame that is being read */
	size_t left;         /* of its payload */
	bool pad_next;       /* the next byte says how much of a DATA frame is padding */
	uint32_t depends_of; /* the stream whose PRIORITY is being read; 0: none */
	uint32_t depends_on; /* on which, as far as it was read */
	size_t depends_len;
	bool section_open;    /* END_HEADERS is still to come */
	bool leaving;         /* our last GOAWAY is out: new streams are not taken, and no fault */
	uint32_t last_id;     /* highest stream that the client has opened */
	uint64_t opened;      /* bit n: last_id - 2n was opened, and not passed over */
	uint64_t frame_at_us; /* first byte of the field section or frame other than DATA under way; 0: none */
	uint64_t now_us;
	uint32_t resets[H2_RESETS_KEPT]; /* streams that we have reset, a ring */
	size_t reset_at;
	struct {
		double level;
		uint64_t at_us;
	} budgets[H2_BUDGET_COUNT];
};

enum h2_verdict {
	H2_PASS,
	H2_CALM,   /* over a budget: *budget_out */
	H2_CLOSED, /* a frame on a stream that its sender has ended or reset */
	H2_WRONG   /* HEADERS of a stream that was passed over; PRIORITY of no stream, or on itself */
};

/* Whether the stream stands now, as the session sees it. */
typedef bool h2_open_fn(const void *ctx, uint32_t stream_id);

void h2_guard_init(struct h2_guard *guard, uint64_t now_us);
/*
 * How many of the bytes belong to one frame or the rest of one, at least 1 when len is not 0: they go to the session
 * before the next call. On a verdict other than H2_PASS nothing more may.
 */
enum h2_verdict h2_guard_next(struct h2_guard *guard, const uint8_t *bytes, size_t len, h2_open_fn *open,
	const void *ctx, size_t *take_out, enum h2_budget *budget_out);
/* False when nothing of it is left. */
bool h2_guard_spend(struct h2_guard *guard, enum h2_budget budget);
void h2_guard_credit(struct h2_guard *guard, enum h2_budget budget, unsigned count);
/* We have reset or refused the stream: frames that its client had sent before it knew are no fault. */
void h2_guard_reset(struct h2_guard *guard, uint32_t stream_id);
const char *h2_budget_name(enum h2_budget budget);

#endif
