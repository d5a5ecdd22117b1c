/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GATEWAY_STORE_CACHE_H
#define BERTH_GATEWAY_STORE_CACHE_H

#include "base/config.h"
#include "rate.h"
#include "token/revocation.h"

/*
 * The gateway's only door to Redis, on two threads of its own, so that no loop ever waits for it: one follows the
 * stream of revocations (common/contract/revocations.h), one settles the rate limits. With Redis away both keep what
 * they have and try again.
 */
struct store_cache;

MUST_USE enum err store_cache_new(const char *socket, const struct secret *password, struct rate_limiter *rates,
	struct revocations *revocations, struct store_cache **cache_out);
MUST_USE enum err store_cache_start(struct store_cache *cache);
void store_cache_free(struct store_cache **cache); /* stops and joins */
/* Whether both conversations stand. */
bool store_cache_up(const struct store_cache *cache);
/* Whether the revocations in force have been read at least once. */
bool store_cache_primed(const struct store_cache *cache);
/* Entries of the stream that were no revocations, since the start; those that are read again count again. */
uint64_t store_cache_unreadable(const struct store_cache *cache);

#endif
