/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GATEWAY_H2_LIMITS_H
#define BERTH_GATEWAY_H2_LIMITS_H

#include "edge_limits.h"

/*
 * Every cap of an HTTP/2 connection by its name; requests and answers have those of edge_limits.h besides. README.md
 * says what a client gets when it meets one.
 */
#define H2_STREAMS_MAX 100                /* at once; one that was reset counts until its service has answered */
#define H2_FRAME_MAX 16384U               /* RFC 9113 section 4.2: the least there can be */
#define H2_TABLE_MAX 4096U                /* HPACK, each way */
#define H2_WINDOW_STREAM (32U << 10)      /* content that a stream may send before more is granted */
#define H2_WINDOW_CONN (256U << 10)       /* the same of all streams */
#define H2_CONTENT_MAX (512U << 10)       /* content held of all streams: what goes over it is refused, 503 */
#define H2_ANSWERS_MAX (2U << 20)         /* content of answers that wait: above it new streams are refused */
#define H2_OUT_FILL (32U << 10)           /* written at once */
#define H2_HEAD_USUAL 1536                /* what the head of an answer takes, mostly */
#define H2_CONTINUATIONS_MAX 8            /* of one field section */
#define H2_SECTION_MAX (128U << 10)       /* decoded bytes of one field section, taken or not */
#define H2_LOOK_US (1 * US_PER_S)         /* how often deadlines of streams are looked at */
#define H2_DRAIN_NOTICE_US (1 * US_PER_S) /* at most, between the two GOAWAY of a drain */
#define H2_RESETS_KEPT 128                /* streams that we reset, for which frames may still be under way */

/*
 * What costs us more than it costs the client: so many at once, then so many a second, on one connection; one more
 * ends it with ENHANCE_YOUR_CALM. Each frame of content that we send gives back H2_WINDOWS_PER_DATA of WINDOW_UPDATE.
 *
 *	X(name, text, burst, per second)
 */
#define H2_BUDGETS(X)                                                                          \
	X(RESET, "reset", 100, 10)       /* RST_STREAM by the client: Rapid Reset */           \
	X(PROVOKED, "provoked", 100, 10) /* RST_STREAM that it makes us send */                \
	X(SETTINGS, "settings", 20, 2)                                                         \
	X(PING, "ping", 60, 5)                                                                 \
	X(PRIORITY, "priority", 200, 20) /* PRIORITY and PRIORITY_UPDATE */                    \
	X(WINDOW, "window_update", 400, 50)                                                    \
	X(EMPTY, "empty", 50, 5)       /* DATA, HEADERS and CONTINUATION that carry nothing */ \
	X(STRAY, "stray", 400, 50)     /* frames of streams that we have reset */              \
	X(UNKNOWN, "unknown", 100, 10) /* frames of types that RFC 9113 has not */             \
	X(CONTINUATION, "continuation", H2_CONTINUATIONS_MAX, 0) /* of one field section */    \
	X(SECTION, "section", 0, 0)                              /* a field section over H2_SECTION_MAX */
#define H2_WINDOWS_PER_DATA 4

enum h2_budget {
#define X(name, text, burst, per_s) H2_BUDGET_##name,
	H2_BUDGETS(X)
#undef X
		H2_BUDGET_COUNT
};

#endif
