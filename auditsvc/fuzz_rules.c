/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "rules.h"

/* Cursors: whatever parses is written back as the same text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const struct str input = {(const char *)data, len};
	struct arena *arena = arena_new(1U << 20);
	struct event_place place;

	for (int by_time = 0; arena && len <= 400 && by_time < 2; by_time++)
		if (rules_cursor_parse(arena, input, by_time, &place) == OK &&
			!str_eq(rules_cursor(arena, by_time, &place), input))
			abort();
	arena_free(&arena);
	return 0;
}
