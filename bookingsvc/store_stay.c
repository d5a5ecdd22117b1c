/* SPDX-License-Identifier: Apache-2.0 */
#include "store_stay.h"

#include <string.h>

#include "base/log.h"
#include "bookingsvc_sql.h"

static struct db_param tenant(const struct tx *tx)
{
	return db_uuid(tx_tenant(tx));
}

static struct db_param no_or_null(const int64_t *no)
{
	return db_i64_or_null(*no ? no : NULL);
}

static struct db_param at_or_null(const instant_us *at)
{
	return db_time_or_null(*at ? at : NULL);
}

/* -- adding -- */

/* Stays turned into the columns that the statements unnest. */
struct columns {
	struct uuid *ids;
	int64_t *sites, *areas, *spots, *people, *makers, *policies;
	instant_us *starts, *ends, *backs;
	struct str *notes;
	bool *no_spot, *no_person, *no_maker;
};

static enum err take_columns(struct arena *arena, size_t count, struct columns *c)
{
	int64_t *numbers = arena_take_array(arena, count, 6 * sizeof(*numbers));
	instant_us *times = arena_take_array(arena, count, 3 * sizeof(*times));
	bool *nulls = arena_take_array(arena, count, 3 * sizeof(*nulls));

	c->ids = arena_take_array(arena, count, sizeof(*c->ids));
	c->notes = arena_take_array(arena, count, sizeof(*c->notes));
	if (!numbers || !times || !nulls || !c->ids || !c->notes)
		return ERR_OVERLOADED;
	c->sites = numbers;
	c->areas = numbers + count;
	c->spots = numbers + 2 * count;
	c->people = numbers + 3 * count;
	c->makers = numbers + 4 * count;
	c->policies = numbers + 5 * count;
	c->starts = times;
	c->ends = times + count;
	c->backs = times + 2 * count;
	c->no_spot = nulls;
	c->no_person = nulls + count;
	c->no_maker = nulls + 2 * count;
	return OK;
}

static void fill_columns(const struct stay_row *const *stays, size_t count, struct columns *c)
{
	for (size_t i = 0; i < count; i++) {
		const struct stay_row *stay = stays[i];

		c->ids[i] = stay->id;
		c->sites[i] = stay->site_no;
		c->areas[i] = stay->area_no;
		c->spots[i] = stay->spot_no;
		c->people[i] = stay->person_no;
		c->makers[i] = stay->created_by_no;
		c->policies[i] = stay->policy_version;
		c->starts[i] = stay->starts_at;
		c->ends[i] = stay->ends_at;
		c->backs[i] = stay->starts_at > STAY_LONGEST_US ? stay->starts_at - STAY_LONGEST_US - 1 : INSTANT_MIN;
		c->notes[i] = stay->note;
		c->no_spot[i] = !stay->spot_no;
		c->no_person[i] = !stay->person_no;
		c->no_maker[i] = !stay->created_by_no;
	}
}

static size_t place_of(const struct stay_row *const *stays, size_t count, const struct uuid *id)
{
	for (size_t i = 0; i < count; i++)
		if (uuid_eq(&stays[i]->id, id))
			return i;
	return count;
}

#define ADD_PARAMS(tenants, c, count, now)                                                                            \
	PARAMS(tenants, db_time(now), db_uuids((c).ids, count), db_i64s((c).sites, count), db_i64s((c).areas, count), \
		db_with_nulls(db_i64s((c).spots, count), (c).no_spot),                                                \
		db_with_nulls(db_i64s((c).people, count), (c).no_person),                                             \
		db_with_nulls(db_i64s((c).makers, count), (c).no_maker), db_times((c).starts, count),                 \
		db_times((c).ends, count), db_i64s((c).policies, count), db_bytess((c).notes, count))

static void take_added(struct rows *rows, const struct stay_row *const *stays, size_t count, bool *added_out)
{
	while (rows_next(rows)) {
		struct uuid id = rows_uuid(rows, 0);
		size_t i = place_of(stays, count, &id);

		INVARIANT(i < count);
		added_out[i] = true;
	}
}

enum err store_stay_add(struct tx *tx, const struct stay_row *const *stays, size_t count, instant_us now,
	struct arena *arena, bool *added_out)
{
	struct columns c;
	struct rows *rows = NULL;
	enum err err;

	if ((err = take_columns(arena, count, &c)) != OK)
		return err;
	fill_columns(stays, count, &c);
	memset(added_out, 0, count * sizeof(*added_out));
	if ((err = tx_query(tx, &sql_stay_add, ADD_PARAMS(tenant(tx), c, count, now), &rows)) == OK)
		take_added(rows, stays, count, added_out);
	rows_free(&rows);
	return err;
}

enum err store_stay_put(struct tx *tx, const struct uuid *tenants, const struct stay_row *const *stays, size_t count,
	instant_us now, struct arena *arena, bool *all_out)
{
	struct columns c;
	uint64_t added = 0;
	enum err err;

	if ((err = take_columns(arena, count, &c)) != OK)
		return err;
	fill_columns(stays, count, &c);
	err = tx_exec(tx, &sql_stay_put, ADD_PARAMS(db_uuids(tenants, count), c, count, now), &added);
	*all_out = added == count;
	return err;
}

enum err store_stay_there_queue(struct tx *tx, const struct stay_row *const *stays, size_t count, struct arena *arena)
{
	struct uuid *ids = arena_take_array(arena, count, sizeof(*ids));

	if (!ids)
		return ERR_OVERLOADED;
	for (size_t i = 0; i < count; i++)
		ids[i] = stays[i]->id;
	return tx_queue(tx, &sql_stay_there, PARAMS(tenant(tx), db_uuids(ids, count)));
}

enum err store_stay_there_next(struct tx *tx, const struct stay_row *const *stays, size_t count, bool *there_out)
{
	struct rows *rows = NULL;
	enum err err = tx_next(tx, &rows, NULL);

	memset(there_out, 0, count * sizeof(*there_out));
	if (err == OK)
		take_added(rows, stays, count, there_out);
	rows_free(&rows);
	return err;
}

enum err store_stay_collisions(struct tx *tx, const struct stay_row *const *stays, size_t count, struct arena *arena,
	struct collision *collisions_out)
{
	struct columns c;
	struct rows *rows = NULL;
	enum err err;

	if ((err = take_columns(arena, count, &c)) != OK)
		return err;
	fill_columns(stays, count, &c);
	memset(collisions_out, 0, count * sizeof(*collisions_out));
	err = tx_query(tx, &sql_stay_conflicts,
		PARAMS(tenant(tx), db_with_nulls(db_i64s(c.spots, count), c.no_spot),
			db_with_nulls(db_i64s(c.people, count), c.no_person), db_times(c.starts, count),
			db_times(c.ends, count), db_times(c.backs, count)),
		&rows);
	while (err == OK && rows_next(rows)) {
		int64_t i = rows_i64(rows, 0);

		INVARIANT(i >= 1 && (size_t)i <= count);
		collisions_out[i - 1] = (struct collision){rows_bool(rows, 1), rows_bool(rows, 2)};
	}
	rows_free(&rows);
	return err;
}

/* -- reading -- */

static enum err take_stay(const struct rows *rows, struct arena *arena, struct stay_row *stay)
{
	stay->id = rows_uuid(rows, 0);
	stay->site_no = rows_i64(rows, 1);
	stay->area_no = rows_i64(rows, 2);
	stay->spot_no = rows_i64(rows, 3);
	stay->person_no = rows_i64(rows, 4);
	stay->created_by_no = rows_i64(rows, 5);
	stay->site_id = rows_uuid(rows, 6);
	stay->area_id = rows_uuid(rows, 7);
	stay->spot_id = rows_uuid(rows, 8);
	stay->person_id = rows_uuid(rows, 9);
	stay->created_by_id = rows_uuid(rows, 10);
	stay->starts_at = rows_time(rows, 11);
	stay->ends_at = rows_time(rows, 12);
	stay->held_until = rows_time(rows, 13);
	stay->created_at = rows_time(rows, 14);
	stay->checked_in_at = rows_time(rows, 15);
	stay->checked_out_at = rows_time(rows, 16);
	stay->cancelled_at = rows_time(rows, 17);
	stay->policy_version = rows_i64(rows, 18);
	stay->version = rows_i64(rows, 19);
	stay->status = (enum stay_status)rows_i64(rows, 20);
	stay->reason = rows_copy(rows, 21, arena);
	stay->note = rows_copy(rows, 22, arena);
	return (stay->reason.p || rows_is_null(rows, 21)) && (stay->note.p || rows_is_null(rows, 22)) ? OK
	                                                                                              : ERR_OVERLOADED;
}

enum err store_stay_read(struct tx *tx, const struct uuid *id, bool lock, const struct uuid *assistant_id,
	struct arena *arena, struct stay_row *stay_out)
{
	struct rows *rows = NULL;
	enum err err = OK;

	if (lock)
		err = tx_queue_quiet(tx, &sql_stay_lock, PARAMS(tenant(tx), db_uuid(id)));
	if (err == OK)
		err = tx_query(
			tx, &sql_stay_read, PARAMS(tenant(tx), db_uuid(id), db_uuid_or_null(assistant_id)), &rows);
	if (err == OK && !rows_next(rows))
		err = ERR_NOT_FOUND;
	if (err == OK)
		err = take_stay(rows, arena, stay_out);
	if (err == OK)
		stay_out->is_principal = rows_bool(rows, 23);
	rows_free(&rows);
	return err;
}

enum err store_stay_change(struct tx *tx, const struct stay_row *stay)
{
	return tx_exec(tx, &sql_stay_change,
		PARAMS(tenant(tx), db_uuid(&stay->id), no_or_null(&stay->spot_no), db_time(stay->starts_at),
			db_time(stay->ends_at), db_time(stay->held_until), at_or_null(&stay->checked_in_at),
			at_or_null(&stay->checked_out_at), at_or_null(&stay->cancelled_at), db_i64(stay->version),
			db_i64(stay->status), db_str(stay->reason), db_bytes(stay->note)),
		NULL);
}

enum err store_lookback(struct tx *tx, int64_t *lookback_min_out)
{
	struct rows *rows = NULL;
	enum err err = tx_query(tx, &sql_lookback, PARAMS(tenant(tx)), &rows);

	*lookback_min_out = err == OK && rows_next(rows) ? rows_i64(rows, 0) : STAY_LONGEST_MIN;
	rows_free(&rows);
	return err;
}

enum err store_stay_list(struct tx *tx, const struct stay_filter *filter, struct arena *arena,
	struct stay_row **stays_out, size_t *count_out)
{
	const int64_t status = filter->status;
	const struct db_param params[] = {tenant(tx), db_time(filter->after), db_uuid(&filter->after_id),
		db_i64((int64_t)filter->limit), db_time(filter->ends_after), db_time(filter->starts_before),
		no_or_null(&status), db_uuid_or_null(&filter->site_id), db_i64(filter->person_no)};
	struct rows *rows = NULL;
	size_t n = 0;
	enum err err;

	if (filter->person_no)
		err = tx_query(tx, &sql_stay_list_person, params, 9, &rows);
	else
		err = tx_query(tx, &sql_stay_list, params, 8, &rows);
	if (err == OK && !(*stays_out = arena_take_array(arena, rows_count(rows) + 1, sizeof(**stays_out))))
		err = ERR_OVERLOADED;
	while (err == OK && rows_next(rows))
		err = take_stay(rows, arena, &(*stays_out)[n++]);
	rows_free(&rows);
	*count_out = n;
	return err;
}

enum err store_stay_totals(
	struct tx *tx, int64_t site_no, instant_us from, instant_us to, struct totals_row *totals_out)
{
	struct rows *rows = NULL;
	enum err err =
		tx_query(tx, &sql_totals, PARAMS(tenant(tx), db_i64(site_no), db_time(from), db_time(to)), &rows);

	if (err == OK && rows_next(rows))
		*totals_out =
			(struct totals_row){rows_i64(rows, 0), rows_i64(rows, 1), rows_i64(rows, 2), rows_i64(rows, 3)};
	rows_free(&rows);
	return err;
}

/* -- forgetting -- */

/* Takes `rows`, one id in each. */
static enum err take_ids(
	enum err err, struct rows **rows, struct arena *arena, struct uuid **ids_out, size_t *count_out)
{
	size_t n = 0;

	if (err == OK && !(*ids_out = arena_take_array(arena, rows_count(*rows) + 1, sizeof(**ids_out))))
		err = ERR_OVERLOADED;
	while (err == OK && rows_next(*rows))
		(*ids_out)[n++] = rows_uuid(*rows, 0);
	rows_free(rows);
	*count_out = n;
	return err;
}

enum err store_stay_live(struct tx *tx, int64_t person_no, instant_us now, size_t limit, struct arena *arena,
	struct uuid **ids_out, size_t *count_out)
{
	struct rows *rows = NULL;
	enum err err = tx_query(
		tx, &sql_stay_live, PARAMS(tenant(tx), db_i64(person_no), db_time(now), db_i64((int64_t)limit)), &rows);

	return take_ids(err, &rows, arena, ids_out, count_out);
}

enum err store_stay_forget(struct tx *tx, int64_t person_no, uint64_t *rows_out)
{
	uint64_t stayed = 0, made = 0;
	enum err err = tx_exec(tx, &sql_stay_forget, PARAMS(tenant(tx), db_i64(person_no)), &stayed);

	if (err == OK)
		err = tx_exec(tx, &sql_stay_forget_maker, PARAMS(tenant(tx), db_i64(person_no)), &made);
	*rows_out = stayed + made;
	return err;
}

enum err store_stay_retain(struct tx *tx, instant_us ended_before, size_t limit, uint64_t *rows_out)
{
	uint64_t stays = 0, makers = 0;
	const struct db_param params[] = {tenant(tx), db_time(ended_before), db_i64((int64_t)limit)};
	enum err err = tx_exec(tx, &sql_retain_stays, params, 3, &stays);

	if (err == OK)
		err = tx_exec(tx, &sql_retain_makers, params, 3, &makers);
	*rows_out = stays + makers;
	return err;
}

enum err store_stay_retain_due(struct tx *jobs_tx, instant_us ended_before, size_t limit, struct arena *arena,
	struct uuid **tenants_out, size_t *count_out)
{
	struct rows *rows = NULL;
	enum err err = tx_query(jobs_tx, &sql_retain_due, PARAMS(db_time(ended_before), db_i64((int64_t)limit)), &rows);

	return take_ids(err, &rows, arena, tenants_out, count_out);
}
