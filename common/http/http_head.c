/* SPDX-License-Identifier: Apache-2.0 */
#include "http/http_head.h"

bool http_head_fail(struct http_parser *parser, enum err err, const char *reason)
{
	parser->stage = HTTP_STAGE_FAILED;
	parser->keep_alive = false;
	parser->err = err;
	parser->reason = reason;
	return false;
}

static bool fail_bad(struct http_parser *parser, const char *reason)
{
	return http_head_fail(parser, ERR_BAD_REQUEST, reason);
}

/* `s` lies in the message; heads fit 16 bits by their limits. */
static struct http_span span_of(const struct http_parser *parser, struct str s)
{
	return (struct http_span){(uint16_t)(s.p - parser->message), (uint16_t)s.len};
}

static struct str span_str(const struct http_parser *parser, struct http_span span)
{
	return (struct str){parser->message + span.at, span.len};
}

static bool parse_version(struct http_parser *parser, struct str text)
{
	if (text.len != 8 || !str_starts(text, "HTTP/") || text.p[5] < '0' || text.p[5] > '9' || text.p[6] != '.' ||
		text.p[7] < '0' || text.p[7] > '9')
		return fail_bad(parser, "the request line has no HTTP version");
	if (text.p[5] == '0')
		return fail_bad(parser, "HTTP/0.9 is not spoken");
	if (text.p[5] != '1')
		return http_head_fail(parser, ERR_VERSION_UNSUPPORTED, "the HTTP version is not spoken");
	/* RFC 9110 section 6.2: a higher minor version is processed as the highest that we know. */
	parser->minor = text.p[7] == '0' ? 0 : 1;
	return true;
}

/* The path of "http://host" is a constant: it stands nowhere in the message, and its span stays empty. */
static bool path_is_missing(const struct http_target *target, struct str text)
{
	const char *behind;

	if (target->authority.p == NULL)
		return false;
	behind = target->authority.p + target->authority.len;
	return behind == text.p + text.len || *behind != '/';
}

bool http_head_request_line(struct http_parser *parser, struct str line)
{
	struct str method, text, version = line;
	struct http_target target;
	const char *reason;
	enum err err;

	if (!str_cut(&version, ' ', &method) || !str_cut(&version, ' ', &text) || text.len == 0)
		return fail_bad(parser, "the request line is not method, target and version");
	if ((err = http_method_parse(method, &parser->method)) == ERR_BAD_REQUEST)
		return fail_bad(parser, "the method is not a token");
	if (!parse_version(parser, version))
		return false;
	if (err != OK)
		return http_head_fail(parser, err, "the method is not implemented");
	if (text.len > parser->limits->target_max)
		return http_head_fail(parser, ERR_URI_TOO_LONG, "the target is too long");
	if ((err = http_target_parse(text, parser->method, &target, &reason)) != OK)
		return http_head_fail(parser, err, reason);
	parser->line.method = span_of(parser, method);
	parser->line.target = span_of(parser, text);
	parser->line.form = target.form;
	parser->line.https = target.https;
	parser->line.has_authority = target.authority.p != NULL;
	if (parser->line.has_authority)
		parser->line.authority = span_of(parser, target.authority);
	parser->line.has_query = target.query.p != NULL;
	if (parser->line.has_query)
		parser->line.query = span_of(parser, target.query);
	if (!path_is_missing(&target, text))
		parser->line.path = span_of(parser, target.path);
	return true;
}

static bool field_host(struct http_parser *parser, struct str value)
{
	struct str host;
	unsigned port;

	if (parser->host_seen)
		return fail_bad(parser, "there is more than one Host");
	if (http_authority_parse(value, &host, &port) != OK)
		return fail_bad(parser, "Host is malformed");
	parser->host_seen = true;
	parser->host = span_of(parser, value);
	return true;
}

static bool field_content_length(struct http_parser *parser, struct str value)
{
	uint64_t length = 0;

	if (parser->has_content_length)
		return fail_bad(parser, "there is more than one Content-Length");
	if (value.len == 0)
		return fail_bad(parser, "Content-Length is not a number");
	for (size_t i = 0; i < value.len; i++) {
		if (value.p[i] < '0' || value.p[i] > '9')
			return fail_bad(parser, "Content-Length is not a number");
		if (length > (INT64_MAX - 9) / 10)
			return fail_bad(parser, "Content-Length is beyond counting");
		length = length * 10 + (uint64_t)(value.p[i] - '0');
	}
	parser->has_content_length = true;
	parser->content_length = length;
	return true;
}

static bool has_chunked(struct str text)
{
	const struct str word = STR("chunked");

	for (size_t i = 0; i + word.len <= text.len; i++) {
		if (str_eq_nocase((struct str){text.p + i, word.len}, word))
			return true;
	}
	return false;
}

/*
 * Exactly "chunked" is served. A list that does not end in it leaves the message without an end (RFC 9112 section 6.3);
 * one that does, behind other codings, is complete but not implemented (section 6.1).
 */
static bool field_transfer_encoding(struct http_parser *parser, struct str value)
{
	const struct str chunked = STR("chunked");
	struct str list = value;
	struct str coding;
	bool last = false;

	if (parser->minor == 0)
		return fail_bad(parser, "HTTP/1.0 has no Transfer-Encoding");
	if (parser->chunked)
		return fail_bad(parser, "there is more than one Transfer-Encoding");
	if (str_eq_nocase(value, chunked)) {
		parser->chunked = true;
		return true;
	}
	while (http_list_next(&list, &coding)) {
		if (last || !http_is_token(coding))
			return fail_bad(parser, "Transfer-Encoding is malformed");
		last = str_eq_nocase(coding, chunked);
		if (!last && has_chunked(coding))
			return fail_bad(parser, "Transfer-Encoding is malformed");
	}
	if (!last)
		return fail_bad(parser, "Transfer-Encoding does not end in chunked");
	return http_head_fail(parser, ERR_NOT_IMPLEMENTED, "the transfer coding is not implemented");
}

static bool field_connection(struct http_parser *parser, struct str value)
{
	struct str list = value;
	struct str option;

	while (http_list_next(&list, &option)) {
		if (option.len > 0 && !http_is_token(option))
			return fail_bad(parser, "Connection is malformed");
		if (str_eq_nocase(option, STR("close")))
			parser->close_seen = true;
		else if (str_eq_nocase(option, STR("keep-alive")))
			parser->keep_alive_seen = true;
	}
	return true;
}

static bool field_expect(struct http_parser *parser, struct str value)
{
	if (!str_eq_nocase(value, STR("100-continue")))
		return http_head_fail(parser, ERR_EXPECTATION, "the expectation is unknown");
	/* RFC 9110 section 10.1.1: a 1.0 client cannot have meant it. */
	parser->expect_continue = parser->minor == 1;
	return true;
}

/* Whether `name` has the letters and digits of `plain` (lower case), whatever stands between them. */
static bool resembles(struct str name, const char *plain)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.p[i];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c | 0x20);
		if ((c < 'a' || c > 'z') && (c < '0' || c > '9'))
			continue;
		if (c != *plain)
			return false;
		plain++;
	}
	return *plain == '\0';
}

/*
 * Names that another server might take for a framing field, such as Transfer_Encoding: one of the two would be wrong.
 */
static bool field_other(struct http_parser *parser, struct str name, struct str value)
{
	if (name.len < 13)
		return true;
	if (resembles(name, "transferencoding") || resembles(name, "contentlength"))
		return fail_bad(parser, "a field's name resembles a framing field");
	if (str_eq_nocase(name, STR("content-encoding")) && has_chunked(value))
		return fail_bad(parser, "chunked is not a content coding");
	return true;
}

static bool field_meaning(struct http_parser *parser, struct str name, struct str value)
{
	switch (name.len) {
	case 4:
		if (str_eq_nocase(name, STR("host")))
			return field_host(parser, value);
		break;
	case 6:
		if (str_eq_nocase(name, STR("expect")))
			return field_expect(parser, value);
		break;
	case 10:
		if (str_eq_nocase(name, STR("connection")))
			return field_connection(parser, value);
		break;
	case 14:
		if (str_eq_nocase(name, STR("content-length")))
			return field_content_length(parser, value);
		break;
	case 17:
		if (str_eq_nocase(name, STR("transfer-encoding")))
			return field_transfer_encoding(parser, value);
		break;
	default:
		break;
	}
	return field_other(parser, name, value);
}

bool http_head_field_line(struct http_parser *parser, struct str line)
{
	struct str name, value = line;

	if (line.p[0] == ' ' || line.p[0] == '\t')
		return fail_bad(parser, "a field line is folded or begins with a space");
	if (!str_cut(&value, ':', &name))
		return fail_bad(parser, "a field line has no colon");
	if (name.len > 0 && (name.p[name.len - 1] == ' ' || name.p[name.len - 1] == '\t'))
		return fail_bad(parser, "a field's name has a space before its colon");
	if (!http_is_token(name))
		return fail_bad(parser, "a field's name is not a token");
	if (!http_is_field_value(value))
		return fail_bad(parser, "a field's value has a control character");
	return http_head_field(parser, name, str_trim(value));
}

bool http_head_field(struct http_parser *parser, struct str name, struct str value)
{
	if (parser->field_count == parser->limits->headers_max)
		return http_head_fail(parser, ERR_HEADER_TOO_LARGE, "there are too many fields");
	parser->fields[parser->field_count].name = span_of(parser, name);
	parser->fields[parser->field_count].value = span_of(parser, value);
	parser->field_count++;
	return field_meaning(parser, name, value);
}

/* RFC 9112 section 3.2.2: the target's authority counts. A Host that says otherwise is an attempt at two meanings. */
static bool authorities_agree(const struct http_parser *parser)
{
	unsigned usual_port = parser->line.https ? 443 : 80;
	struct str target_host, host;
	unsigned target_port, port;

	if (!parser->line.has_authority || !parser->host_seen)
		return true;
	if (http_authority_parse(span_str(parser, parser->line.authority), &target_host, &target_port) != OK ||
		http_authority_parse(span_str(parser, parser->host), &host, &port) != OK)
		return false;
	target_port = target_port == 0 ? usual_port : target_port;
	port = port == 0 ? usual_port : port;
	return target_port == port && str_eq_nocase(target_host, host);
}

bool http_head_finish(struct http_parser *parser)
{
	if (parser->chunked && parser->has_content_length)
		return fail_bad(parser, "there are both Content-Length and Transfer-Encoding");
	if (parser->minor == 1 && !parser->host_seen && !(parser->framed && parser->line.has_authority))
		return fail_bad(parser, "there is no Host");
	if (!authorities_agree(parser))
		return fail_bad(parser, "Host and the target's authority differ");
	if (parser->content_length > parser->limits->body_max)
		return http_head_fail(parser, ERR_TOO_LARGE, "the content is too large");
	parser->keep_alive = !parser->close_seen && (parser->minor == 1 || parser->keep_alive_seen);
	return true;
}
