/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crash.h"
#include "handle.h"
#include "store_stay.h"

#define SERVICE_DEF "contract/bookingsvc.def"
#include "service/handlers.h"

static void show(const struct area_row *row, struct area *area)
{
	*area = (struct area){.id = row->id,
		.has_id = true,
		.site_id = row->site_id,
		.has_site_id = true,
		.name = row->name,
		.has_name = true,
		.inventory = str_from(rules_inventory_name(row->inventory)),
		.has_inventory = true,
		.purpose = str_from(rules_purpose_name(row->purpose)),
		.has_purpose = true,
		.capacity = row->capacity,
		.has_capacity = row->inventory == INVENTORY_POOLED,
		.longest_stay_min = row->longest_stay_min,
		.has_longest_stay_min = true,
		.window_days = row->window_days,
		.has_window_days = true,
		.version = row->version,
		.has_version = true};
}

static enum err put_event(
	struct call *call, struct tx *tx, const char *action, const struct area *before, const struct area *after)
{
	struct event event = handle_event(call, action, "area", &after->id, after->version);
	enum err err = handle_document(call, shape_area(), after, &event.after);

	if (err == OK && before)
		err = handle_document(call, shape_area(), before, &event.before);
	return err == OK ? handle_put_event(call, tx, &event, NULL) : err;
}

static struct area_row wished(const struct area_create_request *request)
{
	return (struct area_row){.id = uuid_new(),
		.site_id = request->site_id,
		.name = request->name,
		.inventory = rules_inventory_parse(request->inventory, INVENTORY_NAMED),
		.purpose = rules_purpose_parse(request->purpose, PURPOSE_PARKING),
		.capacity = request->has_capacity ? request->capacity : 0,
		.longest_stay_min =
			request->has_longest_stay_min ? request->longest_stay_min : LONGEST_STAY_DEFAULT_MIN,
		.window_days = request->has_window_days ? request->window_days : WINDOW_DEFAULT_DAYS,
		.policy_version = 1,
		.version = 1};
}

static enum err check_wish(struct call *call, const struct area_create_request *request, const struct area_row *row)
{
	if (row->inventory == INVENTORY_POOLED && !request->has_capacity)
		return call_refuse(
			call, ERR_BAD_FIELD, "capacity", "missing", "A pooled area says how many places it has.");
	if (row->inventory == INVENTORY_NAMED && request->has_capacity)
		return call_refuse(call, ERR_BAD_FIELD, "capacity", "area_is_named",
			"The capacity of an area with named spots is the number of its spots.");
	return OK;
}

/* The site of a new area, locked, so that the count of its areas holds. */
static enum err find_site(struct call *call, struct tx *tx, struct area_row *row)
{
	struct site_row site;
	int64_t count = 0;
	enum err err = store_site_read(tx, &row->site_id, true, call->arena, &site);

	if (err == ERR_NOT_FOUND)
		return handle_not_found(call, "site_id");
	if (err == OK)
		err = handle_need_place(call, &site.id, NULL);
	if (err == OK)
		err = store_area_count(tx, site.no, AREAS_OF_SITE_MAX, &count);
	if (err == OK && count >= AREAS_OF_SITE_MAX)
		return call_refuse(call, ERR_RULE, "site_id", "too_many_areas", "A site has at most 200 areas.");
	row->site_no = site.no;
	return err;
}

enum err handle_area_create(struct call *call, const struct area_create_request *request, struct area *reply)
{
	struct area_row row = wished(request);
	const struct keyed keyed = handle_keyed(call);
	struct tx *tx = NULL;
	bool found;
	enum err err;

	if ((err = check_wish(call, request, &row)) != OK)
		return err;
	if ((err = handle_begin(call, &tx)) != OK)
		goto done;
	if ((err = handle_claim(call, tx, &keyed, reply, &found)) != OK || found)
		goto done;
	if ((err = find_site(call, tx, &row)) != OK)
		goto done;
	if ((err = store_area_add(tx, &row, clock_now_us())) != OK)
		goto done;
	show(&row, reply);
	if ((err = put_event(call, tx, "area.create", NULL, reply)) != OK)
		goto done;
	if ((err = handle_answer(call, tx, &keyed, NULL, reply)) != OK)
		goto done;
	CRASH_POINT("area_create.before_commit");
	err = tx_commit(&tx);
	CRASH_POINT("area_create.after_commit");
done:
	tx_free(&tx);
	call->version = err == OK ? reply->version : 0;
	return err;
}

enum err handle_area_read(struct call *call, const struct area_ref *request, struct area *reply)
{
	struct area_row row;
	struct tx *tx = NULL;
	enum err err;

	if ((err = handle_begin(call, &tx)) != OK)
		return err;
	if ((err = store_area_read(tx, &request->id, false, call->arena, &row)) != OK)
		goto done;
	show(&row, reply);
	call->version = row.version;
done:
	tx_free(&tx);
	return err;
}

enum err handle_area_list(struct call *call, const struct area_list_request *request, struct area_page *reply)
{
	struct page page = {.limit = handle_limit(request->has_limit, request->limit)};
	const size_t limit = page.limit++;
	struct cursor cursor;
	struct area_row *rows = NULL;
	struct tx *tx = NULL;
	size_t count = 0;
	enum err err;

	if ((err = handle_cursor_read(call, CURSOR_AREA, request->cursor, &cursor)) != OK)
		return err;
	page.after = cursor.id;
	if ((err = handle_begin(call, &tx)) != OK)
		return err;
	err = store_area_list(tx, &page, request->has_site_id ? &request->site_id : NULL, call->arena, &rows, &count);
	if (err != OK)
		goto done;
	reply->has_items = reply->has_next_cursor = true;
	reply->items.count = count < limit ? count : limit;
	if (!(reply->items.items = arena_take_array(call->arena, limit, sizeof(*reply->items.items)))) {
		err = ERR_OVERLOADED;
		goto done;
	}
	for (size_t i = 0; i < reply->items.count; i++)
		show(&rows[i], &reply->items.items[i]);
	if (count > limit)
		reply->next_cursor = handle_cursor_text(call, CURSOR_AREA, &(struct cursor){.id = rows[limit - 1].id});
done:
	tx_free(&tx);
	return err;
}

/* What is booked at most at one time from now on: only a smaller pool has to know. */
static enum err peak_to_come(
	struct tx *tx, const struct area_row *row, const struct area_change *change, int64_t *peak_out)
{
	*peak_out = 0;
	if (!change->capacity || row->inventory != INVENTORY_POOLED || *change->capacity >= row->capacity)
		return OK;
	return store_pool_peak(tx, row->no, clock_now_us(), INSTANT_MAX, row->lookback_min, &UUID_NIL, peak_out);
}

enum err handle_area_update(struct call *call, const struct area_update_request *request, struct area *reply)
{
	const struct area_change change = {.name = request->name,
		.capacity = request->has_capacity ? &request->capacity : NULL,
		.longest_stay_min = request->has_longest_stay_min ? &request->longest_stay_min : NULL,
		.window_days = request->has_window_days ? &request->window_days : NULL};
	struct area_row row;
	struct area before;
	struct verdict verdict;
	struct tx *tx = NULL;
	int64_t peak;
	enum err err;

	if ((err = handle_begin(call, &tx)) != OK)
		goto done;
	if ((err = store_area_read(tx, &request->id, true, call->arena, &row)) != OK)
		goto done;
	if ((err = handle_need_place(call, &row.site_id, &row.id)) != OK)
		goto done;
	show(&row, &before);
	verdict = rules_version(call->if_match, row.version);
	if ((err = handle_refuse(call, &verdict)) != OK)
		goto done;
	if ((err = peak_to_come(tx, &row, &change, &peak)) != OK)
		goto done;
	verdict = rules_area_change(&row, &change, peak);
	if ((err = handle_refuse(call, &verdict)) != OK)
		goto done;
	if ((err = store_area_change(tx, &row)) != OK)
		goto done;
	show(&row, reply);
	if ((err = put_event(call, tx, "area.update", &before, reply)) != OK)
		goto done;
	CRASH_POINT("area_update.before_commit");
	err = tx_commit(&tx);
	CRASH_POINT("area_update.after_commit");
	call->version = row.version;
done:
	tx_free(&tx);
	return err;
}
