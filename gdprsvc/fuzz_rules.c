/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "rules.h"

/* Cursors: whatever parses is written back as the same text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const struct str input = {(const char *)data, len};
	struct arena *arena = arena_new(1U << 20);
	int64_t key;

	if (arena && len <= 400 && erasure_cursor_read(arena, input, &key) == OK &&
		!str_eq(erasure_cursor_make(arena, key), input))
		abort();
	arena_free(&arena);
	return 0;
}
