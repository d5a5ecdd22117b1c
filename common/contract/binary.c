/* SPDX-License-Identifier: Apache-2.0 */
#include "contract/codec.h"
#include "contract/fault.h"
#include "contract/value.h"
#include "contract/zigzag.h"

/*
 * A message is its fields in ascending row order, each a tag (varint: row << 3 | kind) and a value whose length the
 * kind tells:
 *
 *   KIND_NULL    nothing                    KIND_UUID    16 bytes
 *   KIND_NUMBER  varint; signed: zigzag     KIND_STRING  varint length, bytes
 *   KIND_NESTED  u32 length, then a message (OBJECT), or a varint count and the items: u32 length and message (LIST),
 *                varint length and bytes (TEXTS), 16 bytes (UUIDS)
 */
enum kind { KIND_NULL, KIND_NUMBER, KIND_UUID, KIND_STRING, KIND_NESTED };

#define VARINT_BYTES_MAX 10

static const uint8_t field_kinds[] = {
	[FIELD_BOOL] = KIND_NUMBER,
	[FIELD_I64] = KIND_NUMBER,
	[FIELD_TIME] = KIND_NUMBER,
	[FIELD_UUID] = KIND_UUID,
	[FIELD_TEXT] = KIND_STRING,
	[FIELD_CHOICE] = KIND_STRING,
	[FIELD_BYTES] = KIND_STRING,
	[FIELD_JSON] = KIND_STRING,
	[FIELD_OBJECT] = KIND_NESTED,
	[FIELD_LIST] = KIND_NESTED,
	[FIELD_TEXTS] = KIND_NESTED,
	[FIELD_UUIDS] = KIND_NESTED,
};

static char *write_varint(char *p, uint64_t value)
{
	while (value >= 0x80) {
		*p++ = (char)(value | 0x80);
		value >>= 7;
	}
	*p++ = (char)value;
	return p;
}

/* A place for the length of what follows; end_nested fills it in. */
static size_t begin_nested(struct buf *out)
{
	size_t at = out->len;

	buf_put_u32(out, 0);
	return at;
}

static void end_nested(struct buf *out, size_t at)
{
	uint32_t big;
	size_t len;

	if (!buf_ok(out))
		return;
	len = out->len - at - sizeof(big);
	if (len > UINT32_MAX) {
		out->failed = true;
		return;
	}
	big = __builtin_bswap32((uint32_t)len);
	memcpy(out->p + at, &big, sizeof(big));
}

static void encode_many(const struct field *field, const void *member, struct buf *out)
{
	const struct list *list = member;
	const struct texts *texts = member;
	const struct uuids *uuids = member;

	buf_put_varint(out, list->count);
	for (size_t i = 0; i < list->count; i++) {
		if (field->type == FIELD_TEXTS) {
			buf_put_blob(out, texts->items[i]);
		} else if (field->type == FIELD_UUIDS) {
			buf_put(out, uuids->items[i].b, sizeof(uuids->items[i].b));
		} else {
			size_t at = begin_nested(out);

			binary_encode(field->shape(), value_item(list, field->shape(), i), out);
			end_nested(out, at);
		}
	}
}

static void encode_nested(const struct field *field, size_t row, const void *member, struct buf *out)
{
	size_t at;

	buf_put_varint(out, row << 3 | KIND_NESTED);
	at = begin_nested(out);
	if (field->type == FIELD_OBJECT)
		binary_encode(field->shape(), member, out);
	else
		encode_many(field, member, out);
	end_nested(out, at);
}

static void encode_string(size_t row, struct str value, struct buf *out)
{
	char *start = value.len > SIZE_MAX / 2 ? NULL : buf_reserve(out, 2 * VARINT_BYTES_MAX + value.len);
	char *p = start;

	if (start == NULL) {
		out->failed = true;
		return;
	}
	p = write_varint(p, row << 3 | KIND_STRING);
	p = write_varint(p, value.len);
	if (value.len > 0)
		memcpy(p, value.p, value.len);
	buf_commit(out, (size_t)(p - start) + value.len);
}

/* NULL, a number or an id. */
static void encode_small(size_t row, enum kind kind, uint64_t number, const struct uuid *id, struct buf *out)
{
	char *start = buf_reserve(out, 2 * VARINT_BYTES_MAX + sizeof(*id));
	char *p = start;

	if (start == NULL)
		return;
	p = write_varint(p, row << 3 | kind);
	if (kind == KIND_NUMBER)
		p = write_varint(p, number);
	if (kind == KIND_UUID) {
		memcpy(p, id->b, sizeof(id->b));
		p += sizeof(id->b);
	}
	buf_commit(out, (size_t)(p - start));
}

static void encode_field(const struct field *field, size_t row, const void *object, struct buf *out)
{
	const void *member = value_of(field, object);

	if (value_is_null(field, object)) {
		encode_small(row, KIND_NULL, 0, NULL, out);
		return;
	}
	switch (field->type) {
	case FIELD_BOOL:
		encode_small(row, KIND_NUMBER, *(const bool *)member, NULL, out);
		break;
	case FIELD_I64:
	case FIELD_TIME:
		encode_small(row, KIND_NUMBER, zigzag_from(*(const int64_t *)member), NULL, out);
		break;
	case FIELD_UUID:
		encode_small(row, KIND_UUID, 0, member, out);
		break;
	case FIELD_TEXT:
	case FIELD_CHOICE:
	case FIELD_BYTES:
	case FIELD_JSON:
		encode_string(row, *(const struct str *)member, out);
		break;
	default:
		encode_nested(field, row, member, out);
	}
}

void binary_encode(const struct shape *shape, const void *object, struct buf *out)
{
	for (size_t row = 0; row < shape->count; row++) {
		if (value_present(&shape->fields[row], object))
			encode_field(&shape->fields[row], row, object, out);
	}
}

struct decoder {
	struct arena *arena;
	struct fault *fault;
	bool newer; /* rows behind those of the shape are skipped */
};

static enum err decode_message(
	const struct decoder *decoder, const struct shape *shape, struct str bytes, void *object);

static enum err decode_texts(
	const struct decoder *decoder, const struct field *field, struct reader *reader, struct texts *texts)
{
	for (size_t i = 0; i < texts->count; i++) {
		struct str text = reader_blob(reader, SIZE_MAX);
		const char *reason = reader->failed ? "malformed" : value_judge_item(field, text);

		if (reason != NULL)
			return fault_within(decoder->fault, fault_field(decoder->fault, "", reason), field->name, i);
		texts->items[i] = text;
	}
	return OK;
}

static enum err decode_items(
	const struct decoder *decoder, const struct field *field, struct reader *reader, struct list *list)
{
	const struct shape *shape = field->shape();

	for (size_t i = 0; i < list->count; i++) {
		struct str bytes = reader_bytes(reader, reader_u32(reader));
		void *item = (unsigned char *)list->items + i * shape->size;
		enum err err;

		if (reader->failed)
			err = fault_field(decoder->fault, "", "malformed");
		else
			err = decode_message(decoder, shape, bytes, item);
		if (err != OK)
			return fault_within(decoder->fault, err, field->name, i);
	}
	return OK;
}

static enum err decode_many(
	const struct decoder *decoder, const struct field *field, struct reader *reader, struct list *list)
{
	uint64_t count = reader_varint(reader);
	enum err err = OK;

	if (reader->failed)
		return fault_field(decoder->fault, field->name, "malformed");
	if (count > (uint64_t)field->max)
		return fault_field(decoder->fault, field->name, "too_many");
	/* An item takes a byte at least, so that a short message cannot ask for much memory. */
	if (count > reader->len)
		return fault_field(decoder->fault, field->name, "malformed");
	list->count = (size_t)count;
	list->items = arena_take_array(decoder->arena, list->count, value_item_size(field));
	if (list->items == NULL)
		return ERR_TOO_LARGE;
	if (field->type == FIELD_TEXTS) {
		err = decode_texts(decoder, field, reader, (void *)list);
	} else if (field->type == FIELD_LIST) {
		err = decode_items(decoder, field, reader, list);
	} else {
		struct str ids = reader_bytes(reader, list->count * sizeof(struct uuid));

		if (!reader->failed && ids.len > 0)
			memcpy(list->items, ids.p, ids.len);
	}
	if (err == OK && !reader_done(reader))
		return fault_field(decoder->fault, field->name, "malformed");
	return err;
}

static enum err decode_nested(
	const struct decoder *decoder, const struct field *field, struct reader *reader, void *member)
{
	struct str bytes = reader_bytes(reader, reader_u32(reader));
	struct reader inner = reader_over(bytes);

	if (reader->failed)
		return fault_field(decoder->fault, field->name, "malformed");
	if (field->type != FIELD_OBJECT)
		return decode_many(decoder, field, &inner, member);
	return fault_within(
		decoder->fault, decode_message(decoder, field->shape(), bytes, member), field->name, FAULT_NO_INDEX);
}

static const char *decode_number(const struct field *field, struct reader *reader, void *member)
{
	uint64_t number = reader_varint(reader);
	int64_t value = zigzag_to(number);

	if (field->type == FIELD_BOOL) {
		if (number > 1)
			return "wrong_type";
		*(bool *)member = number == 1;
		return NULL;
	}
	*(int64_t *)member = value;
	return field->type == FIELD_TIME ? value_judge_time(field, value) : value_judge_i64(field, value);
}

static const char *decode_uuid(const struct field *field, struct reader *reader, struct uuid *id)
{
	struct str bytes = reader_bytes(reader, sizeof(id->b));

	if (reader->failed)
		return "malformed";
	memcpy(id->b, bytes.p, sizeof(id->b));
	return value_judge_uuid(field, id);
}

static enum err decode_field(
	const struct decoder *decoder, const struct field *field, unsigned kind, struct reader *reader, void *object)
{
	void *member = value_at(field, object);
	const char *reason = NULL;

	value_set_present(field, object);
	if (kind == KIND_NULL && (field->flags & NULLABLE) != 0)
		return OK;
	if (kind != field_kinds[field->type])
		return fault_field(decoder->fault, field->name, "wrong_type");
	if (kind == KIND_NESTED)
		return decode_nested(decoder, field, reader, member);
	if (kind == KIND_NUMBER) {
		reason = decode_number(field, reader, member);
	} else if (kind == KIND_UUID) {
		reason = decode_uuid(field, reader, member);
	} else {
		struct str value = reader_blob(reader, SIZE_MAX);

		*(struct str *)member = value;
		reason = reader->failed ? NULL : value_judge_str(field, value);
	}
	if (reader->failed)
		reason = "malformed";
	return reason == NULL ? OK : fault_field(decoder->fault, field->name, reason);
}

/* Rows [from, to) were left out: none of them may be required. */
static enum err check_left_out(const struct decoder *decoder, const struct shape *shape, size_t from, size_t to)
{
	for (size_t row = from; row < to; row++) {
		if ((shape->fields[row].flags & REQUIRED) != 0)
			return fault_field(decoder->fault, shape->fields[row].name, "missing");
	}
	return OK;
}

/* A value of a row that this build does not know. */
static bool skip_value(struct reader *reader, unsigned kind)
{
	switch (kind) {
	case KIND_NULL:
		break;
	case KIND_NUMBER:
		(void)reader_varint(reader);
		break;
	case KIND_UUID:
		(void)reader_bytes(reader, sizeof(struct uuid));
		break;
	case KIND_STRING:
		(void)reader_blob(reader, SIZE_MAX);
		break;
	case KIND_NESTED:
		(void)reader_bytes(reader, reader_u32(reader));
		break;
	default:
		return false;
	}
	return !reader->failed;
}

/*
 * `object` is all zero. Recursion follows the shapes, which cannot contain themselves: each is declared before
 * its first use.
 */
static enum err decode_message(const struct decoder *decoder, const struct shape *shape, struct str bytes, void *object)
{
	struct reader reader = reader_over(bytes);
	size_t next = 0;
	enum err err;

	while (reader.len > 0) {
		uint64_t tag = reader_varint(&reader);
		size_t row = (size_t)(tag >> 3);

		if (reader.failed || row < next)
			return fault_field(decoder->fault, "", "malformed");
		if (row >= shape->count && !decoder->newer)
			return fault_field(decoder->fault, "", "unknown");
		if ((err = check_left_out(decoder, shape, next, row < shape->count ? row : shape->count)) != OK)
			return err;
		next = row + 1;
		if (row >= shape->count && !skip_value(&reader, (unsigned)(tag & 7)))
			return fault_field(decoder->fault, "", "malformed");
		if (row >= shape->count)
			continue;
		err = decode_field(decoder, &shape->fields[row], (unsigned)(tag & 7), &reader, object);
		if (err != OK)
			return err;
	}
	return check_left_out(decoder, shape, next, shape->count);
}

enum err binary_decode(
	const struct shape *shape, struct str bytes, struct arena *arena, void *object_out, struct fault *fault_out)
{
	const struct decoder decoder = {.arena = arena, .fault = fault_out};

	memset(object_out, 0, shape->size);
	return decode_message(&decoder, shape, bytes, object_out);
}

enum err binary_decode_reply(
	const struct shape *shape, struct str bytes, struct arena *arena, void *object_out, struct fault *fault_out)
{
	const struct decoder decoder = {.arena = arena, .fault = fault_out, .newer = true};

	memset(object_out, 0, shape->size);
	return decode_message(&decoder, shape, bytes, object_out);
}
