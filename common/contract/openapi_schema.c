/* SPDX-License-Identifier: Apache-2.0 */
#include "contract/openapi_schema.h"

#include "contract/describe.h"

void openapi_schema_text(struct json_writer *w, const char *key, const char *value)
{
	json_key(w, key);
	json_put_c(w, value);
}

void openapi_schema_true(struct json_writer *w, const char *key)
{
	json_key(w, key);
	json_put_bool(w, true);
}

static void put_number(struct json_writer *w, const char *key, int64_t value)
{
	json_key(w, key);
	json_put_i64(w, value);
}

static void put_ref(struct json_writer *w, const char *kind, const char *name)
{
	json_key(w, "$ref");
	json_put_raw(w, STR("\"#/components/"));
	buf_put_c(w->buf, kind);
	buf_put_byte(w->buf, '/');
	buf_put_c(w->buf, name);
	buf_put_byte(w->buf, '"');
}

void openapi_schema_ref(struct json_writer *w, const char *kind, const char *name)
{
	json_begin_object(w);
	put_ref(w, kind, name);
	json_end_object(w);
}

static void put_type(struct json_writer *w, const struct field *field, const char *type)
{
	json_key(w, "type");
	if ((field->flags & NULLABLE) == 0) {
		json_put_c(w, type);
		return;
	}
	json_begin_array(w);
	json_put_c(w, type);
	json_put_c(w, "null");
	json_end_array(w);
}

static void put_choices(struct json_writer *w, const struct field *field)
{
	struct str rest = str_from(field->choices);
	struct str one;
	bool more;

	put_type(w, field, "string");
	json_key(w, "enum");
	json_begin_array(w);
	do {
		more = str_cut(&rest, '|', &one);
		json_put_str(w, one);
	} while (more);
	if ((field->flags & NULLABLE) != 0)
		json_put_null(w);
	json_end_array(w);
}

static void put_integer(struct json_writer *w, const struct field *field)
{
	put_type(w, field, "integer");
	openapi_schema_text(w, "format", "int64");
	put_number(w, "minimum", field->min);
	if (field->max != INT64_MAX)
		put_number(w, "maximum", field->max);
}

static void put_array(struct json_writer *w, const struct field *field)
{
	put_type(w, field, "array");
	put_number(w, "maxItems", field->max);
	json_key(w, "items");
	if (field->type == FIELD_LIST) {
		openapi_schema_ref(w, "schemas", field->shape()->name);
		return;
	}
	json_begin_object(w);
	openapi_schema_text(w, "type", "string");
	if (field->type == FIELD_TEXTS)
		put_number(w, "maxLength", field->item_max);
	else
		openapi_schema_text(w, "format", "uuid");
	json_end_object(w);
}

static void put_text(struct json_writer *w, const struct field *field)
{
	put_type(w, field, "string");
	if (field->min > 0)
		put_number(w, "minLength", field->min);
	put_number(w, "maxLength", field->max);
}

static void put_field_type(struct json_writer *w, const struct field *field)
{
	switch (field->type) {
	case FIELD_BOOL:
		put_type(w, field, "boolean");
		break;
	case FIELD_I64:
		put_integer(w, field);
		break;
	case FIELD_TEXT:
		put_text(w, field);
		break;
	case FIELD_CHOICE:
		put_choices(w, field);
		break;
	case FIELD_BYTES:
		put_type(w, field, "string");
		openapi_schema_text(w, "contentEncoding", "base64url");
		break;
	case FIELD_UUID:
	case FIELD_TIME:
		put_type(w, field, "string");
		openapi_schema_text(w, "format", field->type == FIELD_UUID ? "uuid" : "date-time");
		break;
	case FIELD_JSON:
		break; /* anything */
	case FIELD_OBJECT:
		put_ref(w, "schemas", field->shape()->name);
		break;
	default:
		put_array(w, field);
	}
}

void openapi_schema_field(struct json_writer *w, const struct field *field)
{
	json_begin_object(w);
	put_field_type(w, field);
	openapi_schema_text(w, "description", field->help);
	if ((field->flags & PERSONAL) != 0)
		openapi_schema_true(w, "x-berth-personal");
	if ((field->flags & SECRET) != 0)
		openapi_schema_true(w, "x-berth-secret");
	json_end_object(w);
}

void openapi_schema_object(struct json_writer *w, const struct shape *shape, enum field_in in, bool closed)
{
	bool required = false;

	json_begin_object(w);
	openapi_schema_text(w, "type", "object");
	json_key(w, "properties");
	json_begin_object(w);
	for (size_t i = 0; i < shape->count; i++) {
		const struct field *field = &shape->fields[i];

		if (field->in != in)
			continue;
		json_key(w, field->name);
		openapi_schema_field(w, field);
		required |= describe_is_required(field);
	}
	json_end_object(w);
	if (required) {
		json_key(w, "required");
		json_begin_array(w);
		for (size_t i = 0; i < shape->count; i++) {
			if (shape->fields[i].in == in && describe_is_required(&shape->fields[i]))
				json_put_c(w, shape->fields[i].name);
		}
		json_end_array(w);
	}
	if (closed) {
		json_key(w, "additionalProperties");
		json_put_bool(w, false);
	}
	json_end_object(w);
}

static void put_problem_member(struct json_writer *w, const char *name, const char *type, const char *help)
{
	json_key(w, name);
	json_begin_object(w);
	openapi_schema_text(w, "type", type);
	openapi_schema_text(w, "description", help);
	json_end_object(w);
}

/* RFC 9457, with our members. Every code that the service knows is listed. */
static void put_problem(struct json_writer *w)
{
	json_key(w, "problem");
	json_begin_object(w);
	openapi_schema_text(w, "type", "object");
	openapi_schema_text(w, "description", "RFC 9457 problem document");
	json_key(w, "properties");
	json_begin_object(w);
	put_problem_member(w, "type", "string", "reference to the error's description");
	put_problem_member(w, "title", "string", "the error in words, always the same");
	put_problem_member(w, "status", "integer", "HTTP status");
	json_key(w, "code");
	json_begin_object(w);
	openapi_schema_text(w, "type", "string");
	openapi_schema_text(w, "description", "stable name of the error");
	json_key(w, "enum");
	json_begin_array(w);
	for (size_t i = 0; i < describe_error_count; i++)
		json_put_c(w, err_code(describe_errors[i]));
	json_end_array(w);
	json_end_object(w);
	put_problem_member(w, "detail", "string", "a sentence for people");
	put_problem_member(w, "field", "string", "path of the field at fault, as events[3].at");
	put_problem_member(w, "reason", "string", "what is wrong with it, or which rule or permission");
	put_problem_member(w, "enrol_at", "string", "page where a second factor is set up, when one is asked for");
	put_problem_member(w, "request_id", "string", "names the request in the service's log");
	json_end_object(w);
	json_key(w, "required");
	json_put_raw(w, STR("[\"type\",\"title\",\"status\",\"code\"]"));
	json_end_object(w);
}

static void put_oauth_error(struct json_writer *w)
{
	json_key(w, "oauth_error");
	json_begin_object(w);
	openapi_schema_text(w, "type", "object");
	openapi_schema_text(w, "description", "RFC 6749 section 5.2");
	json_key(w, "properties");
	json_begin_object(w);
	put_problem_member(w, "error", "string", "as invalid_grant");
	put_problem_member(w, "error_description", "string", "a sentence for developers");
	json_end_object(w);
	json_key(w, "required");
	json_put_raw(w, STR("[\"error\"]"));
	json_end_object(w);
}

void openapi_schema_all(struct json_writer *w)
{
	struct described_shapes shapes;

	describe_shapes(&shapes);
	for (size_t i = 0; i < shapes.count; i++) {
		json_key(w, shapes.items[i].shape->name);
		/* What clients send is closed. What we answer may gain members, which clients must not trip over. */
		openapi_schema_object(w, shapes.items[i].shape, IN_BODY, shapes.items[i].request);
	}
	put_problem(w);
	put_oauth_error(w);
}
