/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crash.h"
#include "handle.h"
#include "store.h"

#define SERVICE_DEF "contract/bookingsvc.def"
#include "service/handlers.h"

static void show(const struct site_row *row, struct site *site)
{
	*site = (struct site){.id = row->id,
		.has_id = true,
		.name = row->name,
		.has_name = true,
		.time_zone = row->time_zone,
		.has_time_zone = true,
		.version = row->version,
		.has_version = true};
}

/* Queues the event of a change. `before` is NULL for a new site. */
static enum err put_event(
	struct call *call, struct tx *tx, const char *action, const struct site *before, const struct site *after)
{
	struct event event = handle_event(call, action, "site", &after->id, after->version);
	enum err err = handle_document(call, shape_site(), after, &event.after);

	if (err == OK && before)
		err = handle_document(call, shape_site(), before, &event.before);
	return err == OK ? handle_put_event(call, tx, &event, NULL) : err;
}

static enum err check_zone(struct call *call, struct tx *tx, struct str zone)
{
	bool known = false;
	enum err err = OK;

	if (rules_zone_grammar(zone))
		err = store_zone_known(tx, zone, &known);
	if (err != OK || known)
		return err;
	return call_refuse(call, ERR_BAD_FIELD, "time_zone", "unknown_time_zone",
		"Give the name of a zone of the IANA time zone database, as Europe/Paris.");
}

enum err handle_site_create(struct call *call, const struct site_create_request *request, struct site *reply)
{
	struct site_row row = {.id = uuid_new(), .name = request->name, .time_zone = request->time_zone, .version = 1};
	const struct keyed keyed = handle_keyed(call);
	struct tx *tx = NULL;
	bool found;
	enum err err;

	if ((err = handle_begin(call, &tx)) != OK)
		goto done;
	if ((err = handle_claim(call, tx, &keyed, reply, &found)) != OK || found)
		goto done;
	if ((err = check_zone(call, tx, request->time_zone)) != OK)
		goto done;
	if ((err = store_site_add(tx, &row, clock_now_us())) != OK)
		goto done;
	show(&row, reply);
	if ((err = put_event(call, tx, "site.create", NULL, reply)) != OK)
		goto done;
	if ((err = handle_answer(call, tx, &keyed, NULL, reply)) != OK)
		goto done;
	CRASH_POINT("site_create.before_commit");
	err = tx_commit(&tx);
	CRASH_POINT("site_create.after_commit");
done:
	tx_free(&tx);
	call->version = err == OK ? reply->version : 0;
	return err;
}

enum err handle_site_read(struct call *call, const struct site_ref *request, struct site *reply)
{
	struct site_row row;
	struct tx *tx = NULL;
	enum err err;

	if ((err = handle_begin(call, &tx)) != OK)
		return err;
	if ((err = store_site_read(tx, &request->id, false, call->arena, &row)) != OK)
		goto done;
	show(&row, reply);
	call->version = row.version;
done:
	tx_free(&tx);
	return err;
}

enum err handle_site_list(struct call *call, const struct page_request *request, struct site_page *reply)
{
	struct page page = {.limit = handle_limit(request->has_limit, request->limit)};
	const size_t limit = page.limit++;
	struct cursor cursor;
	struct site_row *rows = NULL;
	struct tx *tx = NULL;
	size_t count = 0;
	enum err err;

	if ((err = handle_cursor_read(call, CURSOR_SITE, request->cursor, &cursor)) != OK)
		return err;
	page.after = cursor.id;
	if ((err = handle_begin(call, &tx)) != OK)
		return err;
	if ((err = store_site_list(tx, &page, call->arena, &rows, &count)) != OK)
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
		reply->next_cursor = handle_cursor_text(call, CURSOR_SITE, &(struct cursor){.id = rows[limit - 1].id});
done:
	tx_free(&tx);
	return err;
}

enum err handle_site_update(struct call *call, const struct site_update_request *request, struct site *reply)
{
	struct site_row row;
	struct site before;
	struct verdict verdict;
	struct tx *tx = NULL;
	enum err err;

	if ((err = handle_begin(call, &tx)) != OK)
		goto done;
	if ((err = store_site_read(tx, &request->id, true, call->arena, &row)) != OK)
		goto done;
	if ((err = handle_need_place(call, &row.id, NULL)) != OK)
		goto done;
	show(&row, &before);
	verdict = rules_version(call->if_match, row.version);
	if ((err = handle_refuse(call, &verdict)) != OK)
		goto done;
	if (request->has_name)
		row.name = request->name;
	row.version++;
	if ((err = store_site_change(tx, &row)) != OK)
		goto done;
	show(&row, reply);
	if ((err = put_event(call, tx, "site.update", &before, reply)) != OK)
		goto done;
	CRASH_POINT("site_update.before_commit");
	err = tx_commit(&tx);
	CRASH_POINT("site_update.after_commit");
	call->version = row.version;
done:
	tx_free(&tx);
	return err;
}
