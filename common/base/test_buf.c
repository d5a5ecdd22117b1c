/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/buf.h"
#include "base/test.h"

static const struct {
	const char *name;
	struct str bytes;
	bool good;
	uint64_t value;
} varint_cases[] = {
	{"zero is one byte", STR("\0"), true, 0},
	{"127 is one byte", STR("\x7f"), true, 127},
	{"128 is two bytes", STR("\x80\x01"), true, 128},
	{"the largest number is ten bytes", STR("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), true, UINT64_MAX},
	{"a longer form of zero is refused", STR("\x80\0"), false, 0},
	{"a longer form of one is refused", STR("\x81\x80\0"), false, 0},
	{"a number over 64 bits is refused", STR("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), false, 0},
	{"a tenth byte that goes on is refused", STR("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x01"), false, 0},
	{"a number without its end is refused", STR("\x80"), false, 0},
	{"nothing is refused", STR(""), false, 0},
};

static void varints_have_one_form(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(varint_cases); i++) {
		struct reader reader = reader_over(varint_cases[i].bytes);

		CHECK(varint_cases[i].name, reader_varint(&reader) == varint_cases[i].value);
		CHECK(varint_cases[i].name, reader_done(&reader) == varint_cases[i].good);
	}
}

static void what_is_written_is_read_back(void **state)
{
	const uint64_t values[] = {0, 1, 127, 128, 16383, 16384, UINT32_MAX, (uint64_t)1 << 63, UINT64_MAX};
	struct buf buf;
	struct reader reader;

	(void)state;
	buf_init(&buf, 4096);
	buf_put_byte(&buf, 0xab);
	buf_put_u16(&buf, 0x1234);
	buf_put_u32(&buf, 0x12345678);
	buf_put_u64(&buf, UINT64_C(0x123456789abcdef0));
	for (size_t i = 0; i < COUNT_OF(values); i++)
		buf_put_varint(&buf, values[i]);
	buf_put_blob(&buf, STR("blob"));
	buf_put_blob(&buf, STR_NONE);
	assert_true(buf_ok(&buf));
	assert_memory_equal(buf.p, "\xab\x12\x34\x12\x34\x56\x78\x12", 8);
	reader = reader_over(buf_str(&buf));
	assert_int_equal(reader_u8(&reader), 0xab);
	assert_int_equal(reader_u16(&reader), 0x1234);
	assert_int_equal(reader_u32(&reader), 0x12345678);
	assert_true(reader_u64(&reader) == UINT64_C(0x123456789abcdef0));
	for (size_t i = 0; i < COUNT_OF(values); i++)
		assert_true(reader_varint(&reader) == values[i]);
	assert_true(str_eq_c(reader_blob(&reader, 4), "blob"));
	assert_false(reader_done(&reader));
	assert_non_null(reader_blob(&reader, 0).p);
	assert_true(reader_done(&reader));
	buf_release(&buf);
}

static void a_reader_that_failed_stays_failed(void **state)
{
	struct reader reader = reader_over(STR("\x05"
					       "abcde"));

	(void)state;
	assert_null(reader_blob(&reader, 4).p);
	assert_true(reader.failed);
	assert_int_equal(reader_u8(&reader), 0);
	assert_null(reader_bytes(&reader, 0).p);
	assert_false(reader_done(&reader));
	reader = reader_over(STR("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
				 "abc"));
	assert_null(reader_blob(&reader, SIZE_MAX).p);
	reader = reader_over(STR("abc"));
	assert_int_equal(reader_u32(&reader), 0);
	assert_int_equal(reader_u16(&reader), 0);
	reader = reader_over(STR_NONE);
	assert_true(reader_done(&reader));
	assert_int_equal(reader_u64(&reader), 0);
	assert_false(reader_done(&reader));
}

static void a_buffer_stops_at_its_cap(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 10);
	assert_true(str_eq_c(buf_str(&buf), "") && buf_str(&buf).p != NULL);
	buf_put_c(&buf, "0123456789");
	assert_true(buf_ok(&buf));
	buf_put(&buf, NULL, 0);
	assert_true(buf_ok(&buf));
	buf_put_byte(&buf, 'x');
	assert_false(buf_ok(&buf));
	assert_int_equal(buf.len, 10);
	buf_consume(&buf, 4);
	buf_put_byte(&buf, 'x');
	assert_int_equal(buf.len, 6); /* failed stays until the reset */
	assert_null(buf_reserve(&buf, 0));
	buf_reset(&buf);
	buf_printf(&buf, "%d-%s", 123, "456789");
	assert_true(buf_ok(&buf));
	assert_true(str_eq_c(buf_str(&buf), "123-456789"));
	buf_printf(&buf, "%s", "");
	assert_true(buf_ok(&buf));
	buf_printf(&buf, "%s", "x");
	assert_false(buf_ok(&buf));
	buf_release(&buf);
	buf_release(&buf);
}

static void long_texts_are_printed_whole_or_not_at_all(void **state)
{
	char text[2001];
	struct buf buf;

	(void)state;
	memset(text, 'x', sizeof(text));
	for (size_t len = 500; len < sizeof(text); len += 4) {
		text[len] = '\0';
		buf_init(&buf, len + 1);
		buf_printf(&buf, "%s", text);
		assert_true(buf_ok(&buf) && buf.len == len && memcmp(buf.p, text, len) == 0);
		buf_printf(&buf, "%s", text);
		assert_true(!buf_ok(&buf) && buf.len == len);
		buf_release(&buf);
		text[len] = 'x';
	}
}

static void reserved_bytes_count_when_committed(void **state)
{
	struct buf buf;
	char *p;

	(void)state;
	buf_init(&buf, 100000);
	assert_non_null(buf_reserve(&buf, 0));
	p = buf_reserve(&buf, 70000);
	assert_non_null(p);
	memset(p, 'a', 70000);
	assert_int_equal(buf.len, 0);
	buf_commit(&buf, 5);
	assert_true(str_eq_c(buf_str(&buf), "aaaaa"));
	buf_put_c(&buf, "bcd");
	buf_consume(&buf, 5);
	assert_true(str_eq_c(buf_str(&buf), "bcd"));
	buf_consume(&buf, 100);
	assert_int_equal(buf.len, 0);
	assert_null(buf_reserve(&buf, 100001));
	assert_false(buf_ok(&buf));
	buf_release(&buf);
}

static void what_is_let_go_is_wiped(void **state)
{
	const char secret[] = "a password that is on its way";
	struct buf buf;

	(void)state;
	buf_init(&buf, 1000);
	buf_put_c(&buf, secret);
	buf_consume(&buf, 2);
	for (size_t i = buf.len; i < buf.len + 2; i++)
		assert_int_equal(buf.p[i], 0);
	assert_memory_equal(buf.p, secret + 2, buf.len);
	buf_truncate(&buf, 3);
	assert_int_equal(buf.len, 3);
	for (size_t i = 3; i < sizeof(secret) - 1; i++)
		assert_int_equal(buf.p[i], 0);
	buf_reset(&buf);
	for (size_t i = 0; i < sizeof(secret) - 1; i++)
		assert_int_equal(buf.p[i], 0);
	buf_put_c(&buf, secret);
	buf_consume(&buf, sizeof(secret) - 1);
	for (size_t i = 0; i < sizeof(secret) - 1; i++)
		assert_int_equal(buf.p[i], 0);
	buf_release(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(varints_have_one_form),
		cmocka_unit_test(what_is_written_is_read_back),
		cmocka_unit_test(a_reader_that_failed_stays_failed),
		cmocka_unit_test(a_buffer_stops_at_its_cap),
		cmocka_unit_test(long_texts_are_printed_whole_or_not_at_all),
		cmocka_unit_test(reserved_bytes_count_when_committed),
		cmocka_unit_test(what_is_let_go_is_wiped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
