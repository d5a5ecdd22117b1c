/* SPDX-License-Identifier: Apache-2.0 */
#include "store.h"

#include "bookingsvc_sql.h"

static struct db_param tenant(const struct tx *tx)
{
	return db_uuid(tx_tenant(tx));
}

/* A read of one row, after the statement that locks it when there is one: both in one round trip. */
static enum err read_one(struct tx *tx, const struct db_statement *lock, const struct db_statement *statement,
	const struct uuid *id, struct rows **rows_out)
{
	enum err err = OK;

	if (lock)
		err = tx_queue_quiet(tx, lock, PARAMS(tenant(tx), db_uuid(id)));
	if (err == OK)
		err = tx_query(tx, statement, PARAMS(tenant(tx), db_uuid(id)), rows_out);
	if (err == OK && !rows_next(*rows_out))
		err = ERR_NOT_FOUND;
	return err;
}

static enum err read_count(
	struct tx *tx, const struct db_statement *statement, int64_t no, int64_t most, int64_t *count_out)
{
	struct rows *rows = NULL;
	enum err err = tx_query(tx, statement, PARAMS(tenant(tx), db_i64(no), db_i64(most)), &rows);

	*count_out = err == OK && rows_next(rows) ? rows_i64(rows, 0) : 0;
	rows_free(&rows);
	return err;
}

static enum err read_list(struct tx *tx, const struct db_statement *all, const struct db_statement *within,
	const struct page *page, const struct uuid *parent, struct rows **rows_out)
{
	if (parent)
		return tx_query(tx, within,
			PARAMS(tenant(tx), db_uuid(&page->after), db_i64((int64_t)page->limit), db_uuid(parent)),
			rows_out);
	return tx_query(tx, all, PARAMS(tenant(tx), db_uuid(&page->after), db_i64((int64_t)page->limit)), rows_out);
}

/* -- sites -- */

static enum err take_site(const struct rows *rows, struct arena *arena, struct site_row *site)
{
	site->no = rows_i64(rows, 0);
	site->id = rows_uuid(rows, 1);
	site->name = rows_copy(rows, 2, arena);
	site->time_zone = rows_copy(rows, 3, arena);
	site->version = rows_i64(rows, 4);
	return site->name.p && site->time_zone.p ? OK : ERR_OVERLOADED;
}

enum err store_zone_known(struct tx *tx, struct str zone, bool *known_out)
{
	struct rows *rows = NULL;
	enum err err = tx_query(tx, &sql_zone_known, PARAMS(db_str(zone)), &rows);

	*known_out = err == OK && rows_next(rows) && rows_bool(rows, 0);
	rows_free(&rows);
	return err;
}

enum err store_site_add(struct tx *tx, const struct site_row *site, instant_us now)
{
	return tx_exec(tx, &sql_site_add,
		PARAMS(tenant(tx), db_uuid(&site->id), db_str(site->name), db_str(site->time_zone), db_time(now)),
		NULL);
}

enum err store_site_read(
	struct tx *tx, const struct uuid *id, bool lock, struct arena *arena, struct site_row *site_out)
{
	struct rows *rows = NULL;
	enum err err = read_one(tx, NULL, lock ? &sql_site_lock : &sql_site_read, id, &rows);

	if (err == OK)
		err = take_site(rows, arena, site_out);
	rows_free(&rows);
	return err;
}

enum err store_site_list(
	struct tx *tx, const struct page *page, struct arena *arena, struct site_row **sites_out, size_t *count_out)
{
	struct rows *rows = NULL;
	enum err err = read_list(tx, &sql_site_list, NULL, page, NULL, &rows);
	size_t n = 0;

	if (err == OK && !(*sites_out = arena_take_array(arena, rows_count(rows) + 1, sizeof(**sites_out))))
		err = ERR_OVERLOADED;
	while (err == OK && rows_next(rows))
		err = take_site(rows, arena, &(*sites_out)[n++]);
	rows_free(&rows);
	*count_out = n;
	return err;
}

enum err store_site_change(struct tx *tx, const struct site_row *site)
{
	return tx_exec(tx, &sql_site_change,
		PARAMS(tenant(tx), db_i64(site->no), db_str(site->name), db_i64(site->version)), NULL);
}

/* -- areas -- */

static enum err take_area(const struct rows *rows, struct arena *arena, struct area_row *area)
{
	area->no = rows_i64(rows, 0);
	area->site_no = rows_i64(rows, 1);
	area->id = rows_uuid(rows, 2);
	area->site_id = rows_uuid(rows, 3);
	area->name = rows_copy(rows, 4, arena);
	area->inventory = (enum inventory)rows_i64(rows, 5);
	area->purpose = (enum purpose)rows_i64(rows, 6);
	area->capacity = rows_i64(rows, 7);
	area->longest_stay_min = rows_i64(rows, 8);
	area->lookback_min = rows_i64(rows, 9);
	area->window_days = rows_i64(rows, 10);
	area->policy_version = rows_i64(rows, 11);
	area->version = rows_i64(rows, 12);
	return area->name.p ? OK : ERR_OVERLOADED;
}

static struct db_param capacity_of(const struct area_row *area)
{
	return db_i64_or_null(area->inventory == INVENTORY_POOLED ? &area->capacity : NULL);
}

enum err store_area_add(struct tx *tx, const struct area_row *area, instant_us now)
{
	return tx_exec(tx, &sql_area_add,
		PARAMS(tenant(tx), db_uuid(&area->id), db_i64(area->site_no), db_str(area->name),
			db_i64(area->inventory), db_i64(area->purpose), capacity_of(area),
			db_i64(area->longest_stay_min), db_i64(area->window_days), db_time(now)),
		NULL);
}

enum err store_area_read(
	struct tx *tx, const struct uuid *id, bool lock, struct arena *arena, struct area_row *area_out)
{
	struct rows *rows = NULL;
	enum err err = read_one(tx, lock ? &sql_area_lock : NULL, &sql_area_read, id, &rows);

	if (err == OK)
		err = take_area(rows, arena, area_out);
	rows_free(&rows);
	return err;
}

enum err store_area_list(struct tx *tx, const struct page *page, const struct uuid *site_id, struct arena *arena,
	struct area_row **areas_out, size_t *count_out)
{
	struct rows *rows = NULL;
	enum err err = read_list(tx, &sql_area_list, &sql_area_list_site, page, site_id, &rows);
	size_t n = 0;

	if (err == OK && !(*areas_out = arena_take_array(arena, rows_count(rows) + 1, sizeof(**areas_out))))
		err = ERR_OVERLOADED;
	while (err == OK && rows_next(rows))
		err = take_area(rows, arena, &(*areas_out)[n++]);
	rows_free(&rows);
	*count_out = n;
	return err;
}

enum err store_area_count(struct tx *tx, int64_t site_no, int64_t most, int64_t *count_out)
{
	return read_count(tx, &sql_area_count, site_no, most, count_out);
}

enum err store_area_change(struct tx *tx, const struct area_row *area)
{
	return tx_exec(tx, &sql_area_change,
		PARAMS(tenant(tx), db_i64(area->no), db_str(area->name), capacity_of(area),
			db_i64(area->longest_stay_min), db_i64(area->lookback_min), db_i64(area->window_days),
			db_i64(area->policy_version), db_i64(area->version)),
		NULL);
}

/* -- spots -- */

static enum err take_spot(const struct rows *rows, struct arena *arena, struct spot_row *spot)
{
	spot->no = rows_i64(rows, 0);
	spot->area_no = rows_i64(rows, 1);
	spot->id = rows_uuid(rows, 2);
	spot->area_id = rows_uuid(rows, 3);
	spot->name = rows_copy(rows, 4, arena);
	spot->accessible = rows_bool(rows, 5);
	spot->charger = rows_bool(rows, 6);
	spot->status = (enum spot_status)rows_i64(rows, 7);
	spot->version = rows_i64(rows, 8);
	return spot->name.p ? OK : ERR_OVERLOADED;
}

enum err store_spot_add(struct tx *tx, const struct spot_row *spot, instant_us now)
{
	return tx_exec(tx, &sql_spot_add,
		PARAMS(tenant(tx), db_uuid(&spot->id), db_i64(spot->area_no), db_str(spot->name),
			db_bool(spot->accessible), db_bool(spot->charger), db_time(now)),
		NULL);
}

enum err store_spot_read(
	struct tx *tx, const struct uuid *id, bool lock, struct arena *arena, struct spot_row *spot_out)
{
	struct rows *rows = NULL;
	enum err err = read_one(tx, NULL, lock ? &sql_spot_lock : &sql_spot_read, id, &rows);

	if (err == OK)
		err = take_spot(rows, arena, spot_out);
	rows_free(&rows);
	return err;
}

enum err store_spot_list(struct tx *tx, const struct page *page, const struct uuid *area_id, struct arena *arena,
	struct spot_row **spots_out, size_t *count_out)
{
	struct rows *rows = NULL;
	enum err err = read_list(tx, &sql_spot_list, &sql_spot_list_area, page, area_id, &rows);
	size_t n = 0;

	if (err == OK && !(*spots_out = arena_take_array(arena, rows_count(rows) + 1, sizeof(**spots_out))))
		err = ERR_OVERLOADED;
	while (err == OK && rows_next(rows))
		err = take_spot(rows, arena, &(*spots_out)[n++]);
	rows_free(&rows);
	*count_out = n;
	return err;
}

enum err store_spot_count(struct tx *tx, int64_t area_no, int64_t most, int64_t *count_out)
{
	return read_count(tx, &sql_spot_count, area_no, most, count_out);
}

enum err store_spot_change(struct tx *tx, const struct spot_row *spot)
{
	return tx_exec(tx, &sql_spot_change,
		PARAMS(tenant(tx), db_i64(spot->no), db_str(spot->name), db_bool(spot->accessible),
			db_bool(spot->charger), db_i64(spot->status), db_i64(spot->version)),
		NULL);
}
