/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GATEWAY_EVEN_H
#define BERTH_GATEWAY_EVEN_H

#include "contract/envelope.h"
#include "exchange.h"

/*
 * Answers whose time must not tell what was found (OP_EVEN) leave a whole number of EDGE_EVEN_US after their request
 * came. Those that have come earlier wait here, in order of their time: no worker of a service and no place of a link
 * waits with them.
 */
struct even {
	struct exchange *first, *last;
};

bool even_is_meant(const struct exchange *exchange);
/* Copies the answer. False without memory: then nothing is kept. */
MUST_USE bool even_keep(struct exchange *exchange, const struct reply_item *item);
/* Answers those whose time has come. */
void even_run(struct loop *loop);
/* `timeout_us`, or less when one is due before. */
uint64_t even_timeout_us(const struct even *even, uint64_t timeout_us);
/* Drops what was not answered. */
void even_release(struct even *even);

#endif
