/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crash.h"
#include "handle.h"
#include "rules_plate.h"
#include "store_person.h"

#define SERVICE_DEF "contract/bookingsvc.def"
#include "service/handlers.h"

static struct seal_place place(const struct call *call, const char *column, const struct uuid *id)
{
	return (struct seal_place){&call->token.tenant_id, "vehicle", column, id};
}

/* Opens what is personal. ERR_GONE: the person has just been erased. */
static enum err show(
	const struct call *call, const struct vehicle_row *row, const struct seal_key *key, struct vehicle *vehicle)
{
	const struct seal_place plate = place(call, "plate", &row->id), label = place(call, "label", &row->id);
	enum err err;

	*vehicle = (struct vehicle){.id = row->id,
		.has_id = true,
		.person_id = row->person_id,
		.has_person_id = true,
		.has_plate = true,
		.country = row->country,
		.has_country = true,
		.has_label = row->label.p != NULL,
		.version = row->version,
		.has_version = true};
	if ((err = seal_open(key, &plate, row->plate, call->arena, &vehicle->plate)) != OK)
		return err;
	return seal_open(key, &label, row->label, call->arena, &vehicle->label);
}

static enum err seal_row(const struct call *call, const struct seal_key *key, struct str plate, struct str label,
	struct vehicle_row *row)
{
	const struct seal_place plate_place = place(call, "plate", &row->id),
				label_place = place(call, "label", &row->id);
	enum err err = seal_field(key, &plate_place, plate, call->arena, &row->plate);

	return err == OK ? seal_field(key, &label_place, label, call->arena, &row->label) : err;
}

static enum err put_event(struct call *call, struct tx *tx, const char *action, const struct vehicle *vehicle,
	bool gone, const struct seal_key *key)
{
	struct event event = handle_event(call, action, "vehicle", &vehicle->id, vehicle->version);
	enum err err = handle_document(call, shape_vehicle(), vehicle, gone ? &event.before : &event.after);

	event.subject_id = vehicle->person_id;
	return err == OK ? handle_put_event(call, tx, &event, key) : err;
}

/* The plate's normal form and its blind index. Without a country (p == NULL) country_out is empty. */
static enum err read_plate(struct call *call, struct str plate, struct str country, char country_out[3],
	struct str *normal_out, uint8_t index_out[SEAL_INDEX_LEN])
{
	const char *reason;

	country_out[0] = country_out[1] = country_out[2] = '\0';
	if (country.p && !rules_plate_country(country, country_out))
		return call_refuse(call, ERR_BAD_FIELD, "country", "unknown_country", "Give a country's two letters.");
	if ((reason = rules_plate_normalise(call->arena, plate, country_out, normal_out)) != NULL)
		return call_refuse(
			call, ERR_BAD_FIELD, "plate", reason, "This is not a registration plate of that country.");
	if (!normal_out->p)
		return ERR_OVERLOADED;
	seal_index(call->worker->seal, &call->token.tenant_id, "plate", *normal_out, index_out);
	return OK;
}

static enum err add(struct call *call, struct tx *tx, const struct vehicle_row *row)
{
	int64_t count = 0;
	bool added = false;
	enum err err = store_vehicle_count(tx, &row->person_id, &count);

	if (err == OK && count >= VEHICLES_OF_PERSON_MAX)
		return call_refuse(
			call, ERR_RULE, NULL, "too_many_vehicles", "A person registers at most 20 vehicles.");
	if (err == OK)
		err = store_vehicle_add(tx, row, &added);
	if (err == OK && !added)
		return call_refuse(
			call, ERR_CONFLICT, "plate", "plate_registered", "This plate is registered already.");
	return err;
}

/* Where the new vehicle's row lies until it is written. */
struct draft {
	struct vehicle_row row;
	struct str plate; /* normal form */
	uint8_t index[SEAL_INDEX_LEN];
	char country[3];
};

static enum err draft_read(struct call *call, const struct vehicle_create_request *request, struct draft *draft)
{
	enum err err = handle_need_person(call);

	if (err != OK)
		return err;
	*draft = (struct draft){.row = {.id = uuid_new(),
					.person_id = call->token.person_id,
					.plate_index = {(const char *)draft->index, SEAL_INDEX_LEN},
					.country = {draft->country, 2},
					.version = 1,
					.created_at = clock_now_us()}};
	return read_plate(call, request->plate, request->country, draft->country, &draft->plate, draft->index);
}

/* What is personal is sealed only after the person is held: an erasure that came before has destroyed the key. */
static enum err draft_write(
	struct call *call, struct tx *tx, struct draft *draft, struct str label, struct seal_key **key_out)
{
	const struct uuid *person_id = &draft->row.person_id;
	enum err err;

	if ((err = store_person_hold(tx, person_id, 1, call->arena)) != OK)
		return err;
	err = seal_subject_load(tx, call->worker->seal, &call->token.tenant_id, person_id, true, key_out);
	if (err != OK)
		return err == ERR_GONE ? ERR_UNAUTHENTICATED : err;
	if ((err = seal_row(call, *key_out, draft->plate, label, &draft->row)) != OK)
		return err;
	return add(call, tx, &draft->row);
}

enum err handle_vehicle_create(struct call *call, const struct vehicle_create_request *request, struct vehicle *reply)
{
	const struct keyed keyed = handle_keyed(call);
	struct draft *draft = arena_take(call->arena, sizeof(*draft)); /* the reply borrows from it */
	struct seal_key *key = NULL;
	struct tx *tx = NULL;
	bool found;
	enum err err;

	if (!draft)
		return ERR_OVERLOADED;
	if ((err = draft_read(call, request, draft)) != OK)
		return err;
	if ((err = handle_begin(call, &tx)) != OK)
		goto done;
	if ((err = handle_claim(call, tx, &keyed, reply, &found)) != OK || found)
		goto done;
	if ((err = draft_write(call, tx, draft, request->label, &key)) != OK)
		goto done;
	if ((err = show(call, &draft->row, key, reply)) != OK)
		goto done;
	if ((err = put_event(call, tx, "vehicle.create", reply, false, key)) != OK)
		goto done;
	if ((err = handle_answer(call, tx, &keyed, key, reply)) != OK)
		goto done;
	CRASH_POINT("vehicle_create.before_commit");
	err = tx_commit(&tx);
	CRASH_POINT("vehicle_create.after_commit");
done:
	seal_key_free(&key);
	tx_free(&tx);
	call->version = err == OK ? reply->version : 0;
	return err;
}

/* Shows `count` rows, of one person or several. */
static enum err show_all(
	struct call *call, struct tx *tx, const struct vehicle_row *rows, size_t count, struct vehicle_page *reply)
{
	struct uuid people[PAGE_MAX];
	struct seal_key *keys[PAGE_MAX] = {0};
	enum err err;

	reply->has_items = reply->has_next_cursor = true;
	if (!(reply->items.items = arena_take_array(call->arena, count + 1, sizeof(*reply->items.items))))
		return ERR_OVERLOADED;
	for (size_t i = 0; i < count; i++)
		people[i] = rows[i].person_id;
	err = seal_subjects_load(tx, call->worker->seal, &call->token.tenant_id, people, count, false, keys);
	for (size_t i = 0; i < count && err == OK; i++) {
		err = show(call, &rows[i], keys[i], &reply->items.items[reply->items.count]);
		reply->items.count += err == OK;
		err = err == ERR_GONE ? OK : err; /* erased since the rows were read */
	}
	seal_keys_free(keys, count);
	return err;
}

/* The search is told, not the plate. Without a find the object is the search itself. */
static enum err put_search(struct call *call, struct tx *tx, const struct vehicle_page *found)
{
	const struct vehicle *first = found->items.count ? &found->items.items[0] : NULL;
	struct event event = handle_event(
		call, "vehicle.search", "vehicle", first ? &first->id : &call->request_id, first ? first->version : 0);

	event.subject_id = first ? first->person_id : UUID_NIL;
	event.after = arena_printf(call->arena, "{\"found\":%zu}", found->items.count);
	return event.after.p ? handle_put_event(call, tx, &event, NULL) : ERR_OVERLOADED;
}

static enum err find(struct call *call, const struct vehicle_list_request *request, struct vehicle_page *reply)
{
	uint8_t index[SEAL_INDEX_LEN];
	char country[3];
	struct str normal;
	struct vehicle_row *rows = NULL;
	struct tx *tx = NULL;
	size_t count = 0;
	enum err err;

	if (!token_has(&call->token, PERM_VEHICLE_READ_ALL))
		return call_refuse(call, ERR_FORBIDDEN, "plate", "vehicle.read_all",
			"Finding a vehicle by its plate is for Security.");
	if ((err = read_plate(call, request->plate, request->country, country, &normal, index)) != OK)
		return err;
	if ((err = handle_begin(call, &tx)) != OK)
		goto done;
	err = store_vehicle_find(tx, (struct str){(const char *)index, sizeof(index)},
		country[0] ? str_from(country) : STR_NONE, PAGE_MAX, call->arena, &rows, &count);
	if (err != OK)
		goto done;
	if ((err = show_all(call, tx, rows, count, reply)) != OK)
		goto done;
	if ((err = put_search(call, tx, reply)) != OK)
		goto done;
	CRASH_POINT("vehicle_list.before_commit");
	err = tx_commit(&tx);
done:
	tx_free(&tx);
	return err;
}

enum err handle_vehicle_list(struct call *call, const struct vehicle_list_request *request, struct vehicle_page *reply)
{
	struct page page = {.limit = handle_limit(request->has_limit, request->limit)};
	const size_t limit = page.limit++;
	struct cursor cursor;
	struct vehicle_row *rows = NULL;
	struct tx *tx = NULL;
	size_t count = 0;
	enum err err;

	if (request->has_plate)
		return find(call, request, reply);
	if ((err = handle_need_person(call)) != OK)
		return err;
	if ((err = handle_cursor_read(call, CURSOR_VEHICLE, request->cursor, &cursor)) != OK)
		return err;
	page.after = cursor.id;
	if ((err = handle_begin(call, &tx)) != OK)
		goto done;
	if ((err = store_vehicle_list(tx, &call->token.person_id, &page, call->arena, &rows, &count)) != OK)
		goto done;
	if ((err = show_all(call, tx, rows, count < limit ? count : limit, reply)) != OK)
		goto done;
	if (count > limit)
		reply->next_cursor =
			handle_cursor_text(call, CURSOR_VEHICLE, &(struct cursor){.id = rows[limit - 1].id});
done:
	tx_free(&tx);
	return err;
}

enum err handle_vehicle_read(struct call *call, const struct vehicle_ref *request, struct vehicle *reply)
{
	struct seal_key *key = NULL;
	struct vehicle_row row;
	struct tx *tx = NULL;
	enum err err;

	if ((err = handle_begin(call, &tx)) != OK)
		goto done;
	if ((err = store_vehicle_read(tx, &request->id, call->arena, &row)) != OK)
		goto done;
	if (!uuid_eq(&row.person_id, &call->token.person_id)) {
		err = ERR_NOT_FOUND;
		goto done;
	}
	err = seal_subject_load(tx, call->worker->seal, &call->token.tenant_id, &row.person_id, false, &key);
	if (err == OK)
		err = show(call, &row, key, reply);
	call->version = row.version;
done:
	seal_key_free(&key);
	tx_free(&tx);
	return err == ERR_GONE ? ERR_NOT_FOUND : err;
}

enum err handle_vehicle_delete(struct call *call, const struct vehicle_ref *request, struct empty *reply)
{
	struct seal_key *key = NULL;
	struct vehicle_row row;
	struct vehicle vehicle;
	struct tx *tx = NULL;
	enum err err;

	(void)reply;
	if ((err = handle_begin(call, &tx)) != OK)
		goto done;
	if ((err = store_vehicle_delete(tx, &request->id, &call->token.person_id, call->arena, &row)) != OK)
		goto done;
	err = seal_subject_load(tx, call->worker->seal, &call->token.tenant_id, &row.person_id, false, &key);
	if (err != OK)
		goto done;
	if ((err = show(call, &row, key, &vehicle)) != OK)
		goto done;
	if ((err = put_event(call, tx, "vehicle.delete", &vehicle, true, key)) != OK)
		goto done;
	CRASH_POINT("vehicle_delete.before_commit");
	err = tx_commit(&tx);
	CRASH_POINT("vehicle_delete.after_commit");
done:
	seal_key_free(&key);
	tx_free(&tx);
	return err == ERR_GONE ? ERR_NOT_FOUND : err;
}
