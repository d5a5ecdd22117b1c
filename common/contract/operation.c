/* SPDX-License-Identifier: Apache-2.0 */
#include "contract/operation.h"

#include <string.h>

/* clang-format off */
#include "contract/no_shapes.h"
#define BY(peer) (1u << PEER_##peer)

const struct operation operation_table[OPERATION_COUNT] = {
#define OPERATION(name, num, method, path, lane, perm, flags, cap, req, rep, status, sum) \
	{#name, (num), #method, (path), CALLEE, BY(gateway), LANE_##lane, (perm), (flags), (cap), \
	 shape_##req, shape_##rep, (status), (sum)},
#define INTERNAL(name, num, callers, lane, flags, req, rep, sum) \
	{#name, (num), NULL, NULL, CALLEE, (callers), LANE_##lane, PERM_PEER, (flags), 0, \
	 shape_##req, shape_##rep, 200, (sum)},
#include "contract/all.def"
#undef OPERATION
#undef INTERNAL
};

/* Place in the table and one more; 0 where a number is not given. A number given twice does not compile. */
static const uint16_t operation_places[] = {
#define OPERATION(name, num, ...) [num] = OPID_##name + 1,
#define INTERNAL(name, num, ...) [num] = OPID_##name + 1,
#include "contract/all.def"
#include "contract/undef.h"
};
#undef BY
/* clang-format on */

const struct operation *operation_by_number(uint16_t number)
{
	size_t place = 0;

	if (number < sizeof(operation_places) / sizeof(operation_places[0]))
		place = operation_places[number];
	return place == 0 ? NULL : &operation_table[place - 1];
}

const struct operation *operation_by_name(const char *name)
{
	for (size_t i = 0; i < OPERATION_COUNT; i++) {
		if (strcmp(operation_table[i].name, name) == 0)
			return &operation_table[i];
	}
	return NULL;
}

static bool takes_token(const struct operation *operation)
{
	return operation->method != NULL && operation->permission != PERM_PUBLIC && operation->permission != PERM_PEER;
}

bool operation_within(const struct operation *operation, struct str resource)
{
	if (operation->path == NULL || resource.len == 0)
		return true;
	return strlen(operation->path) >= resource.len && memcmp(operation->path, resource.p, resource.len) == 0 &&
	       (operation->path[resource.len] == '\0' || operation->path[resource.len] == '/');
}

bool operation_is_resource(struct str path)
{
	if (path.len < 2 || path.p[0] != '/' || path.p[path.len - 1] == '/' || memchr(path.p, '{', path.len) != NULL)
		return false;
	for (size_t i = 0; i < OPERATION_COUNT; i++) {
		if (takes_token(&operation_table[i]) && operation_within(&operation_table[i], path))
			return true;
	}
	return false;
}
