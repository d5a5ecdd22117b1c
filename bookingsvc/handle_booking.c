/* SPDX-License-Identifier: Apache-2.0 */
#include "handle_booking.h"

#include <string.h>

#define NOTE_LEN_BYTES 2

/* What the operations on bookings share: how a stay is shown, told and remembered. */

void handle_booking_show(const struct stay_row *stay, struct str note, struct booking *booking)
{
	*booking = (struct booking){.id = stay->id,
		.has_id = true,
		.site_id = stay->site_id,
		.has_site_id = true,
		.area_id = stay->area_id,
		.has_area_id = true,
		.spot_id = stay->spot_id,
		.has_spot_id = true,
		.person_id = stay->person_id,
		.has_person_id = true,
		.created_by_id = stay->created_by_id,
		.has_created_by_id = true,
		.starts_at = stay->starts_at,
		.has_starts_at = true,
		.ends_at = stay->ends_at,
		.has_ends_at = true,
		.status = str_from(rules_stay_status_name(stay->status)),
		.has_status = true,
		.reason = stay->reason,
		.has_reason = true,
		.note = note,
		.has_note = true,
		.policy_version = stay->policy_version,
		.has_policy_version = true,
		.version = stay->version,
		.has_version = true,
		.created_at = stay->created_at,
		.has_created_at = true,
		.checked_in_at = stay->checked_in_at,
		.has_checked_in_at = true,
		.checked_out_at = stay->checked_out_at,
		.has_checked_out_at = true};
}

static struct seal_place note_place(const struct call *call, const struct uuid *stay_id)
{
	return (struct seal_place){&call->token.tenant_id, "booking", "note", stay_id};
}

enum err handle_booking_note_open(
	const struct call *call, const struct stay_row *stay, const struct seal_key *key, struct str *note_out)
{
	const struct seal_place place = note_place(call, &stay->id);
	enum err err = OK;

	*note_out = STR_NONE;
	if (stay->note.p)
		err = seal_open(key, &place, stay->note, call->arena, note_out);
	return err == ERR_GONE ? OK : err; /* erased since the row was read */
}

enum err handle_booking_note_seal(
	const struct call *call, const struct seal_key *key, struct str note, struct stay_row *stay)
{
	const struct seal_place place = note_place(call, &stay->id);

	return seal_field(key, &place, note, call->arena, &stay->note);
}

enum err handle_booking_show_all(
	struct call *call, struct tx *tx, const struct stay_row *stays, size_t count, struct booking *bookings)
{
	struct uuid people[PAGE_MAX] = {0};
	struct seal_key *keys[PAGE_MAX] = {0};
	size_t places[PAGE_MAX], n = 0;
	enum err err;

	for (size_t i = 0; i < count; i++) {
		handle_booking_show(&stays[i], STR_NONE, &bookings[i]);
		if (!stays[i].note.p || uuid_is_nil(&stays[i].person_id))
			continue;
		people[n] = stays[i].person_id;
		places[n++] = i;
	}
	err = seal_subjects_load(tx, call->worker->seal, &call->token.tenant_id, people, n, false, keys);
	for (size_t k = 0; k < n && err == OK; k++)
		err = handle_booking_note_open(call, &stays[places[k]], keys[k], &bookings[places[k]].note);
	seal_keys_free(keys, n);
	return err;
}

struct event handle_booking_event(const struct call *call, const char *action, const struct stay_row *stay)
{
	struct event event = handle_event(call, action, "booking", &stay->id, stay->version);

	event.subject_id = stay->person_id;
	if (!uuid_eq(&stay->person_id, &event.actor_id))
		event.on_behalf_id = stay->person_id;
	return event;
}

static bool is_own(const struct call *call, const struct booking *booking)
{
	return uuid_eq(&booking->person_id, &call->token.person_id) && !uuid_is_nil(&booking->person_id);
}

enum err handle_booking_stored(
	struct call *call, const struct booking *booking, struct str sealed_note, struct str *bytes_out)
{
	const bool apart = !is_own(call, booking) && booking->note.p;
	const size_t tail_len = apart ? sealed_note.len : 0;
	struct booking stored = *booking;
	struct str body;
	uint8_t *bytes;
	enum err err;

	if (apart)
		stored.note = STR_NONE;
	if (tail_len > UINT16_MAX)
		return ERR_TOO_LARGE;
	if ((err = handle_encode(call, &stored, &body)) != OK)
		return err;
	if (!(bytes = arena_take(call->arena, body.len + tail_len + NOTE_LEN_BYTES)))
		return ERR_OVERLOADED;
	memcpy(bytes, body.p, body.len);
	if (tail_len)
		memcpy(bytes + body.len, sealed_note.p, tail_len);
	bytes[body.len + tail_len] = (uint8_t)(tail_len >> 8);
	bytes[body.len + tail_len + 1] = (uint8_t)tail_len;
	*bytes_out = (struct str){(const char *)bytes, body.len + tail_len + NOTE_LEN_BYTES};
	return OK;
}

/* Takes the sealed note off the end of stored bytes. */
static enum err split_note(struct str *bytes, struct str *sealed_note_out)
{
	const uint8_t *end = (const uint8_t *)bytes->p + bytes->len;
	size_t tail_len;

	*sealed_note_out = STR_NONE;
	if (bytes->len < NOTE_LEN_BYTES)
		return ERR_INTERNAL;
	tail_len = (size_t)end[-2] << 8 | end[-1];
	bytes->len -= NOTE_LEN_BYTES;
	if (tail_len > bytes->len)
		return ERR_INTERNAL;
	bytes->len -= tail_len;
	if (tail_len)
		*sealed_note_out = (struct str){bytes->p + bytes->len, tail_len};
	return OK;
}

/* As of the first answer, except for what an erasure has taken back since. */
static enum err replay(struct call *call, struct tx *tx, struct str sealed_note, struct booking *booking)
{
	struct seal_key *key = NULL;
	struct stay_row stay;
	enum err err;

	call->version = booking->version;
	if (is_own(call, booking))
		return OK;
	if ((err = store_stay_read(tx, &booking->id, false, &UUID_NIL, call->arena, &stay)) != OK)
		return err;
	booking->person_id = stay.person_id;
	if (uuid_is_nil(&stay.person_id) || !sealed_note.p)
		return OK;
	stay.note = sealed_note;
	err = seal_subject_load(tx, call->worker->seal, &call->token.tenant_id, &stay.person_id, false, &key);
	if (err == OK)
		err = handle_booking_note_open(call, &stay, key, &booking->note);
	seal_key_free(&key);
	return err == ERR_GONE ? OK : err;
}

enum err handle_booking_claimed(struct call *call, struct tx *tx, const struct idempotency_answer *answer,
	struct booking *reply_out, bool *found_out)
{
	struct idempotency_answer split = *answer;
	struct str sealed_note = STR_NONE;
	enum err err = OK;

	*found_out = false;
	if (split.err == OK && split.found)
		err = split_note(&split.reply, &sealed_note);
	if (err == OK)
		err = handle_claimed(call, &split, reply_out, found_out);
	return err == OK && *found_out ? replay(call, tx, sealed_note, reply_out) : err;
}

enum err handle_booking_claim(
	struct call *call, struct tx *tx, const struct keyed *keyed, struct booking *reply_out, bool *found_out)
{
	struct idempotency_answer answer = {.err = OK};
	enum err err;

	*found_out = false;
	if (!keyed->used)
		return OK;
	err = idempotency_begin(tx, call->worker->seal, &keyed->claim, call->arena, &answer);
	if (err != OK)
		answer.err = err;
	return handle_booking_claimed(call, tx, &answer, reply_out, found_out);
}

enum err handle_booking_answer(struct call *call, struct tx *tx, const struct keyed *keyed,
	const struct seal_key *person_key, struct str sealed_note, const struct booking *booking)
{
	struct str bytes;
	enum err err;

	if (!keyed->used)
		return OK;
	if ((err = handle_booking_stored(call, booking, sealed_note, &bytes)) != OK)
		return err;
	return idempotency_finish(tx, call->worker->seal, &keyed->claim, is_own(call, booking) ? person_key : NULL,
		call->operation->success_status, bytes, call->arena);
}
