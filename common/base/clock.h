/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_BASE_CLOCK_H
#define BERTH_BASE_CLOCK_H

#include "base/arena.h"

/* Instants are microseconds since 1970-01-01T00:00:00Z, UTC, leap seconds ignored; the only place that reads clocks. */
typedef int64_t instant_us;

#define US_PER_MS INT64_C(1000)
#define US_PER_S INT64_C(1000000)
#define US_PER_DAY (86400 * US_PER_S)
#define INSTANT_MIN INT64_C(0)                  /* 1970 */
#define INSTANT_MAX INT64_C(253402300799000000) /* 9999-12-31T23:59:59Z */
#define INSTANT_TEXT_MAX 32

instant_us clock_now_us(void);
uint64_t clock_monotonic_us(void); /* for durations and deadlines inside one process */

/* RFC 3339 with Z; a fraction only when it is not zero. */
void instant_format(instant_us at, char text_out[INSTANT_TEXT_MAX]);
struct str instant_text(struct arena *arena, instant_us at);
/*
 * RFC 3339 section 5.6 date-time with Z or offset, at most 9 fraction digits of which 6 count, second 60 refused; else
 * ERR_BAD_FIELD.
 */
MUST_USE enum err instant_parse(struct str text, instant_us *at_out);

#endif
