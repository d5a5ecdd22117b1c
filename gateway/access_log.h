/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GATEWAY_ACCESS_LOG_H
#define BERTH_GATEWAY_ACCESS_LOG_H

#include "exchange.h"
#include "head.h"

/*
 * One JSON line a request: when, its id, operation, method, status, code, time and size. No path, query, address, token
 * or body: nothing that is personal, and the operation's name says more than a path. Lines gather in `log` and are
 * written once a tick.
 */
#define ACCESS_LOG_CAP (1U << 20)

void access_log_put(struct buf *log, const struct exchange *exchange, const struct head *head, size_t body_len,
	uint64_t duration_us);
void access_log_flush(struct buf *log);

#endif
