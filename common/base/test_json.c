/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/test.h"

struct syntax_case {
	const char *name;
	struct str doc;
};

static const struct syntax_case accepted[] = {
	{"null alone", STR("null")},
	{"true alone", STR("true")},
	{"false alone", STR("false")},
	{"a number alone", STR("42")},
	{"a string alone", STR("\"a\"")},
	{"an empty string", STR("\"\"")},
	{"an empty key", STR("{\"\":0}")},
	{"empty array and object", STR("[[],{}]")},
	{"white space all around", STR(" \t\r\n[ \t\r\n1 \t\r\n, \t\r\n2 \t\r\n] \t\r\n")},
	{"white space inside an object", STR(" { \"a\" \n:\t1 , \"b\":2 } ")},
	{"a trailing newline", STR("[\"a\"]\n")},
	{"minus zero", STR("[-0]")},
	{"a negative number", STR("[-123]")},
	{"zero with an exponent", STR("[0e1, 0e+1, 0E-1]")},
	{"a fraction", STR("[0.5, 123.456]")},
	{"a fraction with an exponent", STR("[1.5e3, 1.5E+3, 1.5e-3]")},
	{"a number beyond doubles", STR("[1e9999, -1e-9999]")},
	{"a number of many digits", STR("[100000000000000000000000000000000000000000]")},
	{"an exponent with leading zeros", STR("[1e0012]")},
	{"every short escape", STR("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"")},
	{"an escaped NUL", STR("\"\\u0000\"")},
	{"an escaped NUL in a key", STR("{\"\\u0000\":1}")},
	{"an escaped surrogate pair", STR("\"\\uD83D\\ude00\"")},
	{"the last surrogate pair", STR("\"\\uDBFF\\uDFFF\"")},
	{"an escaped noncharacter", STR("\"\\uFFFF\\uFDD0\"")},
	{"a noncharacter in UTF-8", STR("\"\xef\xbf\xbf\"")},
	{"DEL in a string", STR("\"a\x7f\"")},
	{"U+2028 in a string", STR("\"\xe2\x80\xa8\"")},
	{"UTF-8 of two to four bytes", STR("\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"")},
	{"a BOM inside a string", STR("\"\xef\xbb\xbf\"")},
	{"keys that differ by case", STR("{\"a\":1,\"A\":2}")},
	{"keys that differ by a NUL", STR("{\"a\":1,\"a\\u0000\":2}")},
	{"the same key in two objects", STR("[{\"a\":1},{\"a\":1}]")},
	{"the same key inside and outside", STR("{\"a\":{\"a\":1}}")},
	{"sixteen arrays inside each other", STR("[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]")},
	{"a solidus unescaped", STR("\"/\"")},
};

static const struct syntax_case refused[] = {
	{"nothing", STR("")},
	{"absent", STR_NONE},
	{"white space only", STR(" \n")},
	{"a BOM", STR("\xef\xbb\xbf{}")},
	{"a BOM alone", STR("\xef\xbb\xbf")},
	{"half a BOM", STR("\xef\xbb{}")},
	{"UTF-16 little-endian", STR("[\0\"\0]\0")},
	{"UTF-16 with its BOM", STR("\xff\xfe[\0]\0")},
	{"a second value", STR("1 2")},
	{"a second array", STR("[][]")},
	{"a closing bracket too many", STR("[1]]")},
	{"a closing brace too many", STR("{\"a\":1}}")},
	{"a NUL behind the value", STR("{}\0")},
	{"a comment behind the value", STR("{}//")},
	{"a comment inside", STR("{\"a\":/**/1}")},
	{"a hash comment", STR("{}#")},
	{"a comma behind the value", STR("1,")},
	{"a trailing comma in an array", STR("[1,]")},
	{"a trailing comma in an object", STR("{\"a\":1,}")},
	{"a leading comma", STR("[,1]")},
	{"two commas", STR("[1,,2]")},
	{"two commas in an object", STR("{\"a\":1,,\"b\":2}")},
	{"only a comma", STR("[,]")},
	{"a missing comma", STR("[1 2]")},
	{"a missing comma between strings", STR("[\"a\" \"b\"]")},
	{"a missing comma in an object", STR("{\"a\":1 \"b\":2}")},
	{"a missing colon", STR("{\"a\" 1}")},
	{"two colons", STR("{\"a\"::1}")},
	{"a comma for a colon", STR("{\"a\",1}")},
	{"a missing value", STR("{\"a\":}")},
	{"a key alone", STR("{\"a\"}")},
	{"a missing key", STR("{:1}")},
	{"a bare key", STR("{a:1}")},
	{"a single-quoted key", STR("{'a':1}")},
	{"a number as key", STR("{1:1}")},
	{"null as key", STR("{null:1}")},
	{"an array as key", STR("{[]:1}")},
	{"a colon in an array", STR("[\"a\":1]")},
	{"an unclosed array", STR("[")},
	{"an unclosed array with a value", STR("[1")},
	{"an unclosed array with a comma", STR("[1,")},
	{"an unclosed object", STR("{")},
	{"an unclosed object with a key", STR("{\"a\"")},
	{"an unclosed object with a colon", STR("{\"a\":")},
	{"an unclosed object with a value", STR("{\"a\":1")},
	{"an array closed by a brace", STR("[1}")},
	{"an object closed by a bracket", STR("{\"a\":1]")},
	{"an unclosed string", STR("\"abc")},
	{"an unclosed string behind an escape", STR("\"abc\\\"")},
	{"a backslash at the end", STR("\"\\")},
	{"a single quote", STR("'a'")},
	{"a lone quote", STR("\"")},
	{"no quotes", STR("abc")},
	{"a newline in a string", STR("\"a\nb\"")},
	{"a tab in a string", STR("\"\t\"")},
	{"a NUL in a string", STR("\"a\0b\"")},
	{"the last control character in a string", STR("\"\x1f\"")},
	{"a control character behind an escape", STR("\"\\n\n\"")},
	{"a control character deep in a long string", STR("\"aaaaaaaaaaaaaaaaaaa\x01"
							  "aaaaaaaaa\"")},
	{"a control character in a key", STR("{\"a\x02\":1}")},
	{"an unknown escape", STR("\"\\a\"")},
	{"an escaped NUL byte", STR("\"\\\0\"")},
	{"an escaped single quote", STR("\"\\'\"")},
	{"an octal escape", STR("\"\\047\"")},
	{"a hexadecimal escape", STR("\"\\x41\"")},
	{"an upper-case U escape", STR("\"\\U0041\"")},
	{"an escaped newline", STR("\"\\\n\"")},
	{"an escaped byte above ASCII", STR("\"\\\xc3\xa9\"")},
	{"a u escape of three digits", STR("\"\\u00a\"")},
	{"a u escape with another letter", STR("\"\\u00ag\"")},
	{"a u escape cut by the end", STR("\"\\u00")},
	{"a u escape with a sign", STR("\"\\u+041\"")},
	{"a u escape with a space", STR("\"\\u 041\"")},
	{"a lone high surrogate", STR("\"\\ud800\"")},
	{"a lone high surrogate with more text", STR("\"\\ud800abcdefgh\"")},
	{"a lone low surrogate", STR("\"\\udc00\"")},
	{"two high surrogates", STR("\"\\ud800\\ud800\"")},
	{"surrogates in the wrong order", STR("\"\\udc00\\ud800\"")},
	{"a high surrogate and another escape", STR("\"\\ud800\\n12345\"")},
	{"a high surrogate and a cut escape", STR("\"\\ud800\\udc0\"")},
	{"a high surrogate and a letter", STR("\"\\ud800\\u0041\"")},
	{"a lone surrogate in a key", STR("{\"\\udfff\":1}")},
	{"a surrogate in UTF-8", STR("\"\xed\xa0\x80\"")},
	{"an overlong form", STR("\"\xc0\xaf\"")},
	{"a lone continuation byte", STR("\"\x80\"")},
	{"a cut sequence", STR("\"\xe2\x82\"")},
	{"Latin-1", STR("\"\xe9\"")},
	{"a code point above U+10FFFF", STR("\"\xf4\x90\x80\x80\"")},
	{"bad UTF-8 in a key", STR("{\"\xff\":1}")},
	{"bad UTF-8 outside strings", STR("[\xff]")},
	{"a no-break space outside strings", STR("[1,\xc2\xa0"
						 "2]")},
	{"a form feed outside strings", STR("[\x0c"
					    "1]")},
	{"a vertical tab outside strings", STR("[\x0b"
					       "1]")},
	{"a word joiner outside strings", STR("[\xe2\x81\xa0]")},
	{"a leading zero", STR("[01]")},
	{"a leading zero behind a minus", STR("[-01]")},
	{"a plus", STR("[+1]")},
	{"a minus alone", STR("[-]")},
	{"two minuses", STR("[--1]")},
	{"minus and space", STR("[- 1]")},
	{"a point first", STR("[.5]")},
	{"a minus and a point first", STR("[-.5]")},
	{"a point last", STR("[5.]")},
	{"a point and an exponent", STR("[5.e3]")},
	{"two points", STR("[1.2.3]")},
	{"an exponent alone", STR("[1e]")},
	{"an exponent with a sign alone", STR("[1e+]")},
	{"two exponents", STR("[1e1e1]")},
	{"two exponent letters", STR("[1eE2]")},
	{"an exponent with a fraction", STR("[1e1.5]")},
	{"a hexadecimal number", STR("[0x1]")},
	{"a number with an underscore", STR("[1_000]")},
	{"a number with a space", STR("[1 000]")},
	{"a number with a letter", STR("[1a]")},
	{"a full-width digit", STR("[\xef\xbc\x91]")},
	{"infinity", STR("[Infinity]")},
	{"minus infinity", STR("[-Infinity]")},
	{"not a number", STR("[NaN]")},
	{"minus not a number", STR("[-NaN]")},
	{"a cut word", STR("[tru]")},
	{"a cut word at the end", STR("nul")},
	{"a word in capitals", STR("[True]")},
	{"a word with a tail", STR("[nulll]")},
	{"undefined", STR("undefined")},
	{"a star", STR("[*]")},
	{"a lone bracket", STR("]")},
	{"a lone brace", STR("}")},
	{"a lone colon", STR(":")},
	{"a lone comma", STR(",")},
	{"a duplicate key", STR("{\"a\":1,\"a\":1}")},
	{"a duplicate key with others between", STR("{\"a\":1,\"b\":2,\"c\":3,\"a\":4}")},
	{"a duplicate empty key", STR("{\"\":1,\"\":2}")},
	{"a duplicate key under an escape", STR("{\"a\":1,\"\\u0061\":2}")},
	{"a duplicate key under two escapes", STR("{\"\\u00e9\":1,\"\xc3\xa9\":2}")},
	{"a duplicate key of a surrogate pair", STR("{\"\xf0\x9f\x98\x80\":1,\"\\ud83d\\ude00\":2}")},
	{"a duplicate key deep inside", STR("[[{\"x\":[{\"k\":1,\"k\":2}]}]]")},
	{"seventeen arrays inside each other", STR("[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]")},
	{"seventeen objects inside each other",
		STR("{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{"
		    "\"a\":{\"a\":{\"a\":{\"a\":"
		    "{\"a\":{\"a\":1}}}}}}}}}}}}}}}}}")},
};

static void rfc_8259_is_kept_to_the_letter(void **state)
{
	struct arena *arena = arena_new(1 << 20);
	const struct json *root;
	const char *reason;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(accepted); i++) {
		CHECK(accepted[i].name, json_parse(arena, accepted[i].doc, &root, &reason) == OK);
		CHECK(accepted[i].name, root != NULL && reason == NULL);
		arena_reset(arena);
	}
	for (size_t i = 0; i < COUNT_OF(refused); i++) {
		CHECK(refused[i].name, json_parse(arena, refused[i].doc, &root, &reason) == ERR_BAD_JSON);
		CHECK(refused[i].name, root == NULL && reason != NULL && reason[0] != '\0');
		arena_reset(arena);
	}
	arena_free(&arena);
}

/* The document stands at the very end of a heap block, so that AddressSanitizer sees a byte read too far. */
static void every_cut_of_a_document_is_refused_without_reading_past_it(void **state)
{
	const struct str doc =
		STR("{\"a\\n\\ud83d\\ude00\":[true,false,null,-1.5e+3,\"\xf0\x9f\x98\x80\"],\"b\":{\"c\":\"\"}}");
	struct arena *arena = arena_new(1 << 20);

	(void)state;
	for (size_t len = 0; len <= doc.len; len++) {
		char *copy = malloc(len + (len == 0));
		const struct json *root;
		const char *reason;

		assert_non_null(copy);
		memcpy(copy, doc.p, len);
		assert_int_equal(
			json_parse(arena, (struct str){copy, len}, &root, &reason), len == doc.len ? OK : ERR_BAD_JSON);
		arena_reset(arena);
		free(copy);
	}
	arena_free(&arena);
}

static void a_parsed_tree_holds_everything_in_order(void **state)
{
	struct arena *arena = arena_new(1 << 20);
	const struct json *root, *list;
	const char *reason;

	(void)state;
	assert_int_equal(
		json_parse(arena, STR("{\"s\":\"a\\u0000\\u00e9\\/\\t\",\"n\":-12.50e1,\"l\":[null,true,false,[],{}]}"),
			&root, &reason),
		OK);
	assert_int_equal(root->kind, JSON_OBJECT);
	assert_int_equal(root->count, 3);
	assert_true(str_eq(json_get_str(root, "s"), STR("a\0\xc3\xa9/\t")));
	assert_int_equal(json_get(root, "n")->kind, JSON_NUMBER);
	assert_true(str_eq_c(json_get(root, "n")->text, "-12.50e1"));
	list = json_get(root, "l");
	assert_int_equal(list->count, 5);
	assert_int_equal(list->first->kind, JSON_NULL);
	assert_int_equal(list->first->next->kind, JSON_TRUE);
	assert_int_equal(list->first->next->next->kind, JSON_FALSE);
	assert_int_equal(list->first->next->next->next->kind, JSON_ARRAY);
	assert_int_equal(list->first->next->next->next->next->kind, JSON_OBJECT);
	assert_null(list->first->next->next->next->next->next);
	assert_null(json_get(root, "absent"));
	assert_null(json_get(list, "s"));
	assert_null(json_get(NULL, "s"));
	assert_null(json_get_str(root, "n").p);
	arena_free(&arena);
}

static const struct {
	const char *name;
	struct str text;
	enum err err;
	int64_t value;
} integer_cases[] = {
	{"zero", STR("0"), OK, 0},
	{"minus zero", STR("-0"), OK, 0},
	{"above 2^53", STR("9007199254740993"), OK, INT64_C(9007199254740993)},
	{"the largest", STR("9223372036854775807"), OK, INT64_MAX},
	{"one above the largest", STR("9223372036854775808"), ERR_BAD_FIELD, 0},
	{"the smallest", STR("-9223372036854775808"), OK, INT64_MIN},
	{"one below the smallest", STR("-9223372036854775809"), ERR_BAD_FIELD, 0},
	{"a fraction of zero", STR("1.0"), ERR_BAD_FIELD, 0},
	{"an exponent", STR("1e2"), ERR_BAD_FIELD, 0},
	{"a string of digits", STR("\"1\""), ERR_BAD_FIELD, 0},
	{"true", STR("true"), ERR_BAD_FIELD, 0},
};

static void integers_are_exact_or_refused(void **state)
{
	struct arena *arena = arena_new(1 << 20);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(integer_cases); i++) {
		const struct json *root;
		const char *reason;
		int64_t value = 77;

		CHECK(integer_cases[i].name, json_parse(arena, integer_cases[i].text, &root, &reason) == OK);
		CHECK(integer_cases[i].name, json_to_i64(root, &value) == integer_cases[i].err);
		CHECK(integer_cases[i].name, value == integer_cases[i].value);
	}
	arena_free(&arena);
}

/* An object of `members` keys whose last repeats key number `twin` (none when it is `members`). */
static void put_object(struct buf *doc, int members, int twin)
{
	buf_reset(doc);
	buf_put_byte(doc, '{');
	for (int i = 0; i < members; i++)
		buf_printf(doc, "%s\"key%d\":%d", i > 0 ? "," : "", i == members - 1 && twin < members ? twin : i, i);
	buf_put_byte(doc, '}');
}

static void large_objects_are_checked_for_duplicate_keys_in_linear_time(void **state)
{
	static const int sizes[] = {2, 3, 15, 16, 17, 18, 31, 32, 33, 100, 1000, JSON_NODES_MAX - 1};
	struct arena *arena = arena_new(16 << 20);
	uint64_t start = clock_monotonic_us();
	struct buf doc;

	(void)state;
	buf_init(&doc, 4 << 20);
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		const struct json *root;
		const char *reason;

		put_object(&doc, sizes[i], sizes[i]);
		assert_int_equal(json_parse(arena, buf_str(&doc), &root, &reason), OK);
		assert_int_equal(root->count, sizes[i]);
		arena_reset(arena);
		put_object(&doc, sizes[i], sizes[i] / 2 - 1);
		assert_int_equal(json_parse(arena, buf_str(&doc), &root, &reason), ERR_BAD_JSON);
		assert_string_equal(reason, "an object has the same key twice");
		arena_reset(arena);
	}
	/* Pair by pair the largest alone would be 200 million comparisons. */
	assert_true(clock_monotonic_us() - start < 2000000);
	buf_release(&doc);
	arena_free(&arena);
}

static void too_many_values_and_a_full_arena_are_refused(void **state)
{
	struct arena *arena = arena_new(16 << 20);
	struct arena *small = arena_new(1000);
	const struct json *root;
	const char *reason;
	struct buf doc;

	(void)state;
	buf_init(&doc, 1 << 20);
	buf_put_byte(&doc, '[');
	for (int i = 0; i < JSON_NODES_MAX - 2; i++)
		buf_put_c(&doc, "1,");
	buf_put_c(&doc, "1]");
	assert_int_equal(json_parse(arena, buf_str(&doc), &root, &reason), OK);
	assert_int_equal(json_parse(small, buf_str(&doc), &root, &reason), ERR_TOO_LARGE);
	assert_non_null(reason);
	doc.len--;
	buf_put_c(&doc, ",1]");
	assert_int_equal(json_parse(arena, buf_str(&doc), &root, &reason), ERR_BAD_JSON);
	assert_string_equal(reason, "the document has too many values");
	buf_release(&doc);
	arena_free(&arena);
	arena_free(&small);
}

static void the_writer_puts_commas_and_escapes(void **state)
{
	struct json_writer w;
	struct buf buf;

	(void)state;
	buf_init(&buf, 4096);
	w = json_writer_over(&buf);
	json_begin_object(&w);
	json_key(&w, "empty");
	json_begin_array(&w);
	json_end_array(&w);
	json_key(&w, "list");
	json_begin_array(&w);
	json_put_i64(&w, INT64_MIN);
	json_put_i64(&w, 0);
	json_put_i64(&w, INT64_MAX);
	json_put_bool(&w, true);
	json_put_bool(&w, false);
	json_put_null(&w);
	json_begin_object(&w);
	json_end_object(&w);
	json_put_raw(&w, STR("[1]"));
	json_put_c(&w, "x");
	json_end_array(&w);
	json_key(&w, "s");
	json_put_str(&w, STR("\"\\/\b\f\n\r\t\x01\0\x7f\xc2\x9b\xc3\xa9\xff\xe2\x82\xf0\x9f\x98\x80\xed\xa0\x80"));
	json_put_str(&w, STR_NONE);
	json_end_object(&w);
	assert_true(buf_ok(&buf));
	buf_put_byte(&buf, '\0');
	assert_string_equal(buf.p,
		"{\"empty\":[],\"list\":[-9223372036854775808,0,9223372036854775807,true,false,null,{},[1],\"x\"],"
		"\"s\":\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u0000\\u007f\\u009b\xc3\xa9\xef\xbf\xbd"
		"\xef\xbf\xbd\xef\xbf\xbd"
		"\xf0\x9f\x98\x80\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\",\"\"}");
	buf_release(&buf);
}

static void read_back(struct arena *arena, struct str text)
{
	const struct json *root;
	const char *reason;
	struct json_writer w;
	struct buf buf;

	buf_init(&buf, 4096);
	w = json_writer_over(&buf);
	json_put_str(&w, text);
	assert_int_equal(json_parse(arena, buf_str(&buf), &root, &reason), OK);
	assert_true(str_eq(root->text, text));
	buf_release(&buf);
	arena_reset(arena);
}

/* Of every length around the steps in which the writer looks, at every place. */
static void every_byte_that_is_written_is_read_back(void **state)
{
	struct arena *arena = arena_new(1 << 20);
	char bytes[20];

	(void)state;
	for (unsigned c = 0; c < 128; c++) {
		for (size_t len = 1; len <= sizeof(bytes); len++) {
			for (size_t at = 0; at < len; at++) {
				memset(bytes, 'a', sizeof(bytes));
				bytes[at] = (char)c;
				read_back(arena, (struct str){bytes, len});
			}
		}
	}
	arena_free(&arena);
}

static void a_buffer_of_just_its_size_holds_what_is_written(void **state)
{
	struct json_writer w;
	struct buf buf;

	(void)state;
	for (size_t cap = 13; cap <= 14; cap++) {
		buf_init(&buf, cap);
		w = json_writer_over(&buf);
		json_begin_array(&w);
		json_put_c(&w, "1234");
		json_put_c(&w, "567");
		json_end_array(&w);
		assert_int_equal(buf_ok(&buf), cap == 14);
		buf_release(&buf);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc_8259_is_kept_to_the_letter),
		cmocka_unit_test(every_cut_of_a_document_is_refused_without_reading_past_it),
		cmocka_unit_test(a_parsed_tree_holds_everything_in_order),
		cmocka_unit_test(integers_are_exact_or_refused),
		cmocka_unit_test(large_objects_are_checked_for_duplicate_keys_in_linear_time),
		cmocka_unit_test(too_many_values_and_a_full_arena_are_refused),
		cmocka_unit_test(the_writer_puts_commas_and_escapes),
		cmocka_unit_test(every_byte_that_is_written_is_read_back),
		cmocka_unit_test(a_buffer_of_just_its_size_holds_what_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
