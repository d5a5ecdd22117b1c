/* SPDX-License-Identifier: Apache-2.0 */
#include "contract/test_fill.h"

#include <stdlib.h>

#include "contract/codec.h"
#include "contract/value.h"

#define FILL_LIST_MAX 3
#define FILL_TEXT_MAX 300

/* clang-format off */
const shape_fn fill_shapes[] = {
#define SHAPE(name) shape_##name,
#define END_SHAPE
#define BOOL(...)
#define I64(...)
#define TEXT(...)
#define CHOICE(...)
#define BYTES(...)
#define UUID(...)
#define TIME(...)
#define JSON(...)
#define OBJECT(...)
#define LIST(...)
#define TEXTS(...)
#define UUIDS(...)
#define OPERATION(...)
#define INTERNAL(...)
#include "contract/all.def"
#include "contract/undef.h"
};
/* clang-format on */
const size_t fill_shape_count = sizeof(fill_shapes) / sizeof(fill_shapes[0]);

/* splitmix64 */
uint64_t fill_number(struct fill *fill)
{
	uint64_t z = fill->seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static void *take(struct fill *fill, size_t count, size_t len)
{
	void *p = arena_take_array(fill->arena, count > 0 ? count : 1, len);

	if (p == NULL)
		abort();
	return p;
}

struct str fill_repeat(struct fill *fill, char c, size_t len)
{
	char *p = take(fill, len, 1);

	memset(p, c, len);
	return (struct str){p, len};
}

/* The least, the most, or something between. */
static size_t some_len(struct fill *fill, int64_t min, int64_t max)
{
	size_t least = (size_t)min;
	size_t most = (size_t)(max < FILL_TEXT_MAX ? max : FILL_TEXT_MAX);

	if (most < least)
		most = least;
	switch (fill_number(fill) % 4) {
	case 0:
		return least;
	case 1:
		return most;
	default:
		return least + fill_number(fill) % (most - least + 1);
	}
}

static struct str some_text(struct fill *fill, int64_t min, int64_t max)
{
	static const char *const pieces[] = {"a", "Z", "0", " ", "\"", "\\", "/", "\n", "\x1f", "\x7f", "<", "\xc3\xa9",
		"\xc2\x85", "\xe2\x82\xac", "\xef\xbf\xbf", "\xf0\x9f\x85\xbf", "\xf4\x8f\xbf\xbf"};
	size_t len = some_len(fill, min, max);
	char *p = take(fill, len, 1);
	size_t at = 0;

	while (at < len) {
		const char *piece = pieces[fill_number(fill) % (sizeof(pieces) / sizeof(pieces[0]))];
		size_t piece_len = strlen(piece);

		if (piece_len > len - at)
			continue;
		memcpy(p + at, piece, piece_len);
		at += piece_len;
	}
	return (struct str){p, len};
}

static struct str some_bytes(struct fill *fill, int64_t max)
{
	size_t len = some_len(fill, 0, max);
	char *p = take(fill, len, 1);

	for (size_t i = 0; i < len; i++)
		p[i] = (char)fill_number(fill);
	return (struct str){p, len};
}

static struct str some_choice(struct fill *fill, const char *choices)
{
	struct str rest = str_from(choices);
	struct str one;
	bool more;

	do {
		more = str_cut(&rest, '|', &one);
	} while (more && fill_number(fill) % 2 == 0);
	return one;
}

static int64_t some_i64(struct fill *fill, int64_t min, int64_t max)
{
	uint64_t width = (uint64_t)max - (uint64_t)min;
	uint64_t step = fill_number(fill);

	switch (fill_number(fill) % 4) {
	case 0:
		return min;
	case 1:
		return max;
	default:
		return (int64_t)((uint64_t)min + (width == UINT64_MAX ? step : step % (width + 1)));
	}
}

/* As our own writer would write them: then a round trip gives the same text. */
static struct str some_json(struct fill *fill)
{
	static const char *const texts[] = {"{}", "[]", "0", "-1.5e+9", "true", "\"\"", "\"\\u0000\\n\"",
		"[1,[2,[3,{\"a\":null}]]]", "{\"a\":1,\"b\":{\"c\":[false,\"d\"]},\"\":12345678901234567890}"};

	return str_from(texts[fill_number(fill) % (sizeof(texts) / sizeof(texts[0]))]);
}

static struct uuid some_uuid(struct fill *fill)
{
	struct uuid id;

	for (size_t i = 0; i < sizeof(id.b); i++)
		id.b[i] = (uint8_t)fill_number(fill);
	return id;
}

static void fill_many(struct fill *fill, const struct field *field, struct list *list)
{
	uint64_t most = (uint64_t)field->max < FILL_LIST_MAX ? (uint64_t)field->max : FILL_LIST_MAX;

	list->count = (size_t)(fill->everything ? most : fill_number(fill) % (most + 1));
	list->items = take(fill, list->count, value_item_size(field));
	for (size_t i = 0; i < list->count; i++) {
		if (field->type == FIELD_TEXTS)
			((struct str *)list->items)[i] = some_text(fill, 0, field->item_max);
		else if (field->type == FIELD_UUIDS)
			((struct uuid *)list->items)[i] = some_uuid(fill);
		else
			fill_object(fill, field->shape(), (unsigned char *)list->items + i * field->shape()->size);
	}
}

void fill_field(struct fill *fill, const struct field *field, void *object)
{
	void *member = value_at(field, object);
	struct str *text = member;

	value_set_present(field, object);
	switch (field->type) {
	case FIELD_BOOL:
		*(bool *)member = fill_number(fill) % 2 == 0;
		break;
	case FIELD_I64:
		*(int64_t *)member = some_i64(fill, field->min, field->max);
		break;
	case FIELD_TEXT:
		*text = some_text(fill, field->min, field->max);
		break;
	case FIELD_CHOICE:
		*text = some_choice(fill, field->choices);
		break;
	case FIELD_BYTES:
		*text = some_bytes(fill, field->max);
		break;
	case FIELD_UUID:
		*(struct uuid *)member = some_uuid(fill);
		break;
	case FIELD_TIME:
		*(instant_us *)member = some_i64(fill, INSTANT_MIN + 1, INSTANT_MAX);
		break;
	case FIELD_JSON:
		*text = some_json(fill);
		break;
	case FIELD_OBJECT:
		fill_object(fill, field->shape(), member);
		break;
	default:
		fill_many(fill, field, member);
	}
}

void fill_object(struct fill *fill, const struct shape *shape, void *object)
{
	memset(object, 0, shape->size);
	for (size_t i = 0; i < shape->count; i++) {
		const struct field *field = &shape->fields[i];

		if (fill->body_only && field->in != IN_BODY)
			continue;
		if (!fill->everything && (field->flags & REQUIRED) == 0 && fill_number(fill) % 3 == 0)
			continue;
		if (!fill->everything && (field->flags & NULLABLE) != 0 && fill_number(fill) % 3 == 0)
			value_set_present(field, object);
		else
			fill_field(fill, field, object);
	}
}

static bool same_many(const struct field *field, const struct list *a, const struct list *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		bool same;

		if (field->type == FIELD_TEXTS)
			same = str_eq(((const struct str *)a->items)[i], ((const struct str *)b->items)[i]);
		else if (field->type == FIELD_UUIDS)
			same = uuid_eq((const struct uuid *)a->items + i, (const struct uuid *)b->items + i);
		else
			same = fill_same(
				field->shape(), value_item(a, field->shape(), i), value_item(b, field->shape(), i));
		if (!same)
			return false;
	}
	return true;
}

static bool same_field(const struct field *field, const void *a, const void *b)
{
	const void *left = value_of(field, a);
	const void *right = value_of(field, b);

	switch (field->type) {
	case FIELD_BOOL:
		return *(const bool *)left == *(const bool *)right;
	case FIELD_I64:
	case FIELD_TIME:
		return *(const int64_t *)left == *(const int64_t *)right;
	case FIELD_UUID:
		return uuid_eq(left, right);
	case FIELD_TEXT:
	case FIELD_CHOICE:
	case FIELD_BYTES:
	case FIELD_JSON:
		return str_eq(*(const struct str *)left, *(const struct str *)right);
	case FIELD_OBJECT:
		return fill_same(field->shape(), left, right);
	default:
		return same_many(field, left, right);
	}
}

bool fill_same(const struct shape *shape, const void *a, const void *b)
{
	for (size_t i = 0; i < shape->count; i++) {
		const struct field *field = &shape->fields[i];

		if (value_present(field, a) != value_present(field, b))
			return false;
		if (!value_present(field, a))
			continue;
		if (value_is_null(field, a) != value_is_null(field, b) || !same_field(field, a, b))
			return false;
	}
	return true;
}
