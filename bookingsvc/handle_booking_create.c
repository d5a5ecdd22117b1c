/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/crash.h"
#include "handle_booking.h"
#include "peer.h"

#define SERVICE_DEF "contract/bookingsvc.def"
#include "service/handlers.h"

#define TRIES_MAX 3      /* of a whole transaction that collided with another's locks */
#define COLLISIONS_MAX 8 /* of one stay with others that then went away, or took the spot that was free */

/* What cannot be asked within the transaction: whether the person exists is authsvc's to say. */
static enum err check_person(struct making *making)
{
	bool active = false;
	enum err err = OK;

	if (!handle_making_is_for_other(making))
		return OK;
	if (!handle_making_may_be_allowed(making))
		return handle_making_allow(making, false);
	if ((err = peer_people_active(making->call, &making->person_id, 1, &active)) != OK)
		return err;
	return active ? OK : handle_not_found(making->call, "for_person_id");
}

static enum err check_standing(struct making *making, struct tx *tx)
{
	bool is_principal = false;
	enum err err = OK;

	if (handle_making_is_for_other(making) && making->caller.act_for)
		err = store_delegation_held(tx, &making->caller.person_id, &making->person_id, 1, &is_principal);
	return err == OK ? handle_making_allow(making, is_principal) : err;
}

/* An area is locked: what is free in it is found by counting or by choosing. */
static enum err find_place(struct making *making, struct tx *tx, instant_us now)
{
	const struct booking_create_request *request = making->request;
	enum err err;

	if (request->has_spot_id)
		return store_place_of_spots(tx, &request->spot_id, 1, now, &making->place);
	err = store_place_of_area(tx, &request->area_id, true, now, &making->place);
	return err == ERR_NOT_FOUND ? handle_not_found(making->call, "area_id") : err;
}

static enum err load_person(struct making *making, struct tx *tx)
{
	const struct uuid people[] = {making->person_id, making->caller.person_id};
	struct call *call = making->call;
	int64_t numbers[2];
	enum err err = store_person_numbers(tx, people, 2, call->arena, numbers);

	making->stay.person_no = numbers[0];
	making->stay.created_by_no = numbers[1];
	if (err == OK)
		err = seal_subject_load(
			tx, call->worker->seal, &call->token.tenant_id, &making->person_id, true, &making->key);
	return err == ERR_GONE ? OK : err;
}

/* Adds the stay where it says. *added_out false: it collided with one that has gone since; try again. */
static enum err add_here(struct making *making, struct tx *tx, bool *added_out)
{
	const struct stay_row *stay = &making->stay;
	struct collision collision;
	enum err err = store_stay_add(tx, &stay, 1, making->stay.created_at, making->call->arena, added_out);

	if (err != OK || *added_out)
		return err;
	err = store_stay_collisions(tx, &stay, 1, making->call->arena, &collision);
	if (err == OK && making->request->has_area_id)
		collision.spot = false; /* taken under our hands: there may be another */
	return err == OK ? handle_making_collided(making, &collision) : err;
}

static enum err refuse_full(struct making *making)
{
	return call_refuse(
		making->call, ERR_AREA_FULL, "area_id", "area_full", "Nothing is free here for all of that time.");
}

static enum err choose_spot(struct making *making, struct tx *tx)
{
	struct stay_row *stay = &making->stay;
	enum err err = store_spot_free(tx, &making->place, stay->starts_at, stay->ends_at);

	if (err == ERR_NOT_FOUND)
		return refuse_full(making);
	stay->spot_no = making->place.spot_no;
	stay->spot_id = making->place.spot_id;
	return err;
}

static enum err count_pool(struct making *making, struct tx *tx)
{
	const struct place *place = &making->place;
	const struct stay_row *stay = &making->stay;
	int64_t peak;
	enum err err = store_pool_peak(
		tx, place->area_no, stay->starts_at, stay->ends_at, place->lookback_min, &UUID_NIL, &peak);

	return err == OK && peak >= place->capacity ? refuse_full(making) : err;
}

static enum err add(struct making *making, struct tx *tx)
{
	const bool choose = making->request->has_area_id && making->place.inventory == INVENTORY_NAMED;
	bool added = false;
	enum err err = OK;

	if (making->place.inventory == INVENTORY_POOLED)
		err = count_pool(making, tx);
	for (int i = 0; i < COLLISIONS_MAX && err == OK && !added; i++) {
		if (choose && (err = choose_spot(making, tx)) != OK)
			break;
		err = add_here(making, tx, &added);
	}
	return err == OK && !added ? ERR_UNAVAILABLE : err;
}

static enum err finish(struct making *making, struct tx *tx)
{
	struct call *call = making->call;
	const struct seal_key *key = making->key;
	enum err err = handle_making_event(making);

	if (err == OK)
		err = handle_put_event(call, tx, &making->event, key);
	return err == OK ? handle_booking_answer(call, tx, &making->keyed, key, making->stay.note, making->reply) : err;
}

/* One transaction. making->retryable: nothing was changed, and trying at once makes sense. */
static enum err make(struct making *making)
{
	struct call *call = making->call;
	const instant_us now = clock_now_us();
	struct tx *tx = NULL;
	bool found;
	enum err err;

	if ((err = handle_begin(call, &tx)) != OK)
		goto done;
	if ((err = handle_booking_claim(call, tx, &making->keyed, making->reply, &found)) != OK || found)
		goto done;
	CRASH_POINT("booking_create.claimed");
	if ((err = check_standing(making, tx)) != OK)
		goto done;
	if ((err = find_place(making, tx, now)) != OK)
		goto done;
	if ((err = handle_making_judge(making, now)) != OK)
		goto done;
	if ((err = load_person(making, tx)) != OK)
		goto done;
	if ((err = handle_making_seal(making)) != OK)
		goto done;
	if ((err = add(making, tx)) != OK)
		goto done;
	CRASH_POINT("booking_create.added");
	if ((err = finish(making, tx)) != OK)
		goto done;
	CRASH_POINT("booking_create.before_commit");
	err = tx_commit(&tx);
	CRASH_POINT("booking_create.after_commit");
done:
	/* The person's row went between reading its number and using it: an erasure, which the next try sees. */
	making->retryable = tx && (tx_retryable(tx) || strcmp(tx_constraint(tx), "booking_person") == 0);
	handle_making_release(making);
	tx_free(&tx);
	return err;
}

enum err handle_booking_create(struct call *call, const struct booking_create_request *request, struct booking *reply)
{
	struct making making;
	enum err err = handle_making_read(&making, call, request, reply);

	if (err == OK)
		err = check_person(&making);
	if (err != OK)
		return err;
	for (int tries = 1;; tries++) {
		err = make(&making);
		if (err == OK || !making.retryable || tries == TRIES_MAX)
			break;
	}
	return err == ERR_CONFLICT && making.retryable ? ERR_UNAVAILABLE : err;
}
