/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"

#include <stdio.h>

#include "contract/codec.h"
#include "contract/test_fill.h"
#include "contract/value.h"

#define ROUNDS 40
#define OBJECT_MAX 4096

static struct arena *arena;
static struct buf buf;
static _Alignas(max_align_t) unsigned char object[OBJECT_MAX], decoded[OBJECT_MAX];

static int setup(void **state)
{
	(void)state;
	arena = arena_new(64u << 20);
	buf_init(&buf, 64u << 20);
	return arena == NULL;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(&arena);
	buf_release(&buf);
	return 0;
}

static struct str encoded(const struct shape *shape)
{
	buf_reset(&buf);
	json_encode(shape, object, &buf);
	assert_true(buf_ok(&buf));
	return buf_str(&buf);
}

static void every_shape_comes_back_as_it_was(void **state)
{
	(void)state;
	for (size_t i = 0; i < fill_shape_count; i++) {
		const struct shape *shape = fill_shapes[i]();
		struct fill fill = {i, arena, true, false};

		assert_true(shape->size <= OBJECT_MAX);
		for (size_t round = 0; round < ROUNDS; round++) {
			struct fault fault = {0};

			arena_reset(arena);
			fill.everything = round == 0;
			fill_object(&fill, shape, object);
			if (json_decode(shape, encoded(shape), arena, decoded, &fault) != OK)
				fail_msg("%s: '%s' %s", shape->name, fault.field, fault.reason);
			CHECK(shape->name, fill_same(shape, object, decoded));
		}
	}
}

static void expect_fault(const struct shape *shape, const struct field *field, const char *place, const char *reason)
{
	struct fault fault = {0};
	char path[160];

	(void)snprintf(path, sizeof(path), "%s%s", field->name, place);
	if (json_decode(shape, encoded(shape), arena, decoded, &fault) != ERR_BAD_FIELD ||
		strcmp(fault.field, path) != 0 || strcmp(fault.reason, reason) != 0)
		fail_msg("%s.%s: '%s' %s, expected %s", shape->name, path, fault.field, fault.reason, reason);
}

/* Bounds that the JSON form can carry as they are; the others (bad UTF-8, instants out of range) have cases below. */
static void break_number(const struct shape *shape, const struct field *field)
{
	int64_t *number = value_at(field, object);

	if (field->type == FIELD_I64 && field->min > INT64_MIN) {
		*number = field->min - 1;
		expect_fault(shape, field, "", "too_small");
	}
	if (field->type == FIELD_I64 && field->max < INT64_MAX) {
		*number = field->max + 1;
		expect_fault(shape, field, "", "too_large");
	}
}

static void break_text(struct fill *fill, const struct shape *shape, const struct field *field)
{
	struct str *text = value_at(field, object);

	if (field->type == FIELD_TEXT || field->type == FIELD_BYTES || field->type == FIELD_JSON) {
		*text = fill_repeat(fill, '1', (size_t)field->max + 1);
		expect_fault(shape, field, "", "too_long");
	}
	if (field->type == FIELD_TEXT && field->min > 0) {
		*text = fill_repeat(fill, '1', (size_t)field->min - 1);
		expect_fault(shape, field, "", "too_short");
	}
	if (field->type == FIELD_TEXT) {
		*text = fill_repeat(fill, '\0', (size_t)(field->min > 0 ? field->min : 1));
		expect_fault(shape, field, "", "nul");
	}
	if (field->type == FIELD_CHOICE) {
		*text = STR("no such choice");
		expect_fault(shape, field, "", "not_one_of");
	}
}

static void break_field(struct fill *fill, const struct shape *shape, const struct field *field)
{
	struct list *list = value_at(field, object);

	break_number(shape, field);
	break_text(fill, shape, field);
	if (field->type == FIELD_LIST || field->type == FIELD_TEXTS || field->type == FIELD_UUIDS) {
		list->count = (size_t)field->max + 1;
		list->items = arena_take_array(arena, list->count, value_item_size(field));
		expect_fault(shape, field, "", "too_many");
	}
}

static void every_bound_of_every_field_is_held(void **state)
{
	(void)state;
	for (size_t i = 0; i < fill_shape_count; i++) {
		const struct shape *shape = fill_shapes[i]();
		struct fill fill = {i, arena, true, true};

		for (size_t row = 0; row < shape->count; row++) {
			const struct field *field = &shape->fields[row];

			if (field->in != IN_BODY)
				continue;
			arena_reset(arena);
			fill_object(&fill, shape, object);
			break_field(&fill, shape, field);
			fill_object(&fill, shape, object);
			memset(object + field->has_offset, 0, sizeof(bool));
			if ((field->flags & REQUIRED) != 0)
				expect_fault(shape, field, "", "missing");
		}
	}
}

/* Every field of every shape takes its own kind of value and refuses the others. */
static const struct {
	const char *value;
	enum json_kind kind;
} kinds[] = {
	{"null", JSON_NULL},
	{"true", JSON_TRUE},
	{"1", JSON_NUMBER},
	{"\"\"", JSON_STRING},
	{"[]", JSON_ARRAY},
	{"{}", JSON_OBJECT},
};

static enum json_kind kind_of(const struct field *field)
{
	switch (field->type) {
	case FIELD_BOOL:
		return JSON_TRUE;
	case FIELD_I64:
		return JSON_NUMBER;
	case FIELD_OBJECT:
		return JSON_OBJECT;
	case FIELD_LIST:
	case FIELD_TEXTS:
	case FIELD_UUIDS:
		return JSON_ARRAY;
	default:
		return JSON_STRING;
	}
}

static void every_field_refuses_values_of_another_kind(void **state)
{
	(void)state;
	for (size_t i = 0; i < fill_shape_count; i++) {
		const struct shape *shape = fill_shapes[i]();

		for (size_t row = 0; row < shape->count * COUNT_OF(kinds); row++) {
			const struct field *field = &shape->fields[row / COUNT_OF(kinds)];
			enum json_kind kind = kinds[row % COUNT_OF(kinds)].kind;
			bool takes_null = kind == JSON_NULL && (field->flags & NULLABLE) != 0;
			struct fault fault = {0};
			char text[200];

			if (field->in != IN_BODY)
				continue;
			arena_reset(arena);
			(void)snprintf(
				text, sizeof(text), "{\"%s\":%s}", field->name, kinds[row % COUNT_OF(kinds)].value);
			/* OK, or a fault elsewhere or of another reason, is fine when the kind is right. */
			(void)!json_decode(shape, str_from(text), arena, decoded, &fault);
			if (takes_null || kind == kind_of(field) || field->type == FIELD_JSON)
				CHECK(text, fault.reason == NULL || strcmp(fault.reason, "wrong_type") != 0);
			else
				CHECK(text, fault.reason != NULL && strcmp(fault.reason, "wrong_type") == 0 &&
						    strcmp(fault.field, field->name) == 0);
		}
	}
}

#define ID "\"id\":\"01890a5d-ac96-774b-bcce-b302099a8057\""
#define TIMES "\"starts_at\":\"2030-01-31T08:00:00Z\",\"ends_at\":\"2030-01-31T17:00:00Z\""

static const struct {
	const char *name;
	shape_fn shape;
	struct str document;
	enum err err;
	const char *field, *reason;
} cases[] = {
	{"a booking request is taken", shape_booking_create_request, STR("{" TIMES "}"), OK, "", ""},
	{"white space around a document is fine", shape_booking_create_request, STR(" \r\n{ " TIMES "\t} "), OK, "",
		""},
	{"an upper-case id is taken", shape_booking_create_request,
		STR("{" TIMES ",\"spot_id\":\"01890A5D-AC96-774B-BCCE-B302099A8057\"}"), OK, "", ""},
	{"an empty body is the empty object when nothing is required", shape_me_update_request, STR(""), OK, "", ""},
	{"an empty body is refused when something is required", shape_booking_create_request, STR(""), ERR_BAD_JSON, "",
		"empty"},
	{"white space alone is no document", shape_me_update_request, STR(" "), ERR_BAD_JSON, "", "malformed"},
	{"an array is no object", shape_me_update_request, STR("[]"), ERR_BAD_JSON, "", "wrong_type"},
	{"null is no object", shape_me_update_request, STR("null"), ERR_BAD_JSON, "", "wrong_type"},
	{"something behind the object is refused", shape_me_update_request, STR("{}{}"), ERR_BAD_JSON, "", "malformed"},
	{"a byte order mark is refused", shape_me_update_request, STR("\xef\xbb\xbf{}"), ERR_BAD_JSON, "", "malformed"},
	{"a key sent twice is refused", shape_me_update_request, STR("{\"locale\":\"fr\",\"locale\":\"fr\"}"),
		ERR_BAD_JSON, "", "malformed"},
	{"a key sent twice by an escape is refused", shape_me_update_request,
		STR("{\"locale\":\"fr\",\"\\u006cocale\":\"fr\"}"), ERR_BAD_JSON, "", "malformed"},
	{"bytes that are not UTF-8 are refused", shape_me_update_request, STR("{\"given_name\":\"\xff\"}"),
		ERR_BAD_JSON, "", "malformed"},
	{"a lone surrogate is refused", shape_me_update_request, STR("{\"given_name\":\"\\ud800\"}"), ERR_BAD_JSON, "",
		"malformed"},
	{"U+0000 is refused in text", shape_me_update_request, STR("{\"given_name\":\"a\\u0000b\"}"), ERR_BAD_FIELD,
		"given_name", "nul"},
	{"an unknown key is named", shape_me_update_request, STR("{\"tenant_id\":1}"), ERR_BAD_FIELD, "tenant_id",
		"unknown"},
	{"an empty key is unknown", shape_me_update_request, STR("{\"\":1}"), ERR_BAD_FIELD, "", "unknown"},
	{"a key is compared by case", shape_me_update_request, STR("{\"Locale\":\"fr\"}"), ERR_BAD_FIELD, "Locale",
		"unknown"},
	{"an unknown key is shown as plain ASCII only", shape_me_update_request, STR("{\"a\\u0000<\\\"\xc3\xa9@\":1}"),
		ERR_BAD_FIELD, "a??????", "unknown"},
	{"a field of the path is unknown in the body", shape_booking_update_request, STR("{" ID "}"), ERR_BAD_FIELD,
		"id", "unknown"},
	{"null is refused where it has no meaning", shape_me_update_request, STR("{\"locale\":null}"), ERR_BAD_FIELD,
		"locale", "wrong_type"},
	{"null clears a nullable field", shape_booking_update_request, STR("{\"note\":null}"), OK, "", ""},
	{"text is counted in bytes", shape_vehicle_create_request,
		STR("{\"plate\":\"1-ABC\",\"country\":\"\xc3\xa9\xc3\xa9\"}"), ERR_BAD_FIELD, "country", "too_long"},
	{"an id is not just any text", shape_booking_create_request, STR("{" TIMES ",\"spot_id\":\"1\"}"),
		ERR_BAD_FIELD, "spot_id", "not_a_uuid"},
	{"an id in braces is refused", shape_booking_create_request,
		STR("{" TIMES ",\"spot_id\":\"{01890a5d-ac96-774b-bcce-b302099a8057}\"}"), ERR_BAD_FIELD, "spot_id",
		"not_a_uuid"},
	{"the nil id stands for null and is no value of a nullable field", shape_booking,
		STR("{\"spot_id\":\"00000000-0000-0000-0000-000000000000\"}"), ERR_BAD_FIELD, "spot_id", "not_a_uuid"},
	{"the first instant stands for null and is no value of a nullable field", shape_booking,
		STR("{\"checked_in_at\":\"1970-01-01T00:00:00Z\"}"), ERR_BAD_FIELD, "checked_in_at", "not_an_instant"},
	{"an instant without a zone is refused", shape_booking_create_request,
		STR("{\"starts_at\":\"2030-01-31T08:00:00\",\"ends_at\":\"2030-01-31T17:00:00Z\"}"), ERR_BAD_FIELD,
		"starts_at", "not_an_instant"},
	{"an instant that does not exist is refused", shape_booking_create_request,
		STR("{\"starts_at\":\"2030-02-30T08:00:00Z\",\"ends_at\":\"2030-01-31T17:00:00Z\"}"), ERR_BAD_FIELD,
		"starts_at", "not_an_instant"},
	{"a number for an instant is refused", shape_booking_create_request, STR("{\"starts_at\":1,\"ends_at\":2}"),
		ERR_BAD_FIELD, "starts_at", "wrong_type"},
	{"the second of two instants is named when it is missing", shape_booking_create_request,
		STR("{\"starts_at\":\"2030-01-31T08:00:00Z\"}"), ERR_BAD_FIELD, "ends_at", "missing"},
	{"a whole number is taken", shape_area_update_request, STR("{\"capacity\":100000}"), OK, "", ""},
	{"one above the largest is refused", shape_area_update_request, STR("{\"capacity\":100001}"), ERR_BAD_FIELD,
		"capacity", "too_large"},
	{"minus zero is zero", shape_area_update_request, STR("{\"capacity\":-0}"), OK, "", ""},
	{"a negative number is refused", shape_area_update_request, STR("{\"capacity\":-1}"), ERR_BAD_FIELD, "capacity",
		"too_small"},
	{"a fraction is refused", shape_area_update_request, STR("{\"capacity\":1.0}"), ERR_BAD_FIELD, "capacity",
		"wrong_type"},
	{"an exponent is refused", shape_area_update_request, STR("{\"capacity\":1e3}"), ERR_BAD_FIELD, "capacity",
		"wrong_type"},
	{"a number above 64 bits is refused", shape_area_update_request, STR("{\"capacity\":99999999999999999999}"),
		ERR_BAD_FIELD, "capacity", "too_large"},
	{"a number below 64 bits is refused", shape_area_update_request, STR("{\"capacity\":-99999999999999999999}"),
		ERR_BAD_FIELD, "capacity", "too_small"},
	{"a number in quotes is refused", shape_area_update_request, STR("{\"capacity\":\"1\"}"), ERR_BAD_FIELD,
		"capacity", "wrong_type"},
	{"a boolean in quotes is refused", shape_spot_update_request, STR("{\"charger\":\"true\"}"), ERR_BAD_FIELD,
		"charger", "wrong_type"},
	{"a number for a boolean is refused", shape_spot_update_request, STR("{\"charger\":1}"), ERR_BAD_FIELD,
		"charger", "wrong_type"},
	{"a choice is one of its set", shape_spot_update_request, STR("{\"status\":\"open|closed\"}"), ERR_BAD_FIELD,
		"status", "not_one_of"},
	{"an empty choice is none", shape_spot_update_request, STR("{\"status\":\"\"}"), ERR_BAD_FIELD, "status",
		"not_one_of"},
	{"a list of texts names its item", shape_person_update_request, STR("{\"roles\":[\"User\",7]}"), ERR_BAD_FIELD,
		"roles[1]", "wrong_type"},
	{"a list of ids names its item", shape_people_exist_reply, STR("{\"ids\":[\"x\"]}"), ERR_BAD_FIELD, "ids[0]",
		"not_a_uuid"},
	{"a field inside a list is named by its path", shape_spot_page, STR("{\"items\":[{" ID ",\"nope\":1}]}"),
		ERR_BAD_FIELD, "items[0].nope", "unknown"},
	{"a path has as many levels as there are", shape_availability,
		STR("{\"areas\":[{\"spots\":[{" ID "},{" ID ",\"name\":3}]}]}"), ERR_BAD_FIELD,
		"areas[0].spots[0].name", "missing"},
	{"an item of another kind is named", shape_spot_page, STR("{\"items\":[3]}"), ERR_BAD_FIELD, "items[0]",
		"wrong_type"},
	{"base64url is taken", shape_web_reply, STR("{\"status\":200,\"body\":\"_-8\"}"), OK, "", ""},
	{"standard base64 is refused", shape_web_reply, STR("{\"status\":200,\"body\":\"/+8=\"}"), ERR_BAD_FIELD,
		"body", "malformed"},
	{"any JSON is taken where any is meant", shape_keys_reply, STR("{\"jwks\":[1,{\"a\":null}]}"), OK, "", ""},
	{"null is a value where any is meant", shape_keys_reply, STR("{\"jwks\":null}"), OK, "", ""},
};

static void documents_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct fault fault = {.reason = ""};
		enum err err;

		arena_reset(arena);
		err = json_decode(cases[i].shape(), cases[i].document, arena, decoded, &fault);
		if (err != cases[i].err || strcmp(fault.field, cases[i].field) != 0 ||
			strcmp(fault.reason, cases[i].reason) != 0)
			fail_msg("%s: error %d, '%s' %s", cases[i].name, (int)err, fault.field, fault.reason);
		if (err == ERR_BAD_JSON)
			CHECK(cases[i].name, fault.detail != NULL);
	}
}

static void values_arrive_as_they_were_sent(void **state)
{
	struct booking_update_request request;
	struct keys_reply keys;
	struct fault fault;

	(void)state;
	arena_reset(arena);
	assert_int_equal(
		json_decode(shape_booking_update_request(),
			STR("{\"note\":null,\"starts_at\":\"2030-01-31T09:00:00.5+01:00\"}"), arena, &request, &fault),
		OK);
	assert_true(request.has_note && request.note.p == NULL);
	assert_true(request.has_starts_at && !request.has_ends_at && !request.has_id);
	assert_int_equal(request.starts_at, INT64_C(1896076800500000));
	assert_int_equal(
		json_decode(shape_booking_update_request(), STR("{\"note\":\"\"}"), arena, &request, &fault), OK);
	assert_true(request.has_note && request.note.p != NULL && request.note.len == 0);
	assert_false(request.has_starts_at);
	assert_int_equal(json_decode(shape_keys_reply(), STR("{\"jwks\": { \"n\" : 1e400, \"k\\n\" : \"\\u00e9\" } }"),
				 arena, &keys, &fault),
		OK);
	assert_true(str_eq_c(keys.jwks, "{\"n\":1e400,\"k\\n\":\"\xc3\xa9\"}"));
}

static void only_the_body_is_written(void **state)
{
	struct booking_update_request request = {.has_id = true, .has_note = true, .note = STR_NONE};

	(void)state;
	buf_reset(&buf);
	json_encode(shape_booking_update_request(), &request, &buf);
	assert_true(str_eq_c(buf_str(&buf), "{\"note\":null}"));
}

static void personal_and_secret_fields_are_never_shown(void **state)
{
	(void)state;
	for (size_t i = 0; i < fill_shape_count; i++) {
		const struct shape *shape = fill_shapes[i]();
		struct fill fill = {i, arena, false, true};
		const struct json *root;
		const char *reason;

		arena_reset(arena);
		fill_object(&fill, shape, object);
		buf_reset(&buf);
		json_encode_redacted(shape, object, &buf);
		CHECK(shape->name, buf_ok(&buf) && json_parse(arena, buf_str(&buf), &root, &reason) == OK);
		for (size_t row = 0; row < shape->count; row++) {
			const struct field *field = &shape->fields[row];
			bool hidden = str_eq_c(json_get_str(root, field->name), "[redacted]");

			CHECK(field->name, json_get(root, field->name) != NULL);
			CHECK(field->name, hidden == ((field->flags & (PERSONAL | SECRET)) != 0));
		}
	}
}

static void a_full_arena_is_an_error(void **state)
{
	struct arena *tiny = arena_new(200);
	struct fault fault;

	(void)state;
	assert_int_equal(
		json_decode(shape_me_update_request(),
			STR("{\"given_name\":\"a\",\"family_name\":\"b\",\"locale\":\"fr\"}"), tiny, decoded, &fault),
		ERR_TOO_LARGE);
	arena_free(&tiny);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_shape_comes_back_as_it_was),
		cmocka_unit_test(every_bound_of_every_field_is_held),
		cmocka_unit_test(every_field_refuses_values_of_another_kind),
		cmocka_unit_test(documents_are_judged),
		cmocka_unit_test(values_arrive_as_they_were_sent),
		cmocka_unit_test(only_the_body_is_written),
		cmocka_unit_test(personal_and_secret_fields_are_never_shown),
		cmocka_unit_test(a_full_arena_is_an_error),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
