/* SPDX-License-Identifier: Apache-2.0 */
#include "append.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/crash.h"
#include "base/log.h"
#include "leaf.h"
#include "merkle.h"
#include "store_log.h"

static_assert(APPEND_MAX == STORE_EVENTS_MAX, "one append fits the store's statements");
static_assert(MERKLE_PEAKS_MAX == STORE_PEAKS_MAX, "a tree's peaks fit its row");

/* Events by tenant, for statements; and in the order in which they came, for the log. */
struct batch {
	struct event_row *members[APPEND_MAX]; /* group after group */
	struct event_group groups[APPEND_MAX];
	size_t group_count;
	struct event_row *fresh[APPEND_MAX];
	size_t fresh_count;
	struct hash nodes[2 * APPEND_MAX + MERKLE_PEAKS_MAX];
	size_t node_count;
	struct log_end end;
	uint64_t first_place;
};

/* By tenant, so that two batches take keys in one order; within it by id, and then in the order in which they came. */
static int by_tenant_and_id(const void *left, const void *right)
{
	const struct event_row *a = *(struct event_row *const *)left, *b = *(struct event_row *const *)right;
	int order = uuid_cmp(&a->tenant_id, &b->tenant_id);

	if (order == 0)
		order = uuid_cmp(&a->id, &b->id);
	if (order == 0)
		order = a < b ? -1 : a > b;
	return order;
}

static void group_events(struct batch *batch, struct event_row *events, size_t count)
{
	const struct event_row *last = NULL;
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		batch->members[i] = &events[i];
	qsort(batch->members, count, sizeof(struct event_row *), by_tenant_and_id);
	for (size_t i = 0; i < count; i++) {
		struct event_row *event = batch->members[i];
		struct event_group *group;

		if (!last || !uuid_eq(&last->tenant_id, &event->tenant_id))
			batch->groups[batch->group_count++] =
				(struct event_group){event->tenant_id, &batch->members[n], 0};
		else if (uuid_eq(&last->id, &event->id))
			continue;
		group = &batch->groups[batch->group_count - 1];
		batch->members[n++] = event;
		group->count++;
		last = event;
	}
}

static bool is_known(const struct event_row *event, const struct uuid *known, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (uuid_eq(&event->id, &known[i]))
			return true;
	return false;
}

/*
 * Leaves each group the events that are new. Ids of all groups lie in `known` together; the same id of another tenant
 * would be another event, but ids are random enough for a batch.
 */
static void drop_known(struct batch *batch, const struct uuid *known, size_t known_count)
{
	for (size_t g = 0; g < batch->group_count; g++) {
		struct event_group *group = &batch->groups[g];
		size_t kept = 0;

		for (size_t i = 0; i < group->count; i++)
			if (!is_known(group->events[i], known, known_count))
				group->events[kept++] = group->events[i];
		group->count = kept;
		for (size_t i = 0; i < kept; i++)
			batch->fresh[batch->fresh_count++] = group->events[i];
	}
}

static int by_arrival(const void *left, const void *right)
{
	const struct event_row *a = *(struct event_row *const *)left, *b = *(struct event_row *const *)right;

	return a < b ? -1 : a > b;
}

/* Numbers the new events in the order in which they came, and grows the tree by their leaves. */
static enum err number(struct batch *batch)
{
	struct merkle_tree tree = {.size = batch->end.size};
	enum err err;

	memcpy(tree.peaks, batch->end.peaks, sizeof(tree.peaks));
	qsort(batch->fresh, batch->fresh_count, sizeof(struct event_row *), by_arrival);
	batch->first_place = merkle_node_count(tree.size);
	for (size_t i = 0; i < batch->fresh_count; i++) {
		struct event_row *event = batch->fresh[i];
		struct hash nodes[MERKLE_PEAKS_MAX];
		size_t n;

		event->leaf_index = (int64_t)tree.size;
		if ((err = leaf_hash(event, &event->leaf_hash)) != OK)
			return err;
		n = merkle_append(&tree, &event->leaf_hash, nodes);
		memcpy(&batch->nodes[batch->node_count], nodes, n * sizeof(nodes[0]));
		batch->node_count += n;
	}
	batch->end.size = tree.size;
	batch->end.count = merkle_peak_count(tree.size);
	memcpy(batch->end.peaks, tree.peaks, sizeof(tree.peaks));
	return OK;
}

static enum err write_all(struct store *store, struct batch *batch)
{
	const instant_us now = clock_now_us();
	enum err err;

	err = store_log_append(store, batch->groups, batch->group_count, batch->fresh, batch->fresh_count, now);
	if (err != OK)
		return err;
	err = store_log_advance(store, &batch->end, batch->first_place, batch->nodes, batch->node_count);
	if (err != OK)
		return err;
	CRASH_POINT("audit.append.before_commit");
	if ((err = store_commit(store)) == OK)
		CRASH_POINT("audit.append.after_commit");
	return err;
}

enum err append_events(struct db *db, struct seal *seal, struct arena *arena, struct event_row *events, size_t count,
	size_t *appended_out)
{
	struct batch *batch = arena_take(arena, sizeof(*batch));
	struct store store = {0};
	struct uuid *known = NULL;
	size_t known_count = 0;
	enum err err;

	*appended_out = 0;
	if (count == 0)
		return OK;
	if (!batch)
		return ERR_OVERLOADED;
	if (count > APPEND_MAX)
		return ERR_TOO_LARGE;
	group_events(batch, events, count);
	if ((err = store_begin(db, seal, arena, &batch->groups[0].tenant_id, &store)) != OK)
		goto done;
	if ((err = store_log_seal(&store, batch->groups, batch->group_count)) != OK)
		goto done;
	err = store_log_lock(&store, batch->groups, batch->group_count, &batch->end, &known, &known_count);
	if (err != OK)
		goto done;
	drop_known(batch, known, known_count);
	if (batch->fresh_count == 0)
		goto done;
	if ((err = number(batch)) != OK || (err = write_all(&store, batch)) != OK)
		goto done;
	*appended_out = batch->fresh_count;
done:
	if (err == ERR_CONFLICT) {
		/* Under the lock nothing can collide but rows that nobody should have been able to write. */
		log_event(LOG_ERROR, "audit_log_inconsistent", LOG_C("where", tx_constraint(store.tx)));
		err = ERR_INTERNAL;
	}
	store_release(&store);
	return err;
}
