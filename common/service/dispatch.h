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

#define DISPATCH_MESSAGES_MAX 16

/* A message and its answer. */
struct letter {
	struct str message; /* borrows */
	uint64_t came_us;   /* when it did: from then its deadlines count */
	struct buf reply;   /* the owner's */
	/* ERR_BAD_GATEWAY: no honest peer sends this. It is dropped, counted and logged. */
	enum err err;
	struct request_item *in;
	size_t count;
};

/* Carries out at most DISPATCH_MESSAGES_MAX together: their items make one batch, each letter gets its own reply. */
void dispatch_letters(struct dispatcher *dispatcher, struct letter *letters, size_t count);

#endif
