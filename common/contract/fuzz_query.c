/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "contract/codec.h"
#include "contract/test_fill.h"

#define OBJECT_MAX 4096

static void check_present(const struct shape *shape, const void *object)
{
	struct fault fault;

	if (shape_check(shape, object, &fault) != OK && strcmp(fault.reason, "missing") != 0)
		abort();
}

static void judge_path(const struct shape *shape, struct str value, struct arena *arena, void *object)
{
	for (size_t i = 0; i < shape->count; i++) {
		struct fault fault;

		memset(object, 0, shape->size);
		if (path_decode(shape, str_from(shape->fields[i].name), value, arena, object, &fault) == OK)
			check_present(shape, object);
	}
}

/*
 * The first byte chooses the shape, the second the place and how strict; the rest is a query. What is present is
 * in bounds, always.
 */
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
	check_present(shape, object);
	if ((data[1] & 4) != 0)
		judge_path(shape, query, arena, object);
	return 0;
}
