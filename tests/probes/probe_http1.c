/* SPDX-License-Identifier: Apache-2.0 */
#include "edge_limits.h"
#include "http/http.h"
#include "probe.h"

/* The same as the edge's (gateway/conn.c). */
static const struct http_limits limits = {
	.request_line_max = EDGE_TARGET_MAX + 64,
	.target_max = EDGE_TARGET_MAX,
	.headers_max = EDGE_HEADERS_MAX,
	.header_bytes_max = EDGE_HEAD_BYTES_MAX,
	.body_max = EDGE_BODY_MAX,
};

static void put_request(struct json_writer *w, const struct http_parser *parser)
{
	json_begin_object(w);
	json_key(w, "method");
	probe_put_bytes(w, http_method(parser));
	json_key(w, "target");
	probe_put_bytes(w, http_target(parser));
	json_key(w, "version");
	json_put_c(w, parser->minor ? "HTTP/1.1" : "HTTP/1.0");
	json_key(w, "headers");
	json_begin_array(w);
	for (size_t i = 0; i < parser->field_count; i++) {
		struct http_field field = http_field(parser, i);

		json_begin_array(w);
		probe_put_bytes(w, field.name);
		probe_put_bytes(w, field.value);
		json_end_array(w);
	}
	json_end_array(w);
	json_key(w, "body_len");
	json_put_i64(w, (int64_t)parser->body_len);
	json_end_object(w);
}

#define STEP 4096

/* Feeds what is left of the connection until it has no more whole message: what it ended with. */
static enum http_result next_message(struct http_parser *parser, struct buf *in, struct str *left)
{
	enum http_result result;

	while ((result = http_parser_feed(parser, in)) == HTTP_HEAD_DONE || (result == HTTP_MORE && left->len > 0)) {
		size_t take = left->len < STEP ? left->len : STEP;

		if (result == HTTP_HEAD_DONE)
			continue;
		buf_put(in, left->p, take);
		if (!buf_ok(in))
			return HTTP_FAIL;
		left->p += take;
		left->len -= take;
	}
	return result;
}

static void put_end(
	struct json_writer *w, const struct http_parser *parser, enum http_result result, bool begun, bool close)
{
	json_key(w, "status");
	if (result == HTTP_FAIL)
		json_put_i64(w, err_status(parser->err));
	else
		json_put_null(w);
	json_key(w, "error");
	if (result == HTTP_FAIL)
		json_put_c(w, err_code(parser->err));
	else if (begun)
		json_put_c(w, "incomplete");
	else
		json_put_null(w);
	json_key(w, "close");
	json_put_bool(w, close);
	if (result == HTTP_FAIL) {
		json_key(w, "reason");
		json_put_c(w, parser->reason);
	}
	json_end_object(w);
}

int probe_http1(struct probe *probe)
{
	struct http_parser parser;
	struct buf in, line;
	struct json_writer w;
	struct str left = probe->input;
	enum http_result result;
	bool close = false;
	int code;

	buf_init(&in, http_limits_bytes(&limits) + 2 * (size_t)STEP);
	buf_init(&line, PROBE_ARENA_MAX);
	http_parser_init(&parser, &limits);
	w = json_writer_over(&line);
	json_begin_object(&w);
	json_key(&w, "requests");
	json_begin_array(&w);
	for (;;) {
		result = next_message(&parser, &in, &left);
		if (result != HTTP_DONE)
			break;
		put_request(&w, &parser);
		if (!parser.keep_alive) {
			close = true;
			break;
		}
		http_parser_next(&parser, &in);
	}
	json_end_array(&w);
	put_end(&w, &parser, result, result == HTTP_MORE && http_parser_begun(&parser, &in),
		close || result == HTTP_FAIL);
	code = probe_print(&line);
	buf_release(&in);
	buf_release(&line);
	return code;
}
