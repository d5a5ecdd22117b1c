/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_BASE_ARENA_H
#define BERTH_BASE_ARENA_H

#include "base/str.h"

/*
 * Memory of one request or one batch: taken in pieces, given back at once by arena_reset. Not thread-safe; one arena
 * belongs to one worker or one loop. A full arena (cap_bytes) gives NULL, which callers answer with ERR_TOO_LARGE
 * or ERR_OVERLOADED: it never grows past the cap.
 */
struct arena;

struct arena *arena_new(size_t cap_bytes);         /* NULL without memory */
void arena_free(struct arena **arena);             /* takes; NULL is fine */
void arena_reset(struct arena *arena);             /* keeps the first block; what was handed out is gone */
void *arena_take(struct arena *arena, size_t len); /* zeroed, aligned for any type; NULL when full */
void *arena_take_array(struct arena *arena, size_t count, size_t item_len); /* overflow-checked */
/* A copy, NUL-terminated for convenience; p is NULL when full. */
struct str arena_copy(struct arena *arena, struct str s);
struct str arena_printf(struct arena *arena, const char *fmt, ...) PRINTF_LIKE(2, 3);
size_t arena_used(const struct arena *arena);

#endif
