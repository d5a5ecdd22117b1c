/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GATEWAY_EXCHANGE_H
#define BERTH_GATEWAY_EXCHANGE_H

#include "base/trace.h"
#include "contract/envelope.h"
#include "contract/router.h"
#include "rate.h"
#include "store_cache_proofs.h"

struct loop;
struct conn;
struct h2_stream;

/* What a 401 tells the client, beyond Bearer (RFC 9449 section 7.1). */
enum challenge { CHALLENGE_BEARER, CHALLENGE_TOKEN, CHALLENGE_PROOF };

/* One request and its answer. Knows nothing of the HTTP version but what respond.c writes. */
struct exchange {
	struct loop *loop;
	struct conn *conn;     /* NULL: the client is gone; the work is counted until it ends all the same */
	struct exchange *next; /* in the queue of an arrow, or spare */
	struct arena *arena;
	const struct operation *operation; /* NULL before routing */
	struct route route;
	struct uuid request_id;
	uint64_t started_us, deadline_us;
	uint64_t answer_at_us;     /* when `answer` leaves: even.h */
	struct reply_item *answer; /* in the arena; NULL: none waits */
	struct request_item item;  /* borrows from the connection's input and the arena */
	struct str none_match;     /* If-None-Match of a read, in the arena; absent: none */
	struct rate_answer rate;
	bool has_rate;
	uint8_t line; /* in the queue of an arrow: fair_queue_line_of its tenant, or its network */
	bool head;    /* HEAD: no content */
	bool options;
	bool has_bearer; /* a token was sent */
	bool proven;     /* under the scheme DPoP */
	enum challenge challenge;
	const char *fault; /* of its token or proof, for the log; static; NULL: none */
	bool asks;         /* whether its proof is new to all gateways: proofs.h */
	struct proof_ask ask;
	unsigned minor; /* of the HTTP version */
	bool keep_alive;
	bool retried;
	bool complete;     /* the whole message was read */
	struct str origin; /* web origin that may read the answer, in the arena; absent: none */
	bool person;       /* a page was asked for by what shows pages: refusals are pages too */
	bool preflight;    /* OPTIONS of the Fetch standard, from `origin` */
	char allow[ALLOW_TEXT_MAX];
	struct trace_place trace; /* of this request: below its span */
	struct trace_span span, link_span;
	char traceparent[TRACE_TEXT_LEN + 1]; /* what its service is told */
	struct h2_stream *stream;             /* HTTP/2: what it came on and borrows from; NULL: HTTP/1.1 */
	struct conn *held; /* connection whose buffers the item borrows while a message is under way */
};

struct exchange *exchange_new(struct loop *loop, struct conn *conn); /* NULL without memory */
void exchange_free(struct exchange **exchange);                      /* back to the loop's spare ones */

/* The parsed request's bytes. */
struct buf *exchange_input(const struct exchange *exchange);

/* Frees one that nobody will answer any more, and its connection when the client is gone too. */
void exchange_drop(struct exchange **exchange);

#endif
