/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "handle.h"

/* A kind of list, then the text of a cursor. What is taken is exactly what would be given again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena *arena;
	struct call call = {0};
	struct cursor cursor;
	struct str text;
	enum cursor_kind kind;

	if (!arena)
		arena = arena_new(1 << 16);
	if (size < 1 || size > 1000 || !arena)
		return 0;
	arena_reset(arena);
	call.arena = arena;
	kind = (enum cursor_kind)(CURSOR_SITE + data[0] % CURSOR_BOOKING);
	text = (struct str){(const char *)data + 1, size - 1};
	if (handle_cursor_read(&call, kind, text, &cursor) != OK) {
		INVARIANT(call.field.p && call.reason.p);
		return 0;
	}
	INVARIANT(cursor.at >= INSTANT_MIN && cursor.at <= INSTANT_MAX);
	INVARIANT(str_eq(handle_cursor_text(&call, kind, &cursor), text));
	return 0;
}
