/* SPDX-License-Identifier: Apache-2.0 */
#include "handle_booking_many.h"

#include <stdlib.h>
#include <string.h>

#include "base/crash.h"
#include "base/log.h"
#include "handle_booking_group.h"
#include "peer.h"

#define SERVICE_DEF "contract/bookingsvc.def"
#include "service/handlers.h"

/*
 * booking_create for a batch: the steps of the single form, in one transaction for all tenants. What is read is asked
 * once for all items of a tenant, as that tenant, and the statements of one step share a round trip; what is written is
 * one statement for all tenants, which the transaction has named. Only named spots go together; what has to lock an
 * area goes alone afterwards, as does what a batch cannot decide: the second of two with one idempotency key, and what
 * collided with a stay that has gone since.
 */
static void decide(struct making *making, enum err err)
{
	making->state = MAKING_DECIDED;
	making->err = err;
}

/* -- the batch -- */

/* The groups of one transaction. */
struct together {
	struct group groups[PILE_MAX];
	size_t count;
	struct pile pile;
};

static enum err each(struct together *together, struct tx *tx, enum err (*step)(struct group *, struct tx *))
{
	enum err err = OK;

	for (size_t i = 0; i < together->count && err == OK; i++)
		err = step(&together->groups[i], tx);
	return err;
}

/* What all groups queue, in one round trip, before any takes its part. */
static enum err ask(struct together *together, struct tx *tx, enum err (*queue)(struct group *, struct tx *),
	enum err (*take)(struct group *, struct tx *))
{
	enum err err;

	if ((err = each(together, tx, queue)) != OK)
		return err;
	if ((err = tx_flush(tx)) != OK)
		return err;
	return each(together, tx, take);
}

/* Only these tenants' rows can be written from here on. */
static enum err name_tenants(const struct together *together, struct tx *tx)
{
	struct uuid tenants[PILE_MAX];

	for (size_t i = 0; i < together->count; i++)
		tenants[i] = *handle_booking_group_tenant(&together->groups[i]);
	return tx_set_tenants(tx, tenants, together->count);
}

static enum err put_stays(struct together *together, struct tx *tx)
{
	const struct group *first = &together->groups[0];
	struct pile *pile = &together->pile;
	bool all;
	enum err err;

	pile->count = 0;
	for (size_t i = 0; i < together->count; i++)
		handle_booking_group_pile_stays(&together->groups[i], pile);
	if (pile->count == 0)
		return OK;
	if ((err = name_tenants(together, tx)) != OK)
		return err;
	err = store_stay_put(
		tx, pile->tenants, pile->stays, pile->count, first->now, first->items[0]->call->arena, &all);
	if (err != OK || all)
		return err;
	if ((err = ask(together, tx, handle_booking_group_queue_there, handle_booking_group_take_there)) != OK)
		return err;
	return each(together, tx, handle_booking_group_settle_collisions);
}

static enum err put_events(struct together *together, struct tx *tx)
{
	struct pile *pile = &together->pile;
	enum err err;

	pile->count = 0;
	for (size_t i = 0; i < together->count; i++)
		if ((err = handle_booking_group_pile_events(&together->groups[i], pile)) != OK)
			return err;
	return outbox_put_across(tx, pile->tenants, pile->events, pile->keys, pile->count);
}

/* An error means that nothing of all this is decided. */
static enum err run(struct together *together, struct tx *tx)
{
	enum err err;

	if ((err = each(together, tx, handle_booking_group_claim)) != OK)
		return err;
	CRASH_POINT("booking_create_many.claimed");
	if ((err = each(together, tx, handle_booking_group_check_standing)) != OK)
		return err;
	if ((err = ask(together, tx, handle_booking_group_queue_reads, handle_booking_group_take_reads)) != OK)
		return err;
	if ((err = each(together, tx, handle_booking_group_judge)) != OK)
		return err;
	if ((err = put_stays(together, tx)) != OK)
		return err;
	CRASH_POINT("booking_create_many.added");
	if ((err = put_events(together, tx)) != OK)
		return err;
	return each(together, tx, handle_booking_group_answer);
}

struct batch {
	struct making *items;
	struct making **order; /* those that go together, tenant by tenant */
	size_t count, order_count;
	struct together together;
};

static int by_tenant(const void *left, const void *right)
{
	const struct making *a = *(struct making *const *)left, *b = *(struct making *const *)right;
	int order = uuid_cmp(&a->call->token.tenant_id, &b->call->token.tenant_id);

	if (order != 0)
		return order;
	return (a > b) - (a < b); /* as they came */
}

static bool same_key(const struct making *a, const struct making *b)
{
	return a->keyed.used && b->keyed.used && uuid_eq(&a->keyed.claim.tenant_id, &b->keyed.claim.tenant_id) &&
	       uuid_eq(&a->keyed.claim.person_id, &b->keyed.claim.person_id) &&
	       memcmp(a->keyed.claim.key_hash, b->keyed.claim.key_hash, sizeof(a->keyed.claim.key_hash)) == 0;
}

/* Somebody in front of it has its key: what that one becomes decides what this one is. */
static bool waits_for_key(const struct batch *batch, const struct making *making)
{
	for (size_t i = 0; i < batch->order_count; i++)
		if (same_key(batch->order[i], making))
			return true;
	return false;
}

static void read_all(struct batch *batch, struct call **calls, const void *const *requests, void **replies)
{
	for (size_t i = 0; i < batch->count; i++) {
		struct making *making = &batch->items[i];
		enum err err = handle_making_read(making, calls[i], requests[i], replies[i]);

		if (err != OK)
			decide(making, err);
		else if (making->request->has_area_id || waits_for_key(batch, making))
			making->state = MAKING_ALONE;
		else
			batch->order[batch->order_count++] = making;
	}
	qsort(batch->order, batch->order_count, sizeof(struct making *), by_tenant);
}

/* authsvc is asked once for a tenant's whole group, before anything is locked. */
static void check_people(struct making **items, size_t count)
{
	struct making *asked[PEER_PEOPLE_MAX];
	struct uuid people[PEER_PEOPLE_MAX];
	bool active[PEER_PEOPLE_MAX];
	size_t n = 0;
	enum err err;

	for (size_t i = 0; i < count && n < PEER_PEOPLE_MAX; i++) {
		if (!handle_making_is_for_other(items[i]) || !handle_making_may_be_allowed(items[i]))
			continue;
		people[n] = items[i]->person_id;
		asked[n++] = items[i];
	}
	if (n == 0)
		return;
	err = peer_people_active(asked[0]->call, people, n, active);
	for (size_t i = 0; i < n; i++) {
		if (err != OK)
			decide(asked[i], err);
		else if (!active[i])
			decide(asked[i], handle_not_found(asked[i]->call, "for_person_id"));
	}
}

/* How many from `first` on, of `count`, are of its tenant. */
static size_t group_len(struct making *const *items, size_t first, size_t count)
{
	const struct uuid *tenant_id = &items[first]->call->token.tenant_id;
	size_t n = 1;

	while (first + n < count && uuid_eq(tenant_id, &items[first + n]->call->token.tenant_id))
		n++;
	return n;
}

static enum err group_all(struct together *together, struct making **items, size_t count)
{
	struct arena *arena = items[0]->call->worker->arena;
	const instant_us now = clock_now_us();
	size_t len;

	together->count = 0;
	for (size_t first = 0; first < count; first += len) {
		len = group_len(items, first, count);
		check_people(items + first, len);
	}
	for (size_t first = 0; first < count; first += len) {
		struct group *group = &together->groups[together->count++];

		len = group_len(items, first, count);
		if (!handle_booking_group_init(group, arena, items + first, len, now))
			return ERR_OVERLOADED;
	}
	return OK;
}

/* On an error nothing of it was changed, and all of it is left to be done one by one. */
static enum err run_together(struct together *together, struct making **items, size_t count)
{
	struct tx *tx = NULL;
	enum err err = group_all(together, items, count);

	if (err == OK)
		err = tx_begin(items[0]->call->worker->db, &items[0]->call->token.tenant_id, &tx);
	if (err == OK)
		err = run(together, tx);
	CRASH_POINT("booking_create_many.before_commit");
	if (err == OK)
		err = tx_commit(&tx);
	CRASH_POINT("booking_create_many.after_commit");
	tx_free(&tx);
	for (size_t i = 0; i < count; i++) {
		handle_making_release(items[i]);
		if (err != OK)
			items[i]->state = MAKING_ALONE;
	}
	return err;
}

static void run_alone(struct making *making)
{
	struct call *call = making->call;

	log_set_request(&call->request_id);
	db_set_deadline(call->worker->db, call->deadline_us);
	call->field = call->reason = call->detail = STR_NONE;
	*making->reply = (struct booking){0};
	decide(making, handle_booking_create(call, making->request, making->reply));
}

enum err handle_booking_create_many(
	struct call **calls, const void *const *requests, void **replies, enum err *errs_out, size_t count)
{
	struct worker *worker = calls[0]->worker;
	struct batch *batch = arena_take(worker->arena, sizeof(*batch));
	size_t len;
	enum err err;

	if (!batch)
		return ERR_OVERLOADED;
	batch->count = count;
	batch->items = arena_take_array(worker->arena, count, sizeof(*batch->items));
	batch->order = arena_take_array(worker->arena, count, sizeof(struct making *));
	if (!batch->items || !batch->order)
		return ERR_OVERLOADED;
	read_all(batch, calls, requests, replies);
	for (size_t first = 0; first < batch->order_count; first += len) {
		len = batch->order_count - first < PILE_MAX ? batch->order_count - first : PILE_MAX;
		err = run_together(&batch->together, batch->order + first, len);
		if (err != OK && first == 0)
			return err; /* no transaction was committed before */
	}
	for (size_t i = 0; i < count; i++) {
		if (batch->items[i].state == MAKING_ALONE)
			run_alone(&batch->items[i]);
		INVARIANT(batch->items[i].state == MAKING_DECIDED);
		errs_out[i] = batch->items[i].err;
	}
	return OK;
}
