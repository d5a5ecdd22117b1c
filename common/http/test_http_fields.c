/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"

#include <stdlib.h>
#include <string.h>

#include "http/http_fields.h"

/* A request as its decoded fields; RFC sections are of RFC 9113 unless said. */
static const struct http_limits limits = {
	.request_line_max = 200, .target_max = 150, .headers_max = 8, .header_bytes_max = 600, .body_max = 64};

#define FIELDS_MAX 12
#define GET ":method", "GET", ":scheme", "https", ":path", "/"
#define START GET, ":authority", "a.example"
#define LONG_80 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

enum outcome { TAKEN, MALFORMED, REFUSED };

struct driven {
	struct http_parser parser;
	struct buf in;
};

static struct driven *drive(const char *const *fields, const char *content)
{
	struct driven *driven = malloc(sizeof *driven);

	assert_non_null(driven);
	memset(driven, 0xa5, sizeof *driven);
	buf_init(&driven->in, http_limits_bytes(&limits) + limits.header_bytes_max);
	http_fields_begin(&driven->parser, &driven->in, &limits);
	for (; fields[0] != NULL; fields += 2)
		http_fields_add(&driven->parser, &driven->in, str_from(fields[0]), str_from(fields[1]));
	http_fields_end(&driven->parser, &driven->in, content == NULL);
	if (content != NULL) {
		/* A byte at a time, so that the buffer moves under what was parsed. */
		for (size_t i = 0; content[i] != '\0'; i++)
			http_fields_content(&driven->parser, &driven->in, (struct str){content + i, 1});
		http_fields_whole(&driven->parser);
	}
	return driven;
}

static void drive_free(struct driven *driven)
{
	buf_release(&driven->in);
	free(driven);
}

static enum outcome outcome_of(struct driven *driven)
{
	const enum http_result result = http_parser_feed(&driven->parser, &driven->in);

	if (result == HTTP_DONE)
		return TAKEN;
	assert_int_equal(result, HTTP_FAIL);
	return driven->parser.malformed ? MALFORMED : REFUSED;
}

static const struct {
	const char *name;
	const char *fields[2 * FIELDS_MAX + 1];
	const char *content; /* NULL: none */
	enum outcome outcome;
	int status; /* of REFUSED */
} cases[] = {
	{"a request", {START}, NULL, TAKEN, 0},
	{"one with Host instead of :authority", {GET, "host", "a.example"}, NULL, TAKEN, 0},
	{"one with both", {START, "host", "A.example:443"}, NULL, TAKEN, 0},
	{"one with content", {START, "content-length", "2"}, "{}", TAKEN, 0},
	{"one with content of unknown length", {START}, "{}", TAKEN, 0},
	{"te: trailers", {START, "te", "trailers"}, NULL, TAKEN, 0},
	{"an empty value", {START, "x", ""}, NULL, TAKEN, 0},

	/* 8.3 pseudo-header fields */
	{"no method", {":scheme", "https", ":path", "/", ":authority", "a"}, NULL, MALFORMED, 0},
	{"no scheme", {":method", "GET", ":path", "/", ":authority", "a"}, NULL, MALFORMED, 0},
	{"no path", {":method", "GET", ":scheme", "https", ":authority", "a"}, NULL, MALFORMED, 0},
	{"an empty path", {":method", "GET", ":scheme", "https", ":path", ""}, NULL, MALFORMED, 0},
	{"no authority", {GET}, NULL, MALFORMED, 0},
	{"two methods", {":method", "GET", START}, NULL, MALFORMED, 0},
	{"two schemes", {":scheme", "https", START}, NULL, MALFORMED, 0},
	{"two paths", {":path", "/", START}, NULL, MALFORMED, 0},
	{"two authorities", {START, ":authority", "a.example"}, NULL, MALFORMED, 0},
	{"a pseudo-header field behind a field", {GET, "x", "y", ":authority", "a"}, NULL, MALFORMED, 0},
	{"one of an answer", {START, ":status", "200"}, NULL, MALFORMED, 0},
	{"an unknown one", {START, ":x", "y"}, NULL, MALFORMED, 0},
	{"one of a protocol", {START, ":protocol", "websocket"}, NULL, MALFORMED, 0},
	{"an empty method", {":method", "", ":scheme", "https"}, NULL, MALFORMED, 0},
	{"a method that is no token", {":method", "G@T", ":scheme", "https"}, NULL, MALFORMED, 0},
	{"a path that is a URI", {":method", "GET", ":scheme", "https", ":path", "https://a/", ":authority", "a"}, NULL,
		MALFORMED, 0},
	{"a method that is not served", {":method", "TRACE", ":scheme", "https"}, NULL, REFUSED, 501},
	{"a tunnel", {":method", "CONNECT", ":authority", "a.example:443"}, NULL, REFUSED, 501},
	{"another scheme", {":method", "GET", ":scheme", "http", ":path", "/", ":authority", "a"}, NULL, REFUSED, 400},
	{"an authority with a user", {GET, ":authority", "u@a.example"}, NULL, REFUSED, 400},
	{"an empty authority", {GET, ":authority", ""}, NULL, REFUSED, 400},
	{"an authority that differs from Host", {START, "host", "b.example"}, NULL, REFUSED, 400},
	{"a port that differs from Host's", {START, "host", "a.example:8443"}, NULL, REFUSED, 400},
	{"two hosts", {START, "host", "a.example", "host", "a.example"}, NULL, REFUSED, 400},
	{"a path without a slash", {":method", "GET", ":scheme", "https", ":path", "x", ":authority", "a"}, NULL,
		REFUSED, 400},
	{"a path with a dot segment", {":method", "GET", ":scheme", "https", ":path", "/a/../b", ":authority", "a"},
		NULL, REFUSED, 400},
	{"an asterisk that is not for OPTIONS", {":method", "GET", ":scheme", "https", ":path", "*", ":authority", "a"},
		NULL, REFUSED, 400},
	{"a path that is too long",
		{":method", "GET", ":scheme", "https", ":path", "/" LONG_80 LONG_80, ":authority", "a"}, NULL, REFUSED,
		414},

	/* 8.2 fields */
	{"a capital letter", {START, "X", "y"}, NULL, MALFORMED, 0},
	{"a space in a name", {START, "x y", "z"}, NULL, MALFORMED, 0},
	{"a colon in a name", {START, "x:", "z"}, NULL, MALFORMED, 0},
	{"an empty name", {START, "", "z"}, NULL, MALFORMED, 0},
	{"a CR in a value", {START, "x", "a\rb"}, NULL, MALFORMED, 0},
	{"an LF in a value", {START, "x", "a\nb"}, NULL, MALFORMED, 0},
	{"a DEL in a value", {START, "x", "a\x7f"}, NULL, MALFORMED, 0},
	{"a space before a value", {START, "x", " a"}, NULL, MALFORMED, 0},
	{"a tab behind a value", {START, "x", "a\t"}, NULL, MALFORMED, 0},
	{"connection", {START, "connection", "close"}, NULL, MALFORMED, 0},
	{"keep-alive", {START, "keep-alive", "timeout=5"}, NULL, MALFORMED, 0},
	{"proxy-connection", {START, "proxy-connection", "close"}, NULL, MALFORMED, 0},
	{"transfer-encoding", {START, "transfer-encoding", "chunked"}, "{}", MALFORMED, 0},
	{"upgrade", {START, "upgrade", "h2c"}, NULL, MALFORMED, 0},
	{"te with more than trailers", {START, "te", "trailers, gzip"}, NULL, MALFORMED, 0},
	{"a name like a framing field", {START, "transfer_encoding", "chunked"}, NULL, REFUSED, 400},
	{"chunked as the content's coding", {START, "content-encoding", "chunked"}, NULL, REFUSED, 400},
	{"an unknown expectation", {START, "expect", "nothing"}, NULL, REFUSED, 417},
	{"too many fields", {START, "a", "", "b", "", "c", "", "d", "", "e", "", "f", "", "g", "", "h", ""}, NULL,
		TAKEN, 0},

	/* 8.1.1 content-length */
	{"content shorter than it says", {START, "content-length", "3"}, "{}", MALFORMED, 0},
	{"content longer than it says", {START, "content-length", "1"}, "{}", MALFORMED, 0},
	{"no content where some is announced", {START, "content-length", "1"}, NULL, MALFORMED, 0},
	{"two lengths", {START, "content-length", "2", "content-length", "2"}, "{}", REFUSED, 400},
	{"a length that is no number", {START, "content-length", "+2"}, "{}", REFUSED, 400},
	{"a length above the cap", {START, "content-length", "65"}, NULL, REFUSED, 413},
	{"content above the cap", {START}, LONG_80, REFUSED, 413},
};

static void a_request_in_fields_is_judged_as_one_in_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct driven *driven = drive(cases[i].fields, cases[i].content);

		CHECK(cases[i].name, outcome_of(driven) == cases[i].outcome);
		if (cases[i].outcome == REFUSED)
			CHECK(cases[i].name, err_status(driven->parser.err) == cases[i].status);
		drive_free(driven);
	}
}

static void what_it_says_is_read_as_from_lines(void **state)
{
	static const char *const fields[] = {":path", "/v1/x?q=1", ":scheme", "https", ":method", "POST", ":authority",
		"a.example:8443", "cookie", "a=1", "x", "y", "cookie", "b=2", "cookie", "c=3", NULL};
	struct driven *driven = drive(fields, "{\"a\":1}");
	const struct http_parser *parser = &driven->parser;
	struct str value;

	(void)state;
	assert_int_equal(outcome_of(driven), TAKEN);
	assert_true(str_eq_c(http_method(parser), "POST"));
	assert_true(str_eq_c(http_path(parser), "/v1/x"));
	assert_true(str_eq_c(http_query(parser), "q=1"));
	assert_true(str_eq_c(http_authority(parser), "a.example:8443"));
	assert_int_equal(http_find(parser, "cookie", &value), 1);
	assert_true(str_eq_c(value, "a=1; b=2; c=3"));
	assert_int_equal(http_find(parser, "x", &value), 1);
	assert_true(str_eq_c(value, "y"));
	assert_int_equal(parser->field_count, 2);
	assert_true(str_eq_c(http_body(parser), "{\"a\":1}"));
	assert_true(parser->chunked && parser->keep_alive);
	drive_free(driven);
}

static void the_size_and_number_of_fields_have_an_end(void **state)
{
	struct http_parser *parser = malloc(sizeof *parser);
	struct buf in;
	size_t count = 0;

	(void)state;
	assert_non_null(parser);
	buf_init(&in, http_limits_bytes(&limits) + limits.header_bytes_max);
	http_fields_begin(parser, &in, &limits);
	while (parser->stage != HTTP_STAGE_FAILED) {
		http_fields_add(parser, &in, STR("x"), STR("y"));
		count++;
	}
	assert_int_equal(count, limits.headers_max + 1);
	assert_int_equal(err_status(parser->err), 431);
	http_fields_begin(parser, &in, &limits);
	for (count = 0; parser->stage != HTTP_STAGE_FAILED; count++)
		http_fields_add(parser, &in, STR("x"), STR(LONG_80));
	assert_int_equal(count, limits.header_bytes_max / (1 + 80 + 4) + 1);
	assert_int_equal(err_status(parser->err), 431);
	buf_release(&in);
	free(parser);
}

static void trailers_bring_nothing(void **state)
{
	static const struct {
		const char *name, *field, *value;
		bool taken;
	} trailers[] = {
		{"a field", "x", "y", true},
		{"a pseudo-header field", ":path", "/", false},
		{"a field of a connection", "connection", "close", false},
		{"a capital letter", "X", "y", false},
	};
	static const char *const fields[] = {START, NULL};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(trailers); i++) {
		struct driven *driven = drive(fields, "{}");

		driven->parser.stage = HTTP_STAGE_BODY;
		http_fields_trailer(&driven->parser, str_from(trailers[i].field), str_from(trailers[i].value));
		http_fields_whole(&driven->parser);
		CHECK(trailers[i].name, outcome_of(driven) == (trailers[i].taken ? TAKEN : MALFORMED));
		CHECK(trailers[i].name, driven->parser.field_count == 0);
		drive_free(driven);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_in_fields_is_judged_as_one_in_lines),
		cmocka_unit_test(what_it_says_is_read_as_from_lines),
		cmocka_unit_test(the_size_and_number_of_fields_have_an_end),
		cmocka_unit_test(trailers_bring_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
