/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GATEWAY_REQUEST_H
#define BERTH_GATEWAY_REQUEST_H

#include "exchange.h"
#include "http/http.h"

/*
 * The walk of a request through the edge. request_head runs when the header section is there: route, token, revocation,
 * verified address, permission, rates, preconditions, all before a byte of the body is taken. request_whole runs when
 * the body is there: strict decoding, then the arrow's queue. Each may answer the exchange at once with a refusal, upon
 * which the connection's exchange is NULL.
 */
void request_head(struct exchange *exchange, struct http_parser *parser);
void request_whole(struct exchange *exchange, struct http_parser *parser);
/* To its service. False: there was no room, and it is answered. */
bool request_send(struct exchange *exchange);
/* The whole message was taken: nothing more is read for it. */
bool request_complete(const struct exchange *exchange);

#endif
