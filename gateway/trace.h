/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GATEWAY_TRACE_H
#define BERTH_GATEWAY_TRACE_H

#include "exchange.h"
#include "http/http.h"

/*
 * W3C Trace Context, section 3.2: a well-formed traceparent of version 00 is taken up with a new parent id, everything
 * else begins a new trace. The request id is always our own.
 */
void trace_accept(struct exchange *exchange, const struct http_parser *parser);

#endif
