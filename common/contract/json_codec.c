/* SPDX-License-Identifier: Apache-2.0 */
#include <sodium.h>

#include "base/encode.h"
#include "contract/codec.h"
#include "contract/fault.h"
#include "contract/value.h"

#define REDACTED "[redacted]"

struct decoder {
	struct arena *arena;
	struct fault *fault;
};

static enum err decode_object(
	const struct decoder *decoder, const struct shape *shape, const struct json *object, void *out);

/* A tree back as text; depth is bounded by the reader's JSON_DEPTH_MAX. */
static void put_tree(struct json_writer *w, const struct json *value)
{
	switch (value->kind) {
	case JSON_NULL:
		json_put_null(w);
		break;
	case JSON_FALSE:
	case JSON_TRUE:
		json_put_bool(w, value->kind == JSON_TRUE);
		break;
	case JSON_NUMBER:
		json_put_raw(w, value->text);
		break;
	case JSON_STRING:
		json_put_str(w, value->text);
		break;
	case JSON_ARRAY:
		json_begin_array(w);
		for (const struct json *item = value->first; item != NULL; item = item->next)
			put_tree(w, item);
		json_end_array(w);
		break;
	case JSON_OBJECT:
		json_begin_object(w);
		for (const struct json *member = value->first; member != NULL; member = member->next) {
			json_put_str(w, member->key);
			buf_put_byte(w->buf, ':');
			w->comma = false;
			put_tree(w, member);
		}
		json_end_object(w);
		break;
	}
}

static enum err decode_raw(
	const struct decoder *decoder, const struct field *field, const struct json *value, struct str *text_out)
{
	struct json_writer w;
	struct buf buf;
	enum err err = OK;

	buf_init(&buf, (size_t)field->max);
	w = json_writer_over(&buf);
	put_tree(&w, value);
	if (!buf_ok(&buf))
		err = fault_field(decoder->fault, field->name, "too_long");
	else if ((*text_out = arena_copy(decoder->arena, buf_str(&buf))).p == NULL)
		err = ERR_TOO_LARGE;
	buf_release(&buf);
	return err;
}

static const char *read_i64(const struct field *field, const struct json *value, int64_t *number_out)
{
	if (value->kind != JSON_NUMBER)
		return "wrong_type";
	if (json_to_i64(value, number_out) == OK)
		return value_judge_i64(field, *number_out);
	for (size_t i = 0; i < value->text.len; i++) {
		char c = value->text.p[i];

		if (c == '.' || c == 'e' || c == 'E')
			return "wrong_type";
	}
	return value->text.p[0] == '-' ? "too_small" : "too_large";
}

static const char *read_bool(const struct json *value, bool *flag_out)
{
	if (value->kind != JSON_TRUE && value->kind != JSON_FALSE)
		return "wrong_type";
	*flag_out = value->kind == JSON_TRUE;
	return NULL;
}

/* BYTES, UUID and TIME are written as text. */
static const char *read_written(const struct decoder *decoder, const struct field *field, struct str text, void *member)
{
	struct str bytes;

	if (field->type == FIELD_UUID)
		return uuid_parse(text, member) == OK ? value_judge_uuid(field, member) : "not_a_uuid";
	if (field->type == FIELD_TIME) {
		instant_us *at = member;

		return instant_parse(text, at) == OK ? value_judge_time(field, *at) : "not_an_instant";
	}
	if (text.len / 4 > (uint64_t)field->max / 3 + 1)
		return "too_long";
	bytes = base64url_decode(decoder->arena, text);
	if (bytes.p == NULL)
		return "malformed";
	*(struct str *)member = bytes;
	return value_judge_str(field, bytes);
}

static enum err decode_item(const struct decoder *decoder, const struct field *field, const struct json *item,
	struct list *list, size_t index)
{
	const struct texts texts = {list->items, list->count};
	const struct uuids uuids = {list->items, list->count};

	if (field->type == FIELD_LIST) {
		const struct shape *shape = field->shape();

		return decode_object(decoder, shape, item, (unsigned char *)list->items + index * shape->size);
	}
	if (item->kind != JSON_STRING)
		return fault_field(decoder->fault, "", "wrong_type");
	if (field->type == FIELD_TEXTS) {
		const char *reason = value_judge_item(field, item->text);

		texts.items[index] = item->text;
		return reason == NULL ? OK : fault_field(decoder->fault, "", reason);
	}
	if (uuid_parse(item->text, &uuids.items[index]) != OK)
		return fault_field(decoder->fault, "", "not_a_uuid");
	return OK;
}

static enum err decode_many(
	const struct decoder *decoder, const struct field *field, const struct json *array, struct list *list)
{
	size_t index = 0;

	if (array->kind != JSON_ARRAY)
		return fault_field(decoder->fault, field->name, "wrong_type");
	if (array->count > (uint64_t)field->max)
		return fault_field(decoder->fault, field->name, "too_many");
	list->items = arena_take_array(decoder->arena, array->count, value_item_size(field));
	if (list->items == NULL)
		return ERR_TOO_LARGE;
	list->count = array->count;
	for (const struct json *item = array->first; item != NULL; item = item->next, index++) {
		enum err err = decode_item(decoder, field, item, list, index);

		if (err != OK)
			return fault_within(decoder->fault, err, field->name, index);
	}
	return OK;
}

static enum err decode_field(
	const struct decoder *decoder, const struct field *field, const struct json *value, void *object)
{
	void *member = value_at(field, object);
	const char *reason = NULL;

	value_set_present(field, object);
	if (value->kind == JSON_NULL && (field->flags & NULLABLE) != 0)
		return OK;
	switch (field->type) {
	case FIELD_BOOL:
		reason = read_bool(value, member);
		break;
	case FIELD_I64:
		reason = read_i64(field, value, member);
		break;
	case FIELD_JSON:
		return decode_raw(decoder, field, value, member);
	case FIELD_OBJECT:
		return fault_within(decoder->fault, decode_object(decoder, field->shape(), value, member), field->name,
			FAULT_NO_INDEX);
	case FIELD_LIST:
	case FIELD_TEXTS:
	case FIELD_UUIDS:
		return decode_many(decoder, field, value, member);
	case FIELD_TEXT:
	case FIELD_CHOICE:
		*(struct str *)member = value->text;
		reason = value->kind == JSON_STRING ? value_judge_str(field, value->text) : "wrong_type";
		break;
	default:
		reason = value->kind == JSON_STRING ? read_written(decoder, field, value->text, member) : "wrong_type";
	}
	return reason == NULL ? OK : fault_field(decoder->fault, field->name, reason);
}

static bool is_body_key(const struct field *field, struct str key)
{
	return field->in == IN_BODY && key.len > 0 && field->name[0] == key.p[0] && str_eq_c(key, field->name);
}

/* Clients mostly write fields in the order in which we declare them: the search begins behind the last one found. */
static const struct field *body_field(const struct shape *shape, struct str key, size_t *hint)
{
	for (size_t i = 0; i < shape->count; i++) {
		size_t row = *hint + i < shape->count ? *hint + i : *hint + i - shape->count;

		if (is_body_key(&shape->fields[row], key)) {
			*hint = row + 1 < shape->count ? row + 1 : 0;
			return &shape->fields[row];
		}
	}
	return NULL;
}

static enum err check_required(const struct decoder *decoder, const struct shape *shape, const void *object)
{
	for (size_t i = 0; i < shape->count; i++) {
		const struct field *field = &shape->fields[i];

		if (field->in == IN_BODY && (field->flags & REQUIRED) != 0 && !value_present(field, object))
			return fault_field(decoder->fault, field->name, "missing");
	}
	return OK;
}

/* `out` is all zero. */
static enum err decode_object(
	const struct decoder *decoder, const struct shape *shape, const struct json *object, void *out)
{
	size_t hint = 0;

	if (object->kind != JSON_OBJECT)
		return fault_field(decoder->fault, "", "wrong_type");
	for (const struct json *member = object->first; member != NULL; member = member->next) {
		const struct field *field = body_field(shape, member->key, &hint);
		enum err err;

		if (field == NULL)
			return fault_foreign(decoder->fault, member->key, "unknown");
		if ((err = decode_field(decoder, field, member, out)) != OK)
			return err;
	}
	return check_required(decoder, shape, out);
}

enum err json_decode(
	const struct shape *shape, struct str document, struct arena *arena, void *object_out, struct fault *fault_out)
{
	const struct decoder decoder = {arena, fault_out};
	const struct json *root;
	const char *detail;
	enum err err;

	memset(object_out, 0, shape->size);
	if (document.len == 0) {
		if (check_required(&decoder, shape, object_out) == OK)
			return OK;
		return fault_document(fault_out, ERR_BAD_JSON, "empty", "the body is empty");
	}
	if ((err = json_parse(arena, document, &root, &detail)) != OK)
		return fault_document(fault_out, err, "malformed", detail);
	if (root->kind != JSON_OBJECT)
		return fault_document(fault_out, ERR_BAD_JSON, "wrong_type", "the body is not an object");
	return decode_object(&decoder, shape, root, object_out);
}

struct encoder {
	struct json_writer w;
	bool redact; /* also means: every field, not only those of the body */
};

static void encode_object(struct encoder *encoder, const struct shape *shape, const void *object);

static void encode_uuid(struct encoder *encoder, const struct uuid *id)
{
	char text[UUID_TEXT_LEN + 1];

	uuid_format(id, text);
	json_put_str(&encoder->w, (struct str){text, UUID_TEXT_LEN});
}

static void encode_time(struct encoder *encoder, instant_us at)
{
	char text[INSTANT_TEXT_MAX];

	instant_format(at, text);
	json_put_c(&encoder->w, text);
}

static void encode_bytes(struct encoder *encoder, struct str bytes)
{
	struct buf *buf = encoder->w.buf;
	size_t room = sodium_base64_ENCODED_LEN(bytes.len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	char *p;

	json_put_raw(&encoder->w, STR("\""));
	/* One byte of `room` is for the NUL, which the closing quote then takes the place of. */
	if ((p = buf_reserve(buf, room)) == NULL)
		return;
	(void)sodium_bin2base64(
		p, room, (const unsigned char *)bytes.p, bytes.len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	buf_commit(buf, strlen(p));
	buf_put_byte(buf, '"');
}

static void encode_many(struct encoder *encoder, const struct field *field, const void *member)
{
	const struct list *list = member;
	const struct texts *texts = member;
	const struct uuids *uuids = member;

	json_begin_array(&encoder->w);
	for (size_t i = 0; i < list->count; i++) {
		if (field->type == FIELD_TEXTS)
			json_put_str(&encoder->w, texts->items[i]);
		else if (field->type == FIELD_UUIDS)
			encode_uuid(encoder, &uuids->items[i]);
		else
			encode_object(encoder, field->shape(), value_item(list, field->shape(), i));
	}
	json_end_array(&encoder->w);
}

static void encode_value(struct encoder *encoder, const struct field *field, const void *member)
{
	const struct str *text = member;

	switch (field->type) {
	case FIELD_BOOL:
		json_put_bool(&encoder->w, *(const bool *)member);
		break;
	case FIELD_I64:
		json_put_i64(&encoder->w, *(const int64_t *)member);
		break;
	case FIELD_TEXT:
	case FIELD_CHOICE:
		json_put_str(&encoder->w, *text);
		break;
	case FIELD_BYTES:
		encode_bytes(encoder, *text);
		break;
	case FIELD_UUID:
		encode_uuid(encoder, member);
		break;
	case FIELD_TIME:
		encode_time(encoder, *(const instant_us *)member);
		break;
	case FIELD_JSON:
		json_put_raw(&encoder->w, text->len > 0 ? *text : STR("null"));
		break;
	case FIELD_OBJECT:
		encode_object(encoder, field->shape(), member);
		break;
	default:
		encode_many(encoder, field, member);
	}
}

static void encode_object(struct encoder *encoder, const struct shape *shape, const void *object)
{
	json_begin_object(&encoder->w);
	for (size_t i = 0; i < shape->count; i++) {
		const struct field *field = &shape->fields[i];

		if (!value_present(field, object) || (field->in != IN_BODY && !encoder->redact))
			continue;
		json_key(&encoder->w, field->name);
		if (encoder->redact && (field->flags & (PERSONAL | SECRET)) != 0)
			json_put_c(&encoder->w, REDACTED);
		else if (value_is_null(field, object))
			json_put_null(&encoder->w);
		else
			encode_value(encoder, field, value_of(field, object));
	}
	json_end_object(&encoder->w);
}

void json_encode(const struct shape *shape, const void *object, struct buf *out)
{
	struct encoder encoder = {json_writer_over(out), false};

	encode_object(&encoder, shape, object);
}

void json_encode_redacted(const struct shape *shape, const void *object, struct buf *out)
{
	struct encoder encoder = {json_writer_over(out), true};

	encode_object(&encoder, shape, object);
}
