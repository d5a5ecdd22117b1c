/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_CONTRACT_VALUE_H
#define BERTH_CONTRACT_VALUE_H

#include <string.h>

#include "contract/shape.h"

/* Inside common/contract: the members of a shape's struct by their descriptor, and the judgement of one value. */

/* How every member of a LIST lies in memory. */
struct list {
	void *items;
	size_t count;
};

static inline void *value_at(const struct field *field, void *object)
{
	return (unsigned char *)object + field->offset;
}

static inline const void *value_of(const struct field *field, const void *object)
{
	return (const unsigned char *)object + field->offset;
}

static inline bool value_present(const struct field *field, const void *object)
{
	bool has;

	memcpy(&has, (const unsigned char *)object + field->has_offset, sizeof(has));
	return has;
}

static inline void value_set_present(const struct field *field, void *object)
{
	const bool has = true;

	memcpy((unsigned char *)object + field->has_offset, &has, sizeof(has));
}

/* Item `index` of a LIST whose items have the size of `shape`. */
static inline const void *value_item(const struct list *list, const struct shape *shape, size_t index)
{
	return (const unsigned char *)list->items + index * shape->size;
}

size_t value_item_size(const struct field *field); /* bytes of one item of a LIST, TEXTS or UUIDS */

/* A NULLABLE field that is present and null. */
bool value_is_null(const struct field *field, const void *object);

/*
 * What is wrong with a value that is not null, as a reason (see codec.h), or NULL. The first is for TEXT,
 * CHOICE, BYTES and JSON.
 */
const char *value_judge_str(const struct field *field, struct str value);
const char *value_judge_item(const struct field *field, struct str value); /* one of TEXTS */
const char *value_judge_i64(const struct field *field, int64_t value);
const char *value_judge_time(const struct field *field, instant_us value);
const char *value_judge_uuid(const struct field *field, const struct uuid *value);

#endif
