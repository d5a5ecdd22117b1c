/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/crash.h"
#include "handle_booking.h"

#define SERVICE_DEF "contract/bookingsvc.def"
#include "service/handlers.h"

/* A change of one stay: opened, decided by the operation, closed. */
struct change {
	struct call *call;
	struct caller caller;
	struct booking *reply;
	struct keyed keyed;
	struct tx *tx;
	struct stay_row stay;
	enum standing standing;
	struct seal_key *key; /* the person's; NULL for a stay of nobody any more */
	struct str note, before;
	instant_us now;
	bool found; /* the key was used: the reply is the first answer */
};

static enum err load_key(struct change *change)
{
	struct call *call = change->call;
	enum err err;

	if (uuid_is_nil(&change->stay.person_id))
		return OK;
	err = seal_subject_load(
		change->tx, call->worker->seal, &call->token.tenant_id, &change->stay.person_id, true, &change->key);
	return err == ERR_GONE ? OK : err;
}

static enum err check_access(struct change *change)
{
	struct call *call = change->call;
	const struct stay_row *stay = &change->stay;
	const struct caller caller = rules_caller_at(&change->caller, &stay->site_id, &stay->area_id, &stay->person_id);
	struct verdict verdict;

	change->standing = rules_standing(&caller, &change->stay.person_id, change->stay.is_principal);
	verdict = rules_may_touch(change->standing, &caller, true);
	if (verdict.err == OK && (call->operation->flags & OP_VERSIONED))
		verdict = rules_version(call->if_match, change->stay.version);
	return handle_refuse(call, &verdict);
}

/* Begins, claims the key, locks the stay, checks access and version. */
static enum err change_open(struct call *call, const struct uuid *id, struct booking *reply, struct change *change)
{
	enum err err;

	*change = (struct change){.call = call, .reply = reply, .now = clock_now_us()};
	if (call->operation->flags & OP_KEYED)
		change->keyed = handle_keyed(call);
	if ((err = handle_caller_whole(call, &change->caller)) != OK)
		return err;
	if ((err = handle_begin(call, &change->tx)) != OK)
		return err;
	err = handle_booking_claim(call, change->tx, &change->keyed, reply, &change->found);
	if (err != OK || change->found)
		return err;
	err = store_stay_read(change->tx, id, true, &call->token.person_id, call->arena, &change->stay);
	if (err != OK)
		return err;
	if ((err = check_access(change)) != OK)
		return err;
	if ((err = load_key(change)) != OK)
		return err;
	if ((err = handle_booking_note_open(call, &change->stay, change->key, &change->note)) != OK)
		return err;
	handle_booking_show(&change->stay, change->note, reply);
	return handle_document(call, shape_booking(), reply, &change->before);
}

/* Writes, tells, answers, commits. */
static enum err change_close(struct change *change, const char *action)
{
	struct call *call = change->call;
	const struct seal_key *key = change->key;
	struct event event = handle_booking_event(call, action, &change->stay);
	enum err err = store_stay_change(change->tx, &change->stay);

	if (err != OK)
		return err;
	CRASH_POINT("booking_change.changed");
	handle_booking_show(&change->stay, change->note, change->reply);
	event.before = change->before;
	if ((err = handle_document(call, shape_booking(), change->reply, &event.after)) != OK)
		return err;
	if ((err = handle_put_event(call, change->tx, &event, key)) != OK)
		return err;
	err = handle_booking_answer(call, change->tx, &change->keyed, key, change->stay.note, change->reply);
	if (err != OK)
		return err;
	CRASH_POINT("booking_change.before_commit");
	err = tx_commit(&change->tx);
	CRASH_POINT("booking_change.after_commit");
	call->version = change->stay.version;
	return err;
}

static void change_release(struct change *change)
{
	seal_key_free(&change->key);
	tx_free(&change->tx);
}

static enum err decided(struct change *change, struct verdict verdict, const char *action)
{
	enum err err = handle_refuse(change->call, &verdict);

	return err == OK ? change_close(change, action) : err;
}

/* -- booking_update -- */

/* Where the stay will be: locked when anything about the place is decided again. */
static enum err find_place(struct change *change, const struct booking_update_request *request, struct place *place)
{
	struct call *call = change->call;
	enum err err = store_place_of_area(change->tx, &change->stay.area_id, true, change->now, place);
	struct place target = {0};

	if (err != OK || !request->has_spot_id)
		return err;
	err = store_place_of_spots(change->tx, &request->spot_id, 1, change->now, &target);
	if (err == OK && !target.area_no)
		return handle_not_found(call, "spot_id");
	if (err == OK && target.area_no != place->area_no)
		return call_refuse(
			call, ERR_RULE, "spot_id", "other_area", "A booking moves to a spot of the same area only.");
	*place = target;
	return err;
}

static enum err check_pool(struct change *change, const struct place *place)
{
	const struct stay_row *stay = &change->stay;
	int64_t peak;
	enum err err;

	if (place->inventory != INVENTORY_POOLED)
		return OK;
	err = store_pool_peak(
		change->tx, place->area_no, stay->starts_at, stay->ends_at, place->lookback_min, &stay->id, &peak);
	if (err == OK && peak >= place->capacity)
		return call_refuse(
			change->call, ERR_AREA_FULL, NULL, "area_full", "Nothing is free here for all of that time.");
	return err;
}

static enum err write_note(struct change *change, const struct booking_update_request *request)
{
	if (!request->has_note)
		return OK;
	change->note = request->note;
	change->stay.note = STR_NONE;
	return request->note.p ? handle_booking_note_seal(change->call, change->key, request->note, &change->stay) : OK;
}

static enum err collided(struct change *change, enum err err)
{
	const char *constraint = change->tx ? tx_constraint(change->tx) : "";

	if (err != ERR_CONFLICT)
		return err;
	if (strcmp(constraint, "booking_spot_free") == 0)
		return call_refuse(change->call, ERR_SPOT_TAKEN, NULL, "spot_taken",
			"Somebody has this spot in a part of that time.");
	if (strcmp(constraint, "booking_person_free") == 0)
		return call_refuse(change->call, ERR_PERSON_UNAVAILABLE, NULL, "person_unavailable",
			"The person has another stay in a part of that time.");
	return err;
}

static enum err update(struct change *change, const struct booking_update_request *request)
{
	struct place place = {0};
	const struct stay_change wish = {.place = &place,
		.to_spot = request->has_spot_id,
		.has_starts_at = request->has_starts_at,
		.has_ends_at = request->has_ends_at,
		.starts_at = request->starts_at,
		.ends_at = request->ends_at};
	const bool moves = wish.to_spot || wish.has_starts_at || wish.has_ends_at;
	struct verdict verdict;
	enum err err;

	if (moves && (err = find_place(change, request, &place)) != OK)
		return err;
	verdict = rules_update(&change->stay, &wish, change->now);
	if ((err = handle_refuse(change->call, &verdict)) != OK)
		return err;
	if (moves && (err = check_pool(change, &place)) != OK)
		return err;
	if ((err = write_note(change, request)) != OK)
		return err;
	return collided(change, change_close(change, "booking.update"));
}

enum err handle_booking_update(struct call *call, const struct booking_update_request *request, struct booking *reply)
{
	struct change change;
	bool again = true;
	enum err err;

	for (;;) {
		if ((err = change_open(call, &request->id, reply, &change)) == OK)
			err = update(&change, request);
		/* Two that move into each other's way wait for each other until PostgreSQL stops one of them. */
		if (err != ERR_UNAVAILABLE || !again || !change.tx || !tx_retryable(change.tx))
			break;
		change_release(&change);
		again = false;
	}
	change_release(&change);
	return err;
}

/* -- the others -- */

enum err handle_booking_cancel(struct call *call, const struct booking_ref *request, struct booking *reply)
{
	struct change change;
	enum err err = change_open(call, &request->id, reply, &change);

	if (err == OK)
		err = decided(&change, rules_cancel(&change.stay, change.standing, change.now), "booking.cancel");
	change_release(&change);
	return err;
}

enum err handle_booking_check_in(struct call *call, const struct booking_ref *request, struct booking *reply)
{
	struct change change;
	enum err err = change_open(call, &request->id, reply, &change);

	if (err == OK && !change.found)
		err = decided(&change, rules_check_in(&change.stay, change.now), "booking.check_in");
	change_release(&change);
	return err;
}

enum err handle_booking_check_out(struct call *call, const struct booking_ref *request, struct booking *reply)
{
	struct change change;
	enum err err = change_open(call, &request->id, reply, &change);

	if (err == OK && !change.found)
		err = decided(&change, rules_check_out(&change.stay, change.now), "booking.check_out");
	change_release(&change);
	return err;
}
