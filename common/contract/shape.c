/* SPDX-License-Identifier: Apache-2.0 */
#include "contract/shape.h"

#include <stddef.h>

#include "contract/shapes.h"
#include "contract/value.h"

/* clang-format off */
/* A row is a field of its shape: min, max and item_max are 0 where its type has none. */
#define ROW(f, kind, bits, place, lo, hi, item_hi, set, sub, text) \
	{#f, (kind), (bits), (place), (lo), (hi), (item_hi), (set), (sub), (text), \
	 offsetof(THIS, f), offsetof(THIS, has_##f)},
#define SHAPE(shape_name) \
	const struct shape *shape_##shape_name(void) \
	{ \
		typedef struct shape_name THIS; \
		static const char name[] = #shape_name; \
		static const struct field rows[] = {
/* The empty row lets a shape have none. */
#define END_SHAPE \
			{0} \
		}; \
		static const struct shape shape = {name, rows, sizeof(rows) / sizeof(rows[0]) - 1, sizeof(THIS)}; \
		return &shape; \
	}
#define BOOL(f, bits, place, text)              ROW(f, FIELD_BOOL, bits, place, 0, 0, 0, NULL, NULL, text)
#define I64(f, bits, place, lo, hi, text)       ROW(f, FIELD_I64, bits, place, lo, hi, 0, NULL, NULL, text)
#define TEXT(f, bits, place, lo, hi, text)      ROW(f, FIELD_TEXT, bits, place, lo, hi, 0, NULL, NULL, text)
#define CHOICE(f, bits, place, set, text)       ROW(f, FIELD_CHOICE, bits, place, 0, 0, 0, set, NULL, text)
#define BYTES(f, bits, place, hi, text)         ROW(f, FIELD_BYTES, bits, place, 0, hi, 0, NULL, NULL, text)
#define UUID(f, bits, place, text)              ROW(f, FIELD_UUID, bits, place, 0, 0, 0, NULL, NULL, text)
#define TIME(f, bits, place, text)              ROW(f, FIELD_TIME, bits, place, 0, 0, 0, NULL, NULL, text)
#define JSON(f, bits, place, hi, text)          ROW(f, FIELD_JSON, bits, place, 1, hi, 0, NULL, NULL, text)
#define OBJECT(f, type, bits, text)             ROW(f, FIELD_OBJECT, bits, IN_BODY, 0, 0, 0, NULL, shape_##type, text)
#define LIST(f, type, bits, hi, text)           ROW(f, FIELD_LIST, bits, IN_BODY, 0, hi, 0, NULL, shape_##type, text)
#define TEXTS(f, bits, place, hi, item_hi, text) ROW(f, FIELD_TEXTS, bits, place, 0, hi, item_hi, NULL, NULL, text)
#define UUIDS(f, bits, place, hi, text)         ROW(f, FIELD_UUIDS, bits, place, 0, hi, 0, NULL, NULL, text)
#define OPERATION(...)
#define INTERNAL(...)
#include "contract/all.def"
#include "contract/undef.h"
/* clang-format on */

void shape_carry(const struct shape *from, const void *object, const struct shape *to, void *object_out)
{
	for (size_t i = 0; i < to->count; i++) {
		const struct field *target = &to->fields[i];
		const struct field *source = shape_field(from, str_from(target->name));

		if (target->type != FIELD_TEXT || source == NULL || source->type != FIELD_TEXT ||
			!value_present(source, object))
			continue;
		memcpy(value_at(target, object_out), value_of(source, object), sizeof(struct str));
		value_set_present(target, object_out);
	}
}

const struct field *shape_field(const struct shape *shape, struct str name)
{
	for (size_t i = 0; i < shape->count; i++) {
		if (str_eq_c(name, shape->fields[i].name))
			return &shape->fields[i];
	}
	return NULL;
}
