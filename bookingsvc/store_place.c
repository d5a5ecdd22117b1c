/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/log.h"
#include "bookingsvc_sql.h"
#include "store_stay.h"

static struct db_param tenant(const struct tx *tx)
{
	return db_uuid(tx_tenant(tx));
}

static void take_place(const struct rows *rows, struct place *place)
{
	place->site_no = rows_i64(rows, 0);
	place->area_no = rows_i64(rows, 1);
	place->spot_no = rows_i64(rows, 2);
	place->site_id = rows_uuid(rows, 3);
	place->area_id = rows_uuid(rows, 4);
	place->spot_id = rows_uuid(rows, 5);
	place->spot_status = (enum spot_status)rows_i64(rows, 6);
	place->inventory = (enum inventory)rows_i64(rows, 7);
	place->capacity = rows_i64(rows, 8);
	place->longest_stay_min = rows_i64(rows, 9);
	place->lookback_min = rows_i64(rows, 10);
	place->policy_version = rows_i64(rows, 11);
	place->window_ends_at = rows_time(rows, 12);
}

static void take_places(struct rows *rows, const struct uuid *spots, size_t count, struct place *places_out)
{
	while (rows_next(rows)) {
		struct place place = {0};

		take_place(rows, &place);
		for (size_t i = 0; i < count; i++)
			if (uuid_eq(&spots[i], &place.spot_id))
				places_out[i] = place;
	}
}

enum err store_place_of_spots(
	struct tx *tx, const struct uuid *spots, size_t count, instant_us now, struct place *places_out)
{
	struct rows *rows = NULL;
	enum err err =
		tx_query(tx, &sql_place_of_spots, PARAMS(tenant(tx), db_uuids(spots, count), db_time(now)), &rows);

	memset(places_out, 0, count * sizeof(*places_out));
	if (err == OK)
		take_places(rows, spots, count, places_out);
	rows_free(&rows);
	return err;
}

enum err store_place_queue(struct tx *tx, const struct uuid *spots, size_t count, instant_us now)
{
	if (count == 1)
		return tx_queue(tx, &sql_place_of_spot, PARAMS(tenant(tx), db_uuid(spots), db_time(now)));
	return tx_queue(tx, &sql_place_of_spots, PARAMS(tenant(tx), db_uuids(spots, count), db_time(now)));
}

enum err store_place_next(struct tx *tx, const struct uuid *spots, size_t count, struct place *places_out)
{
	struct rows *rows = NULL;
	enum err err = tx_next(tx, &rows, NULL);

	memset(places_out, 0, count * sizeof(*places_out));
	if (err == OK)
		take_places(rows, spots, count, places_out);
	rows_free(&rows);
	return err;
}

enum err store_place_of_area(
	struct tx *tx, const struct uuid *area_id, bool lock, instant_us now, struct place *place_out)
{
	struct rows *rows = NULL;
	enum err err = OK;

	if (lock)
		err = tx_queue_quiet(tx, &sql_area_lock, PARAMS(tenant(tx), db_uuid(area_id)));
	if (err == OK)
		err = tx_query(tx, &sql_place_of_area, PARAMS(tenant(tx), db_uuid(area_id), db_time(now)), &rows);
	if (err == OK && !rows_next(rows))
		err = ERR_NOT_FOUND;
	if (err == OK)
		take_place(rows, place_out);
	rows_free(&rows);
	return err;
}

enum err store_place_of_site(struct tx *tx, const struct uuid *site_id, const struct uuid *area_id, instant_us now,
	struct arena *arena, struct named_place **places_out, size_t *count_out)
{
	struct rows *rows = NULL;
	size_t n = 0;
	enum err err = tx_query(tx, &sql_place_of_site,
		PARAMS(tenant(tx), db_uuid(site_id), db_time(now), db_uuid_or_null(area_id)), &rows);

	if (err == OK && !(*places_out = arena_take_array(arena, rows_count(rows) + 1, sizeof(**places_out))))
		err = ERR_OVERLOADED;
	while (err == OK && rows_next(rows)) {
		struct named_place *place = &(*places_out)[n++];

		take_place(rows, &place->place);
		place->name = rows_copy(rows, 13, arena);
		place->purpose = (enum purpose)rows_i64(rows, 14);
		if (!place->name.p)
			err = ERR_OVERLOADED;
	}
	rows_free(&rows);
	*count_out = n;
	return err;
}

static instant_us look_back(instant_us starts_at, int64_t lookback_min)
{
	instant_us back_us = lookback_min * US_PER_MIN + 1; /* the bound itself is left out */

	return starts_at > back_us ? starts_at - back_us : INSTANT_MIN;
}

static enum err take_states(struct rows *rows, struct arena *arena, struct spot_state **states_out, size_t *count_out)
{
	size_t n = 0;

	if (!(*states_out = arena_take_array(arena, rows_count(rows) + 1, sizeof(**states_out))))
		return ERR_OVERLOADED;
	while (rows_next(rows)) {
		struct spot_state *state = &(*states_out)[n++];

		state->area_no = rows_i64(rows, 0);
		state->id = rows_uuid(rows, 1);
		state->name = rows_copy(rows, 2, arena);
		state->status = (enum spot_status)rows_i64(rows, 3);
		state->taken = rows_bool(rows, 4);
		if (!state->name.p)
			return ERR_OVERLOADED;
	}
	*count_out = n;
	return OK;
}

enum err store_spot_states(struct tx *tx, const struct named_place *places, size_t count, instant_us starts_at,
	instant_us ends_at, size_t limit, struct arena *arena, struct spot_state **states_out, size_t *count_out)
{
	int64_t *areas = arena_take_array(arena, count + 1, sizeof(*areas));
	instant_us *backs = arena_take_array(arena, count + 1, sizeof(*backs));
	struct rows *rows = NULL;
	enum err err;

	*count_out = 0;
	if (!areas || !backs)
		return ERR_OVERLOADED;
	for (size_t i = 0; i < count; i++) {
		areas[i] = places[i].place.area_no;
		backs[i] = look_back(starts_at, places[i].place.lookback_min);
	}
	err = tx_query(tx, &sql_spots_of_areas,
		PARAMS(tenant(tx), db_i64s(areas, count), db_time(starts_at), db_time(ends_at), db_times(backs, count),
			db_i64((int64_t)limit)),
		&rows);
	if (err == OK)
		err = take_states(rows, arena, states_out, count_out);
	rows_free(&rows);
	return err;
}

static enum err queue_peak(struct tx *tx, int64_t area_no, instant_us starts_at, instant_us ends_at,
	int64_t lookback_min, const struct uuid *but)
{
	return tx_queue(tx, &sql_pool_peak,
		PARAMS(tenant(tx), db_i64(area_no), db_time(starts_at), db_time(ends_at),
			db_time(look_back(starts_at, lookback_min)), db_uuid(but)));
}

static enum err next_peak(struct tx *tx, int64_t *peak_out)
{
	struct rows *rows = NULL;
	enum err err = tx_next(tx, &rows, NULL);

	*peak_out = err == OK && rows_next(rows) ? rows_i64(rows, 0) : 0;
	rows_free(&rows);
	return err;
}

enum err store_pool_peak(struct tx *tx, int64_t area_no, instant_us starts_at, instant_us ends_at, int64_t lookback_min,
	const struct uuid *but, int64_t *peak_out)
{
	enum err err = queue_peak(tx, area_no, starts_at, ends_at, lookback_min, but);

	*peak_out = 0;
	if (err == OK)
		err = tx_flush(tx);
	return err == OK ? next_peak(tx, peak_out) : err;
}

enum err store_pool_peaks(struct tx *tx, const struct named_place *places, size_t count, instant_us starts_at,
	instant_us ends_at, int64_t *peaks_out)
{
	enum err err = OK;

	for (size_t i = 0; i < count && err == OK; i++)
		if (places[i].place.inventory == INVENTORY_POOLED)
			err = queue_peak(tx, places[i].place.area_no, starts_at, ends_at, places[i].place.lookback_min,
				&UUID_NIL);
	if (err == OK)
		err = tx_flush(tx);
	for (size_t i = 0; i < count && err == OK; i++) {
		peaks_out[i] = 0;
		if (places[i].place.inventory == INVENTORY_POOLED)
			err = next_peak(tx, &peaks_out[i]);
	}
	return err;
}

enum err store_spot_free(struct tx *tx, struct place *place, instant_us starts_at, instant_us ends_at)
{
	struct rows *rows = NULL;
	enum err err = tx_query(tx, &sql_spot_free,
		PARAMS(tenant(tx), db_i64(place->area_no), db_time(starts_at), db_time(ends_at),
			db_time(look_back(starts_at, place->lookback_min))),
		&rows);

	if (err == OK && !rows_next(rows))
		err = ERR_NOT_FOUND;
	if (err == OK) {
		place->spot_no = rows_i64(rows, 0);
		place->spot_id = rows_uuid(rows, 1);
		place->spot_status = SPOT_OPEN;
	}
	rows_free(&rows);
	return err;
}
