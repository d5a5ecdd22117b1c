/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_HTTP_HTTP_H
#define BERTH_HTTP_HTTP_H

#include "base/buf.h"
#include "http/http_target.h"

/*
 * A strict HTTP/1.1 request parser (RFC 9112, 9110): what is ambiguous is refused, never repaired, and every refusal
 * ends the connection. It allocates nothing; it works inside the connection's own input buffer:
 *
 *	for (;;) {
 *		switch (http_parser_feed(&parser, &in)) {
 *		case HTTP_MORE:		append what arrives to `in`, then feed again
 *		case HTTP_HEAD_DONE:	once a message: route, lower the body's cap, answer `Expect`; then feed again
 *		case HTTP_DONE:		all of the message is there: handle it, then http_parser_next, feed again
 *		case HTTP_FAIL:		answer err_status(parser.err), close
 *		}
 *	}
 *
 * Strings that the parser gives borrow from `in` and are good until the next call of http_parser_feed or
 * http_parser_next, or until `in` grows. The verdict over a stream of bytes does not depend on how it is cut into
 * pieces. Where keep_alive is false, no further message may be parsed: answer, then close. `in` needs a cap of at least
 * http_limits_bytes; what is left of it bounds the requests that wait behind the present one.
 */
#define HTTP_HEADERS_MAX 100

struct http_limits {
	size_t request_line_max; /* bytes without CRLF; over it 414 */
	size_t target_max;       /* bytes; over it 414 */
	size_t headers_max;      /* field lines, at most HTTP_HEADERS_MAX; over it 431 */
	size_t header_bytes_max; /* all field lines with their CRLFs; over it 431 */
	size_t body_max;         /* bytes of content; over it 413 */
};

/* The most that one message takes in the buffer while it is parsed. */
size_t http_limits_bytes(const struct http_limits *limits);

enum http_result { HTTP_MORE, HTTP_HEAD_DONE, HTTP_DONE, HTTP_FAIL };

enum http_stage { HTTP_STAGE_LINE, HTTP_STAGE_FIELDS, HTTP_STAGE_BODY, HTTP_STAGE_DONE, HTTP_STAGE_FAILED };

/* Where a slice stands, counted from the first byte of the message. */
struct http_span {
	uint16_t at;
	uint16_t len;
};

struct http_field {
	struct str name;  /* as received */
	struct str value; /* without white space around; may be empty */
};

struct http_parser {
	/* To be read by the caller from HTTP_HEAD_DONE on. */
	enum http_method method;
	unsigned minor; /* 0 or 1 */
	uint16_t field_count;
	bool keep_alive;      /* neither side asked to close: a further request may follow */
	bool expect_continue; /* the client waits for 100 before it sends the body */
	bool chunked;         /* the length of the content is known at its end only */
	bool framed;          /* came in frames: http_fields.h */
	bool malformed;       /* on HTTP_FAIL, when framed: no request at all */
	bool has_content_length;
	uint64_t content_length; /* 0 without Content-Length */
	size_t body_len;         /* bytes of content that are in the buffer, decoded */

	/* On HTTP_FAIL: ERR_BAD_REQUEST, ERR_TOO_LARGE, ERR_URI_TOO_LONG, ERR_EXPECTATION, ERR_HEADER_TOO_LARGE,
	 * ERR_NOT_IMPLEMENTED or ERR_VERSION_UNSUPPORTED, and a constant sentence that holds no data of the request. */
	enum err err;
	const char *reason;

	/* The parser's own. */
	const struct http_limits *limits;
	const char *message; /* first byte of the message in the buffer of the last feed */
	size_t start;        /* of the message in the buffer */
	size_t at;           /* behind the last byte understood, from start on */
	size_t scanned;      /* no line ends between `at` and here */
	size_t body_max;
	size_t body_at;
	uint64_t chunk_left;
	size_t fields_at;
	size_t fields_len; /* framed: as if they had come in lines */
	uint8_t chunk_stage;
	uint8_t chunk_digits;
	bool blank_seen;
	bool host_seen;
	bool close_seen;
	bool keep_alive_seen;
	enum http_stage stage;
	struct http_target_spans {
		struct http_span method, target, authority, path, query;
		bool has_authority, has_query;
		enum http_target_form form;
		bool https;
	} line;
	struct http_span host;
	struct {
		struct http_span name, value;
	} fields[HTTP_HEADERS_MAX];
};

/* Borrows `limits` for the parser's life. Limits over what spans can count (64 KiB of head) are a broken invariant. */
void http_parser_init(struct http_parser *parser, const struct http_limits *limits);
MUST_USE enum http_result http_parser_feed(struct http_parser *parser, struct buf *in);
/* After HTTP_DONE: drops the message and stands at the next one, whose bytes may be in `in` already. */
void http_parser_next(struct http_parser *parser, struct buf *in);
/* Lowers (never raises) the cap of this message's body; takes effect with the next feed. */
void http_parser_limit_body(struct http_parser *parser, size_t body_max);
/* Whether a message has begun: false between messages, when an idle connection may be closed without an answer. */
bool http_parser_begun(const struct http_parser *parser, const struct buf *in);
/* Bytes of content still to come that are known of: a hint for how much to read. */
size_t http_parser_missing(const struct http_parser *parser);

struct str http_method(const struct http_parser *parser);
struct str http_target(const struct http_parser *parser); /* as received */
struct str http_path(const struct http_parser *parser);   /* not decoded; begins with "/", or is "*" */
struct str http_query(const struct http_parser *parser);  /* not decoded, without "?"; p is NULL when there is none */
/*
 * The authority that the request is for: of an absolute target or else of Host; p is NULL in HTTP/1.0 without either.
 */
struct str http_authority(const struct http_parser *parser);
struct http_field http_field(const struct http_parser *parser, size_t index); /* index < field_count */
/* How many fields have this name, in any case; *value_out is the first one's, STR_NONE when there is none. */
size_t http_find(const struct http_parser *parser, const char *name, struct str *value_out);
/* The content received so far; all of it at HTTP_DONE. Not NULL from HTTP_HEAD_DONE on. */
struct str http_body(const struct http_parser *parser);

#endif
