/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GATEWAY_TRACE_H
#define BERTH_GATEWAY_TRACE_H

#include "exchange.h"
#include "http/http.h"

/*
 * W3C Trace Context: a well-formed traceparent is taken up, everything else begins a new trace. Who asks for a
 * recorded trace gets one as often as BERTH_TRACE_PER_S allows; of the others one in BERTH_TRACE_ONE_IN. The request id
 * is always our own.
 */
void trace_accept(struct exchange *exchange, const struct http_parser *parser);
/* The request goes to its service: exchange->traceparent is what the message carries. */
void trace_forward(struct exchange *exchange);
/* The answer is written. */
void trace_answer(struct exchange *exchange, int status, enum err err);

#endif
