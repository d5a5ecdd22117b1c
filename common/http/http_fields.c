/* SPDX-License-Identifier: Apache-2.0 */
#include "http/http_fields.h"

#include "http/http_head.h"

#define FIELD_OVERHEAD 4 /* ": " and CRLF: a field counts as much as it would as a line */

static void fail_malformed(struct http_parser *parser, const char *reason)
{
	parser->malformed = true;
	(void)http_head_fail(parser, ERR_BAD_REQUEST, reason);
}

static bool failed(const struct http_parser *parser)
{
	return parser->stage == HTTP_STAGE_FAILED;
}

static struct str span_str(const struct http_parser *parser, struct http_span span)
{
	return (struct str){parser->message + span.at, span.len};
}

/* Puts a copy behind the message; false after a failure. */
static bool keep(struct http_parser *parser, struct buf *in, struct str text)
{
	buf_put_str(in, text);
	if (!buf_ok(in))
		return http_head_fail(parser, ERR_OVERLOADED, "there is no room");
	parser->message = in->p;
	parser->at = in->len;
	return true;
}

/* Heads fit 16 bits by their limits. */
static void keep_as(struct http_parser *parser, struct buf *in, struct str text, struct http_span *span_out)
{
	const size_t at = in->len;

	if (keep(parser, in, text))
		*span_out = (struct http_span){(uint16_t)at, (uint16_t)text.len};
}

void http_fields_begin(struct http_parser *parser, struct buf *in, const struct http_limits *limits)
{
	buf_reset(in);
	http_parser_init(parser, limits);
	parser->framed = true;
	parser->minor = 1;
	parser->stage = HTTP_STAGE_FIELDS;
	parser->message = in->p;
}

static void take_method(struct http_parser *parser, struct buf *in, struct str value)
{
	enum err err;

	if (parser->line.method.len > 0) {
		fail_malformed(parser, "there is more than one :method");
		return;
	}
	if ((err = http_method_parse(value, &parser->method)) == ERR_BAD_REQUEST)
		fail_malformed(parser, "the method is not a token");
	else if (err != OK)
		(void)http_head_fail(parser, err, "the method is not implemented");
	else
		keep_as(parser, in, value, &parser->line.method);
}

static void take_path(struct http_parser *parser, struct buf *in, struct str value)
{
	if (parser->line.target.len > 0 || value.len == 0)
		fail_malformed(parser, "there is no :path, or more than one");
	else if (value.len > parser->limits->target_max)
		(void)http_head_fail(parser, ERR_URI_TOO_LONG, "the target is too long");
	else
		keep_as(parser, in, value, &parser->line.target);
}

static void take_authority(struct http_parser *parser, struct buf *in, struct str value)
{
	struct str host;
	unsigned port;

	if (parser->line.has_authority)
		fail_malformed(parser, "there is more than one :authority");
	else if (http_authority_parse(value, &host, &port) != OK)
		(void)http_head_fail(parser, ERR_BAD_REQUEST, "the authority is malformed");
	else
		keep_as(parser, in, value, &parser->line.authority);
	parser->line.has_authority = true;
}

static void take_scheme(struct http_parser *parser, struct str value)
{
	if (parser->line.https)
		fail_malformed(parser, "there is more than one :scheme");
	else if (!str_eq_nocase(value, STR("https")))
		(void)http_head_fail(parser, ERR_BAD_REQUEST, "the scheme is not https");
	parser->line.https = true;
}

static void take_pseudo(struct http_parser *parser, struct buf *in, struct str name, struct str value)
{
	if (parser->field_count > 0)
		fail_malformed(parser, "a pseudo-header field stands behind a field");
	else if (str_eq_c(name, ":method"))
		take_method(parser, in, value);
	else if (str_eq_c(name, ":path"))
		take_path(parser, in, value);
	else if (str_eq_c(name, ":authority"))
		take_authority(parser, in, value);
	else if (str_eq_c(name, ":scheme"))
		take_scheme(parser, value);
	else
		fail_malformed(parser, "a pseudo-header field is unknown");
}

/* RFC 9113 section 8.2.2: fields of a connection have no meaning here, and another server might give them one. */
static bool of_connection(struct str name, struct str value)
{
	switch (name.len) {
	case 2:
		return str_eq_c(name, "te") && !str_eq_nocase(value, STR("trailers"));
	case 7:
		return str_eq_c(name, "upgrade");
	case 10:
		return str_eq_c(name, "connection") || str_eq_c(name, "keep-alive");
	case 16:
		return str_eq_c(name, "proxy-connection");
	case 17:
		return str_eq_c(name, "transfer-encoding");
	default:
		return false;
	}
}

/* What RFC 9113 section 8.2.1 says of any field; false after a failure. */
static bool check_field(struct http_parser *parser, struct str name, struct str value)
{
	for (size_t i = 0; i < name.len; i++) {
		if (name.p[i] >= 'A' && name.p[i] <= 'Z') {
			fail_malformed(parser, "a field's name has a capital letter");
			return false;
		}
	}
	if (!http_is_token(name) || !http_is_field_value(value) || str_trim(value).len != value.len) {
		fail_malformed(parser, "a field's name or value has a byte that cannot stand there");
		return false;
	}
	if (of_connection(name, value)) {
		fail_malformed(parser, "a field is of a connection");
		return false;
	}
	return true;
}

/* Counts a field by the size that it would have as a line; false after a failure. */
static bool count_field(struct http_parser *parser, struct str name, struct str value)
{
	parser->fields_len += name.len + value.len + FIELD_OVERHEAD;
	if (parser->fields_len > parser->limits->header_bytes_max)
		return http_head_fail(parser, ERR_HEADER_TOO_LARGE, "the fields are too large");
	return true;
}

void http_fields_add(struct http_parser *parser, struct buf *in, struct str name, struct str value)
{
	if (failed(parser))
		return;
	if (name.len > 0 && name.p[0] == ':') {
		take_pseudo(parser, in, name, value);
		return;
	}
	if (!check_field(parser, name, value) || !count_field(parser, name, value))
		return;
	if (!keep(parser, in, name) || !keep(parser, in, value))
		return;
	value.p = in->p + in->len - value.len;
	name.p = value.p - name.len;
	(void)http_head_field(parser, name, value);
}

void http_fields_trailer(struct http_parser *parser, struct str name, struct str value)
{
	if (!failed(parser) && check_field(parser, name, value))
		(void)count_field(parser, name, value);
}

static bool is_cookie(const struct http_parser *parser, size_t index)
{
	return str_eq_c(span_str(parser, parser->fields[index].name), "cookie");
}

/* Puts "; " and the value of one more field behind the message; false after a failure. */
static bool join_one(struct http_parser *parser, struct buf *in, struct http_span value, bool first)
{
	if (!first && !keep(parser, in, STR("; ")))
		return false;
	if (in->len + value.len > UINT16_MAX)
		return http_head_fail(parser, ERR_HEADER_TOO_LARGE, "the fields are too large");
	/* With room for it the buffer does not move under what is copied. */
	if (buf_reserve(in, value.len) == NULL)
		return http_head_fail(parser, ERR_OVERLOADED, "there is no room");
	return keep(parser, in, (struct str){in->p + value.at, value.len});
}

/* RFC 9113 section 8.2.3: what came in pieces is one field for whoever is behind us. */
static void join_cookies(struct http_parser *parser, struct buf *in)
{
	const size_t at = in->len;
	uint16_t left = 0, joined = 0;
	size_t count = 0;

	for (size_t i = 0; i < parser->field_count; i++)
		count += is_cookie(parser, i) ? 1 : 0;
	if (count < 2)
		return;
	count = 0;
	for (size_t i = 0; i < parser->field_count; i++) {
		if (is_cookie(parser, i)) {
			if (!join_one(parser, in, parser->fields[i].value, count == 0))
				return;
			if (count++ > 0)
				continue;
			joined = left;
		}
		parser->fields[left++] = parser->fields[i];
	}
	parser->field_count = left;
	parser->fields[joined].value = (struct http_span){(uint16_t)at, (uint16_t)(in->len - at)};
}

static void take_target(struct http_parser *parser)
{
	const struct str text = span_str(parser, parser->line.target);
	struct http_target target;
	const char *reason;

	if (http_target_parse(text, parser->method, &target, &reason) != OK) {
		(void)http_head_fail(parser, ERR_BAD_REQUEST, reason);
		return;
	}
	if (target.form == HTTP_ABSOLUTE_FORM) {
		fail_malformed(parser, ":path is no path");
		return;
	}
	parser->line.form = target.form;
	parser->line.path = parser->line.target;
	parser->line.path.len = (uint16_t)target.path.len;
	parser->line.has_query = target.query.p != NULL;
	if (parser->line.has_query)
		parser->line.query =
			(struct http_span){(uint16_t)(target.query.p - parser->message), (uint16_t)target.query.len};
}

void http_fields_end(struct http_parser *parser, struct buf *in, bool whole)
{
	if (!failed(parser) && (parser->line.method.len == 0 || parser->line.target.len == 0 || !parser->line.https))
		fail_malformed(parser, "a pseudo-header field is missing");
	if (!failed(parser) && !parser->line.has_authority && !parser->host_seen)
		fail_malformed(parser, "there is no authority");
	if (!failed(parser))
		take_target(parser);
	if (!failed(parser))
		join_cookies(parser, in);
	if (failed(parser) || !http_head_finish(parser))
		return;
	parser->at = parser->body_at = in->len;
	parser->stage = HTTP_STAGE_BODY;
	parser->chunked = !whole && !parser->has_content_length;
	if (whole)
		http_fields_whole(parser);
}

void http_fields_content(struct http_parser *parser, struct buf *in, struct str bytes)
{
	if (failed(parser))
		return;
	if (bytes.len > parser->body_max || parser->body_len > parser->body_max - bytes.len)
		(void)http_head_fail(parser, ERR_TOO_LARGE, "the content is too large");
	else if (parser->has_content_length && parser->body_len + bytes.len > parser->content_length)
		fail_malformed(parser, "the content is longer than Content-Length");
	else if (keep(parser, in, bytes))
		parser->body_len += bytes.len;
}

void http_fields_whole(struct http_parser *parser)
{
	if (failed(parser))
		return;
	if (parser->has_content_length && parser->body_len != parser->content_length)
		fail_malformed(parser, "the content is shorter than Content-Length");
	else
		parser->stage = HTTP_STAGE_DONE;
}
