/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GATEWAY_RESPOND_H
#define BERTH_GATEWAY_RESPOND_H

#include "contract/codec.h"
#include "contract/envelope.h"
#include "exchange.h"

/*
 * Each answers its exchange, counts and logs it, gives it back and lets the connection go on. Every answer has the
 * security fields, the request id and a Date; every refusal is a problem document (RFC 9457), or the JSON of RFC 6749
 * section 5.2 where an operation is OP_OAUTH.
 */
void respond_item(struct exchange *exchange, const struct reply_item *item); /* what a service said, or its lack */
/* The same, of one that its connection waits for: it writes the answer and goes on with what waits behind it. */
void respond_awaited(struct exchange *exchange, const struct reply_item *item);
void respond_problem(struct exchange *exchange, const struct problem *problem);
void respond_local(struct exchange *exchange);
void respond_options(struct exchange *exchange);
/* "100 Continue" to a client that waits for it. */
void respond_continue(struct exchange *exchange);
/* The request was taken as one, but its head or content cannot be; nothing more is read for it. */
void respond_unserved(struct exchange *exchange, enum err err);
/* For bytes that are no request, and for requests that do not come to their end; the connection closes after it. */
void respond_unparsed(struct conn *conn, enum err err);

#endif
