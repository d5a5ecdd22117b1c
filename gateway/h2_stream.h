/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GATEWAY_H2_STREAM_H
#define BERTH_GATEWAY_H2_STREAM_H

#include "exchange.h"
#include "h2.h"

/* One request and its answer on a connection. Holds what the exchange borrows until both are over. */
struct h2_stream {
	struct h2 *h2;
	struct h2_stream *prev, *next; /* of the connection; `next` among the loop's spare ones */
	struct exchange *exchange;     /* under way, or NULL */
	int32_t id;
	bool open;      /* stands, as far as the session knows */
	bool trailers;  /* fields come behind the content */
	bool malformed; /* a field that nghttp2 would have passed over */
	bool whole;     /* the client has said all */
	bool answered;
	struct http_parser parser;
	struct buf in;      /* fields, then content */
	struct buf answer;  /* its head, then its content unless that lasts */
	struct str content; /* of the answer; borrows */
	size_t sent;
	uint64_t begun_us;
	uint64_t moved_us; /* the client took some of the answer last */
};

/* NULL without memory. */
struct h2_stream *h2_stream_new(struct h2 *h2, int32_t id);
void h2_stream_free(struct h2_stream **stream); /* back to the loop's spare ones */
void h2_stream_release_spare(struct loop *loop);

/* What the session reports of it, in this order. */
void h2_stream_field(struct h2_stream *stream, struct str name, struct str value);
void h2_stream_section_end(struct h2_stream *stream, bool whole);
void h2_stream_content(struct h2_stream *stream, struct str bytes);
void h2_stream_whole(struct h2_stream *stream);
void h2_stream_closed(struct h2_stream *stream);

/* The request came too slowly: 408. */
void h2_stream_late(struct h2_stream *stream);
/* The answer is with the session, and the exchange gone. */
void h2_stream_answered(struct h2_stream *stream);
/* The exchange of a stream whose client is gone has ended. */
void h2_stream_forget(struct h2_stream *stream);
/* RFC 9110 section 10.1.1. */
void h2_stream_continue(struct h2_stream *stream);

#endif
