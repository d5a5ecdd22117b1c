/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crash.h"
#include "handle_booking.h"

#define SERVICE_DEF "contract/bookingsvc.def"
#include "service/handlers.h"

/*
 * What gdprsvc asks for a data subject: export and erasure. There is no token: tenant and person come with the
 * request.
 */

#define EXPORT_MAX (1000U * 1000U)
#define EXPORT_ROOM (100U * 1000U) /* kept free for what comes behind the stays */
#define EXPORT_VALUES_ROOM 3000U
#define EXPORT_PAGE 100
#define ERASE_STEP 50      /* stays or things of a person in one transaction */
#define EXPORT_THINGS 1000 /* delegations; vehicles are capped lower */

/* The helpers read the tenant from the token: an internal call gets one that says no more than the tenant. */
static void scope(struct call *call, const struct subject_request *request)
{
	call->token.tenant_id = request->tenant_id;
	call->token.person_id = request->has_actor_id ? request->actor_id : UUID_NIL;
}

/* -- export -- */

struct export
{
	struct call *call;
	struct tx *tx;
	struct uuid person_id;
	struct seal_key *key; /* NULL: there is none, and so nothing personal */
	struct buf buf;
	struct json_writer w;
	struct buf item;
};

static void put_object(struct export *export, const struct shape *shape, const void *object)
{
	buf_reset(&export->item);
	json_encode(shape, object, &export->item);
	json_put_raw(&export->w, buf_str(&export->item));
}

static enum err put_stays(struct export *export, const struct stay_row *stays, size_t count, int64_t *left_out)
{
	struct booking booking;
	struct str note;
	enum err err = OK;

	for (size_t i = 0; i < count && err == OK; i++) {
		if (export->buf.len > EXPORT_MAX - EXPORT_ROOM ||
			export->w.values > JSON_NODES_MAX - EXPORT_VALUES_ROOM) {
			(*left_out)++;
			continue;
		}
		if ((err = handle_booking_note_open(export->call, &stays[i], export->key, &note)) != OK)
			break;
		handle_booking_show(&stays[i], note, &booking);
		put_object(export, shape_booking(), &booking);
	}
	return err;
}

/* All of them, oldest first; how many no longer fitted into the answer is said, never silent. */
static enum err export_stays(struct export *export)
{
	struct stay_filter filter = {.ends_after = INSTANT_MIN, .starts_before = INSTANT_MAX, .limit = EXPORT_PAGE};
	struct stay_row *stays = NULL;
	size_t count = EXPORT_PAGE;
	int64_t left_out = 0;
	enum err err = store_person_number(export->tx, &export->person_id, &filter.person_no);

	json_key(&export->w, "bookings");
	json_begin_array(&export->w);
	while (err == OK && count == EXPORT_PAGE) {
		err = store_stay_list(export->tx, &filter, export->call->arena, &stays, &count);
		if (err == OK)
			err = put_stays(export, stays, count, &left_out);
		if (err == OK && count > 0) {
			filter.after = stays[count - 1].starts_at;
			filter.after_id = stays[count - 1].id;
		}
	}
	json_end_array(&export->w);
	json_key(&export->w, "bookings_left_out");
	json_put_i64(&export->w, left_out);
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err put_vehicle(struct export *export, const struct vehicle_row *row)
{
	const struct uuid *tenant_id = &export->call->token.tenant_id;
	const struct seal_place plate = {tenant_id, "vehicle", "plate", &row->id};
	const struct seal_place label = {tenant_id, "vehicle", "label", &row->id};
	struct vehicle vehicle = {.id = row->id,
		.has_id = true,
		.person_id = row->person_id,
		.has_person_id = true,
		.has_plate = true,
		.country = row->country,
		.has_country = true,
		.has_label = row->label.p != NULL,
		.version = row->version,
		.has_version = true};
	enum err err = seal_open(export->key, &plate, row->plate, export->call->arena, &vehicle.plate);

	if (err == OK)
		err = seal_open(export->key, &label, row->label, export->call->arena, &vehicle.label);
	if (err == OK)
		put_object(export, shape_vehicle(), &vehicle);
	return err;
}

static enum err export_vehicles(struct export *export)
{
	const struct page page = {.limit = PAGE_MAX};
	struct vehicle_row *rows = NULL;
	size_t count = 0;
	enum err err = store_vehicle_list(export->tx, &export->person_id, &page, export->call->arena, &rows, &count);

	json_key(&export->w, "vehicles");
	json_begin_array(&export->w);
	for (size_t i = 0; i < count && err == OK; i++)
		err = put_vehicle(export, &rows[i]);
	json_end_array(&export->w);
	return err;
}

static enum err export_delegations(struct export *export)
{
	struct delegation_row *rows = NULL;
	size_t count = 0;
	enum err err = store_delegation_of_person(
		export->tx, &export->person_id, EXPORT_THINGS, export->call->arena, &rows, &count);

	json_key(&export->w, "delegations");
	json_begin_array(&export->w);
	for (size_t i = 0; i < count && err == OK; i++) {
		const struct delegation delegation = {.id = rows[i].id,
			.has_id = true,
			.assistant_id = rows[i].assistant_id,
			.has_assistant_id = true,
			.principal_id = rows[i].principal_id,
			.has_principal_id = true,
			.created_at = rows[i].created_at,
			.has_created_at = true};

		put_object(export, shape_delegation(), &delegation);
	}
	json_end_array(&export->w);
	return err;
}

static enum err export_all(struct export *export)
{
	struct call *call = export->call;
	enum err err = seal_subject_load(
		export->tx, call->worker->seal, &call->token.tenant_id, &export->person_id, false, &export->key);

	json_begin_object(&export->w);
	if (err == OK || err == ERR_GONE)
		err = export_stays(export);
	if (err == OK)
		err = export_vehicles(export);
	if (err == OK)
		err = export_delegations(export);
	json_end_object(&export->w);
	return err;
}

enum err handle_booking_export(struct call *call, const struct subject_request *request, struct subject_export *reply)
{
	struct export export = {.call = call, .person_id = request->person_id};
	enum err err;

	scope(call, request);
	buf_init(&export.buf, EXPORT_MAX);
	buf_init(&export.item, EXPORT_MAX);
	export.w = json_writer_over(&export.buf);
	if ((err = handle_begin(call, &export.tx)) != OK)
		goto done;
	if ((err = export_all(&export)) != OK)
		goto done;
	if (buf_ok(&export.buf) && buf_ok(&export.item))
		reply->data = arena_copy(call->arena, buf_str(&export.buf));
	reply->has_data = true;
	err = reply->data.p ? OK : ERR_TOO_LARGE;
done:
	seal_key_free(&export.key);
	buf_release(&export.item);
	buf_release(&export.buf);
	tx_free(&export.tx);
	return err;
}

/* -- erasure -- */

struct erasing {
	struct call *call;
	struct tx *tx;
	struct uuid person_id;
	int64_t person_no;
	struct seal_key *key; /* NULL: destroyed already */
	uint64_t rows;
	bool more; /* this step was full: there may be more to tell of */
};

static enum err tell(struct erasing *erasure, struct event *event)
{
	event->subject_id = erasure->person_id;
	return handle_put_event(erasure->call, erasure->tx, event, erasure->key);
}

static enum err end_stay(struct erasing *erasure, const struct uuid *id)
{
	struct call *call = erasure->call;
	struct booking booking;
	struct stay_row stay;
	struct event event;
	struct str note, before, after;
	enum err err;

	if ((err = store_stay_read(erasure->tx, id, false, &UUID_NIL, call->arena, &stay)) != OK)
		return err;
	if ((err = handle_booking_note_open(call, &stay, erasure->key, &note)) != OK)
		return err;
	handle_booking_show(&stay, note, &booking);
	if ((err = handle_document(call, shape_booking(), &booking, &before)) != OK)
		return err;
	rules_erase(&stay, clock_now_us());
	if ((err = store_stay_change(erasure->tx, &stay)) != OK)
		return err;
	handle_booking_show(&stay, note, &booking);
	if ((err = handle_document(call, shape_booking(), &booking, &after)) != OK)
		return err;
	event = handle_booking_event(
		call, stay.status == STAY_CANCELLED ? "booking.cancel" : "booking.check_out", &stay);
	event.before = before;
	event.after = after;
	erasure->rows++;
	return tell(erasure, &event);
}

static enum err end_stays(struct erasing *erasure)
{
	struct uuid *ids = NULL;
	size_t count = 0;
	enum err err = store_stay_live(
		erasure->tx, erasure->person_no, clock_now_us(), ERASE_STEP, erasure->call->arena, &ids, &count);

	for (size_t i = 0; i < count && err == OK; i++)
		err = end_stay(erasure, &ids[i]);
	erasure->more |= count == ERASE_STEP;
	return err;
}

/* The event names the vehicle and no more: what it was is gone with the row. */
static enum err delete_vehicles(struct erasing *erasure)
{
	const struct page page = {.limit = ERASE_STEP};
	struct call *call = erasure->call;
	struct vehicle_row *rows = NULL;
	size_t count = 0;
	enum err err = store_vehicle_list(erasure->tx, &erasure->person_id, &page, call->arena, &rows, &count);

	for (size_t i = 0; i < count && err == OK; i++) {
		struct event event = handle_event(call, "vehicle.delete", "vehicle", &rows[i].id, rows[i].version);
		struct vehicle_row gone;

		err = store_vehicle_delete(erasure->tx, &rows[i].id, &erasure->person_id, call->arena, &gone);
		if (err == OK)
			err = tell(erasure, &event);
		erasure->rows++;
	}
	erasure->more |= count == ERASE_STEP;
	return err;
}

static enum err delete_delegations(struct erasing *erasure)
{
	struct call *call = erasure->call;
	struct delegation_row *rows = NULL;
	size_t count = 0;
	enum err err =
		store_delegation_of_person(erasure->tx, &erasure->person_id, ERASE_STEP, call->arena, &rows, &count);

	for (size_t i = 0; i < count && err == OK; i++) {
		struct event event = handle_event(call, "delegation.delete", "delegation", &rows[i].id, 1);
		struct delegation_row gone;

		err = store_delegation_delete(erasure->tx, &rows[i].id, &gone);
		if (err == OK)
			err = tell(erasure, &event);
		erasure->rows++;
	}
	erasure->more |= count == ERASE_STEP;
	return err;
}

/* The end: nothing of the person is on its way any more. The event has no subject: it must outlive the key. */
static enum err forget(struct erasing *erasure)
{
	struct call *call = erasure->call;
	const struct uuid *tenant_id = &call->token.tenant_id;
	struct event event = handle_event(call, "booking.erase", "person", &erasure->person_id, 0);
	uint64_t rows = 0;
	enum err err;

	if ((err = store_stay_forget(erasure->tx, erasure->person_no, &rows)) != OK)
		return err;
	if ((err = idempotency_forget(erasure->tx, tenant_id, &erasure->person_id)) != OK)
		return err;
	if ((err = seal_erase(erasure->tx, tenant_id, &erasure->person_id)) != OK)
		return err;
	if ((err = store_person_delete(erasure->tx, erasure->person_no)) != OK)
		return err;
	erasure->rows += rows;
	return erasure->key ? handle_put_event(call, erasure->tx, &event, NULL) : OK;
}

static enum err erase(struct erasing *erasure, bool *done_out)
{
	struct call *call = erasure->call;
	const struct uuid *tenant_id = &call->token.tenant_id;
	uint64_t pending = 0;
	enum err err;

	if ((err = store_person_lock(erasure->tx, &erasure->person_id, call->arena, &erasure->person_no)) != OK)
		return err;
	err = seal_subject_load(erasure->tx, call->worker->seal, tenant_id, &erasure->person_id, false, &erasure->key);
	if (err != OK && err != ERR_GONE)
		return err;
	if ((err = end_stays(erasure)) != OK)
		return err;
	if ((err = delete_vehicles(erasure)) != OK)
		return err;
	if ((err = delete_delegations(erasure)) != OK)
		return err;
	if ((err = outbox_pending_for(erasure->tx, tenant_id, &erasure->person_id, &pending)) != OK)
		return err;
	*done_out = pending == 0 && !erasure->more;
	return *done_out ? forget(erasure) : OK;
}

/*
 * Asked again until done: each call ends what the person still has, and tells of it under the person's key; only
 * when all of that has reached the audit log is the key destroyed. Stays made meanwhile are ended by the next call;
 * the last one holds the person's row, so that none can be made any more.
 */
enum err handle_booking_erase(struct call *call, const struct subject_request *request, struct subject_erased *reply)
{
	struct erasing erasure = {.call = call, .person_id = request->person_id};
	bool done = false;
	enum err err;

	scope(call, request);
	if ((err = handle_begin(call, &erasure.tx)) != OK)
		goto done;
	if ((err = erase(&erasure, &done)) != OK)
		goto done;
	CRASH_POINT("booking_erase.before_commit");
	if ((err = tx_commit(&erasure.tx)) != OK)
		goto done;
	CRASH_POINT("booking_erase.after_commit");
	*reply = (struct subject_erased){
		.done = done, .has_done = true, .rows = (int64_t)erasure.rows, .has_rows = true};
done:
	seal_key_free(&erasure.key);
	tx_free(&erasure.tx);
	return err;
}
