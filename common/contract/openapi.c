/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "contract/describe.h"
#include "contract/openapi_schema.h"
#include "contract/router.h"

static const struct {
	const char *name, *help;
} scopes[] = {
	{"openid", "an ID token and userinfo"},
	{"profile", "the person's name and language in them"},
	{"email", "the person's address in them"},
	{"offline_access", "a refresh token"},
	{"berth", "everything that the person may do"},
#define PERMISSION(NAME, bit, text, whose, help) {text, help},
#include "contract/permissions.def"
#undef PERMISSION
};

static void put_info(struct json_writer *w, const char *public_url)
{
	openapi_schema_text(w, "openapi", "3.1.0");
	json_key(w, "info");
	json_begin_object(w);
	openapi_schema_text(w, "title", "Berth");
	openapi_schema_text(w, "summary", "Parking and workplace booking");
	openapi_schema_text(w, "description",
		"Lengths of text are counted in bytes of UTF-8. Instants are RFC 3339. Unknown members of a "
		"request are "
		"refused; answers may gain members. Lists come in pages: pass `next_cursor` as `cursor` "
		"until it is null.");
	openapi_schema_text(w, "version", BERTH_VERSION);
	json_key(w, "license");
	json_begin_object(w);
	openapi_schema_text(w, "name", "Apache License 2.0");
	openapi_schema_text(w, "identifier", "Apache-2.0");
	json_end_object(w);
	json_end_object(w);
	json_key(w, "servers");
	json_begin_array(w);
	json_begin_object(w);
	openapi_schema_text(w, "url", public_url);
	json_end_object(w);
	json_end_array(w);
	json_key(w, "tags");
	json_begin_array(w);
	for (size_t i = PEER_NONE + 1; i < PEER_COUNT; i++) {
		json_begin_object(w);
		openapi_schema_text(w, "name", describe_part((enum peer)i));
		json_end_object(w);
	}
	json_end_array(w);
}

static void put_parameters(struct json_writer *w, const struct operation *operation)
{
	const struct shape *shape = operation->request();

	json_key(w, "parameters");
	json_begin_array(w);
	for (size_t i = 0; i < shape->count; i++) {
		const struct field *field = &shape->fields[i];

		if (field->in != IN_PATH && field->in != IN_QUERY)
			continue;
		json_begin_object(w);
		openapi_schema_text(w, "name", field->name);
		openapi_schema_text(w, "in", field->in == IN_PATH ? "path" : "query");
		openapi_schema_text(w, "description", field->help);
		if (describe_is_required(field))
			openapi_schema_true(w, "required");
		json_key(w, "schema");
		openapi_schema_field(w, field);
		json_end_object(w);
	}
	if ((operation->flags & OP_KEYED) != 0)
		openapi_schema_ref(w, "parameters", "idempotency_key");
	if ((operation->flags & OP_VERSIONED) != 0)
		openapi_schema_ref(w, "parameters", "if_match");
	if (describe_is_versioned_read(operation))
		openapi_schema_ref(w, "parameters", "if_none_match");
	json_end_array(w);
}

static bool has_required(const struct shape *shape, enum field_in in)
{
	for (size_t i = 0; i < shape->count; i++) {
		if (shape->fields[i].in == in && (shape->fields[i].flags & REQUIRED) != 0)
			return true;
	}
	return false;
}

static void put_request_body(struct json_writer *w, const struct operation *operation)
{
	const struct shape *shape = operation->request();
	bool form = describe_has_fields(shape, IN_FORM);

	if (!form && !describe_has_fields(shape, IN_BODY))
		return;
	json_key(w, "requestBody");
	json_begin_object(w);
	json_key(w, "content");
	json_begin_object(w);
	json_key(w, form ? "application/x-www-form-urlencoded" : "application/json");
	json_begin_object(w);
	json_key(w, "schema");
	if (form)
		openapi_schema_object(w, shape, IN_FORM, false);
	else
		openapi_schema_ref(w, "schemas", shape->name);
	json_end_object(w);
	json_end_object(w);
	json_key(w, "required");
	json_put_bool(w, form || has_required(shape, IN_BODY));
	json_key(w, "x-berth-max-bytes");
	json_put_i64(w, (int64_t)operation->body_cap);
	json_end_object(w);
}

static void put_header_ref(struct json_writer *w, const char *name, const char *component)
{
	json_key(w, "headers");
	json_begin_object(w);
	json_key(w, name);
	openapi_schema_ref(w, "headers", component);
	json_end_object(w);
}

static void put_success(struct json_writer *w, const struct operation *operation)
{
	const struct shape *reply = operation->reply();
	char status[16];

	(void)snprintf(status, sizeof(status), "%d", operation->success_status);
	json_key(w, status);
	json_begin_object(w);
	openapi_schema_text(w, "description", operation->summary);
	if (reply->count == 0) {
		json_end_object(w);
		return;
	}
	if (operation->success_status == 303)
		put_header_ref(w, "Location", "location");
	else if (shape_field(reply, STR("version")) != NULL)
		put_header_ref(w, "ETag", "etag");
	json_key(w, "content");
	json_begin_object(w);
	json_key(w, (operation->flags & OP_WEB) != 0 ? "*/*" : "application/json");
	json_begin_object(w);
	if ((operation->flags & OP_WEB) == 0) {
		json_key(w, "schema");
		openapi_schema_ref(w, "schemas", reply->name);
	}
	json_end_object(w);
	json_end_object(w);
	json_end_object(w);
}

/* Has an earlier error that this operation may answer with the same status? */
static bool status_seen(const struct operation *operation, size_t before)
{
	for (size_t i = 0; i < before; i++) {
		if (err_status(describe_errors[i]) == err_status(describe_errors[before]) &&
			(operation == NULL || describe_may_fail(operation, describe_errors[i])))
			return true;
	}
	return false;
}

static void put_responses(struct json_writer *w, const struct operation *operation)
{
	json_key(w, "responses");
	json_begin_object(w);
	put_success(w, operation);
	if (describe_is_versioned_read(operation)) {
		json_key(w, "304");
		json_begin_object(w);
		openapi_schema_text(w, "description", "The version that If-None-Match names is the present one");
		json_end_object(w);
	}
	for (size_t i = 0; i < describe_error_count; i++) {
		int status = err_status(describe_errors[i]);
		bool oauth = (operation->flags & OP_OAUTH) != 0 && (status == 400 || status == 401);
		char key[16], name[32];

		if (!describe_may_fail(operation, describe_errors[i]) || status_seen(operation, i))
			continue;
		(void)snprintf(key, sizeof(key), "%d", status);
		(void)snprintf(name, sizeof(name), "%s_%d", oauth ? "oauth_error" : "error", status);
		json_key(w, key);
		openapi_schema_ref(w, "responses", name);
	}
	json_end_object(w);
	json_key(w, "x-berth-errors");
	json_begin_array(w);
	for (size_t i = 0; i < describe_error_count; i++) {
		if (describe_may_fail(operation, describe_errors[i]))
			json_put_c(w, err_code(describe_errors[i]));
	}
	json_end_array(w);
}

static void put_security(struct json_writer *w, const struct operation *operation)
{
	json_key(w, "security");
	json_begin_array(w);
	if (operation->permission != PERM_PUBLIC) {
		json_begin_object(w);
		json_key(w, "oauth2");
		json_begin_array(w);
		if (operation->permission != PERM_SELF)
			json_put_c(w, permission_name(operation->permission));
		json_end_array(w);
		json_end_object(w);
	} else if ((operation->flags & OP_OAUTH) != 0) {
		/* A public client names itself in the form: authentication is one of two ways. */
		json_put_raw(w, STR("{\"client\":[]}"));
		json_put_raw(w, STR("{}"));
	}
	json_end_array(w);
	openapi_schema_text(w, "x-berth-permission", permission_name(operation->permission));
	json_key(w, "x-berth-second-factor");
	json_put_bool(w, permission_is_staff(operation->permission));
	if ((operation->flags & OP_STEP_UP) != 0) {
		json_key(w, "x-berth-step-up");
		json_begin_object(w);
		openapi_schema_text(w, "acr_values", STEP_UP_ACR);
		json_key(w, "max_age");
		json_put_i64(w, STEP_UP_MAX_AGE_S);
		json_end_object(w);
	}
	json_key(w, "x-berth-critical");
	json_put_bool(w, (operation->flags & OP_CRITICAL) != 0);
}

static void put_operation(struct json_writer *w, const struct operation *operation)
{
	static const char lower[][8] = {"get", "put", "post", "patch", "delete"};

	for (size_t i = 0; i < sizeof(lower) / sizeof(lower[0]); i++) {
		if (str_eq_nocase(str_from(lower[i]), str_from(operation->method)))
			json_key(w, lower[i]);
	}
	json_begin_object(w);
	openapi_schema_text(w, "operationId", operation->name);
	openapi_schema_text(w, "summary", operation->summary);
	json_key(w, "tags");
	json_begin_array(w);
	json_put_c(w, describe_part(operation->callee));
	json_end_array(w);
	put_security(w, operation);
	put_parameters(w, operation);
	put_request_body(w, operation);
	put_responses(w, operation);
	json_end_object(w);
}

static bool same_path(const struct operation *a, const struct operation *b)
{
	return a->method != NULL && b->method != NULL && strcmp(a->path, b->path) == 0;
}

static void put_paths(struct json_writer *w)
{
	json_key(w, "paths");
	json_begin_object(w);
	for (size_t i = 0; i < OPERATION_COUNT; i++) {
		const struct operation *operation = &operation_table[i];
		size_t first = 0;

		while (first < i && !same_path(&operation_table[first], operation))
			first++;
		if (operation->method == NULL || first < i)
			continue;
		json_key(w, operation->path);
		json_begin_object(w);
		for (size_t j = i; j < OPERATION_COUNT; j++) {
			if (same_path(&operation_table[j], operation))
				put_operation(w, &operation_table[j]);
		}
		json_end_object(w);
	}
	json_end_object(w);
}

static void put_error_response(struct json_writer *w, int status, const char *schema, const char *media)
{
	bool first = true;

	json_begin_object(w);
	json_key(w, "description");
	json_put_raw(w, STR("\""));
	/* Codes and titles are our own constants, of letters that JSON takes as they are. */
	for (size_t i = 0; i < describe_error_count; i++) {
		if (err_status(describe_errors[i]) != status)
			continue;
		buf_printf(w->buf, "%s%s: %s", first ? "" : "; ", err_code(describe_errors[i]),
			err_title(describe_errors[i]));
		first = false;
	}
	buf_put_byte(w->buf, '"');
	if (status == 429 || status == 503)
		put_header_ref(w, "Retry-After", "retry_after");
	else if (status == 401)
		put_header_ref(w, "WWW-Authenticate", "www_authenticate");
	json_key(w, "content");
	json_begin_object(w);
	json_key(w, media);
	json_begin_object(w);
	json_key(w, "schema");
	openapi_schema_ref(w, "schemas", schema);
	json_end_object(w);
	json_end_object(w);
	json_end_object(w);
}

static void put_error_responses(struct json_writer *w)
{
	json_key(w, "responses");
	json_begin_object(w);
	for (size_t i = 0; i < describe_error_count; i++) {
		int status = err_status(describe_errors[i]);
		char name[32];

		if (status_seen(NULL, i))
			continue;
		(void)snprintf(name, sizeof(name), "error_%d", status);
		json_key(w, name);
		put_error_response(w, status, "problem", "application/problem+json");
	}
	json_key(w, "oauth_error_400");
	put_error_response(w, 400, "oauth_error", "application/json");
	json_key(w, "oauth_error_401");
	put_error_response(w, 401, "oauth_error", "application/json");
	json_end_object(w);
}

static void put_header(struct json_writer *w, const char *name, const char *help, const char *type)
{
	json_key(w, name);
	json_begin_object(w);
	openapi_schema_text(w, "description", help);
	json_key(w, "schema");
	json_begin_object(w);
	openapi_schema_text(w, "type", type);
	json_end_object(w);
	json_end_object(w);
}

static void put_headers(struct json_writer *w)
{
	json_key(w, "headers");
	json_begin_object(w);
	put_header(w, "etag", "version of the object, for If-Match", "string");
	put_header(w, "location", "where to go on", "string");
	put_header(w, "retry_after", "seconds to wait before trying again", "integer");
	put_header(w, "www_authenticate", "how to authenticate (RFC 6750)", "string");
	json_end_object(w);
	json_key(w, "parameters");
	json_begin_object(w);
	json_key(w, "idempotency_key");
	json_put_raw(w, STR("{\"name\":\"Idempotency-Key\",\"in\":\"header\",\"required\":false,"
			    "\"schema\":{\"type\":\"string\","
			    "\"minLength\":1,\"maxLength\":255},\"description\":\"a value of your own for this one "
			    "change: repeating "
			    "the request with it gives the first answer again\"}"));
	json_key(w, "if_match");
	json_put_raw(
		w, STR("{\"name\":\"If-Match\",\"in\":\"header\",\"required\":true,\"schema\":{\"type\":\"string\"},"
		       "\"description\":\"the ETag of the object as it was read\"}"));
	json_key(w, "if_none_match");
	json_put_raw(
		w, STR("{\"name\":\"If-None-Match\",\"in\":\"header\",\"required\":false,"
		       "\"schema\":{\"type\":\"string\"},"
		       "\"description\":\"an ETag that is held already: 304, without content, while it is current\"}"));
	json_end_object(w);
}

static void put_url(struct json_writer *w, const char *key, const char *public_url, const char *path)
{
	char url[512];

	(void)snprintf(url, sizeof(url), "%s%s", public_url, path);
	openapi_schema_text(w, key, url);
}

static void put_flow(struct json_writer *w, const char *name, const char *public_url, bool code)
{
	json_key(w, name);
	json_begin_object(w);
	if (code) {
		put_url(w, "authorizationUrl", public_url, "/oauth2/authorize");
		put_url(w, "refreshUrl", public_url, "/oauth2/token");
	}
	put_url(w, "tokenUrl", public_url, "/oauth2/token");
	json_key(w, "scopes");
	json_begin_object(w);
	for (size_t i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++)
		openapi_schema_text(w, scopes[i].name, scopes[i].help);
	json_end_object(w);
	json_end_object(w);
}

static void put_security_schemes(struct json_writer *w, const char *public_url)
{
	json_key(w, "securitySchemes");
	json_begin_object(w);
	json_key(w, "oauth2");
	json_begin_object(w);
	openapi_schema_text(w, "type", "oauth2");
	openapi_schema_text(
		w, "description", "Authorization code with PKCE (S256) for people, client credentials for programs");
	json_key(w, "flows");
	json_begin_object(w);
	put_flow(w, "authorizationCode", public_url, true);
	put_flow(w, "clientCredentials", public_url, false);
	json_end_object(w);
	json_end_object(w);
	json_key(w, "client");
	json_begin_object(w);
	openapi_schema_text(w, "type", "http");
	openapi_schema_text(w, "scheme", "basic");
	openapi_schema_text(w, "description", "client_id and client_secret (RFC 6749 section 2.3.1)");
	json_end_object(w);
	json_end_object(w);
}

void openapi_write(const char *public_url, struct buf *out)
{
	struct json_writer w = json_writer_over(out);

	json_begin_object(&w);
	put_info(&w, public_url);
	put_paths(&w);
	json_key(&w, "components");
	json_begin_object(&w);
	json_key(&w, "schemas");
	json_begin_object(&w);
	openapi_schema_all(&w);
	json_end_object(&w);
	put_error_responses(&w);
	put_headers(&w);
	put_security_schemes(&w, public_url);
	json_end_object(&w);
	json_end_object(&w);
}
