/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "contract/codec.h"
#include "contract/test_fill.h"

#define OBJECT_MAX 4096

/* The first byte chooses the shape, the second the place and how strict; the rest is a query. What is present is in bounds, always. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static _Alignas(max_align_t) unsigned char object[OBJECT_MAX];
	static struct arena *arena;
	const struct shape *shape;
	struct fault fault = {0};
	struct str query;
	enum field_in in;
	enum err err;

	if (size < 2)
		return 0;
	if (arena == NULL && (arena = arena_new(16u << 20)) == NULL)
		abort();
	arena_reset(arena);
	shape = fill_shapes[data[0] % fill_shape_count]();
	if (shape->size > OBJECT_MAX)
		abort();
	in = (data[1] & 1) != 0 ? IN_FORM : IN_QUERY;
	query = (struct str){(const char *)data + 2, size - 2};
	memset(object, 0, sizeof(object));
	err = query_decode(shape, query, in, (data[1] & 2) != 0, arena, object, &fault);
	if (err != OK && fault.reason == NULL && err != ERR_TOO_LARGE)
		abort();
	if (shape_check(shape, object, &fault) != OK && strcmp(fault.reason, "missing") != 0)
		abort();
	if ((data[1] & 4) != 0 && shape->count > 0) {
		const struct field *field = &shape->fields[data[1] % shape->count];

		memset(object, 0, sizeof(object));
		err = path_decode(shape, str_from(field->name), query, arena, object, &fault);
		if (err == OK && (shape_check(shape, object, &fault) != OK && strcmp(fault.reason, "missing") != 0))
			abort();
	}
	return 0;
}
