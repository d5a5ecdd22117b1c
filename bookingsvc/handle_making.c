/* SPDX-License-Identifier: Apache-2.0 */
#include "handle_booking.h"

/* A new stay on its way, step by step: the same steps alone and in a batch. */

enum err handle_making_read(
	struct making *making, struct call *call, const struct booking_create_request *request, struct booking *reply)
{
	enum err err;

	*making = (struct making){.call = call,
		.request = request,
		.reply = reply,
		.caller = handle_caller(call),
		.person_id = request->has_for_person_id ? request->for_person_id : call->token.person_id,
		.keyed = handle_keyed(call)};
	if (handle_making_is_for_other(making) && (err = handle_caller_whole(call, &making->caller)) != OK)
		return err;
	making->caller = rules_caller_at(&making->caller, NULL, NULL, &making->person_id);
	if (request->has_spot_id == request->has_area_id)
		return call_refuse(call, ERR_BAD_FIELD, "spot_id", "exactly_one", "Give either spot_id or area_id.");
	if (uuid_is_nil(&making->person_id))
		return call_refuse(call, ERR_BAD_FIELD, "for_person_id", "missing",
			"A client that acts for itself says for whom it books.");
	return OK;
}

bool handle_making_is_for_other(const struct making *making)
{
	return !uuid_eq(&making->person_id, &making->caller.person_id);
}

bool handle_making_may_be_allowed(const struct making *making)
{
	const struct caller *caller = &making->caller;

	return caller->manage || caller->act_for || caller->assists || rules_manages_somewhere(caller);
}

enum err handle_making_allow(struct making *making, bool is_principal)
{
	struct verdict verdict;

	making->standing = rules_standing(&making->caller, &making->person_id, is_principal);
	making->by_place = making->standing == STANDING_NONE && rules_manages_somewhere(&making->caller);
	if (making->by_place)
		return OK;
	verdict = rules_may_book_for(making->standing, &making->caller);
	return handle_refuse(making->call, &verdict);
}

enum err handle_making_judge(struct making *making, instant_us now)
{
	const struct booking_create_request *request = making->request;
	const struct place *place = &making->place;
	struct verdict verdict;

	if (!place->area_no)
		return handle_not_found(making->call, request->has_spot_id ? "spot_id" : "area_id");
	if (making->by_place) {
		making->caller = rules_caller_at(&making->caller, &place->site_id, &place->area_id, NULL);
		making->standing = rules_standing(&making->caller, &making->person_id, false);
		verdict = rules_may_book_for(making->standing, &making->caller);
		if (verdict.err != OK)
			return handle_refuse(making->call, &verdict);
	}
	verdict = rules_create(place, request->starts_at, request->ends_at, now);
	if (verdict.err != OK)
		return handle_refuse(making->call, &verdict);
	making->stay = (struct stay_row){.id = uuid_new(),
		.site_no = place->site_no,
		.area_no = place->area_no,
		.spot_no = place->spot_no,
		.site_id = place->site_id,
		.area_id = place->area_id,
		.spot_id = place->spot_id,
		.person_id = making->person_id,
		.created_by_id = making->caller.person_id,
		.starts_at = request->starts_at,
		.ends_at = request->ends_at,
		.held_until = request->ends_at,
		.created_at = now,
		.policy_version = place->policy_version,
		.version = 1,
		.status = STAY_CONFIRMED};
	return OK;
}

enum err handle_making_seal(struct making *making)
{
	struct str note = making->request->has_note ? making->request->note : STR_NONE;

	if (!making->key) /* erased: a token of that person's lives on for a moment, and so may a question to authsvc */
		return handle_making_is_for_other(making) ? handle_not_found(making->call, "for_person_id")
		                                          : ERR_UNAUTHENTICATED;
	return handle_booking_note_seal(making->call, making->key, note, &making->stay);
}

enum err handle_making_collided(struct making *making, const struct collision *collision)
{
	if (collision->spot)
		return call_refuse(making->call, ERR_SPOT_TAKEN, "spot_id", "spot_taken",
			"Somebody has this spot in a part of that time.");
	if (collision->person)
		return call_refuse(making->call, ERR_PERSON_UNAVAILABLE, NULL, "person_unavailable",
			"The person has another stay in a part of that time.");
	return OK;
}

enum err handle_making_event(struct making *making)
{
	struct str note = making->request->has_note ? making->request->note : STR_NONE;

	handle_booking_show(&making->stay, note, making->reply);
	making->call->version = making->stay.version;
	making->event = handle_booking_event(making->call, "booking.create", &making->stay);
	return handle_document(making->call, shape_booking(), making->reply, &making->event.after);
}

void handle_making_release(struct making *making)
{
	seal_key_free(&making->key);
}
