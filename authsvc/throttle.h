/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_THROTTLE_H
#define BERTH_AUTHSVC_THROTTLE_H

#include "rules.h"
#include "vault.h"

/*
 * Counters of attempts in this process's memory: what slows guessing while Redis is away. Fixed memory; a full set
 * forgets the counter that was quiet longest. Thread-safe. The counters that all replicas share are in the cache
 * store, with the same curves.
 */
struct throttle;

struct throttle_key {
	enum throttle_kind kind;
	struct vault_hash id;
};

struct throttle *throttle_new(size_t entries); /* NULL without memory */
void throttle_free(struct throttle **throttle);
/*
 * Counts one attempt on every key, unless one of them must still wait: then counts nothing and gives the longest
 * wait. One step: a race of many cannot pass the limit.
 */
int64_t throttle_attempt_ms(
	struct throttle *throttle, const struct throttle_key *keys, size_t count, uint64_t now_monotonic_us);
void throttle_forget(struct throttle *throttle, const struct throttle_key *key);

#endif
