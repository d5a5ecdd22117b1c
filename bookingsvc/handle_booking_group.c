/* SPDX-License-Identifier: Apache-2.0 */
#include "handle_booking_group.h"

static void gather(struct group *group)
{
	group->open_count = 0;
	for (size_t i = 0; i < group->count; i++)
		if (group->items[i]->state == MAKING_OPEN)
			group->open[group->open_count++] = group->items[i];
}

static void *take(struct arena *arena, size_t count, size_t len, bool *ok)
{
	void *p = arena_take_array(arena, count, len);

	*ok = *ok && p != NULL;
	return p;
}

bool handle_booking_group_init(
	struct group *group, struct arena *arena, struct making **items, size_t count, instant_us now)
{
	bool ok = true;

	*group = (struct group){.items = items,
		.count = count,
		.now = now,
		.open = take(arena, count, sizeof(struct making *), &ok),
		.some = take(arena, count, sizeof(struct making *), &ok),
		.ids = take(arena, 2 * count, sizeof(struct uuid), &ok),
		.others = take(arena, count, sizeof(struct uuid), &ok),
		.numbers = take(arena, 2 * count, sizeof(int64_t), &ok),
		.flags = take(arena, count, sizeof(bool), &ok),
		.places = take(arena, count, sizeof(struct place), &ok),
		.stays = take(arena, count, sizeof(struct stay_row *), &ok),
		.collisions = take(arena, count, sizeof(struct collision), &ok),
		.keys = take(arena, count, sizeof(struct seal_key *), &ok),
		.used_keys = take(arena, count, sizeof(struct seal_key *), &ok),
		.claims = take(arena, count, sizeof(struct idempotency_claim), &ok),
		.answers = take(arena, count, sizeof(struct idempotency_answer), &ok),
		.bytes = take(arena, count, sizeof(struct str), &ok),
		.statuses = take(arena, count, sizeof(int), &ok)};
	if (ok)
		gather(group);
	return ok;
}

static void decide(struct making *making, enum err err)
{
	making->state = MAKING_DECIDED;
	making->err = err;
}

static struct call *call_of(const struct group *group)
{
	return group->items[0]->call;
}

const struct uuid *handle_booking_group_tenant(const struct group *group)
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

enum err handle_booking_group_claim(struct group *group, struct tx *tx)
{
	struct call *call = call_of(group);
	size_t n = 0;
	enum err err;

	for (size_t i = 0; i < group->open_count; i++) {
		if (!group->open[i]->keyed.used)
			continue;
		group->claims[n] = group->open[i]->keyed.claim;
		group->some[n++] = group->open[i];
	}
	if (n == 0)
		return OK;
	if ((err = tx_set_tenant(tx, handle_booking_group_tenant(group))) != OK)
		return err;
	err = idempotency_begin_many(tx, call->worker->seal, group->claims, n, call->arena, group->answers);
	for (size_t i = 0; i < n && err == OK; i++)
		err = take_answer(group->some[i], tx, &group->answers[i]);
	gather(group);
	return err;
}

enum err handle_booking_group_check_standing(struct group *group, struct tx *tx)
{
	bool any = false;
	enum err err = OK;

	for (size_t i = 0; i < group->open_count; i++) {
		const struct making *making = group->open[i];
		bool asks = handle_making_is_for_other(making) && making->caller.act_for;

		group->flags[i] = false;
		group->ids[i] = asks ? making->caller.person_id : UUID_NIL;
		group->others[i] = making->person_id;
		any |= asks;
	}
	if (any)
		err = tx_set_tenant(tx, handle_booking_group_tenant(group));
	if (any && err == OK)
		err = store_delegation_held(tx, group->ids, group->others, group->open_count, group->flags);
	for (size_t i = 0; i < group->open_count && err == OK; i++) {
		enum err verdict = handle_making_allow(group->open[i], group->flags[i]);

		if (verdict != OK)
			decide(group->open[i], verdict);
	}
	gather(group);
	return err;
}

static bool is_own(const struct making *making)
{
	return uuid_eq(&making->person_id, &making->caller.person_id);
}

enum err handle_booking_group_queue_reads(struct group *group, struct tx *tx)
{
	const size_t n = group->open_count;
	enum err err;

	if (n == 0)
		return OK;
	group->id_count = n;
	for (size_t i = 0; i < n; i++) {
		group->others[i] = group->open[i]->request->spot_id;
		group->ids[i] = group->open[i]->person_id;
		if (!is_own(group->open[i]))
			group->ids[group->id_count++] = group->open[i]->caller.person_id;
	}
	if ((err = tx_set_tenant(tx, handle_booking_group_tenant(group))) != OK)
		return err;
	if ((err = store_place_queue(tx, group->others, n, group->now)) != OK)
		return err;
	if ((err = store_person_numbers_queue(tx, group->ids, group->id_count)) != OK)
		return err;
	return seal_subjects_queue(tx, handle_booking_group_tenant(group), group->ids, n);
}

/*
 * Behind the people's numbers those of who asks, one for each: from behind, so that none is overwritten before it has
 * moved.
 */
static void spread_numbers(struct group *group)
{
	const size_t n = group->open_count;
	size_t others = group->id_count;

	for (size_t i = n; i-- > 0;)
		group->numbers[n + i] = group->numbers[is_own(group->open[i]) ? i : --others];
}

enum err handle_booking_group_take_reads(struct group *group, struct tx *tx)
{
	const size_t n = group->open_count;
	enum err err;

	if (n == 0)
		return OK;
	if ((err = store_place_next(tx, group->others, n, group->places)) != OK)
		return err;
	if ((err = store_person_numbers_next(tx, group->ids, group->id_count, group->numbers)) != OK)
		return err;
	spread_numbers(group);
	err = seal_subjects_next(
		tx, call_of(group)->worker->seal, handle_booking_group_tenant(group), group->ids, n, group->keys);
	for (size_t i = 0; i < n && err == OK; i++)
		group->open[i]->key = group->keys[i];
	return err;
}

static bool knows_person(const struct making *making)
{
	return making->key != NULL && making->stay.person_no != 0 &&
	       (making->stay.created_by_no != 0 || uuid_is_nil(&making->caller.person_id));
}

/* Who has not booked before gets a number and a key. */
static enum err meet_people(struct group *group, struct tx *tx)
{
	struct call *call = call_of(group);
	size_t n = 0;
	enum err err;

	for (size_t i = 0; i < group->open_count; i++)
		if (!knows_person(group->open[i]))
			group->some[n++] = group->open[i];
	if (n == 0)
		return OK;
	for (size_t i = 0; i < n; i++) {
		group->ids[i] = group->some[i]->person_id;
		group->ids[n + i] = group->some[i]->caller.person_id;
		seal_key_free(&group->some[i]->key);
	}
	if ((err = tx_set_tenant(tx, handle_booking_group_tenant(group))) != OK)
		return err;
	if ((err = store_person_numbers(tx, group->ids, 2 * n, call->arena, group->numbers)) != OK)
		return err;
	err = seal_subjects_load(
		tx, call->worker->seal, handle_booking_group_tenant(group), group->ids, n, true, group->keys);
	for (size_t i = 0; i < n && err == OK; i++) {
		group->some[i]->key = group->keys[i];
		group->some[i]->stay.person_no = group->numbers[i];
		group->some[i]->stay.created_by_no = group->numbers[n + i];
	}
	return err;
}

enum err handle_booking_group_judge(struct group *group, struct tx *tx)
{
	const size_t n = group->open_count;
	enum err err;

	for (size_t i = 0; i < n; i++) {
		struct making *making = group->open[i];
		enum err verdict;

		making->place = group->places[i];
		if ((verdict = handle_making_judge(making, group->now)) != OK)
			decide(making, verdict);
		making->stay.person_no = group->numbers[i];
		making->stay.created_by_no = group->numbers[n + i];
	}
	gather(group);
	if ((err = meet_people(group, tx)) != OK)
		return err;
	for (size_t i = 0; i < group->open_count; i++) {
		enum err verdict = handle_making_seal(group->open[i]);

		if (verdict != OK)
			decide(group->open[i], verdict);
	}
	gather(group);
	return OK;
}

void handle_booking_group_pile_stays(struct group *group, struct pile *pile)
{
	for (size_t i = 0; i < group->open_count; i++) {
		group->stays[i] = &group->open[i]->stay;
		pile->stays[pile->count] = group->stays[i];
		pile->tenants[pile->count++] = *handle_booking_group_tenant(group);
	}
}

enum err handle_booking_group_queue_there(struct group *group, struct tx *tx)
{
	enum err err;

	if (group->open_count == 0)
		return OK;
	if ((err = tx_set_tenant(tx, handle_booking_group_tenant(group))) != OK)
		return err;
	return store_stay_there_queue(tx, group->stays, group->open_count, call_of(group)->arena);
}

enum err handle_booking_group_take_there(struct group *group, struct tx *tx)
{
	return group->open_count > 0 ? store_stay_there_next(tx, group->stays, group->open_count, group->flags) : OK;
}

enum err handle_booking_group_settle_collisions(struct group *group, struct tx *tx)
{
	size_t n = 0;
	enum err err;

	for (size_t i = 0; i < group->open_count; i++) {
		if (group->flags[i])
			continue;
		group->stays[n] = &group->open[i]->stay;
		group->some[n++] = group->open[i];
	}
	if (n == 0)
		return OK;
	if ((err = tx_set_tenant(tx, handle_booking_group_tenant(group))) != OK)
		return err;
	err = store_stay_collisions(tx, group->stays, n, call_of(group)->arena, group->collisions);
	for (size_t i = 0; i < n && err == OK; i++) {
		enum err verdict = handle_making_collided(group->some[i], &group->collisions[i]);

		if (verdict != OK)
			decide(group->some[i], verdict);
		else
			group->some[i]->state = MAKING_ALONE;
	}
	gather(group);
	return err;
}

enum err handle_booking_group_pile_events(struct group *group, struct pile *pile)
{
	enum err err;

	for (size_t i = 0; i < group->open_count; i++) {
		if ((err = handle_making_event(group->open[i])) != OK)
			return err;
		pile->events[pile->count] = group->open[i]->event;
		pile->keys[pile->count] = group->open[i]->key;
		pile->tenants[pile->count++] = *handle_booking_group_tenant(group);
	}
	return OK;
}

/* Answers what was made, and gives back the keys of what was not. */
enum err handle_booking_group_answer(struct group *group, struct tx *tx)
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
	if (err == OK && n > 0)
		err = tx_set_tenant(tx, handle_booking_group_tenant(group));
	if (err == OK && n > 0)
		err = idempotency_finish_many(tx, call->worker->seal, group->claims, group->used_keys, group->statuses,
			group->bytes, n, call->arena);
	for (size_t i = 0; i < group->open_count && err == OK; i++)
		decide(group->open[i], OK);
	return err;
}
