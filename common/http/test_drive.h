/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_HTTP_TEST_DRIVE_H
#define BERTH_HTTP_TEST_DRIVE_H

#include <stdlib.h>
#include <string.h>

#include "http/http.h"

/*
 * Drives the parser over the bytes of one connection, cut into pieces of `piece` bytes, and writes down everything that
 * it says. Two transcripts of the same bytes must be equal whatever the pieces.
 */
struct drive {
	struct buf said;
	size_t requests;
	enum err err;         /* of the failure; OK without */
	const char *reason;   /* of the failure; "" without */
	bool closed;          /* by the parser: a failure or no keep-alive */
	bool incomplete;      /* the bytes ended within a message */
	struct str last_body; /* of the last request, in `said` */
};

static const struct http_limits drive_limits = {
	.request_line_max = 200,
	.target_max = 150,
	.headers_max = 8,
	.header_bytes_max = 600,
	.body_max = 64,
};

static inline void drive_note(struct drive *drive, const struct http_parser *parser)
{
	struct str query = http_query(parser);
	struct str authority = http_authority(parser);

	buf_put_str(&drive->said, http_method(parser));
	buf_put_byte(&drive->said, ' ');
	buf_put_str(&drive->said, http_target(parser));
	buf_printf(&drive->said, " 1.%u path=", parser->minor);
	buf_put_str(&drive->said, http_path(parser));
	buf_put_c(&drive->said, query.p != NULL ? " query=" : "");
	buf_put_str(&drive->said, query);
	buf_put_c(&drive->said, authority.p != NULL ? " authority=" : "");
	buf_put_str(&drive->said, authority);
	buf_put_c(&drive->said, parser->keep_alive ? " keep" : " close");
	buf_put_c(&drive->said, parser->expect_continue ? " expect" : "");
	buf_put_c(&drive->said, parser->chunked ? " chunked" : "");
	buf_put_c(&drive->said, parser->has_content_length ? " length" : "");
	for (size_t i = 0; i < parser->field_count; i++) {
		struct http_field field = http_field(parser, i);

		buf_put_c(&drive->said, "\n");
		buf_put_str(&drive->said, field.name);
		buf_put_c(&drive->said, ": ");
		buf_put_str(&drive->said, field.value);
	}
}

/* Handles what the parser says until it wants more; false when the connection is over. */
static inline bool drive_step(struct drive *drive, struct http_parser *parser, struct buf *in)
{
	for (;;) {
		struct str body;

		switch (http_parser_feed(parser, in)) {
		case HTTP_MORE:
			return true;
		case HTTP_HEAD_DONE:
			drive_note(drive, parser);
			break;
		case HTTP_DONE:
			body = http_body(parser);
			if (body.len != parser->body_len || http_parser_missing(parser) != 0)
				abort();
			buf_printf(&drive->said, "\nbody %zu: ", body.len);
			buf_put_str(&drive->said, body);
			drive->last_body = (struct str){drive->said.p + drive->said.len - body.len, body.len};
			buf_put_c(&drive->said, "\n");
			drive->requests++;
			if (!parser->keep_alive) {
				drive->closed = true;
				return false;
			}
			http_parser_next(parser, in);
			break;
		case HTTP_FAIL:
			drive->err = parser->err;
			drive->reason = parser->reason;
			drive->closed = true;
			buf_printf(&drive->said, "\nfail %d %s\n", err_status(parser->err), parser->reason);
			if (http_parser_feed(parser, in) != HTTP_FAIL)
				abort(); /* a failure must be for ever */
			return false;
		}
	}
}

static inline void drive_run(struct drive *drive, const struct http_limits *limits, struct str bytes, size_t piece)
{
	/* As large as sanitizers can watch: one parser a run, on the heap. */
	struct http_parser *parser = malloc(sizeof(*parser));
	struct buf in;
	bool open = true;

	*drive = (struct drive){.reason = ""};
	if (parser == NULL)
		abort();
	memset(parser, 0xa5, sizeof(*parser));
	buf_init(&drive->said, 1 << 20);
	buf_init(&in, http_limits_bytes(limits) + piece);
	http_parser_init(parser, limits);
	for (size_t at = 0; open && at < bytes.len; at += piece) {
		buf_put(&in, bytes.p + at, bytes.len - at < piece ? bytes.len - at : piece);
		if (!buf_ok(&in))
			abort(); /* the parser let the buffer grow past what it promised */
		open = drive_step(drive, parser, &in);
	}
	drive->incomplete = open && http_parser_begun(parser, &in);
	buf_release(&in);
	free(parser);
}

static inline void drive_release(struct drive *drive)
{
	buf_release(&drive->said);
}

/* Aborts unless bytes one by one, in threes and all at once say the same; *drive is the last. */
static inline void drive_all_ways(struct drive *drive, const struct http_limits *limits, struct str bytes)
{
	static const size_t pieces[] = {1, 2, 3, 7, 64};
	struct drive other;

	drive_run(drive, limits, bytes, bytes.len > 0 ? bytes.len : 1);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		drive_run(&other, limits, bytes, pieces[i]);
		if (!str_eq(buf_str(&drive->said), buf_str(&other.said)) || drive->requests != other.requests ||
			drive->err != other.err || strcmp(drive->reason, other.reason) != 0 ||
			drive->incomplete != other.incomplete)
			abort();
		drive_release(&other);
	}
}

#endif
