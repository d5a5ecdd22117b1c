/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/encode.h"
#include "base/json.h"
#include "contract/router.h"
#include "contract/test_fill.h"

#define URL "https://berth.example"

static struct arena *arena;
static struct buf openapi, docs;
static const struct json *root;

static int setup(void **state)
{
	const char *reason;

	(void)state;
	arena = arena_new(16u << 20);
	buf_init(&openapi, 1u << 20);
	buf_init(&docs, 1u << 20);
	openapi_write(URL, &openapi);
	docs_write(URL, &docs);
	if (arena == NULL || !buf_ok(&openapi) || !buf_ok(&docs))
		return 1;
	/* Strict: also no key twice. */
	return json_parse(arena, buf_str(&openapi), &root, &reason) != OK;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(&arena);
	buf_release(&openapi);
	buf_release(&docs);
	return 0;
}

static const struct json *described(const struct operation *operation)
{
	static const char *const methods[][2] = {
		{"GET", "get"}, {"POST", "post"}, {"PUT", "put"}, {"PATCH", "patch"}, {"DELETE", "delete"}};

	for (size_t i = 0; i < COUNT_OF(methods); i++) {
		if (strcmp(methods[i][0], operation->method) == 0)
			return json_get(json_get(json_get(root, "paths"), operation->path), methods[i][1]);
	}
	return NULL;
}

static void every_public_operation_is_described_and_no_other(void **state)
{
	size_t expected = 0, found = 0;

	(void)state;
	assert_true(str_eq_c(json_get_str(root, "openapi"), "3.1.0"));
	for (size_t i = 0; i < OPERATION_COUNT; i++) {
		const struct operation *operation = &operation_table[i];
		const struct json *row;
		char status[16];

		if (operation->method == NULL)
			continue;
		expected++;
		row = described(operation);
		CHECK(operation->name, row != NULL && str_eq_c(json_get_str(row, "operationId"), operation->name));
		CHECK(operation->name,
			str_eq_c(json_get_str(row, "x-berth-permission"), permission_name(operation->permission)));
		CHECK(operation->name, json_get(row, "security")->count == 0 || operation->permission != PERM_PUBLIC ||
					       (operation->flags & OP_OAUTH) != 0);
		CHECK(operation->name, json_get(row, "security")->count > 0 || operation->permission == PERM_PUBLIC);
		(void)snprintf(status, sizeof(status), "%d", operation->success_status);
		CHECK(operation->name, json_get(json_get(row, "responses"), status) != NULL);
		CHECK(operation->name, json_get(json_get(row, "responses"), "429") != NULL);
	}
	for (const struct json *path = json_get(root, "paths")->first; path != NULL; path = path->next)
		found += path->count;
	assert_int_equal(found, expected);
}

static bool has_parameter(const struct json *row, const char *name, const char *reference)
{
	for (const struct json *item = json_get(row, "parameters")->first; item != NULL; item = item->next) {
		if (name != NULL && str_eq_c(json_get_str(item, "name"), name))
			return true;
		if (reference != NULL && str_eq_c(json_get_str(item, "$ref"), reference))
			return true;
	}
	return false;
}

static void every_parameter_and_header_is_described(void **state)
{
	(void)state;
	for (size_t i = 0; i < OPERATION_COUNT; i++) {
		const struct operation *operation = &operation_table[i];
		const struct json *row;

		if (operation->method == NULL)
			continue;
		row = described(operation);
		for (size_t j = 0; j < operation->request()->count; j++) {
			const struct field *field = &operation->request()->fields[j];

			CHECK(field->name, has_parameter(row, field->name, NULL) ==
						   (field->in == IN_PATH || field->in == IN_QUERY));
			CHECK(field->name,
				(field->in != IN_BODY && field->in != IN_FORM) || json_get(row, "requestBody") != NULL);
		}
		CHECK(operation->name, has_parameter(row, NULL, "#/components/parameters/idempotency_key") ==
					       ((operation->flags & OP_KEYED) != 0));
		CHECK(operation->name, has_parameter(row, NULL, "#/components/parameters/if_match") ==
					       ((operation->flags & OP_VERSIONED) != 0));
		CHECK(operation->name, has_parameter(row, NULL, "#/components/parameters/if_none_match") ==
					       (json_get(json_get(row, "responses"), "304") != NULL));
		CHECK(operation->name, (json_get(json_get(row, "responses"), "304") != NULL) ==
					       (strcmp(operation->method, "GET") == 0 &&
						       shape_field(operation->reply(), STR("version")) != NULL));
	}
}

static size_t check_references(const struct json *value)
{
	struct str rest = json_get_str(value, "$ref");
	const struct json *target = root;
	size_t count = 0;
	struct str step;
	bool more = rest.len > 0;

	if (more) {
		assert_true(str_starts(rest, "#/"));
		rest.p += 2;
		rest.len -= 2;
		count++;
	}
	while (more) {
		char name[100];

		more = str_cut(&rest, '/', &step);
		(void)snprintf(name, sizeof(name), "%.*s", STR_ARG(step));
		target = json_get(target, name);
		CHECK(name, target != NULL);
	}
	for (const struct json *child = value->first; child != NULL; child = child->next)
		count += check_references(child);
	return count;
}

static void every_reference_leads_somewhere(void **state)
{
	(void)state;
	assert_true(check_references(root) > 100);
}

static bool lists(const struct json *array, const char *text)
{
	for (const struct json *item = array->first; item != NULL; item = item->next) {
		if (str_eq_c(item->text, text))
			return true;
	}
	return false;
}

static void every_error_code_is_listed(void **state)
{
	const struct json *problem = json_get(json_get(json_get(root, "components"), "schemas"), "problem");
	const struct json *codes = json_get(json_get(json_get(problem, "properties"), "code"), "enum");

	(void)state;
#define E(name, number, status, code, title) \
	CHECK(code, lists(codes, code));     \
	CHECK(code, memmem(docs.p, docs.len, "id=\"" code "\"", sizeof("id=\"" code "\"") - 1) != NULL);
#include "contract/errors.def"
#undef E
}

static void bounds_formats_and_enumerations_are_described(void **state)
{
	const struct json *schemas = json_get(json_get(root, "components"), "schemas");
	const struct json *request = json_get(schemas, "area_create_request");
	const struct json *fields = json_get(request, "properties");
	const struct json *booking = json_get(json_get(schemas, "booking"), "properties");

	(void)state;
	assert_true(json_get(request, "additionalProperties")->kind == JSON_FALSE);
	assert_null(json_get(json_get(schemas, "area"), "additionalProperties"));
	assert_true(
		lists(json_get(request, "required"), "site_id") && !lists(json_get(request, "required"), "capacity"));
	assert_true(str_eq_c(json_get(json_get(fields, "capacity"), "maximum")->text, "100000"));
	assert_true(str_eq_c(json_get(json_get(fields, "name"), "maxLength")->text, "200"));
	assert_true(str_eq_c(json_get_str(json_get(fields, "site_id"), "format"), "uuid"));
	assert_true(lists(json_get(json_get(fields, "inventory"), "enum"), "pooled"));
	assert_true(lists(json_get(json_get(booking, "note"), "type"), "null"));
	assert_true(json_get(json_get(booking, "note"), "x-berth-personal")->kind == JSON_TRUE);
	assert_true(str_eq_c(json_get_str(json_get(booking, "starts_at"), "format"), "date-time"));
	assert_null(json_get(json_get(booking, "version"), "maximum"));
}

static void the_page_holds_every_operation_and_no_script(void **state)
{
	(void)state;
	assert_true(str_starts(buf_str(&docs), "<!doctype html>\n<html lang=\"en\">"));
	assert_null(memmem(docs.p, docs.len, "<script", 7));
	assert_null(memmem(docs.p, docs.len, " style=", 7));
	for (size_t i = 0; i < OPERATION_COUNT; i++) {
		char id[100];

		(void)snprintf(id, sizeof(id), "<article id=\"op-%s\">", operation_table[i].name);
		CHECK(operation_table[i].name,
			(memmem(docs.p, docs.len, id, strlen(id)) != NULL) == (operation_table[i].method != NULL));
	}
}

/* Links within the page, and no id twice. */
static void every_link_of_the_page_leads_somewhere(void **state)
{
	struct str rest = buf_str(&docs);
	char id[200];

	(void)state;
	for (const char *at; (at = memmem(rest.p, rest.len, "href=\"#", 7)) != NULL;) {
		const char *close;

		rest.len -= (size_t)(at + 7 - rest.p);
		rest.p = at + 7;
		close = memchr(rest.p, '"', rest.len);
		assert_non_null(close);
		(void)snprintf(id, sizeof(id), "id=\"%.*s\"", (int)(close - rest.p), rest.p);
		at = memmem(docs.p, docs.len, id, strlen(id));
		CHECK(id, at != NULL);
		CHECK(id, memmem(at + 1, (size_t)(docs.p + docs.len - at - 1), id, strlen(id)) == NULL);
	}
}

static void the_hash_is_that_of_the_style_element(void **state)
{
	const char *open = memmem(docs.p, docs.len, "<style>", 7);
	char hash[DOCS_STYLE_HASH_MAX], text[64], expected[DOCS_STYLE_HASH_MAX];
	const char *close;
	uint8_t digest[32];

	(void)state;
	assert_non_null(open);
	close = memmem(open, (size_t)(docs.p + docs.len - open), "</style>", 8);
	assert_non_null(close);
	sha256((struct str){open + 7, (size_t)(close - open - 7)}, digest);
	(void)sodium_bin2base64(text, sizeof(text), digest, sizeof(digest), sodium_base64_VARIANT_ORIGINAL);
	(void)snprintf(expected, sizeof(expected), "sha256-%.56s", text);
	docs_style_hash(hash);
	assert_string_equal(hash, expected);
}

static void a_full_buffer_is_marked(void **state)
{
	struct buf small;

	(void)state;
	buf_init(&small, 1000);
	openapi_write(URL, &small);
	assert_false(buf_ok(&small));
	buf_reset(&small);
	docs_write(URL, &small);
	assert_false(buf_ok(&small));
	buf_release(&small);
}

static void an_address_is_escaped(void **state)
{
	const struct json *tree;
	const char *reason;
	struct buf buf;

	(void)state;
	buf_init(&buf, 1u << 20);
	openapi_write("https://a.example/\"<b>&\\", &buf);
	assert_int_equal(json_parse(arena, buf_str(&buf), &tree, &reason), OK);
	buf_reset(&buf);
	docs_write("https://a.example/\"<b>&\\", &buf);
	assert_null(memmem(buf.p, buf.len, "<b>", 3));
	buf_release(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_public_operation_is_described_and_no_other),
		cmocka_unit_test(every_parameter_and_header_is_described),
		cmocka_unit_test(every_reference_leads_somewhere),
		cmocka_unit_test(every_error_code_is_listed),
		cmocka_unit_test(bounds_formats_and_enumerations_are_described),
		cmocka_unit_test(the_page_holds_every_operation_and_no_script),
		cmocka_unit_test(every_link_of_the_page_leads_somewhere),
		cmocka_unit_test(the_hash_is_that_of_the_style_element),
		cmocka_unit_test(a_full_buffer_is_marked),
		cmocka_unit_test(an_address_is_escaped),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
