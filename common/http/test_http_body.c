/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"
#include "http/test_drive.h"

#define POST "POST / HTTP/1.1\r\nHost: a\r\n"
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"
#define NEXT "GET /next HTTP/1.1\r\nHost: a\r\n\r\n"

/* How many requests are taken before the verdict; status 0: none is refused. Sections are of RFC 9112. */
static const struct {
	const char *name;
	struct str bytes;
	size_t requests;
	int status;
	const char *last_body;
	const char *reason; /* NULL: any */
} cases[] = {
	/* 6.2, 6.3: Content-Length */
	{"no length means no content", STR(POST "\r\n" NEXT), 2, 0, "", NULL},
	{"a length of zero", STR(POST "Content-Length: 0\r\n\r\n" NEXT), 2, 0, "", NULL},
	{"a length counts bytes", STR(POST "Content-Length: 5\r\n\r\nhello"), 1, 0, "hello", NULL},
	{"a GET may have content", STR("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" NEXT), 2, 0, "",
		NULL},
	{"content that looks like a request is content",
		STR(POST "Content-Length: 19\r\n\r\nGET / HTTP/1.1\r\n\r\nX" NEXT), 2, 0, "", NULL},
	{"the next request begins right behind", STR(POST "Content-Length: 3\r\n\r\nabc" NEXT NEXT), 3, 0, "", NULL},
	{"an empty line behind content is ignored", STR(POST "Content-Length: 3\r\n\r\nabc\r\n" NEXT), 2, 0, "", NULL},
	{"two empty lines behind content are not", STR(POST "Content-Length: 3\r\n\r\nabc\r\n\r\n" NEXT), 1, 400, "abc",
		NULL},
	{"a length too short leaves garbage", STR(POST "Content-Length: 3\r\n\r\nabcd\r\n\r\n"), 1, 400, "abc", NULL},
	{"leading zeros are digits", STR(POST "Content-Length: 003\r\n\r\nabc"), 1, 0, "abc", NULL},
	{"the largest content",
		STR(POST "Content-Length: 64\r\n\r\n"
			 "0123456789012345678901234567890123456789012345678901234567890123"),
		1, 0, "0123456789012345678901234567890123456789012345678901234567890123", NULL},
	{"one byte more", STR(POST "Content-Length: 65\r\n\r\n"), 0, 413, NULL, "the content is too large"},
	{"the length twice", STR(POST "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"), 0, 400, NULL,
		"there is more than one Content-Length"},
	{"two lengths", STR(POST "Content-Length: 3\r\ncontent-length: 4\r\n\r\nabc"), 0, 400, NULL, NULL},
	{"a list of lengths", STR(POST "Content-Length: 3, 3\r\n\r\nabc"), 0, 400, NULL, NULL},
	{"a plus sign", STR(POST "Content-Length: +3\r\n\r\nabc"), 0, 400, NULL, "Content-Length is not a number"},
	{"a minus sign", STR(POST "Content-Length: -3\r\n\r\nabc"), 0, 400, NULL, NULL},
	{"a hexadecimal length", STR(POST "Content-Length: 0x3\r\n\r\nabc"), 0, 400, NULL, NULL},
	{"a length with a fraction", STR(POST "Content-Length: 3.0\r\n\r\nabc"), 0, 400, NULL, NULL},
	{"a length with an exponent", STR(POST "Content-Length: 3e0\r\n\r\nabc"), 0, 400, NULL, NULL},
	{"a length with a space inside", STR(POST "Content-Length: 3 3\r\n\r\nabc"), 0, 400, NULL, NULL},
	{"a length with a NUL", STR(POST "Content-Length: 3\0\r\n\r\nabc"), 0, 400, NULL, NULL},
	{"a quoted length", STR(POST "Content-Length: \"3\"\r\n\r\nabc"), 0, 400, NULL, NULL},
	{"an empty length", STR(POST "Content-Length:\r\n\r\n"), 0, 400, NULL, NULL},
	{"a length above ASCII", STR(POST "Content-Length: \xb3\r\n\r\n"), 0, 400, NULL, NULL},
	{"a length of 2^63", STR(POST "Content-Length: 9223372036854775808\r\n\r\n"), 0, 400, NULL, NULL},
	{"a length that wraps to 3", STR(POST "Content-Length: 18446744073709551619\r\n\r\nabc"), 0, 400, NULL,
		"Content-Length is beyond counting"},
	{"a length of forty digits", STR(POST "Content-Length: 9999999999999999999999999999999999999999\r\n\r\n"), 0,
		400, NULL, NULL},
	{"a length with a space before its colon", STR(POST "Content-Length : 3\r\n\r\nabc"), 0, 400, NULL, NULL},
	{"a length with an underscore", STR(POST "Content_Length: 3\r\n\r\nabc"), 0, 400, NULL,
		"a field's name resembles a framing field"},
	{"a length without its hyphen", STR(POST "ContentLength: 3\r\n\r\nabc"), 0, 400, NULL, NULL},
	{"another name with that ending", STR(POST "X-Content-Length: 3\r\n\r\n"), 1, 0, "", NULL},

	/* 6.1: Transfer-Encoding */
	{"chunked in any case", STR(POST "transfer-encoding: ChunKed\r\n\r\n0\r\n\r\n"), 1, 0, "", NULL},
	{"chunked and a length (CL.TE)", STR(POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
		0, 400, NULL, "there are both Content-Length and Transfer-Encoding"},
	{"chunked before a length (TE.CL)",
		STR(POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"), 0, 400, NULL, NULL},
	{"chunked and a length of zero (0.CL)",
		STR(POST "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 0, 400, NULL, NULL},
	{"chunked in HTTP/1.0", STR("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 0, 400, NULL,
		"HTTP/1.0 has no Transfer-Encoding"},
	{"chunked in HTTP/1.0 that stays",
		STR("POST / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n"), 0, 400, NULL,
		NULL},
	{"chunked twice", STR(POST "Transfer-Encoding: chunked, chunked\r\n\r\n"), 0, 400, NULL, NULL},
	{"chunked in two lines", STR(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"), 0, 400,
		NULL, NULL},
	{"chunked and then identity", STR(POST "Transfer-Encoding: chunked, identity\r\n\r\n"), 0, 400, NULL, NULL},
	{"chunked and identity in two lines",
		STR(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n"), 0, 400, NULL, NULL},
	{"chunked before gzip", STR(POST "Transfer-Encoding: chunked, gzip\r\n\r\n"), 0, 400, NULL, NULL},
	{"gzip before chunked", STR(POST "Transfer-Encoding: gzip, chunked\r\n\r\n"), 0, 501, NULL, NULL},
	{"gzip has no end (6.3)", STR(POST "Transfer-Encoding: gzip\r\n\r\n"), 0, 400, NULL,
		"Transfer-Encoding does not end in chunked"},
	{"identity", STR(POST "Transfer-Encoding: identity\r\n\r\n"), 0, 400, NULL, NULL},
	{"chunk without its end", STR(POST "Transfer-Encoding: chunk\r\n\r\n"), 0, 400, NULL, NULL},
	{"an unknown coding and a length", STR(POST "Transfer-Encoding: x\r\nContent-Length: 3\r\n\r\nabc"), 0, 400,
		NULL, NULL},
	{"no coding", STR(POST "Transfer-Encoding:\r\n\r\n"), 0, 400, NULL, NULL},
	{"an empty element before chunked", STR(POST "Transfer-Encoding: , chunked\r\n\r\n"), 0, 400, NULL, NULL},
	{"an empty element behind chunked", STR(POST "Transfer-Encoding: chunked,\r\n\r\n"), 0, 400, NULL, NULL},
	{"a prefix", STR(POST "Transfer-Encoding: xchunked\r\n\r\n"), 0, 400, NULL, NULL},
	{"a suffix", STR(POST "Transfer-Encoding: chunkedx\r\n\r\n"), 0, 400, NULL, NULL},
	{"a parameter", STR(POST "Transfer-Encoding: chunked;q=1\r\n\r\n"), 0, 400, NULL, NULL},
	{"double quotes", STR(POST "Transfer-Encoding: \"chunked\"\r\n\r\n"), 0, 400, NULL, NULL},
	{"single quotes", STR(POST "Transfer-Encoding: 'chunked'\r\n\r\n"), 0, 400, NULL, NULL},
	{"words around", STR(POST "Transfer-Encoding: cow chunked bar\r\n\r\n"), 0, 400, NULL, NULL},
	{"a vertical tab",
		STR(POST "Transfer-Encoding: \x0b"
			 "chunked\r\n\r\n"),
		0, 400, NULL, NULL},
	{"a form feed", STR(POST "Transfer-Encoding: chunked\x0c\r\n\r\n"), 0, 400, NULL, NULL},
	{"a NUL", STR(POST "Transfer-Encoding: chunked\0\r\n\r\n"), 0, 400, NULL, NULL},
	{"a no-break space",
		STR(POST "Transfer-Encoding: \xa0"
			 "chunked\r\n\r\n"),
		0, 400, NULL, NULL},
	{"a letter with an accent", STR(POST "Transfer-Encoding: ch\xc3\xbanked\r\n\r\n"), 0, 400, NULL, NULL},
	{"a space before the colon", STR(POST "Transfer-Encoding : chunked\r\n\r\n"), 0, 400, NULL, NULL},
	{"a space before the name", STR(POST " Transfer-Encoding: chunked\r\n\r\n"), 0, 400, NULL, NULL},
	{"a folded value", STR(POST "Transfer-Encoding:\r\n chunked\r\n\r\n"), 0, 400, NULL, NULL},
	{"a value behind LF", STR(POST "Transfer-Encoding:\n chunked\r\n\r\n"), 0, 400, NULL, NULL},
	{"a name behind a CR", STR(POST "X: X\rTransfer-Encoding: chunked\r\n\r\n"), 0, 400, NULL, NULL},
	{"a name behind an LF", STR(POST "X: X\nTransfer-Encoding: chunked\r\n\r\n"), 0, 400, NULL, NULL},
	{"an underscore for the hyphen", STR(POST "Transfer_Encoding: chunked\r\n\r\n"), 0, 400, NULL,
		"a field's name resembles a framing field"},
	{"a dot for the hyphen", STR(POST "Transfer.Encoding: chunked\r\n\r\n"), 0, 400, NULL, NULL},
	{"a hyphen too many", STR(POST "Transfer--Encoding: chunked\r\n\r\n"), 0, 400, NULL, NULL},
	{"a sign before the name", STR(POST "!Transfer-Encoding: chunked\r\n\r\n"), 0, 400, NULL, NULL},
	{"a space for the hyphen", STR(POST "Transfer Encoding: chunked\r\n\r\n"), 0, 400, NULL, NULL},
	{"chunked as a content coding", STR(POST "Content-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc"), 0, 400,
		NULL, NULL},
	{"another content coding is the caller's affair", STR(POST "Content-Encoding: gzip\r\n\r\n"), 1, 0, "", NULL},

	/* 7.1: chunks */
	{"chunks are joined", STR(CHUNKED "5\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\n\r\n"), 1, 0, "hello world",
		NULL},
	{"no chunk but the last", STR(CHUNKED "0\r\n\r\n" NEXT), 2, 0, "", NULL},
	{"the next request begins behind the last chunk", STR(CHUNKED "3\r\nabc\r\n0\r\n\r\n" NEXT NEXT), 3, 0, "",
		NULL},
	{"chunks that hold CRLF", STR(CHUNKED "9\r\na\r\n0\r\n\r\nb\r\n0\r\n\r\n"), 1, 0, "a\r\n0\r\n\r\nb", NULL},
	{"sizes in hexadecimal of either case", STR(CHUNKED "a\r\n0123456789\r\nB\r\n0123456789a\r\n0\r\n\r\n"), 1, 0,
		"01234567890123456789a", NULL},
	{"a size of sixteen digits", STR(CHUNKED "0000000000000003\r\nabc\r\n0000000000000000\r\n\r\n"), 1, 0, "abc",
		NULL},
	{"a size of seventeen digits", STR(CHUNKED "00000000000000003\r\nabc\r\n0\r\n\r\n"), 0, 400, NULL,
		"a chunk's size is too long"},
	{"a size of all that sixteen digits hold", STR(CHUNKED "FFFFFFFFFFFFFFFF\r\n"), 0, 413, NULL, NULL},
	{"a size that would wrap in a sum", STR(CHUNKED "1\r\na\r\nFFFFFFFFFFFFFFFF\r\nabc\r\n0\r\n\r\n"), 0, 413, NULL,
		NULL},
	{"a size that would wrap", STR(CHUNKED "10000000000000003\r\nabc\r\n0\r\n\r\n"), 0, 400, NULL, NULL},
	{"a size of four gigabytes", STR(CHUNKED "FFFFFFFF\r\n"), 0, 413, NULL, NULL},
	{"a size over the cap", STR(CHUNKED "41\r\n"), 0, 413, NULL, "the content is too large"},
	{"a sum over the cap", STR(CHUNKED "2\r\nab\r\n3F\r\n"), 0, 413, NULL, NULL},
	{"the cap to the byte",
		STR(CHUNKED "20\r\n01234567890123456789012345678901\r\n20\r\n01234567890123456789012345"
			    "678901\r\n0\r\n\r\n"),
		1, 0, "0123456789012345678901234567890101234567890123456789012345678901", NULL},
	{"an extension", STR(CHUNKED "3;a=b\r\nabc\r\n0\r\n\r\n"), 0, 400, NULL, "chunk extensions are not taken"},
	{"an empty extension", STR(CHUNKED "3;\r\nabc\r\n0\r\n\r\n"), 0, 400, NULL, NULL},
	{"an extension of the last chunk", STR(CHUNKED "0;a\r\n\r\n"), 0, 400, NULL, NULL},
	{"an extension that hides LF", STR(CHUNKED "3;\nabc\r\n0\r\n\r\n"), 0, 400, NULL, NULL},
	{"a space behind a size", STR(CHUNKED "3 \r\nabc\r\n0\r\n\r\n"), 0, 400, NULL, NULL},
	{"a space before a size", STR(CHUNKED " 3\r\nabc\r\n0\r\n\r\n"), 0, 400, NULL, NULL},
	{"a tab behind a size", STR(CHUNKED "3\t\r\nabc\r\n0\r\n\r\n"), 0, 400, NULL, NULL},
	{"a prefix 0x", STR(CHUNKED "0x3\r\nabc\r\n0\r\n\r\n"), 0, 400, NULL, "a chunk's size is malformed"},
	{"a plus sign before a size", STR(CHUNKED "+3\r\nabc\r\n0\r\n\r\n"), 0, 400, NULL, NULL},
	{"a minus sign before a size", STR(CHUNKED "-3\r\nabc\r\n0\r\n\r\n"), 0, 400, NULL, NULL},
	{"an underscore in a size", STR(CHUNKED "0_3\r\nabc\r\n0\r\n\r\n"), 0, 400, NULL, NULL},
	{"a letter that is no digit", STR(CHUNKED "g\r\nabc\r\n0\r\n\r\n"), 0, 400, NULL, NULL},
	{"a NUL in a size", STR(CHUNKED "3\0\r\nabc\r\n0\r\n\r\n"), 0, 400, NULL, NULL},
	{"no size", STR(CHUNKED "\r\nabc\r\n0\r\n\r\n"), 0, 400, NULL, NULL},
	{"a size that ends with LF", STR(CHUNKED "3\nabc\r\n0\r\n\r\n"), 0, 400, NULL, NULL},
	{"a size that ends with CR", STR(CHUNKED "3\rabc\r\n0\r\n\r\n"), 0, 400, NULL, "a CR stands alone"},
	{"a size that ends with CR CR LF", STR(CHUNKED "3\r\r\nabc\r\n0\r\n\r\n"), 0, 400, NULL, NULL},
	{"data that ends with LF", STR(CHUNKED "3\r\nabc\n0\r\n\r\n"), 0, 400, NULL, "a chunk is longer than its size"},
	{"data that ends with CR", STR(CHUNKED "3\r\nabc\r0\r\n\r\n"), 0, 400, NULL, "a CR stands alone"},
	{"data that does not end", STR(CHUNKED "3\r\nabc0\r\n\r\n"), 0, 400, NULL, NULL},
	{"data longer than its size", STR(CHUNKED "3\r\nabcd\r\n0\r\n\r\n"), 0, 400, NULL, NULL},
	{"data shorter than its size", STR(CHUNKED "4\r\nabc\r\n0\r\n\r\n"), 0, 400, NULL, NULL},
	{"the last size ends with LF", STR(CHUNKED "0\n\r\n"), 0, 400, NULL, NULL},
	{"the end is LF", STR(CHUNKED "0\r\n\n"), 0, 400, NULL, "trailers are not taken"},
	{"the end is CR and another byte", STR(CHUNKED "0\r\n\rX"), 0, 400, NULL, "a CR stands alone"},
	{"a trailer", STR(CHUNKED "0\r\nX: y\r\n\r\n"), 0, 400, NULL, "trailers are not taken"},
	{"a trailer that is a field of the head", STR(CHUNKED "0\r\nContent-Length: 5\r\n\r\n"), 0, 400, NULL, NULL},
	{"the next request in place of the end (TE.0)", STR(CHUNKED "0\r\n" NEXT), 0, 400, NULL, NULL},
};

static void every_rule_of_the_framing_is_kept(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct drive drive;
		int status;

		drive_all_ways(&drive, &drive_limits, cases[i].bytes);
		status = drive.err == OK ? 0 : err_status(drive.err);
		if (status != cases[i].status || drive.requests != cases[i].requests)
			print_error("%s: %zu requests, %d %s\n", cases[i].name, drive.requests, status, drive.reason);
		CHECK(cases[i].name, status == cases[i].status && drive.requests == cases[i].requests);
		CHECK(cases[i].name, !drive.incomplete && drive.closed == (status != 0));
		CHECK(cases[i].name, cases[i].reason == NULL || strcmp(drive.reason, cases[i].reason) == 0);
		CHECK(cases[i].name, cases[i].last_body == NULL || str_eq_c(drive.last_body, cases[i].last_body));
		drive_release(&drive);
	}
}

/* Every single byte put at every place around the field that frames: one verdict, and never a second request. */
static void no_byte_hides_a_transfer_coding(void **state)
{
	static const char *const shapes[] = {
		"Transfer-Encoding:?chunked",
		"Transfer-Encoding?: chunked",
		"?Transfer-Encoding: chunked",
		"Transfer-Encoding: chunked?",
		"Transfer?Encoding: chunked",
		"Transfer-Encoding: chu?nked",
		"X: X?Transfer-Encoding: chunked",
		"Transfer-Encoding: x,?chunked",
	};

	(void)state;
	for (size_t shape = 0; shape < COUNT_OF(shapes); shape++) {
		for (unsigned c = 0; c < 256; c++) {
			struct drive drive;
			const char *at = strchr(shapes[shape], '?');
			struct buf bytes;

			buf_init(&bytes, 1024);
			buf_put_c(&bytes, POST);
			buf_put(&bytes, shapes[shape], (size_t)(at - shapes[shape]));
			buf_put_byte(&bytes, (uint8_t)c);
			buf_put_c(&bytes, at + 1);
			buf_put_c(&bytes, "\r\nContent-Length: 4\r\n\r\n1\r\nZ\r\n0\r\n\r\n");
			drive_all_ways(&drive, &drive_limits, buf_str(&bytes));
			/*
			 * Letters and digits make other words, and behind "X: X" anything printable is a value: then
			 * the length alone counts, and what follows is no request.
			 */
			assert_true(drive.err == ERR_BAD_REQUEST || drive.err == ERR_NOT_IMPLEMENTED);
			assert_true(drive.requests <= 1);
			if (drive.requests == 1)
				assert_true(str_eq_c(drive.last_body, "1\r\nZ"));
			drive_release(&drive);
			buf_release(&bytes);
		}
	}
}

static void a_lowered_cap_refuses_before_the_content_comes(void **state)
{
	static const struct str heads[] = {STR(POST "Content-Length: 5\r\n\r\n"), STR(CHUNKED "5\r\n")};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(heads); i++) {
		for (size_t cap = 4; cap < 7; cap++) {
			struct http_parser parser;
			struct buf in;

			buf_init(&in, 4096);
			http_parser_init(&parser, &drive_limits);
			buf_put_str(&in, heads[i]);
			assert_int_equal(http_parser_feed(&parser, &in), HTTP_HEAD_DONE);
			http_parser_limit_body(&parser, cap);
			http_parser_limit_body(&parser, 1000);
			assert_int_equal(http_parser_feed(&parser, &in), cap == 4 ? HTTP_FAIL : HTTP_MORE);
			assert_int_equal(parser.err, cap == 4 ? ERR_TOO_LARGE : OK);
			assert_int_equal(http_parser_missing(&parser), cap == 4 ? 0 : 5);
			buf_release(&in);
		}
	}
}

/* A body of one-byte chunks is six times as long on the wire; the buffer must not notice. */
static void tiny_chunks_need_no_more_room_than_their_content(void **state)
{
	const struct http_limits limits = {200, 150, 8, 600, 3000};
	struct drive drive;
	struct buf bytes;

	(void)state;
	buf_init(&bytes, 1 << 20);
	buf_put_c(&bytes, CHUNKED);
	for (size_t i = 0; i < limits.body_max; i++)
		buf_printf(&bytes, "1\r\n%c\r\n", (char)('a' + i % 26));
	buf_put_c(&bytes, "0\r\n\r\n" NEXT);
	drive_all_ways(&drive, &limits, buf_str(&bytes));
	assert_int_equal(drive.requests, 2);
	drive_release(&drive);
	buf_consume(&bytes, bytes.len);
	buf_put_c(&bytes, CHUNKED "bb8\r\n");
	for (size_t i = 0; i < 3000; i++)
		buf_put_byte(&bytes, (uint8_t)('a' + i % 26));
	buf_put_c(&bytes, "\r\n0\r\n\r\n");
	drive_all_ways(&drive, &limits, buf_str(&bytes));
	assert_int_equal(drive.requests, 1);
	assert_int_equal(drive.last_body.len, 3000);
	drive_release(&drive);
	buf_release(&bytes);
}

static void many_requests_in_one_piece_are_all_taken(void **state)
{
	struct http_parser parser;
	struct drive drive;
	struct buf bytes;

	(void)state;
	buf_init(&bytes, 1 << 20);
	for (int i = 0; i < 300; i++)
		buf_printf(&bytes, POST "X: %d\r\nContent-Length: 3\r\n\r\nabc", i);
	drive_run(&drive, &drive_limits, buf_str(&bytes), 7);
	assert_int_equal(drive.requests, 300);
	drive_release(&drive);
	http_parser_init(&parser, &drive_limits);
	for (int i = 0; i < 300; i++) {
		struct str value;

		assert_int_equal(http_parser_feed(&parser, &bytes), HTTP_HEAD_DONE);
		assert_int_equal(http_parser_feed(&parser, &bytes), HTTP_DONE);
		assert_int_equal(http_parser_feed(&parser, &bytes), HTTP_DONE);
		assert_true(str_eq_c(http_body(&parser), "abc"));
		assert_int_equal(http_find(&parser, "x", &value), 1);
		assert_int_equal(strtol(value.p, NULL, 10), i);
		http_parser_next(&parser, &bytes);
	}
	assert_int_equal(http_parser_feed(&parser, &bytes), HTTP_MORE);
	assert_false(http_parser_begun(&parser, &bytes));
	assert_int_equal(bytes.len, 0);
	buf_release(&bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_rule_of_the_framing_is_kept),
		cmocka_unit_test(no_byte_hides_a_transfer_coding),
		cmocka_unit_test(a_lowered_cap_refuses_before_the_content_comes),
		cmocka_unit_test(tiny_chunks_need_no_more_room_than_their_content),
		cmocka_unit_test(many_requests_in_one_piece_are_all_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
