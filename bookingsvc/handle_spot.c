/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/crash.h"
#include "handle.h"
#include "store.h"

#define SERVICE_DEF "contract/bookingsvc.def"
#include "service/handlers.h"

static void show(const struct spot_row *row, struct spot *spot)
{
	*spot = (struct spot){.id = row->id,
		.has_id = true,
		.area_id = row->area_id,
		.has_area_id = true,
		.name = row->name,
		.has_name = true,
		.accessible = row->accessible,
		.has_accessible = true,
		.charger = row->charger,
		.has_charger = true,
		.status = str_from(rules_spot_status_name(row->status)),
		.has_status = true,
		.version = row->version,
		.has_version = true};
}

static enum err put_event(
	struct call *call, struct tx *tx, const char *action, const struct spot *before, const struct spot *after)
{
	struct event event = handle_event(call, action, "spot", &after->id, after->version);
	enum err err = handle_document(call, shape_spot(), after, &event.after);

	if (err == OK && before)
		err = handle_document(call, shape_spot(), before, &event.before);
	return err == OK ? handle_put_event(call, tx, &event, NULL) : err;
}

/* The area of a new spot, locked, so that the count of its spots holds. */
static enum err find_area(struct call *call, struct tx *tx, struct spot_row *row)
{
	struct area_row area;
	int64_t count = 0;
	enum err err = store_area_read(tx, &row->area_id, true, call->arena, &area);

	if (err == ERR_NOT_FOUND)
		return handle_not_found(call, "area_id");
	if (err == OK)
		err = handle_need_place(call, &area.site_id, &area.id);
	if (err == OK && area.inventory != INVENTORY_NAMED)
		return call_refuse(
			call, ERR_RULE, "area_id", "area_is_pooled", "A pooled area counts places and has no spots.");
	if (err == OK)
		err = store_spot_count(tx, area.no, SPOTS_OF_AREA_MAX, &count);
	if (err == OK && count >= SPOTS_OF_AREA_MAX)
		return call_refuse(call, ERR_RULE, "area_id", "too_many_spots", "An area has at most 2000 spots.");
	row->area_no = area.no;
	return err;
}

/* What the database said to a name: a conflict that names the field. */
static enum err name_verdict(struct call *call, const struct tx *tx, enum err err)
{
	if (err == ERR_CONFLICT && strcmp(tx_constraint(tx), "spot_name") == 0)
		return call_refuse(call, err, "name", "name_taken", "The area has a spot of this name.");
	return err;
}

enum err handle_spot_create(struct call *call, const struct spot_create_request *request, struct spot *reply)
{
	struct spot_row row = {.id = uuid_new(),
		.area_id = request->area_id,
		.name = request->name,
		.accessible = request->accessible,
		.charger = request->charger,
		.status = SPOT_OPEN,
		.version = 1};
	const struct keyed keyed = handle_keyed(call);
	struct tx *tx = NULL;
	bool found;
	enum err err;

	if ((err = handle_begin(call, &tx)) != OK)
		goto done;
	if ((err = handle_claim(call, tx, &keyed, reply, &found)) != OK || found)
		goto done;
	if ((err = find_area(call, tx, &row)) != OK)
		goto done;
	if ((err = name_verdict(call, tx, store_spot_add(tx, &row, clock_now_us()))) != OK)
		goto done;
	show(&row, reply);
	if ((err = put_event(call, tx, "spot.create", NULL, reply)) != OK)
		goto done;
	if ((err = handle_answer(call, tx, &keyed, NULL, reply)) != OK)
		goto done;
	CRASH_POINT("spot_create.before_commit");
	err = tx_commit(&tx);
	CRASH_POINT("spot_create.after_commit");
done:
	tx_free(&tx);
	call->version = err == OK ? reply->version : 0;
	return err;
}

enum err handle_spot_read(struct call *call, const struct spot_ref *request, struct spot *reply)
{
	struct spot_row row;
	struct tx *tx = NULL;
	enum err err;

	if ((err = handle_begin(call, &tx)) != OK)
		return err;
	if ((err = store_spot_read(tx, &request->id, false, call->arena, &row)) != OK)
		goto done;
	show(&row, reply);
	call->version = row.version;
done:
	tx_free(&tx);
	return err;
}

enum err handle_spot_list(struct call *call, const struct spot_list_request *request, struct spot_page *reply)
{
	struct page page = {.limit = handle_limit(request->has_limit, request->limit)};
	const size_t limit = page.limit++;
	struct cursor cursor;
	struct spot_row *rows = NULL;
	struct tx *tx = NULL;
	size_t count = 0;
	enum err err;

	if ((err = handle_cursor_read(call, CURSOR_SPOT, request->cursor, &cursor)) != OK)
		return err;
	page.after = cursor.id;
	if ((err = handle_begin(call, &tx)) != OK)
		return err;
	err = store_spot_list(tx, &page, request->has_area_id ? &request->area_id : NULL, call->arena, &rows, &count);
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
		reply->next_cursor = handle_cursor_text(call, CURSOR_SPOT, &(struct cursor){.id = rows[limit - 1].id});
done:
	tx_free(&tx);
	return err;
}

/* Only whose site.manage is of a place has to know which place this is. */
static enum err check_place(struct call *call, struct tx *tx, const struct spot_row *row)
{
	struct area_row area;
	enum err err;

	if (token_has(&call->token, PERM_SITE_MANAGE))
		return OK;
	if ((err = store_area_read(tx, &row->area_id, false, call->arena, &area)) != OK)
		return err;
	return handle_need_place(call, &area.site_id, &area.id);
}

enum err handle_spot_update(struct call *call, const struct spot_update_request *request, struct spot *reply)
{
	struct spot_row row;
	struct spot before;
	struct verdict verdict;
	struct tx *tx = NULL;
	enum err err;

	if ((err = handle_begin(call, &tx)) != OK)
		goto done;
	if ((err = store_spot_read(tx, &request->id, true, call->arena, &row)) != OK)
		goto done;
	if ((err = check_place(call, tx, &row)) != OK)
		goto done;
	show(&row, &before);
	verdict = rules_version(call->if_match, row.version);
	if ((err = handle_refuse(call, &verdict)) != OK)
		goto done;
	row.name = request->has_name ? request->name : row.name;
	row.accessible = request->has_accessible ? request->accessible : row.accessible;
	row.charger = request->has_charger ? request->charger : row.charger;
	row.status = rules_spot_status_parse(request->status, row.status);
	row.version++;
	if ((err = name_verdict(call, tx, store_spot_change(tx, &row))) != OK)
		goto done;
	show(&row, reply);
	if ((err = put_event(call, tx, "spot.update", &before, reply)) != OK)
		goto done;
	CRASH_POINT("spot_update.before_commit");
	err = tx_commit(&tx);
	CRASH_POINT("spot_update.after_commit");
	call->version = row.version;
done:
	tx_free(&tx);
	return err;
}
