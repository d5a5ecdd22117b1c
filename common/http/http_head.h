/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_HTTP_HEAD_H
#define BERTH_HTTP_HEAD_H

#include "http/http.h"

/*
 * The inside of the parser: what one line of a head means. Each takes a line without its CRLF, which lies in the
 * parser's message, and gives false after http_head_fail.
 */
bool http_head_request_line(struct http_parser *parser, struct str line);
bool http_head_field_line(struct http_parser *parser, struct str line);
/* A field whose name is a token and whose value is a field's, trimmed, both lying in the parser's message. */
bool http_head_field(struct http_parser *parser, struct str name, struct str value);
/* At the empty line: what only the whole head tells. */
bool http_head_finish(struct http_parser *parser);
/* Sets the verdict; always false. */
bool http_head_fail(struct http_parser *parser, enum err err, const char *reason);

#endif
