/* SPDX-License-Identifier: Apache-2.0 */
#include "http/http.h"

#include <string.h>

#include "base/log.h"
#include "http/http_head.h"

/* RFC 9112 section 7.1 has no end to a chunk's size, nor to zeros in front; so many digits just fit chunk_left. */
#define CHUNK_DIGITS_MAX 16

enum chunk_stage {
	CHUNK_SIZE,
	CHUNK_SIZE_LF,
	CHUNK_DATA,
	CHUNK_DATA_CR,
	CHUNK_DATA_LF,
	CHUNK_END_CR,
	CHUNK_END_LF,
};

size_t http_limits_bytes(const struct http_limits *limits)
{
	/* An empty line before, the ends of request line and head, and room for a chunk's framing. */
	return 64 + limits->request_line_max + limits->header_bytes_max + limits->body_max;
}

static void parser_reset(struct http_parser *parser)
{
	const struct http_limits *limits = parser->limits;
	size_t start = parser->start;

	/* The fields are read up to field_count only. */
	memset(parser, 0, offsetof(struct http_parser, fields));
	parser->limits = limits;
	parser->start = start;
	parser->body_max = limits->body_max;
}

void http_parser_init(struct http_parser *parser, const struct http_limits *limits)
{
	INVARIANT(limits->headers_max <= HTTP_HEADERS_MAX);
	INVARIANT(limits->request_line_max <= UINT16_MAX && limits->header_bytes_max <= UINT16_MAX);
	INVARIANT(limits->request_line_max + limits->header_bytes_max + 4 <= UINT16_MAX);
	parser->limits = limits;
	parser->start = 0;
	parser_reset(parser);
}

enum line_result { LINE_MORE, LINE_DONE, LINE_FAIL };

/*
 * The line at parser->at, once it is there. Only the first CR or LF within the next max_len + 1 bytes decides, so that
 * the verdict is the same however the bytes came.
 */
static enum line_result take_line(struct http_parser *parser, size_t avail, size_t max_len, struct str *line_out)
{
	const char *p = parser->message;
	size_t end = avail - parser->at > max_len ? parser->at + max_len + 1 : avail;
	const char *lf = end > parser->scanned ? memchr(p + parser->scanned, '\n', end - parser->scanned) : NULL;
	size_t lf_at = lf != NULL ? (size_t)(lf - p) : end;
	const char *cr = lf_at > parser->scanned ? memchr(p + parser->scanned, '\r', lf_at - parser->scanned) : NULL;
	size_t cr_at = cr != NULL ? (size_t)(cr - p) : lf_at;

	if (cr != NULL) {
		parser->scanned = cr_at;
		if (cr_at + 1 == avail)
			return LINE_MORE;
		if (p[cr_at + 1] != '\n') {
			(void)http_head_fail(parser, ERR_BAD_REQUEST, "a CR stands alone");
			return LINE_FAIL;
		}
		*line_out = (struct str){p + parser->at, cr_at - parser->at};
		parser->at = parser->scanned = cr_at + 2;
		return LINE_DONE;
	}
	if (lf != NULL) {
		(void)http_head_fail(parser, ERR_BAD_REQUEST, "a line ends without CR");
		return LINE_FAIL;
	}
	parser->scanned = end;
	if (avail - parser->at > max_len) {
		if (parser->stage == HTTP_STAGE_LINE)
			(void)http_head_fail(parser, ERR_URI_TOO_LONG, "the request line is too long");
		else
			(void)http_head_fail(parser, ERR_HEADER_TOO_LARGE, "the fields are too large");
		return LINE_FAIL;
	}
	return LINE_MORE;
}

static enum http_result feed_request_line(struct http_parser *parser, size_t avail)
{
	enum line_result result;
	struct str line;

	result = take_line(parser, avail, parser->limits->request_line_max, &line);
	if (result == LINE_DONE && line.len == 0 && !parser->blank_seen) {
		/* RFC 9112 section 2.2 lets one empty line stand before a request, which begins behind it. */
		parser->blank_seen = true;
		parser->message += parser->at;
		parser->start += parser->at;
		avail -= parser->at;
		parser->at = parser->scanned = 0;
		result = take_line(parser, avail, parser->limits->request_line_max, &line);
	}
	if (result != LINE_DONE)
		return result == LINE_MORE ? HTTP_MORE : HTTP_FAIL;
	if (!http_head_request_line(parser, line))
		return HTTP_FAIL;
	parser->fields_at = parser->at;
	parser->stage = HTTP_STAGE_FIELDS;
	return HTTP_HEAD_DONE;
}

static enum http_result feed_fields(struct http_parser *parser, size_t avail)
{
	for (;;) {
		size_t used = parser->at - parser->fields_at;
		size_t left = parser->limits->header_bytes_max - used;
		enum line_result result;
		struct str line;

		result = take_line(parser, avail, left > 2 ? left - 2 : 0, &line);
		if (result != LINE_DONE)
			return result == LINE_MORE ? HTTP_MORE : HTTP_FAIL;
		if (line.len == 0)
			break;
		if (!http_head_field_line(parser, line))
			return HTTP_FAIL;
	}
	if (!http_head_finish(parser))
		return HTTP_FAIL;
	parser->body_at = parser->at;
	parser->stage = HTTP_STAGE_BODY;
	return HTTP_HEAD_DONE;
}

static bool fail_chunk(struct http_parser *parser, const char *reason)
{
	return http_head_fail(parser, ERR_BAD_REQUEST, reason);
}

static bool chunk_size_byte(struct http_parser *parser, char c)
{
	unsigned digit;

	if (c >= '0' && c <= '9')
		digit = (unsigned)(c - '0');
	else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
		digit = (unsigned)((c | 0x20) - 'a') + 10;
	else if (c == '\r' && parser->chunk_digits > 0) {
		parser->chunk_stage = CHUNK_SIZE_LF;
		return true;
	} else if (c == ';' || c == ' ' || c == '\t') {
		return fail_chunk(parser, "chunk extensions are not taken");
	} else {
		return fail_chunk(parser, "a chunk's size is malformed");
	}
	if (parser->chunk_digits == CHUNK_DIGITS_MAX)
		return fail_chunk(parser, "a chunk's size is too long");
	parser->chunk_digits++;
	parser->chunk_left = parser->chunk_left << 4 | digit;
	return true;
}

static bool chunk_begins(struct http_parser *parser)
{
	parser->chunk_stage = parser->chunk_left == 0 ? CHUNK_END_CR : CHUNK_DATA;
	if (parser->chunk_left > parser->body_max || parser->body_len > parser->body_max - parser->chunk_left)
		return http_head_fail(parser, ERR_TOO_LARGE, "the content is too large");
	return true;
}

/* One byte of framing, which is everything but the data. A chunk's size apart, each place takes one byte only. */
static bool chunk_framing_byte(struct http_parser *parser, char c)
{
	static const struct {
		char byte;
		const char *reason;
	} places[] = {
		[CHUNK_SIZE_LF] = {'\n', "a CR stands alone"},
		[CHUNK_DATA_CR] = {'\r', "a chunk is longer than its size"},
		[CHUNK_DATA_LF] = {'\n', "a CR stands alone"},
		[CHUNK_END_CR] = {'\r', "trailers are not taken"},
		[CHUNK_END_LF] = {'\n', "a CR stands alone"},
	};

	if (parser->chunk_stage == CHUNK_SIZE)
		return chunk_size_byte(parser, c);
	if (c != places[parser->chunk_stage].byte)
		return fail_chunk(parser, places[parser->chunk_stage].reason);
	switch ((enum chunk_stage)parser->chunk_stage) {
	case CHUNK_SIZE_LF:
		return chunk_begins(parser);
	case CHUNK_DATA_LF:
		parser->chunk_digits = 0;
		parser->chunk_stage = CHUNK_SIZE;
		break;
	case CHUNK_END_LF:
		parser->stage = HTTP_STAGE_DONE;
		break;
	default:
		parser->chunk_stage++; /* from a CR to its LF */
		break;
	}
	return true;
}

/* Data moves down over the framing before it, so that the content stands in one piece behind the head. */
static enum http_result feed_chunked(struct http_parser *parser, struct buf *in)
{
	char *p = in->p + parser->start;
	size_t avail = in->len - parser->start;

	while (parser->at < avail) {
		size_t len;

		if (parser->chunk_stage != CHUNK_DATA) {
			if (!chunk_framing_byte(parser, p[parser->at]))
				return HTTP_FAIL;
			parser->at++;
			if (parser->stage == HTTP_STAGE_DONE)
				return HTTP_DONE;
			continue;
		}
		len = avail - parser->at;
		if (len > parser->chunk_left)
			len = (size_t)parser->chunk_left;
		memmove(p + parser->body_at + parser->body_len, p + parser->at, len);
		parser->body_len += len;
		parser->at += len;
		parser->chunk_left -= len;
		if (parser->chunk_left == 0)
			parser->chunk_stage = CHUNK_DATA_CR;
	}
	/* All was understood: the framing goes, or a body of tiny chunks would take six times its cap. */
	parser->at = parser->body_at + parser->body_len;
	buf_truncate(in, parser->start + parser->at);
	return HTTP_MORE;
}

static enum http_result feed_body(struct http_parser *parser, struct buf *in)
{
	size_t have = in->len - parser->start - parser->body_at;

	if (parser->chunked)
		return feed_chunked(parser, in);
	if (parser->content_length > parser->body_max) {
		(void)http_head_fail(parser, ERR_TOO_LARGE, "the content is too large");
		return HTTP_FAIL;
	}
	parser->body_len = have < parser->content_length ? have : (size_t)parser->content_length;
	parser->at = parser->body_at + parser->body_len;
	if (parser->body_len < parser->content_length)
		return HTTP_MORE;
	parser->stage = HTTP_STAGE_DONE;
	return HTTP_DONE;
}

static enum http_result feed_stage(struct http_parser *parser, struct buf *in)
{
	enum http_result result;

	switch (parser->stage) {
	case HTTP_STAGE_LINE:
		result = feed_request_line(parser, in->len - parser->start);
		if (result != HTTP_HEAD_DONE)
			return result;
		return feed_fields(parser, in->len - parser->start);
	case HTTP_STAGE_FIELDS:
		return feed_fields(parser, in->len - parser->start);
	case HTTP_STAGE_BODY:
		return feed_body(parser, in);
	case HTTP_STAGE_DONE:
		return HTTP_DONE;
	case HTTP_STAGE_FAILED:
		break;
	}
	return HTTP_FAIL;
}

static enum http_result framed_result(const struct http_parser *parser)
{
	if (parser->stage == HTTP_STAGE_FAILED)
		return HTTP_FAIL;
	return parser->stage == HTTP_STAGE_DONE ? HTTP_DONE : HTTP_MORE;
}

enum http_result http_parser_feed(struct http_parser *parser, struct buf *in)
{
	enum http_result result;

	if (parser->framed)
		return framed_result(parser);
	INVARIANT(parser->start + parser->at <= in->len);
	if (in->len == parser->start && parser->stage == HTTP_STAGE_LINE)
		return HTTP_MORE;
	parser->message = in->p + parser->start;
	result = feed_stage(parser, in);
	/* Only when more must come does the message move to the front: once a read, not once a message. */
	if (result == HTTP_MORE && parser->start > 0) {
		buf_consume(in, parser->start);
		parser->start = 0;
		parser->message = in->p;
	}
	return result;
}

void http_parser_next(struct http_parser *parser, struct buf *in)
{
	INVARIANT(parser->stage == HTTP_STAGE_DONE);
	parser->start += parser->at;
	if (parser->start == in->len) {
		buf_truncate(in, 0);
		parser->start = 0;
	}
	parser_reset(parser);
}

void http_parser_limit_body(struct http_parser *parser, size_t body_max)
{
	if (body_max < parser->body_max)
		parser->body_max = body_max;
}

bool http_parser_begun(const struct http_parser *parser, const struct buf *in)
{
	return parser->stage != HTTP_STAGE_LINE || in->len > parser->start;
}

size_t http_parser_missing(const struct http_parser *parser)
{
	if (parser->stage != HTTP_STAGE_BODY)
		return 0;
	return (size_t)(parser->chunked ? parser->chunk_left : parser->content_length - parser->body_len);
}

static struct str span_str(const struct http_parser *parser, struct http_span span)
{
	return (struct str){parser->message + span.at, span.len};
}

struct str http_method(const struct http_parser *parser)
{
	return span_str(parser, parser->line.method);
}

struct str http_target(const struct http_parser *parser)
{
	return span_str(parser, parser->line.target);
}

struct str http_path(const struct http_parser *parser)
{
	/* Only an absolute target without a path has none of its own. */
	if (parser->line.path.len == 0)
		return parser->method == HTTP_OPTIONS && !parser->line.has_query ? STR("*") : STR("/");
	return span_str(parser, parser->line.path);
}

struct str http_query(const struct http_parser *parser)
{
	return parser->line.has_query ? span_str(parser, parser->line.query) : STR_NONE;
}

struct str http_authority(const struct http_parser *parser)
{
	if (parser->line.has_authority)
		return span_str(parser, parser->line.authority);
	return parser->host_seen ? span_str(parser, parser->host) : STR_NONE;
}

struct http_field http_field(const struct http_parser *parser, size_t index)
{
	INVARIANT(index < parser->field_count);
	return (struct http_field){
		span_str(parser, parser->fields[index].name), span_str(parser, parser->fields[index].value)};
}

size_t http_find(const struct http_parser *parser, const char *name, struct str *value_out)
{
	struct str wanted = str_from(name);
	size_t count = 0;

	*value_out = STR_NONE;
	for (size_t i = 0; i < parser->field_count; i++) {
		if (parser->fields[i].name.len != wanted.len ||
			!str_eq_nocase(span_str(parser, parser->fields[i].name), wanted))
			continue;
		if (count++ == 0)
			*value_out = span_str(parser, parser->fields[i].value);
	}
	return count;
}

struct str http_body(const struct http_parser *parser)
{
	return (struct str){parser->message + parser->body_at, parser->body_len};
}
