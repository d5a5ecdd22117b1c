/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GATEWAY_EDGE_COUNTS_H
#define BERTH_GATEWAY_EDGE_COUNTS_H

#include <stddef.h>

#include "base/buf.h"
#include "contract/operation.h"
#include "h2_limits.h"
#include "rate.h"

/* What a loop counts. Written by the loop alone with relaxed stores, read by the admin port's thread. */
#define EDGE_BUCKETS 14
#define EDGE_STATUS_CLASSES 5

struct edge_operation_counts {
	uint64_t status[EDGE_STATUS_CLASSES]; /* 1xx to 5xx */
	uint64_t buckets[EDGE_BUCKETS];       /* by duration; the last has no bound */
	uint64_t sum_us;
};

struct edge_counts {
	struct edge_operation_counts operations[OPERATION_COUNT + 1]; /* the last: no operation was found */
	uint64_t parsed, forwarded, answered;
	uint64_t exchanges; /* now: requests that were begun and have not ended */
	uint64_t accepted, connections, handshakes, handshake_failures, timeouts;
	uint64_t batches, batch_items, malformed_replies, retries;
	uint64_t refused_rate[RATE_CLASS_COUNT];
	uint64_t refused_proofs;
	uint64_t refused_full, evicted, accept_rests;
	uint64_t h2_connections, h2_streams, h2_refused, h2_resets_client, h2_resets_own;
	uint64_t h2_work_peak; /* exchanges that one connection has had at once, reset or not */
	uint64_t h2_calm[H2_BUDGET_COUNT];
};

static inline void edge_count_add(uint64_t *counter, uint64_t amount)
{
	__atomic_store_n(counter, *counter + amount, __ATOMIC_RELAXED);
}

static inline void edge_count_peak(uint64_t *counter, uint64_t value)
{
	if (value > *counter)
		__atomic_store_n(counter, value, __ATOMIC_RELAXED);
}

#define edge_count(counter) edge_count_add((counter), 1)

void edge_counts_batch(struct edge_counts *counts, size_t items);
void edge_counts_malformed(struct edge_counts *counts);
/* One answered request; operation NULL when none was found. */
void edge_counts_answer(
	struct edge_counts *counts, const struct operation *operation, int status, uint64_t duration_us);

struct gateway;
/* Prometheus text of all loops together. */
void edge_counts_write(const struct gateway *gateway, struct buf *out);

#endif
