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
	binary_encode(shape, object, &buf);
	assert_true(buf_ok(&buf));
	return buf_str(&buf);
}

static enum err decode(const struct shape *shape, struct str bytes, struct fault *fault)
{
	*fault = (struct fault){0};
	return binary_decode(shape, bytes, arena, decoded, fault);
}

static void every_shape_comes_back_as_it_was(void **state)
{
	(void)state;
	for (size_t i = 0; i < fill_shape_count; i++) {
		const struct shape *shape = fill_shapes[i]();
		struct fill fill = {i, arena, false, false};

		assert_true(shape->size <= OBJECT_MAX);
		for (size_t round = 0; round < ROUNDS; round++) {
			struct fault fault;

			arena_reset(arena);
			fill.everything = round == 0;
			fill_object(&fill, shape, object);
			CHECK(shape->name, shape_check(shape, object, &fault) == OK);
			CHECK(shape->name, decode(shape, encoded(shape), &fault) == OK);
			CHECK(shape->name, fill_same(shape, object, decoded));
		}
	}
}

static void expect_fault(const struct shape *shape, const struct field *field, const char *place, const char *reason)
{
	struct fault fault;
	char path[160];

	(void)snprintf(path, sizeof(path), "%s%s", field->name, place);
	if (decode(shape, encoded(shape), &fault) != ERR_BAD_FIELD || strcmp(fault.field, path) != 0 ||
		strcmp(fault.reason, reason) != 0)
		fail_msg("%s.%s: '%s' %s, expected %s", shape->name, path, fault.field, fault.reason, reason);
	/* shape_check judges the same. */
	if (shape_check(shape, object, &fault) != ERR_BAD_FIELD || strcmp(fault.field, path) != 0 ||
		strcmp(fault.reason, reason) != 0)
		fail_msg("%s.%s: shape_check: '%s' %s, expected %s", shape->name, path, fault.field, fault.reason,
			reason);
}

static void break_string(struct fill *fill, const struct shape *shape, const struct field *field)
{
	struct str *text = value_at(field, object);

	if (field->type == FIELD_CHOICE) {
		*text = STR("no such choice");
		expect_fault(shape, field, "", "not_one_of");
		*text = STR("");
		expect_fault(shape, field, "", "not_one_of");
		return;
	}
	*text = fill_repeat(fill, '1', (size_t)field->max + 1);
	expect_fault(shape, field, "", "too_long");
	if (field->min > 0) {
		*text = fill_repeat(fill, '1', (size_t)field->min - 1);
		expect_fault(shape, field, "", "too_short");
	}
	if (field->type == FIELD_TEXT) {
		*text = fill_repeat(fill, '\0', (size_t)(field->min > 0 ? field->min : 1));
		expect_fault(shape, field, "", "nul");
		*text = fill_repeat(fill, '\xff', (size_t)(field->min > 0 ? field->min : 1));
		expect_fault(shape, field, "", "not_utf8");
	} else if (field->type == FIELD_JSON) {
		*text = STR("{\"a\":1,\"a\":2}");
		expect_fault(shape, field, "", "malformed");
	}
}

static void break_many(struct fill *fill, const struct shape *shape, const struct field *field)
{
	struct list *list = value_at(field, object);
	size_t count = (size_t)field->max + 1;
	void *items = arena_take_array(arena, count, value_item_size(field));

	assert_non_null(items);
	*list = (struct list){items, count};
	expect_fault(shape, field, "", "too_many");
	list->count = 2;
	if (field->type == FIELD_LIST) {
		fill_object(fill, field->shape(), items);
		for (size_t i = 0; i < field->shape()->count; i++) {
			if ((field->shape()->fields[i].flags & REQUIRED) != 0) {
				char place[100];

				(void)snprintf(place, sizeof(place), "[1].%s", field->shape()->fields[i].name);
				expect_fault(shape, field, place, "missing");
				break;
			}
		}
	} else if (field->type == FIELD_TEXTS) {
		((struct str *)items)[0] = STR("");
		((struct str *)items)[1] = fill_repeat(fill, 'x', (size_t)field->item_max + 1);
		expect_fault(shape, field, "[1]", "too_long");
		((struct str *)items)[1] = STR("a\0b");
		expect_fault(shape, field, "[1]", "nul");
	}
}

static void break_scalar(const struct shape *shape, const struct field *field)
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
	if (field->type == FIELD_TIME) {
		*number = INSTANT_MAX + 1;
		expect_fault(shape, field, "", "not_an_instant");
		*number = -1;
		expect_fault(shape, field, "", "not_an_instant");
	}
}

static void every_bound_of_every_field_is_held(void **state)
{
	(void)state;
	for (size_t i = 0; i < fill_shape_count; i++) {
		const struct shape *shape = fill_shapes[i]();
		struct fill fill = {i, arena, false, true};

		for (size_t row = 0; row < shape->count; row++) {
			const struct field *field = &shape->fields[row];

			arena_reset(arena);
			fill_object(&fill, shape, object);
			if (field->type == FIELD_LIST || field->type == FIELD_TEXTS || field->type == FIELD_UUIDS)
				break_many(&fill, shape, field);
			else if (field->type == FIELD_TEXT || field->type == FIELD_CHOICE ||
				 field->type == FIELD_BYTES || field->type == FIELD_JSON)
				break_string(&fill, shape, field);
			else
				break_scalar(shape, field);
			fill_object(&fill, shape, object);
			memset(object + field->has_offset, 0, sizeof(bool));
			if ((field->flags & REQUIRED) != 0)
				expect_fault(shape, field, "", "missing");
		}
	}
}

/* spot_availability: id UUID (0), name TEXT (1), free BOOL (2), reason NULLABLE TEXT (3) */
#define ID     \
	"\x02" \
	"0123456789abcdef"
#define NAME       \
	"\x0b\x01" \
	"n"
#define FREE "\x11\x01"

static const struct {
	const char *name;
	struct str bytes;
	enum err err;
	const char *field, *reason;
} cases[] = {
	{"required fields alone are a message", STR(ID NAME FREE), OK, NULL, NULL},
	{"a nullable field may be null", STR(ID NAME FREE "\x18"), OK, NULL, NULL},
	{"a nullable field may be empty", STR(ID NAME FREE "\x1b\0"), OK, NULL, NULL},
	{"a field that is not nullable may not be null", STR(ID "\x08" FREE), ERR_BAD_FIELD, "name", "wrong_type"},
	{"an empty message lacks the first required field", STR(""), ERR_BAD_FIELD, "id", "missing"},
	{"a field left out in the middle is named", STR(ID FREE), ERR_BAD_FIELD, "name", "missing"},
	{"a field sent twice is refused", STR(ID ID NAME FREE), ERR_BAD_FIELD, "", "malformed"},
	{"fields out of order are refused", STR(NAME ID FREE), ERR_BAD_FIELD, "id", "missing"},
	{"a later field before an earlier optional one is refused", STR(ID NAME FREE "\x18" FREE), ERR_BAD_FIELD, "",
		"malformed"},
	{"a field that the shape does not have is refused", STR(ID NAME FREE "\x20"), ERR_BAD_FIELD, "", "unknown"},
	{"a row number beyond all is refused", STR(ID NAME FREE "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
		ERR_BAD_FIELD, "", "unknown"},
	{"a value of another kind is refused", STR("\x01\x01" NAME FREE), ERR_BAD_FIELD, "id", "wrong_type"},
	{"a kind that does not exist is refused", STR("\x07" NAME FREE), ERR_BAD_FIELD, "id", "wrong_type"},
	{"a boolean is 0 or 1", STR(ID NAME "\x11\x02"), ERR_BAD_FIELD, "free", "wrong_type"},
	{"a number has its shortest form", STR(ID NAME "\x11\x81\x00"), ERR_BAD_FIELD, "free", "malformed"},
	{"a tag has its shortest form",
		STR("\x82\x00"
		    "0123456789abcdef" NAME FREE),
		ERR_BAD_FIELD, "", "malformed"},
	{"an id cut short is refused",
		STR("\x02"
		    "01234567"),
		ERR_BAD_FIELD, "id", "malformed"},
	{"a string longer than the message is refused",
		STR(ID "\x0b\x7f"
		       "n"),
		ERR_BAD_FIELD, "name", "malformed"},
	{"a string with an impossible length is refused",
		STR(ID "\x0b\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
		       "n"),
		ERR_BAD_FIELD, "name", "malformed"},
	{"a tag without a value is refused", STR(ID NAME "\x11"), ERR_BAD_FIELD, "free", "malformed"},
	{"text that is not UTF-8 is refused", STR(ID "\x0b\x01\xff" FREE), ERR_BAD_FIELD, "name", "not_utf8"},
	{"text with U+0000 is refused", STR(ID "\x0b\x01\0" FREE), ERR_BAD_FIELD, "name", "nul"},
	{"text shorter than its least is refused", STR(ID "\x0b\0" FREE), ERR_BAD_FIELD, "name", "too_short"},
};

static void malformed_messages_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct fault fault;

		arena_reset(arena);
		CHECK(cases[i].name, decode(shape_spot_availability(), cases[i].bytes, &fault) == cases[i].err);
		if (cases[i].err == OK)
			continue;
		CHECK(cases[i].name, strcmp(fault.field, cases[i].field) == 0);
		CHECK(cases[i].name, strcmp(fault.reason, cases[i].reason) == 0);
	}
}

/* What a newer callee may add to its answers, and what it may not. */
static const struct {
	const char *name;
	struct str bytes;
	enum err err;
} newer_cases[] = {
	{"nothing more", STR(ID NAME FREE), OK},
	{"a null", STR(ID NAME FREE "\x20"), OK},
	{"a number", STR(ID NAME FREE "\x21\x81\x01"), OK},
	{"an id",
		STR(ID NAME FREE "\x22"
				 "0123456789abcdef"),
		OK},
	{"a text",
		STR(ID NAME FREE "\x23\x03"
				 "new"),
		OK},
	{"an object", STR(ID NAME FREE "\x24\0\0\0\x02\x01\x01"), OK},
	{"several", STR(ID NAME FREE "\x20\x29\x01\x30"), OK},
	{"a row twice", STR(ID NAME FREE "\x20\x20"), ERR_BAD_FIELD},
	{"a kind that does not exist", STR(ID NAME FREE "\x25"), ERR_BAD_FIELD},
	{"a text longer than the message",
		STR(ID NAME FREE "\x23\x7f"
				 "new"),
		ERR_BAD_FIELD},
	{"an object longer than the message", STR(ID NAME FREE "\x24\0\0\0\x09\x01"), ERR_BAD_FIELD},
	{"something new instead of what is required", STR(ID NAME "\x20"), ERR_BAD_FIELD},
};

static void answers_may_have_rows_that_are_newer(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(newer_cases); i++) {
		struct spot_availability spot;
		struct fault fault = {0};
		enum err err;

		arena_reset(arena);
		err = binary_decode_reply(shape_spot_availability(), newer_cases[i].bytes, arena, &spot, &fault);
		CHECK(newer_cases[i].name, err == newer_cases[i].err);
		CHECK(newer_cases[i].name, err != OK || (spot.has_id && spot.has_name && spot.free));
	}
}

/* spot_page: items LIST (0), next_cursor. */
static const struct {
	const char *name;
	struct str bytes;
	const char *field, *reason;
} list_cases[] = {
	{"a list without its count is refused", STR("\x04\0\0\0\0"), "items", "malformed"},
	{"a list with more items than bytes is refused", STR("\x04\0\0\0\x01\x64"), "items", "malformed"},
	{"a list with more items than the shape takes is refused", STR("\x04\0\0\0\x02\xc9\x01"), "items", "too_many"},
	{"a list longer than the message is refused", STR("\x04\0\0\0\x09\0"), "items", "malformed"},
	{"bytes behind the last item are refused", STR("\x04\0\0\0\x02\0\0"), "items", "malformed"},
	{"an item is judged as a message of its own", STR("\x04\0\0\0\x05\x01\0\0\0\0"), "items[0].id", "missing"},
	{"an item longer than its list is refused", STR("\x04\0\0\0\x05\x01\0\0\0\x01"), "items[0]", "malformed"},
};

static void malformed_lists_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(list_cases); i++) {
		struct fault fault;

		arena_reset(arena);
		CHECK(list_cases[i].name, decode(shape_spot_page(), list_cases[i].bytes, &fault) == ERR_BAD_FIELD);
		CHECK(list_cases[i].name, strcmp(fault.field, list_cases[i].field) == 0);
		CHECK(list_cases[i].name, strcmp(fault.reason, list_cases[i].reason) == 0);
	}
}

/* What stays may be a message of its own, when only optional fields were cut off; it is never read past its end. */
static void a_message_cut_anywhere_is_never_read_past_its_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < fill_shape_count; i++) {
		const struct shape *shape = fill_shapes[i]();
		struct fill fill = {i, arena, false, true};
		struct fault fault;
		struct str whole;

		arena_reset(arena);
		fill_object(&fill, shape, object);
		whole = encoded(shape);
		for (size_t len = 0; len < whole.len; len += 1 + whole.len / 200) {
			struct str part = {test_malloc(len), len};
			enum err err;

			memcpy((void *)(uintptr_t)part.p, whole.p, len);
			err = decode(shape, part, &fault);
			if (err == OK)
				CHECK(shape->name, shape_check(shape, decoded, &fault) == OK);
			else
				CHECK(shape->name, err == ERR_BAD_FIELD && fault.reason != NULL);
			test_free((void *)(uintptr_t)part.p);
		}
	}
}

static void a_full_arena_is_an_error(void **state)
{
	struct arena *tiny = arena_new(64);
	struct fill fill = {1, arena, false, true};
	struct fault fault;

	(void)state;
	arena_reset(arena);
	fill_object(&fill, shape_booking_page(), object);
	assert_int_equal(binary_decode(shape_booking_page(), encoded(shape_booking_page()), tiny, decoded, &fault),
		ERR_TOO_LARGE);
	arena_free(&tiny);
}

static void a_full_buffer_is_marked(void **state)
{
	struct fill fill = {1, arena, false, true};
	struct buf small;

	(void)state;
	arena_reset(arena);
	fill_object(&fill, shape_booking_page(), object);
	for (size_t cap = 0; cap < 200; cap++) {
		buf_init(&small, cap);
		binary_encode(shape_booking_page(), object, &small);
		assert_false(buf_ok(&small));
		buf_release(&small);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_shape_comes_back_as_it_was),
		cmocka_unit_test(every_bound_of_every_field_is_held),
		cmocka_unit_test(malformed_messages_are_refused),
		cmocka_unit_test(answers_may_have_rows_that_are_newer),
		cmocka_unit_test(malformed_lists_are_refused),
		cmocka_unit_test(a_message_cut_anywhere_is_never_read_past_its_end),
		cmocka_unit_test(a_full_arena_is_an_error),
		cmocka_unit_test(a_full_buffer_is_marked),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
