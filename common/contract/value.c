/* SPDX-License-Identifier: Apache-2.0 */
#include "contract/value.h"

#include "base/json.h"
#include "contract/codec.h"
#include "contract/fault.h"

/* Memory for looking through one JSON field: the most that JSON_NODES_MAX values need, and the longest text. */
#define VALUE_JSON_ARENA_MAX (8u << 20)

size_t value_item_size(const struct field *field)
{
	if (field->type == FIELD_TEXTS)
		return sizeof(struct str);
	return field->type == FIELD_UUIDS ? sizeof(struct uuid) : field->shape()->size;
}

bool value_is_null(const struct field *field, const void *object)
{
	if ((field->flags & NULLABLE) == 0)
		return false;
	switch (field->type) {
	case FIELD_TEXT:
	case FIELD_CHOICE:
	case FIELD_BYTES:
	case FIELD_JSON:
		return ((const struct str *)value_of(field, object))->p == NULL;
	case FIELD_UUID:
		return uuid_is_nil(value_of(field, object));
	case FIELD_TIME:
		return *(const instant_us *)value_of(field, object) == 0;
	default:
		return false;
	}
}

static const char *judge_text(struct str value)
{
	if (value.len > 0 && memchr(value.p, '\0', value.len) != NULL)
		return "nul";
	return str_is_utf8(value) ? NULL : "not_utf8";
}

static const char *judge_choice(const char *choices, struct str value)
{
	struct str rest = str_from(choices);
	struct str one;
	bool more;

	do {
		more = str_cut(&rest, '|', &one);
		if (str_eq(one, value))
			return NULL;
	} while (more);
	return "not_one_of";
}

/* An arena of its own: what a caller's arena keeps should not grow by a tree that nobody reads. */
static const char *judge_json(struct str value)
{
	struct arena *arena = arena_new(VALUE_JSON_ARENA_MAX);
	const struct json *root;
	const char *reason;
	enum err err;

	if (arena == NULL)
		return "too_large";
	err = json_parse(arena, value, &root, &reason);
	arena_free(&arena);
	return err == OK ? NULL : err == ERR_TOO_LARGE ? "too_large" : "malformed";
}

const char *value_judge_str(const struct field *field, struct str value)
{
	if (field->type == FIELD_CHOICE)
		return judge_choice(field->choices, value);
	if (value.len > (uint64_t)field->max)
		return "too_long";
	if (value.len < (uint64_t)field->min)
		return "too_short";
	if (field->type == FIELD_TEXT)
		return judge_text(value);
	return field->type == FIELD_JSON ? judge_json(value) : NULL;
}

const char *value_judge_item(const struct field *field, struct str value)
{
	return value.len > (uint64_t)field->item_max ? "too_long" : judge_text(value);
}

const char *value_judge_i64(const struct field *field, int64_t value)
{
	if (value < field->min)
		return "too_small";
	return value > field->max ? "too_large" : NULL;
}

/* The nil id and the first instant stand for null in a NULLABLE field, so they cannot also be values of it. */
const char *value_judge_time(const struct field *field, instant_us value)
{
	if (value < INSTANT_MIN || value > INSTANT_MAX)
		return "not_an_instant";
	return (field->flags & NULLABLE) != 0 && value == 0 ? "not_an_instant" : NULL;
}

const char *value_judge_uuid(const struct field *field, const struct uuid *value)
{
	return (field->flags & NULLABLE) != 0 && uuid_is_nil(value) ? "not_a_uuid" : NULL;
}

static enum err check_many(const struct field *field, const void *object, struct fault *fault)
{
	const struct list *list = value_of(field, object);
	const struct texts *texts = value_of(field, object);

	if (list->count > (uint64_t)field->max)
		return fault_field(fault, field->name, "too_many");
	for (size_t i = 0; i < list->count && field->type == FIELD_TEXTS; i++) {
		const char *reason = value_judge_item(field, texts->items[i]);

		if (reason != NULL)
			return fault_within(fault, fault_field(fault, "", reason), field->name, i);
	}
	for (size_t i = 0; i < list->count && field->type == FIELD_LIST; i++) {
		enum err err = shape_check(field->shape(), value_item(list, field->shape(), i), fault);

		if (err != OK)
			return fault_within(fault, err, field->name, i);
	}
	return OK;
}

static enum err check_field(const struct field *field, const void *object, struct fault *fault)
{
	const void *member = value_of(field, object);
	const char *reason = NULL;

	if (value_is_null(field, object))
		return OK;
	switch (field->type) {
	case FIELD_BOOL:
		break;
	case FIELD_I64:
		reason = value_judge_i64(field, *(const int64_t *)member);
		break;
	case FIELD_TIME:
		reason = value_judge_time(field, *(const instant_us *)member);
		break;
	case FIELD_UUID:
		reason = value_judge_uuid(field, member);
		break;
	case FIELD_TEXT:
	case FIELD_CHOICE:
	case FIELD_BYTES:
	case FIELD_JSON:
		reason = value_judge_str(field, *(const struct str *)member);
		break;
	case FIELD_OBJECT:
		return fault_within(fault, shape_check(field->shape(), member, fault), field->name, FAULT_NO_INDEX);
	case FIELD_LIST:
	case FIELD_TEXTS:
	case FIELD_UUIDS:
		return check_many(field, object, fault);
	}
	return reason == NULL ? OK : fault_field(fault, field->name, reason);
}

enum err shape_check(const struct shape *shape, const void *object, struct fault *fault_out)
{
	for (size_t i = 0; i < shape->count; i++) {
		const struct field *field = &shape->fields[i];
		enum err err = OK;

		if (value_present(field, object))
			err = check_field(field, object, fault_out);
		else if ((field->flags & REQUIRED) != 0)
			err = fault_field(fault_out, field->name, "missing");
		if (err != OK)
			return err;
	}
	return OK;
}
