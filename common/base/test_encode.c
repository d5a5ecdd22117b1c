/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/encode.h"
#include "base/id.h"
#include "base/test.h"

typedef struct str (*encode_fn)(struct arena *arena, struct str in);

#define BAD             \
	{               \
		NULL, 0 \
	}

/* Vectors of RFC 4648 section 10 and what a strict reader refuses. */
static const struct {
	const char *name;
	encode_fn fn;
	struct str in;
	struct str out;
} cases[] = {
	{"base64 of nothing", base64_encode, STR(""), STR("")},
	{"base64 of one byte", base64_encode, STR("f"), STR("Zg==")},
	{"base64 of two bytes", base64_encode, STR("fo"), STR("Zm8=")},
	{"base64 of three bytes", base64_encode, STR("foo"), STR("Zm9v")},
	{"base64 of six bytes", base64_encode, STR("foobar"), STR("Zm9vYmFy")},
	{"base64 uses plus and slash", base64_encode, STR("\xfb\xff\xfe"), STR("+//+")},
	{"base64url uses minus and underscore", base64url_encode, STR("\xfb\xff\xfe"), STR("-__-")},
	{"base64url has no padding", base64url_encode, STR("f"), STR("Zg")},
	{"base64 nothing back", base64_decode, STR(""), STR("")},
	{"base64 one byte back", base64_decode, STR("Zg=="), STR("f")},
	{"base64 two bytes back", base64_decode, STR("Zm8="), STR("fo")},
	{"base64 three bytes back", base64_decode, STR("Zm9v"), STR("foo")},
	{"base64 without padding is refused", base64_decode, STR("Zg"), BAD},
	{"base64 with half its padding is refused", base64_decode, STR("Zg="), BAD},
	{"base64 with padding only is refused", base64_decode, STR("===="), BAD},
	{"base64 with three pads is refused", base64_decode, STR("Z==="), BAD},
	{"base64 with padding inside is refused", base64_decode, STR("Zg==Zg=="), BAD},
	{"base64 with leftover bits of one byte is refused", base64_decode, STR("Zh=="), BAD},
	{"base64 with leftover bits of two bytes is refused", base64_decode, STR("Zm9="), BAD},
	{"base64 with a line break is refused", base64_decode, STR("Zm\n9"), BAD},
	{"base64 of the other alphabet is refused", base64_decode, STR("-__-"), BAD},
	{"base64 with a byte above ASCII is refused", base64_decode, STR("Zm9\xf6"), BAD},
	{"base64url back", base64url_decode, STR("-__-"), STR("\xfb\xff\xfe")},
	{"base64url one byte back", base64url_decode, STR("Zg"), STR("f")},
	{"base64url nothing back", base64url_decode, STR(""), STR("")},
	{"base64url with padding is refused", base64url_decode, STR("Zg=="), BAD},
	{"base64url of one digit is refused", base64url_decode, STR("Z"), BAD},
	{"base64url of five digits is refused", base64url_decode, STR("Zm9vY"), BAD},
	{"base64url with leftover bits is refused", base64url_decode, STR("Zh"), BAD},
	{"base64url of the other alphabet is refused", base64url_decode, STR("+//+"), BAD},
	{"base64url with a space is refused", base64url_decode, STR("Zm 9"), BAD},
	{"base64url with a NUL is refused", base64url_decode, STR("Zm9\0"), BAD},
	{"hex", hex_encode, STR("\x00\x9f\xff"), STR("009fff")},
	{"hex back in either case", hex_decode, STR("009fFf"), STR("\x00\x9f\xff")},
	{"hex nothing back", hex_decode, STR(""), STR("")},
	{"hex of an odd length is refused", hex_decode, STR("009"), BAD},
	{"hex with another letter is refused", hex_decode, STR("0g"), BAD},
	{"hex with a prefix is refused", hex_decode, STR("0x00"), BAD},
	{"a form value", form_decode, STR("a+b%20c%2B%00"), STR("a b c+\0")},
	{"a form value with a cut escape is refused", form_decode, STR("a%2"), BAD},
	{"a form value with a lone percent is refused", form_decode, STR("100%"), BAD},
	{"a form value with a bad escape is refused", form_decode, STR("%zz"), BAD},
	{"a form value is not decoded twice", form_decode, STR("%2541"), STR("%41")},
	{"plus stays plus in a path", percent_decode, STR("a+b%2f"), STR("a+b/")},
	{"a path with a bad escape is refused", percent_decode, STR("%-1"), BAD},
	{"only unreserved bytes stay", percent_encode, STR("aZ09-._~ /%\xc3\xa4\0"), STR("aZ09-._~%20%2F%25%C3%A4%00")},
	{"markup is disarmed", html_escape, STR("<a href=\"x\">&'</a>"),
		STR("&lt;a href=&quot;x&quot;&gt;&amp;&#39;&lt;/a&gt;")},
	{"plain text stays", html_escape, STR("plain"), STR("plain")},
};

static void encodings_are_strict(void **state)
{
	struct arena *arena = arena_new(65536);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct str out = cases[i].fn(arena, cases[i].in);

		CHECK(cases[i].name, (out.p != NULL) == (cases[i].out.p != NULL));
		CHECK(cases[i].name, str_eq(out, cases[i].out));
	}
	arena_free(&arena);
}

static void what_was_encoded_comes_back(void **state)
{
	static const encode_fn pairs[][2] = {
		{base64_encode, base64_decode},
		{base64url_encode, base64url_decode},
		{hex_encode, hex_decode},
		{percent_encode, percent_decode},
		{percent_encode, form_decode},
	};
	struct arena *arena = arena_new(65536);
	char bytes[200];

	(void)state;
	for (size_t len = 0; len < sizeof(bytes); len++) {
		struct str in = {bytes, len};

		random_bytes(bytes, sizeof(bytes));
		for (size_t i = 0; i < COUNT_OF(pairs); i++) {
			struct str out = pairs[i][1](arena, pairs[i][0](arena, in));

			assert_non_null(out.p);
			assert_true(str_eq(out, in));
		}
		arena_reset(arena);
	}
	arena_free(&arena);
}

static void a_full_arena_is_no_text(void **state)
{
	struct arena *arena = arena_new(16);

	(void)state;
	assert_null(base64_encode(arena, STR("a text longer than the arena")).p);
	assert_null(hex_encode(arena, STR("a text longer than the arena")).p);
	assert_null(html_escape(arena, STR("<<<<<<<<")).p);
	arena_free(&arena);
}

static void sha256_agrees_with_fips_180(void **state)
{
	static const uint8_t abc[32] = {
		0xba,
		0x78,
		0x16,
		0xbf,
		0x8f,
		0x01,
		0xcf,
		0xea,
		0x41,
		0x41,
		0x40,
		0xde,
		0x5d,
		0xae,
		0x22,
		0x23,
		0xb0,
		0x03,
		0x61,
		0xa3,
		0x96,
		0x17,
		0x7a,
		0x9c,
		0xb4,
		0x10,
		0xff,
		0x61,
		0xf2,
		0x00,
		0x15,
		0xad,
	};
	uint8_t digest[32];

	(void)state;
	sha256(STR("abc"), digest);
	assert_memory_equal(digest, abc, 32);
	sha256(STR_NONE, digest);
	assert_int_equal(digest[0], 0xe3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encodings_are_strict),
		cmocka_unit_test(what_was_encoded_comes_back),
		cmocka_unit_test(a_full_arena_is_no_text),
		cmocka_unit_test(sha256_agrees_with_fips_180),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
