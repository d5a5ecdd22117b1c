/* SPDX-License-Identifier: Apache-2.0 */
#include "store_person.h"

#include <string.h>

#include "base/log.h"
#include "bookingsvc_sql.h"

static struct db_param tenant(const struct tx *tx)
{
	return db_uuid(tx_tenant(tx));
}

/* -- numbers -- */

/* Somebody may stand among them several times. */
static void take_numbers(struct rows *rows, const struct uuid *people, size_t count, int64_t *numbers)
{
	while (rows_next(rows)) {
		const struct uuid id = rows_uuid(rows, 0);

		for (size_t i = 0; i < count; i++)
			if (uuid_eq(&people[i], &id))
				numbers[i] = rows_i64(rows, 1);
	}
}

static enum err read_numbers(struct tx *tx, const struct uuid *people, size_t count, int64_t *numbers)
{
	struct rows *rows = NULL;
	enum err err = tx_query(tx, &sql_person_numbers, PARAMS(tenant(tx), db_uuids(people, count)), &rows);

	if (err == OK)
		take_numbers(rows, people, count, numbers);
	rows_free(&rows);
	return err;
}

enum err store_person_numbers_queue(struct tx *tx, const struct uuid *people, size_t count)
{
	if (count == 1)
		return tx_queue(tx, &sql_person_number, PARAMS(tenant(tx), db_uuid(people)));
	return tx_queue(tx, &sql_person_numbers, PARAMS(tenant(tx), db_uuids(people, count)));
}

enum err store_person_numbers_next(struct tx *tx, const struct uuid *people, size_t count, int64_t *numbers_out)
{
	struct rows *rows = NULL;
	enum err err = tx_next(tx, &rows, NULL);

	memset(numbers_out, 0, count * sizeof(*numbers_out));
	if (err == OK)
		take_numbers(rows, people, count, numbers_out);
	rows_free(&rows);
	return err;
}

enum err store_person_numbers(
	struct tx *tx, const struct uuid *people, size_t count, struct arena *arena, int64_t *numbers_out)
{
	struct uuid *missing = arena_take_array(arena, count, sizeof(*missing));
	size_t n = 0;
	enum err err;

	if (!missing)
		return ERR_OVERLOADED;
	memset(numbers_out, 0, count * sizeof(*numbers_out));
	if ((err = read_numbers(tx, people, count, numbers_out)) != OK)
		return err;
	for (size_t i = 0; i < count; i++)
		if (!numbers_out[i] && !uuid_is_nil(&people[i]))
			missing[n++] = people[i];
	if (n == 0)
		return OK;
	if ((err = tx_queue_quiet(tx, &sql_person_add, PARAMS(tenant(tx), db_uuids(missing, n)))) != OK)
		return err;
	return read_numbers(tx, people, count, numbers_out);
}

enum err store_person_hold(struct tx *tx, const struct uuid *people, size_t count, struct arena *arena)
{
	int64_t *numbers = arena_take_array(arena, count, sizeof(*numbers));
	enum err err;

	if (!numbers)
		return ERR_OVERLOADED;
	if ((err = store_person_numbers(tx, people, count, arena, numbers)) != OK)
		return err;
	return tx_query(tx, &sql_person_hold, PARAMS(tenant(tx), db_uuids(people, count)), NULL);
}

static enum err read_number(struct tx *tx, const struct db_statement *statement, const struct db_param *params,
	size_t count, int64_t *number_out)
{
	struct rows *rows = NULL;
	enum err err = tx_query(tx, statement, params, count, &rows);

	if (err == OK && !rows_next(rows))
		err = ERR_NOT_FOUND;
	*number_out = err == OK ? rows_i64(rows, 0) : 0;
	rows_free(&rows);
	return err;
}

enum err store_person_number(struct tx *tx, const struct uuid *person_id, int64_t *number_out)
{
	enum err err;

	*number_out = 0;
	err = read_numbers(tx, person_id, 1, number_out);
	return err == OK && *number_out == 0 ? ERR_NOT_FOUND : err;
}

enum err store_person_lock(struct tx *tx, const struct uuid *person_id, struct arena *arena, int64_t *number_out)
{
	enum err err = store_person_numbers(tx, person_id, 1, arena, number_out);

	if (err != OK)
		return err;
	return read_number(tx, &sql_person_lock, PARAMS(tenant(tx), db_uuid(person_id)), number_out);
}

enum err store_person_delete(struct tx *tx, int64_t number)
{
	return tx_exec(tx, &sql_person_delete, PARAMS(tenant(tx), db_i64(number)), NULL);
}

/* -- delegations -- */

enum err store_delegation_held(
	struct tx *tx, const struct uuid *assistants, const struct uuid *principals, size_t count, bool *held_out)
{
	struct rows *rows = NULL;
	enum err err = tx_query(tx, &sql_delegation_held,
		PARAMS(tenant(tx), db_uuids_or_null(assistants, count), db_uuids_or_null(principals, count)), &rows);

	memset(held_out, 0, count * sizeof(*held_out));
	while (err == OK && rows_next(rows)) {
		int64_t i = rows_i64(rows, 0);

		INVARIANT(i >= 1 && (size_t)i <= count);
		held_out[i - 1] = true;
	}
	rows_free(&rows);
	return err;
}

enum err store_delegation_add(struct tx *tx, const struct delegation_row *delegation, bool *added_out)
{
	uint64_t added = 0;
	enum err err = tx_exec(tx, &sql_delegation_add,
		PARAMS(tenant(tx), db_uuid(&delegation->id), db_uuid(&delegation->assistant_id),
			db_uuid(&delegation->principal_id), db_time(delegation->created_at)),
		&added);

	*added_out = added == 1;
	return err;
}

static void take_delegation(const struct rows *rows, struct delegation_row *delegation)
{
	delegation->id = rows_uuid(rows, 0);
	delegation->assistant_id = rows_uuid(rows, 1);
	delegation->principal_id = rows_uuid(rows, 2);
	delegation->created_at = rows_time(rows, 3);
}

/* Takes `rows` of a statement that came back with `err`. */
static enum err take_delegations(enum err err, struct rows **rows, struct arena *arena,
	struct delegation_row **delegations_out, size_t *count_out)
{
	size_t n = 0;

	if (err == OK &&
		!(*delegations_out = arena_take_array(arena, rows_count(*rows) + 1, sizeof(**delegations_out))))
		err = ERR_OVERLOADED;
	while (err == OK && rows_next(*rows))
		take_delegation(*rows, &(*delegations_out)[n++]);
	rows_free(rows);
	*count_out = n;
	return err;
}

enum err store_delegation_list(struct tx *tx, const struct page *page, struct arena *arena,
	struct delegation_row **delegations_out, size_t *count_out)
{
	struct rows *rows = NULL;
	enum err err = tx_query(tx, &sql_delegation_list,
		PARAMS(tenant(tx), db_uuid(&page->after), db_i64((int64_t)page->limit)), &rows);

	return take_delegations(err, &rows, arena, delegations_out, count_out);
}

enum err store_delegation_of_person(struct tx *tx, const struct uuid *person_id, size_t limit, struct arena *arena,
	struct delegation_row **delegations_out, size_t *count_out)
{
	struct rows *rows = NULL;
	enum err err = tx_query(
		tx, &sql_delegation_of_person, PARAMS(tenant(tx), db_uuid(person_id), db_i64((int64_t)limit)), &rows);

	return take_delegations(err, &rows, arena, delegations_out, count_out);
}

enum err store_delegation_delete(struct tx *tx, const struct uuid *id, struct delegation_row *delegation_out)
{
	struct rows *rows = NULL;
	enum err err = tx_query(tx, &sql_delegation_delete, PARAMS(tenant(tx), db_uuid(id)), &rows);

	if (err == OK && !rows_next(rows))
		err = ERR_NOT_FOUND;
	if (err == OK)
		take_delegation(rows, delegation_out);
	rows_free(&rows);
	return err;
}

/* -- vehicles -- */

enum err store_vehicle_add(struct tx *tx, const struct vehicle_row *vehicle, bool *added_out)
{
	uint64_t added = 0;
	enum err err = tx_exec(tx, &sql_vehicle_add,
		PARAMS(tenant(tx), db_uuid(&vehicle->id), db_uuid(&vehicle->person_id), db_bytes(vehicle->plate_index),
			db_str(vehicle->country), db_bytes(vehicle->plate), db_bytes(vehicle->label),
			db_time(vehicle->created_at)),
		&added);

	*added_out = added == 1;
	return err;
}

enum err store_vehicle_count(struct tx *tx, const struct uuid *person_id, int64_t *count_out)
{
	return read_number(tx, &sql_vehicle_count, PARAMS(tenant(tx), db_uuid(person_id)), count_out);
}

static enum err take_vehicle(const struct rows *rows, struct arena *arena, struct vehicle_row *vehicle)
{
	vehicle->id = rows_uuid(rows, 0);
	vehicle->person_id = rows_uuid(rows, 1);
	vehicle->plate_index = rows_copy(rows, 2, arena);
	vehicle->country = rows_copy(rows, 3, arena);
	vehicle->plate = rows_copy(rows, 4, arena);
	vehicle->label = rows_copy(rows, 5, arena);
	vehicle->version = rows_i64(rows, 6);
	vehicle->created_at = rows_time(rows, 7);
	return vehicle->country.p && vehicle->plate.p && (vehicle->label.p || rows_is_null(rows, 5)) ? OK
	                                                                                             : ERR_OVERLOADED;
}

static enum err take_vehicles(
	enum err err, struct rows **rows, struct arena *arena, struct vehicle_row **vehicles_out, size_t *count_out)
{
	size_t n = 0;

	if (err == OK && !(*vehicles_out = arena_take_array(arena, rows_count(*rows) + 1, sizeof(**vehicles_out))))
		err = ERR_OVERLOADED;
	while (err == OK && rows_next(*rows))
		err = take_vehicle(*rows, arena, &(*vehicles_out)[n++]);
	rows_free(rows);
	*count_out = n;
	return err;
}

static enum err take_one(enum err err, struct rows **rows, struct arena *arena, struct vehicle_row *vehicle_out)
{
	if (err == OK && !rows_next(*rows))
		err = ERR_NOT_FOUND;
	if (err == OK)
		err = take_vehicle(*rows, arena, vehicle_out);
	rows_free(rows);
	return err;
}

enum err store_vehicle_read(struct tx *tx, const struct uuid *id, struct arena *arena, struct vehicle_row *vehicle_out)
{
	struct rows *rows = NULL;
	enum err err = tx_query(tx, &sql_vehicle_read, PARAMS(tenant(tx), db_uuid(id)), &rows);

	return take_one(err, &rows, arena, vehicle_out);
}

enum err store_vehicle_list(struct tx *tx, const struct uuid *person_id, const struct page *page, struct arena *arena,
	struct vehicle_row **vehicles_out, size_t *count_out)
{
	struct rows *rows = NULL;
	enum err err = tx_query(tx, &sql_vehicle_list,
		PARAMS(tenant(tx), db_uuid(person_id), db_uuid(&page->after), db_i64((int64_t)page->limit)), &rows);

	return take_vehicles(err, &rows, arena, vehicles_out, count_out);
}

enum err store_vehicle_find(struct tx *tx, struct str plate_index, struct str country, size_t limit,
	struct arena *arena, struct vehicle_row **vehicles_out, size_t *count_out)
{
	struct rows *rows = NULL;
	enum err err = tx_query(tx, &sql_vehicle_find,
		PARAMS(tenant(tx), db_bytes(plate_index), db_str(country), db_i64((int64_t)limit)), &rows);

	return take_vehicles(err, &rows, arena, vehicles_out, count_out);
}

enum err store_vehicle_delete(struct tx *tx, const struct uuid *id, const struct uuid *person_id, struct arena *arena,
	struct vehicle_row *vehicle_out)
{
	struct rows *rows = NULL;
	enum err err = tx_query(tx, &sql_vehicle_delete, PARAMS(tenant(tx), db_uuid(id), db_uuid(person_id)), &rows);

	return take_one(err, &rows, arena, vehicle_out);
}
