/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <time.h>

#include "base/test.h"
#include "http/http_reply.h"

static void a_head_is_written_as_rfc_9112_wants_it(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	http_reply_begin(&out, 201);
	http_reply_field(&out, "Content-Type", STR("application/json"));
	http_reply_field_u64(&out, "Content-Length", 0);
	http_reply_field_u64(&out, "X-Large", UINT64_MAX);
	http_reply_field(&out, "X-Empty", STR(""));
	http_reply_date(&out, INT64_C(784111777) * US_PER_S);
	http_reply_end(&out);
	http_reply_begin(&out, 599);
	http_reply_begin(&out, 42);
	http_reply_continue(&out);
	assert_true(buf_ok(&out));
	assert_true(str_eq_c(buf_str(&out),
		"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 0\r\n"
		"X-Large: 18446744073709551615\r\nX-Empty: \r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n"
		"HTTP/1.1 599 \r\nHTTP/1.1 500 Internal Server Error\r\nHTTP/1.1 100 Continue\r\n\r\n"));
	buf_release(&out);
}

static const struct {
	const char *name;
	const char *field;
	struct str value;
	bool good;
} cases[] = {
	{"a plain field", "X", STR("a b\tc"), true},
	{"bytes above ASCII", "X", STR("\xc3\xa9"), true},
	{"a value with CRLF", "X", STR("a\r\nSet-Cookie: b"), false},
	{"a value with CR", "X", STR("a\rb"), false},
	{"a value with LF", "X", STR("123456789\nb"), false},
	{"a value with a NUL", "X", STR("a\0b"), false},
	{"a value with DEL", "X", STR("a\x7f"), false},
	{"a name with a colon", "X:", STR("a"), false},
	{"a name with a space", "X y", STR("a"), false},
	{"a name with LF", "X\n", STR("a"), false},
	{"an empty name", "", STR("a"), false},
};

static void nobody_writes_a_second_field_through_a_value(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct buf out;

		buf_init(&out, 4096);
		http_reply_field(&out, cases[i].field, cases[i].value);
		CHECK(cases[i].name, buf_ok(&out) == cases[i].good);
		CHECK(cases[i].name, cases[i].good || out.len == 0);
		buf_release(&out);
	}
}

static void dates_agree_with_the_c_library(void **state)
{
	(void)state;
	for (int64_t second = 0; second < INT64_C(253402300800); second += 86400 * 17 + 12345) {
		time_t at = (time_t)second;
		char ours[30];
		char theirs[30];
		struct tm tm;

		http_date_format(second * US_PER_S, ours);
		assert_non_null(gmtime_r(&at, &tm));
		assert_int_equal(strftime(theirs, sizeof(theirs), "%a, %d %b %Y %H:%M:%S GMT", &tm), 29);
		assert_string_equal(ours, theirs);
	}
}

static void every_status_of_ours_has_a_reason(void **state)
{
	static const enum err errs[] = {
#define E(name, number, status, code, title) ERR_##name,
#include "contract/errors.def"
#undef E
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(errs); i++)
		CHECK(err_code(errs[i]), http_reply_reason(err_status(errs[i]))[0] != '\0');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_head_is_written_as_rfc_9112_wants_it),
		cmocka_unit_test(nobody_writes_a_second_field_through_a_value),
		cmocka_unit_test(dates_agree_with_the_c_library),
		cmocka_unit_test(every_status_of_ours_has_a_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
