/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_HTTP_REPLY_H
#define BERTH_HTTP_REPLY_H

#include "base/buf.h"
#include "base/clock.h"

/*
 * Writes the head of an HTTP/1.1 answer: http_reply_begin, fields, http_reply_end, then the content. A field whose name
 * is no token or whose value has a control character would let its author write further fields: the buffer fails
 * instead.
 */
const char *http_reply_reason(int status); /* "" for an unknown status */
void http_reply_begin(struct buf *out, int status);
void http_reply_field(struct buf *out, const char *name, struct str value);
void http_reply_field_u64(struct buf *out, const char *name, uint64_t value);
void http_reply_date(struct buf *out, instant_us now); /* Date, as IMF-fixdate */
void http_reply_end(struct buf *out);
/* "HTTP/1.1 100 Continue", for a client that expects it. */
void http_reply_continue(struct buf *out);
/* IMF-fixdate (RFC 9110 section 5.6.7): always 29 characters; NUL is written behind. */
void http_date_format(instant_us at, char text_out[30]);

#endif
