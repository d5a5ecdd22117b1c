/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_BOOKINGSVC_HANDLE_BOOKING_H
#define BERTH_BOOKINGSVC_HANDLE_BOOKING_H

#include "handle.h"
#include "store_person.h"
#include "store_stay.h"

/* What the operations on bookings share. */

/* The stay as the API shows it, with this note (p == NULL: none). */
void handle_booking_show(const struct stay_row *stay, struct str note, struct booking *booking);
MUST_USE enum err handle_booking_note_open(
	const struct call *call, const struct stay_row *stay, const struct seal_key *key, struct str *note_out);
MUST_USE enum err handle_booking_note_seal(
	const struct call *call, const struct seal_key *key, struct str note, struct stay_row *stay);
/* Shows `count` stays of any people, with their notes. */
MUST_USE enum err handle_booking_show_all(
	struct call *call, struct tx *tx, const struct stay_row *stays, size_t count, struct booking *bookings);

/* Both people are told: who acted, and for whom when that is another. */
struct event handle_booking_event(const struct call *call, const char *action, const struct stay_row *stay);
/*
 * The answer under an idempotency key. Another person's note stands in it as it stands in the stay, `sealed_note`:
 * under that person's own key, which their erasure destroys.
 */
MUST_USE enum err handle_booking_stored(
	struct call *call, const struct booking *booking, struct str sealed_note, struct str *bytes_out);
MUST_USE enum err handle_booking_claimed(struct call *call, struct tx *tx, const struct idempotency_answer *answer,
	struct booking *reply_out, bool *found_out);
MUST_USE enum err handle_booking_claim(
	struct call *call, struct tx *tx, const struct keyed *keyed, struct booking *reply_out, bool *found_out);
MUST_USE enum err handle_booking_answer(struct call *call, struct tx *tx, const struct keyed *keyed,
	const struct seal_key *person_key, struct str sealed_note, const struct booking *booking);

/* -- a new stay on its way -- */
struct making {
	struct call *call;
	const struct booking_create_request *request;
	struct booking *reply;
	struct caller caller;
	struct uuid person_id;
	enum standing standing;
	bool by_place; /* whether the caller may book for the person, the place found will tell */
	struct keyed keyed;
	struct place place;
	struct stay_row stay;
	struct seal_key *key; /* the person's */
	struct event event;
	bool retryable; /* alone: the transaction may be tried again at once */
	/* In a batch. */
	enum { MAKING_OPEN, MAKING_DECIDED, MAKING_ALONE } state;
	enum err err; /* of a decided one */
	bool claimed; /* the key is ours to answer */
};
/* Who and where, as far as the request alone tells. */
MUST_USE enum err handle_making_read(
	struct making *making, struct call *call, const struct booking_create_request *request, struct booking *reply);
bool handle_making_is_for_other(const struct making *making);
/* Whether it depends on more than the token whether the caller may book for another. */
bool handle_making_may_be_allowed(const struct making *making);
/* `is_principal`: the caller is an assistant of the person. */
MUST_USE enum err handle_making_allow(struct making *making, bool is_principal);
/* Judges by the place found (area_no 0: none) and makes the stay of it. */
MUST_USE enum err handle_making_judge(struct making *making, instant_us now);
MUST_USE enum err handle_making_seal(struct making *making);
MUST_USE enum err handle_making_collided(struct making *making, const struct collision *collision);
/* The reply and the event, ready to be put. */
MUST_USE enum err handle_making_event(struct making *making);
void handle_making_release(struct making *making);

#endif
