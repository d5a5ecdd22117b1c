/* SPDX-License-Identifier: Apache-2.0 */
#include "contract/describe.h"

#include <stdlib.h>
#include <string.h>

const enum err describe_errors[] = {
#define E(name, number, status, code, title) ERR_##name,
#include "contract/errors.def"
#undef E
};
const size_t describe_error_count = sizeof(describe_errors) / sizeof(describe_errors[0]);

bool describe_has_fields(const struct shape *shape, enum field_in in)
{
	for (size_t i = 0; i < shape->count; i++) {
		if (shape->fields[i].in == in)
			return true;
	}
	return false;
}

bool describe_is_required(const struct field *field)
{
	return field->in == IN_PATH || (field->flags & REQUIRED) != 0;
}

static bool has_type(const struct shape *shape, enum field_type type)
{
	for (size_t i = 0; i < shape->count; i++) {
		if (shape->fields[i].type == type)
			return true;
	}
	return false;
}

/* Of the request's own form. */
static bool request_may_fail(const struct operation *operation, enum err err)
{
	const struct shape *request = operation->request();

	switch (err) {
	case ERR_BAD_REQUEST:
		return true;
	case ERR_BAD_JSON:
		return (operation->flags & OP_WEB) == 0 && describe_has_fields(request, IN_BODY);
	case ERR_BAD_FIELD:
		return request->count > 0;
	case ERR_BAD_CURSOR:
		return shape_field(request, STR("cursor")) != NULL;
	case ERR_TOO_LARGE:
	case ERR_UNSUPPORTED_MEDIA:
	case ERR_REQUEST_TIMEOUT:
		return operation->body_cap > 0;
	case ERR_NOT_FOUND:
		return has_type(request, FIELD_UUID);
	case ERR_GONE:
		return (operation->flags & OP_WEB) == 0 && operation->permission == PERM_PUBLIC &&
		       shape_field(request, STR("token")) != NULL;
	default:
		return false;
	}
}

/* Of the rights behind it. */
static bool right_may_fail(const struct operation *operation, enum err err)
{
	if (operation->permission == PERM_PUBLIC)
		return false;
	switch (err) {
	case ERR_UNAUTHENTICATED:
	case ERR_TOKEN_EXPIRED:
	case ERR_TOKEN_REVOKED:
		return true;
	case ERR_FORBIDDEN:
		return operation->permission != PERM_SELF;
	case ERR_EMAIL_UNVERIFIED:
		return (operation->flags & OP_UNVERIFIED) == 0;
	default:
		return false;
	}
}

/* Of the state that it meets. */
static bool state_may_fail(const struct operation *operation, enum err err)
{
	bool changes = (operation->flags & (OP_SAFE | OP_WEB)) == 0 && operation->permission != PERM_PUBLIC;

	switch (err) {
	case ERR_CONFLICT:
		return changes;
	case ERR_RULE:
		return changes && operation->callee == PEER_bookingsvc;
	case ERR_SPOT_TAKEN:
	case ERR_AREA_FULL:
	case ERR_PERSON_UNAVAILABLE:
		return changes && operation->reply == shape_booking;
	case ERR_VERSION_STALE:
	case ERR_VERSION_REQUIRED:
		return (operation->flags & OP_VERSIONED) != 0;
	case ERR_KEY_REUSED:
	case ERR_IN_PROGRESS:
		return (operation->flags & OP_KEYED) != 0;
	default:
		return false;
	}
}

bool describe_may_fail(const struct operation *operation, enum err err)
{
	switch (err) {
	case ERR_RATE_LIMITED:
	case ERR_INTERNAL:
	case ERR_OVERLOADED:
	case ERR_DRAINING:
		return true;
	case ERR_UNAVAILABLE:
	case ERR_DEADLINE:
	case ERR_BAD_GATEWAY:
		return (operation->flags & OP_LOCAL) == 0;
	default:
		return request_may_fail(operation, err) || right_may_fail(operation, err) ||
		       state_may_fail(operation, err);
	}
}

const char *describe_part(enum peer callee)
{
	switch (callee) {
	case PEER_authsvc:
		return "People, sign-in and OAuth 2.0";
	case PEER_bookingsvc:
		return "Sites, availability and bookings";
	case PEER_auditsvc:
		return "Audit trail";
	case PEER_gdprsvc:
		return "Privacy";
	default:
		return "The service itself";
	}
}

const char *describe_type(const struct field *field)
{
	static const char *const names[] = {
		[FIELD_BOOL] = "boolean",
		[FIELD_I64] = "integer",
		[FIELD_TEXT] = "text",
		[FIELD_CHOICE] = "one of",
		[FIELD_BYTES] = "base64url",
		[FIELD_UUID] = "UUID",
		[FIELD_TIME] = "instant",
		[FIELD_JSON] = "any JSON",
		[FIELD_OBJECT] = "object",
		[FIELD_LIST] = "list of",
		[FIELD_TEXTS] = "list of text",
		[FIELD_UUIDS] = "list of UUID",
	};

	return names[field->type];
}

static void add_shape(struct described_shapes *shapes, const struct shape *shape, bool request)
{
	if (!describe_has_fields(shape, IN_BODY))
		return;
	for (size_t i = 0; i < shapes->count; i++) {
		if (shapes->items[i].shape == shape) {
			shapes->items[i].request |= request;
			return;
		}
	}
	if (shapes->count == DESCRIBE_SHAPES_MAX)
		abort();
	shapes->items[shapes->count].shape = shape;
	shapes->items[shapes->count].request = request;
	shapes->count++;
	/* Depth is that of the contract: a shape holds only shapes declared before it. */
	for (size_t i = 0; i < shape->count; i++) {
		if (shape->fields[i].shape != NULL)
			add_shape(shapes, shape->fields[i].shape(), request);
	}
}

bool describe_is_versioned_read(const struct operation *operation)
{
	return operation->method != NULL && strcmp(operation->method, "GET") == 0 &&
	       shape_field(operation->reply(), STR("version")) != NULL;
}

void describe_shapes(struct described_shapes *shapes_out)
{
	shapes_out->count = 0;
	for (size_t i = 0; i < OPERATION_COUNT; i++) {
		const struct operation *operation = &operation_table[i];

		if (operation->method == NULL || (operation->flags & OP_WEB) != 0)
			continue;
		add_shape(shapes_out, operation->request(), true);
		add_shape(shapes_out, operation->reply(), false);
	}
}
