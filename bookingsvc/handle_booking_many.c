/* SPDX-License-Identifier: Apache-2.0 */
#include "handle_booking_many.h"

#include <stdlib.h>
#include <string.h>

#include "base/crash.h"
#include "base/log.h"
#include "handle_booking.h"
#include "peer.h"

#define SERVICE_DEF "contract/bookingsvc.def"
#include "service/handlers.h"

/*
 * booking_create for a batch: the steps of the single form, each once for all items of a tenant, in one transaction
 * for all tenants. Only named spots go together; what has to lock an area goes alone afterwards, as does what a
 * batch cannot decide: the second of two with one idempotency key, and what collided with a stay that has gone
 * since.
 */
#define GROUP_MAX IDEMPOTENCY_BATCH_MAX

/* Items of one tenant, and columns for those that are still open. */
struct group {
	struct making *items[GROUP_MAX];
	size_t count;
	struct making *open[GROUP_MAX];
	size_t open_count;
	struct uuid ids[2 * GROUP_MAX], others[GROUP_MAX];
	int64_t numbers[2 * GROUP_MAX];
	bool flags[GROUP_MAX];
	struct place places[GROUP_MAX];
	const struct stay_row *stays[GROUP_MAX];
	struct collision collisions[GROUP_MAX];
	struct seal_key *keys[GROUP_MAX];
	const struct seal_key *used_keys[GROUP_MAX];
	struct idempotency_claim claims[GROUP_MAX];
	struct idempotency_answer answers[GROUP_MAX];
	struct str bytes[GROUP_MAX];
	int statuses[GROUP_MAX];
	struct event events[GROUP_MAX];
};

static void decide(struct making *making, enum err err)
{
	making->state = MAKING_DECIDED;
	making->err = err;
}

static void gather(struct group *group)
{
	group->open_count = 0;
	for (size_t i = 0; i < group->count; i++)
		if (group->items[i]->state == MAKING_OPEN)
			group->open[group->open_count++] = group->items[i];
}

static struct call *call_of(const struct group *group)
{
	return group->items[0]->call;
}

static const struct uuid *tenant_of(const struct group *group)
{
	return &call_of(group)->token.tenant_id;
}

/* -- the steps, in the order of the single form -- */

static enum err take_answer(struct making *making, struct tx *tx, const struct idempotency_answer *answer)
{
	bool found = false;
	enum err err;

	if (answer->err == ERR_IN_PROGRESS) {
		making->state = MAKING_ALONE;
		return OK;
	}
	err = handle_booking_claimed(making->call, tx, answer, making->reply, &found);
	if (err != OK && found) /* reading the first answer failed: nothing is decided */
		return err;
	making->claimed = err == OK && !found;
	if (err != OK || found)
		decide(making, err);
	return OK;
}

static enum err claim(struct group *group, struct tx *tx)
{
	struct call *call = call_of(group);
	struct making *keyed[GROUP_MAX];
	size_t n = 0;
	enum err err;

	for (size_t i = 0; i < group->open_count; i++) {
		if (!group->open[i]->keyed.used)
			continue;
		group->claims[n] = group->open[i]->keyed.claim;
		keyed[n++] = group->open[i];
	}
	err = idempotency_begin_many(tx, call->worker->seal, group->claims, n, call->arena, group->answers);
	for (size_t i = 0; i < n && err == OK; i++)
		err = take_answer(keyed[i], tx, &group->answers[i]);
	gather(group);
	return err;
}

static enum err check_standing(struct group *group, struct tx *tx)
{
	bool any = false;
	enum err err = OK;

	memset(group->flags, 0, sizeof(group->flags));
	for (size_t i = 0; i < group->open_count; i++) {
		const struct making *making = group->open[i];
		bool asks = handle_making_is_for_other(making) && making->caller.act_for;

		group->ids[i] = asks ? making->caller.person_id : UUID_NIL;
		group->others[i] = making->person_id;
		any |= asks;
	}
	if (any)
		err = store_delegation_held(tx, group->ids, group->others, group->open_count, group->flags);
	for (size_t i = 0; i < group->open_count && err == OK; i++) {
		enum err verdict = handle_making_allow(group->open[i], group->flags[i]);

		if (verdict != OK)
			decide(group->open[i], verdict);
	}
	gather(group);
	return err;
}

static enum err judge(struct group *group, struct tx *tx, instant_us now)
{
	enum err err;

	for (size_t i = 0; i < group->open_count; i++)
		group->ids[i] = group->open[i]->request->spot_id;
	err = store_place_of_spots(tx, group->ids, group->open_count, now, group->places);
	for (size_t i = 0; i < group->open_count && err == OK; i++) {
		enum err verdict;

		group->open[i]->place = group->places[i];
		verdict = handle_making_judge(group->open[i], now);
		if (verdict != OK)
			decide(group->open[i], verdict);
	}
	gather(group);
	return err;
}

static enum err load_people(struct group *group, struct tx *tx)
{
	struct call *call = call_of(group);
	const size_t n = group->open_count;
	enum err err;

	for (size_t i = 0; i < n; i++) {
		group->ids[i] = group->open[i]->person_id;
		group->ids[n + i] = group->open[i]->caller.person_id;
	}
	if ((err = store_person_numbers(tx, group->ids, 2 * n, call->arena, group->numbers)) != OK)
		return err;
	err = seal_subjects_load(tx, call->worker->seal, tenant_of(group), group->ids, n, true, group->keys);
	for (size_t i = 0; i < n && err == OK; i++) {
		struct making *making = group->open[i];
		enum err verdict;

		making->key = group->keys[i];
		making->stay.person_no = group->numbers[i];
		making->stay.created_by_no = group->numbers[n + i];
		if ((verdict = handle_making_seal(making)) != OK)
			decide(making, verdict);
	}
	gather(group);
	return err;
}

static enum err settle_collisions(struct group *group, struct tx *tx)
{
	struct making *collided[GROUP_MAX];
	size_t n = 0;
	enum err err;

	for (size_t i = 0; i < group->open_count; i++) {
		if (group->flags[i])
			continue;
		group->stays[n] = &group->open[i]->stay;
		collided[n++] = group->open[i];
	}
	if (n == 0)
		return OK;
	err = store_stay_collisions(tx, group->stays, n, call_of(group)->arena, group->collisions);
	for (size_t i = 0; i < n && err == OK; i++) {
		enum err verdict = handle_making_collided(collided[i], &group->collisions[i]);

		if (verdict != OK)
			decide(collided[i], verdict);
		else
			collided[i]->state = MAKING_ALONE;
	}
	gather(group);
	return err;
}

static enum err add(struct group *group, struct tx *tx, instant_us now)
{
	enum err err;

	for (size_t i = 0; i < group->open_count; i++)
		group->stays[i] = &group->open[i]->stay;
	err = store_stay_add(tx, group->stays, group->open_count, now, call_of(group)->arena, group->flags);
	return err == OK ? settle_collisions(group, tx) : err;
}

static enum err put_events(struct group *group, struct tx *tx)
{
	struct call *call = call_of(group);
	enum err err = OK;

	for (size_t i = 0; i < group->open_count && err == OK; i++) {
		err = handle_making_event(group->open[i]);
		group->events[i] = group->open[i]->event;
		group->used_keys[i] = group->open[i]->key;
	}
	if (err == OK)
		err = outbox_put_with(
			tx, call->worker->seal, tenant_of(group), group->events, group->used_keys, group->open_count);
	return err;
}

/* Answers what was made, and gives back the keys of what was not. */
static enum err answer(struct group *group, struct tx *tx)
{
	struct call *call = call_of(group);
	size_t n = 0;
	enum err err = OK;

	for (size_t i = 0; i < group->count && err == OK; i++) {
		struct making *making = group->items[i];

		if (!making->claimed)
			continue;
		group->claims[n] = making->keyed.claim;
		group->used_keys[n] = handle_making_is_for_other(making) ? NULL : making->key;
		group->statuses[n] = call->operation->success_status;
		group->bytes[n] = STR_NONE;
		if (making->state == MAKING_OPEN)
			err = handle_booking_stored(making->call, making->reply, making->stay.note, &group->bytes[n]);
		n++;
	}
	if (err == OK)
		err = idempotency_finish_many(tx, call->worker->seal, group->claims, group->used_keys, group->statuses,
			group->bytes, n, call->arena);
	for (size_t i = 0; i < group->open_count && err == OK; i++)
		decide(group->open[i], OK);
	return err;
}

/* An error means that nothing of the whole batch is decided. */
static enum err run(struct group *group, struct tx *tx)
{
	const instant_us now = clock_now_us();
	enum err err;

	gather(group);
	if ((err = claim(group, tx)) != OK)
		return err;
	CRASH_POINT("booking_create_many.claimed");
	if ((err = check_standing(group, tx)) != OK)
		return err;
	if (group->open_count && (err = judge(group, tx, now)) != OK)
		return err;
	if (group->open_count && (err = load_people(group, tx)) != OK)
		return err;
	if (group->open_count && (err = add(group, tx, now)) != OK)
		return err;
	CRASH_POINT("booking_create_many.added");
	if (group->open_count && (err = put_events(group, tx)) != OK)
		return err;
	return answer(group, tx);
}

/* -- the batch -- */

struct batch {
	struct making *items;
	struct making **order; /* those that go together, tenant by tenant */
	size_t count, order_count;
	struct group group;
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
		if (!handle_making_is_for_other(items[i]) || (!items[i]->caller.manage && !items[i]->caller.act_for))
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

/* How many from `first` on are of its tenant and fit into one group. */
static size_t group_len(const struct batch *batch, size_t first)
{
	const struct uuid *tenant_id = &batch->order[first]->call->token.tenant_id;
	size_t n = 1;

	while (n < GROUP_MAX && first + n < batch->order_count &&
		uuid_eq(tenant_id, &batch->order[first + n]->call->token.tenant_id))
		n++;
	return n;
}

static enum err begin_or_switch(struct db *db, const struct uuid *tenant_id, struct tx **tx)
{
	return *tx ? tx_set_tenant(*tx, tenant_id) : tx_begin(db, tenant_id, tx);
}

static enum err run_groups(struct batch *batch, struct db *db)
{
	struct tx *tx = NULL;
	size_t len;
	enum err err = OK;

	for (size_t first = 0; first < batch->order_count; first += len) {
		len = group_len(batch, first);
		check_people(batch->order + first, len);
	}
	for (size_t first = 0; first < batch->order_count && err == OK; first += len) {
		len = group_len(batch, first);
		for (batch->group.count = 0; batch->group.count < len; batch->group.count++)
			batch->group.items[batch->group.count] = batch->order[first + batch->group.count];
		if ((err = begin_or_switch(db, tenant_of(&batch->group), &tx)) == OK)
			err = run(&batch->group, tx);
	}
	CRASH_POINT("booking_create_many.before_commit");
	if (err == OK && tx)
		err = tx_commit(&tx);
	CRASH_POINT("booking_create_many.after_commit");
	tx_free(&tx);
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
	enum err err;

	if (!batch)
		return ERR_OVERLOADED;
	batch->count = count;
	batch->items = arena_take_array(worker->arena, count, sizeof(*batch->items));
	batch->order = arena_take_array(worker->arena, count, sizeof(struct making *));
	if (!batch->items || !batch->order)
		return ERR_OVERLOADED;
	read_all(batch, calls, requests, replies);
	err = run_groups(batch, worker->db);
	for (size_t i = 0; i < count; i++)
		handle_making_release(&batch->items[i]);
	for (size_t i = 0; i < count && err == OK; i++) {
		if (batch->items[i].state == MAKING_ALONE)
			run_alone(&batch->items[i]);
		INVARIANT(batch->items[i].state == MAKING_DECIDED);
		errs_out[i] = batch->items[i].err;
	}
	return err;
}
