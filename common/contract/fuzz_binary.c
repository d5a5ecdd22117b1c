/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "contract/codec.h"
#include "contract/test_fill.h"

#define OBJECT_MAX 4096

/*
 * The first byte chooses the shape, the rest is a message. There is one way to write an object: what is taken
 * comes back byte by byte.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static _Alignas(max_align_t) unsigned char object[OBJECT_MAX];
	static struct arena *arena;
	const struct shape *shape;
	struct str message;
	struct fault fault = {0};
	struct buf again;
	enum err err;

	if (size == 0)
		return 0;
	if (arena == NULL && (arena = arena_new(16u << 20)) == NULL)
		abort();
	arena_reset(arena);
	shape = fill_shapes[data[0] % fill_shape_count]();
	message = (struct str){(const char *)data + 1, size - 1};
	if (shape->size > OBJECT_MAX)
		abort();
	err = binary_decode(shape, message, arena, object, &fault);
	if (err != OK) {
		if (err == ERR_BAD_FIELD && fault.reason == NULL)
			abort();
		return 0;
	}
	if (shape_check(shape, object, &fault) != OK)
		abort();
	buf_init(&again, size + 64);
	binary_encode(shape, object, &again);
	if (!buf_ok(&again) || !str_eq(buf_str(&again), message))
		abort();
	buf_release(&again);
	return 0;
}
