/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_SERVICE_DISPATCH_H
#define BERTH_SERVICE_DISPATCH_H

#include "contract/envelope.h"
#include "service/metrics.h"
#include "service/service.h"
#include "token/keyset.h"
#include "token/token_cache.h"

/* One worker's way from a message to its reply: every check that the gateway made is made again. */
struct dispatcher {
	struct worker *worker;
	enum peer caller;
	enum lane lane;
	struct metrics *metrics;
	struct token_cache *tokens;
	struct keyset *keys;
	uint64_t generation;
};

MUST_USE enum err dispatcher_init(struct dispatcher *dispatcher, struct worker *worker, enum peer caller,
	enum lane lane, struct metrics *metrics);
void dispatcher_release(struct dispatcher *dispatcher);
/* ERR_BAD_GATEWAY for a message that no honest peer sends: it is dropped, counted and logged. */
MUST_USE enum err dispatch_batch(struct dispatcher *dispatcher, struct str message, struct buf *reply);

#endif
