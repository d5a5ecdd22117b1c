/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUDITSVC_STORE_LOG_H
#define BERTH_AUDITSVC_STORE_LOG_H

#include "store.h"

/* The growing end of the log: appending, and the tree's nodes. */

#define STORE_PEAKS_MAX 63U

/* As the row log_head has it: `count` roots of the complete subtrees of `size` leaves, largest first. */
struct log_end {
	uint64_t size;
	struct hash peaks[STORE_PEAKS_MAX];
	size_t count;
};

/* Events of one tenant, by reference. */
struct event_group {
	struct uuid tenant_id;
	struct event_row **events;
	size_t count;
};

/*
 * Seals the documents of all groups (at most STORE_EVENTS_MAX events together) and sets their digests. Where the
 * subject is erased already the documents are dropped and the event is marked so.
 */
MUST_USE enum err store_log_seal(struct store *store, const struct event_group *groups, size_t count);
/*
 * Waits for the end of the log, which stays locked until the transaction ends, and says which events are there
 * already: *known_out, `known_count` ids of all groups together, for one group after the other.
 */
MUST_USE enum err store_log_lock(struct store *store, const struct event_group *groups, size_t count,
	struct log_end *end_out, struct uuid **known_out, size_t *known_count_out);
/* Queued: these events, of the groups' tenants, with their leaf_index and leaf_hash, and their documents. */
MUST_USE enum err store_log_append(struct store *store, const struct event_group *groups, size_t group_count,
	struct event_row *const *events, size_t n, instant_us now);
/* Queued: nodes from `first_place` on, and the new end. */
MUST_USE enum err store_log_advance(struct store *store, const struct log_end *end, uint64_t first_place,
	const struct hash *nodes, size_t node_count);

/* As it was when the statement ran; either role. */
MUST_USE enum err store_log_end(struct store *store, struct log_end *end_out);
/* hashes_out[i] is the node of places[i]; ERR_INTERNAL when one is not there. Either role. */
MUST_USE enum err store_log_nodes(struct store *store, const int64_t *places, size_t count, struct hash *hashes_out);

#endif
