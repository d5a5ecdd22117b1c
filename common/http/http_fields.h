/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_HTTP_FIELDS_H
#define BERTH_HTTP_FIELDS_H

#include "http/http.h"

/*
 * A request whose fields and content come apart, as HTTP/2 has them (RFC 9113 section 8), judged by the rules of a
 * request that comes in lines and read through the same functions. All of it goes into `in`, one behind the other:
 *
 *	http_fields_begin, http_fields_add for each field, http_fields_end
 *	http_fields_content for each piece, http_fields_whole
 *
 * or http_fields_end with `whole` when there is no content. After a failure the rest is not looked at:
 * http_parser_feed gives HTTP_FAIL, parser.err says what to answer, and parser.malformed that the request is no request
 * at all (RFC 9113 section 8.1.1), which no answer is due to. Until the request is whole http_parser_feed gives
 * HTTP_MORE, then HTTP_DONE. `in` needs a cap of at least
 * http_limits_bytes and header_bytes_max.
 *
 * What RFC 9113 lets pass and this does not: a scheme other than https, trailers that bring pseudo-header fields or
 * fields of a connection (http_fields_trailer), more than one value where a request in lines may have one only. Cookie
 * fields are joined (section 8.2.3).
 */
void http_fields_begin(struct http_parser *parser, struct buf *in, const struct http_limits *limits);
/* One decoded field; `name` and `value` are not borrowed. */
void http_fields_add(struct http_parser *parser, struct buf *in, struct str name, struct str value);
/* Judges a trailer field, which is then forgotten. */
void http_fields_trailer(struct http_parser *parser, struct str name, struct str value);
void http_fields_end(struct http_parser *parser, struct buf *in, bool whole);
void http_fields_content(struct http_parser *parser, struct buf *in, struct str bytes);
void http_fields_whole(struct http_parser *parser);

#endif
