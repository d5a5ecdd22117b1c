/* SPDX-License-Identifier: Apache-2.0 */
#include "base/encode.h"
#include "contract/codec.h"
#include "contract/fault.h"
#include "contract/value.h"

/* Named values in one query or form, known or not. */
#define PARAMS_MAX 256

typedef struct str (*unescape_fn)(struct arena *arena, struct str text);

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool escapes_fine(struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] != '%')
			continue;
		if (text.len - i < 3 || !is_hex(text.p[i + 1]) || !is_hex(text.p[i + 2]))
			return false;
		i += 2;
	}
	return true;
}

/* Most values hold no escape and are borrowed as they are. */
static enum err unescape(struct arena *arena, struct str text, unescape_fn decode, struct str *text_out)
{
	*text_out = text;
	if (text.len == 0 || (memchr(text.p, '%', text.len) == NULL && memchr(text.p, '+', text.len) == NULL))
		return OK;
	if (!escapes_fine(text))
		return ERR_BAD_FIELD;
	*text_out = decode(arena, text);
	return text_out->p == NULL ? ERR_TOO_LARGE : OK;
}

static const char *read_i64(const struct field *field, struct str text, int64_t *number_out)
{
	bool negative = text.len > 0 && text.p[0] == '-';
	uint64_t value;

	if (negative) {
		text.p++;
		text.len--;
	}
	if (text.len == 0 || (text.len > 1 && text.p[0] == '0'))
		return "wrong_type";
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return "wrong_type";
	}
	if (str_to_u64(text, negative ? (uint64_t)INT64_MAX + 1 : INT64_MAX, &value) != OK)
		return negative ? "too_small" : "too_large";
	*number_out = (int64_t)(negative ? 0 - value : value);
	return value_judge_i64(field, *number_out);
}

static const char *read_bool(struct str text, bool *flag_out)
{
	*flag_out = str_eq_c(text, "true");
	return *flag_out || str_eq_c(text, "false") ? NULL : "wrong_type";
}

/* Parameters hold single values: a test keeps lists and objects out of paths, queries and forms. */
static const char *read_value(const struct field *field, struct str text, struct arena *arena, void *member)
{
	instant_us *at = member;
	struct str *string = member;

	switch (field->type) {
	case FIELD_BOOL:
		return read_bool(text, member);
	case FIELD_I64:
		return read_i64(field, text, member);
	case FIELD_UUID:
		return uuid_parse(text, member) == OK ? value_judge_uuid(field, member) : "not_a_uuid";
	case FIELD_TIME:
		return instant_parse(text, at) == OK ? value_judge_time(field, *at) : "not_an_instant";
	case FIELD_TEXT:
	case FIELD_CHOICE:
		/* Present and empty is not absent: absent strings have no pointer. */
		*string = text.p != NULL ? text : STR("");
		return value_judge_str(field, text);
	case FIELD_BYTES:
		*string = base64url_decode(arena, text);
		return string->p == NULL ? "malformed" : value_judge_str(field, *string);
	default:
		return "wrong_type";
	}
}

/* A faulty field is left absent. */
static void forget(const struct field *field, void *object)
{
	const bool has = false;

	memcpy((unsigned char *)object + field->has_offset, &has, sizeof(has));
	if (field->type == FIELD_TEXT || field->type == FIELD_CHOICE || field->type == FIELD_BYTES)
		*(struct str *)value_at(field, object) = STR_NONE;
}

static enum err set_field(
	const struct field *field, struct str text, struct arena *arena, void *object, struct fault *fault)
{
	const char *reason = read_value(field, text, arena, value_at(field, object));

	if (reason == NULL) {
		value_set_present(field, object);
		return OK;
	}
	forget(field, object);
	return fault_field(fault, field->name, reason);
}

enum err path_decode(const struct shape *shape, struct str name, struct str value, struct arena *arena, void *object,
	struct fault *fault_out)
{
	const struct field *field = shape_field(shape, name);
	struct str text;
	enum err err;

	if (field == NULL || field->in != IN_PATH)
		return fault_foreign(fault_out, name, "unknown");
	if (value_present(field, object))
		return fault_field(fault_out, field->name, "repeated");
	err = unescape(arena, value, percent_decode, &text);
	if (err == ERR_BAD_FIELD)
		return fault_field(fault_out, field->name, "bad_escape");
	return err != OK ? err : set_field(field, text, arena, object, fault_out);
}

struct query {
	const struct shape *shape;
	enum field_in in;
	bool lenient;
	struct arena *arena;
	void *object;
	uint64_t seen; /* bit of a row: named before */
};

/* The most rows that `seen` can tell apart; a test holds the contract to it. */
#define SEEN_ROWS_MAX 64

static enum err take_pair(struct query *query, struct str pair, struct fault *fault)
{
	const struct field *field;
	struct str name, text;
	uint64_t bit;
	enum err err;

	(void)str_cut(&pair, '=', &name);
	err = unescape(query->arena, name, form_decode, &text);
	if (err == ERR_BAD_FIELD)
		return query->lenient ? OK : fault_foreign(fault, name, "bad_escape");
	if (err != OK)
		return err;
	field = shape_field(query->shape, text);
	if (field == NULL || field->in != query->in)
		return query->lenient ? OK : fault_foreign(fault, text, "unknown");
	bit = UINT64_C(1) << (size_t)(field - query->shape->fields) % SEEN_ROWS_MAX;
	if ((query->seen & bit) != 0) {
		/* Which of the two was meant? Neither is used. */
		forget(field, query->object);
		return fault_field(fault, field->name, "repeated");
	}
	query->seen |= bit;
	err = unescape(query->arena, pair, form_decode, &text);
	if (err == ERR_BAD_FIELD)
		return fault_field(fault, field->name, "bad_escape");
	/* RFC 6749 section 3.1: without a value as if it were not there. */
	if (err != OK || (query->lenient && text.len == 0))
		return err;
	return set_field(field, text, query->arena, query->object, fault);
}

static enum err check_required(const struct query *query, struct fault *fault)
{
	for (size_t i = 0; i < query->shape->count; i++) {
		const struct field *field = &query->shape->fields[i];

		if (field->in == query->in && (field->flags & REQUIRED) != 0 && !value_present(field, query->object))
			return fault_field(fault, field->name, "missing");
	}
	return OK;
}

/* A lenient query is read to its end, whatever is wrong with one of its parameters: the first fault is kept. */
enum err query_decode(const struct shape *shape, struct str query, enum field_in in, bool lenient, struct arena *arena,
	void *object, struct fault *fault_out)
{
	struct query state = {shape, in, lenient, arena, object, 0};
	struct str rest = query;
	struct fault later;
	enum err first = OK;
	bool more = query.len > 0;

	for (size_t count = 0; more; count++) {
		struct fault *fault = first == OK ? fault_out : &later;
		struct str pair;
		enum err err = OK;

		more = str_cut(&rest, '&', &pair);
		if (count == PARAMS_MAX)
			return first != OK ? first : fault_document(fault, ERR_BAD_FIELD, "too_many", NULL);
		if (pair.len > 0)
			err = take_pair(&state, pair, fault);
		else if (!lenient)
			err = fault_document(fault, ERR_BAD_FIELD, "malformed", NULL);
		if (err != OK && (!lenient || err != ERR_BAD_FIELD))
			return err;
		if (first == OK)
			first = err;
	}
	return first != OK ? first : check_required(&state, fault_out);
}
