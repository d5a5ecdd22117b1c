/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_SERVICE_METRICS_H
#define BERTH_SERVICE_METRICS_H

#include "base/buf.h"
#include "contract/operation.h"

/* What one worker counts, with relaxed stores of its own; summed when the admin port is scraped. */
#define METRICS_BUCKETS 12
#define METRICS_CODES 64 /* wire numbers of enum err */

struct operation_metrics {
	uint64_t codes[METRICS_CODES];
	uint64_t buckets[METRICS_BUCKETS];
	uint64_t sum_us;
};

struct metrics {
	struct metrics *next;
	struct operation_metrics operations[OPERATION_COUNT];
	uint64_t batches, batches_redone, items, malformed, forbidden_arrow;
	uint64_t token_hits, token_misses; /* of the cache of verified tokens */
};

struct metrics *metrics_new(void);
void metrics_free(struct metrics **metrics);
void metrics_answer(struct metrics *metrics, const struct operation *operation, enum err err, uint64_t duration_us);
static inline void metrics_add(uint64_t *counter, uint64_t amount)
{
	__atomic_store_n(counter, *counter + amount, __ATOMIC_RELAXED);
}
/* Prometheus text over `count` workers. */
void metrics_write(const struct metrics *const *all, size_t count, struct buf *out);

#endif
