/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "contract/codec.h"
#include "contract/test_fill.h"

#define OBJECT_MAX 4096

/*
 * The first byte chooses the shape, the rest is a document. What is taken is in bounds, and the same after
 * either codec.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static _Alignas(max_align_t) unsigned char object[OBJECT_MAX], again[OBJECT_MAX];
	static struct arena *arena;
	const struct shape *shape;
	struct fault fault = {0};
	struct buf buf;
	enum err err;

	if (size == 0)
		return 0;
	if (arena == NULL && (arena = arena_new(16u << 20)) == NULL)
		abort();
	arena_reset(arena);
	shape = fill_shapes[data[0] % fill_shape_count]();
	if (shape->size > OBJECT_MAX)
		abort();
	err = json_decode(shape, (struct str){(const char *)data + 1, size - 1}, arena, object, &fault);
	if (err != OK) {
		if (err != ERR_TOO_LARGE && fault.reason == NULL)
			abort();
		return 0;
	}
	/* Fields of the path or the query may be missing, and nothing else may be wrong. */
	if (shape_check(shape, object, &fault) != OK && shape_field(shape, str_from(fault.field))->in == IN_BODY)
		abort();
	buf_init(&buf, 16u << 20);
	json_encode(shape, object, &buf);
	if (!buf_ok(&buf) || json_decode(shape, buf_str(&buf), arena, again, &fault) != OK ||
		!fill_same(shape, object, again))
		abort();
	buf_reset(&buf);
	binary_encode(shape, object, &buf);
	err = binary_decode(shape, buf_str(&buf), arena, again, &fault);
	if (err == OK ? !fill_same(shape, object, again) : shape_field(shape, str_from(fault.field))->in == IN_BODY)
		abort();
	buf_release(&buf);
	return 0;
}
