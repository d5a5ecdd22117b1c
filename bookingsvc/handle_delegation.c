/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crash.h"
#include "handle.h"
#include "peer.h"
#include "store_person.h"

#define SERVICE_DEF "contract/bookingsvc.def"
#include "service/handlers.h"

static void show(const struct delegation_row *row, struct delegation *delegation)
{
	*delegation = (struct delegation){.id = row->id,
		.has_id = true,
		.assistant_id = row->assistant_id,
		.has_assistant_id = true,
		.principal_id = row->principal_id,
		.has_principal_id = true,
		.created_at = row->created_at,
		.has_created_at = true};
}

static enum err put_event(
	struct call *call, struct tx *tx, const char *action, const struct delegation *delegation, bool gone)
{
	struct event event = handle_event(call, action, "delegation", &delegation->id, 1);
	enum err err = handle_document(call, shape_delegation(), delegation, gone ? &event.before : &event.after);

	event.subject_id = delegation->principal_id;
	return err == OK ? handle_put_event(call, tx, &event, NULL) : err;
}

static enum err check_people(struct call *call, const struct delegation_create_request *request)
{
	const struct uuid people[] = {request->assistant_id, request->principal_id};
	bool active[2];
	enum err err;

	if (uuid_eq(&people[0], &people[1]))
		return call_refuse(call, ERR_BAD_FIELD, "principal_id", "same_person",
			"Nobody needs a delegation for themselves.");
	if ((err = peer_people_active(call, people, 2, active)) != OK)
		return err;
	if (!active[0])
		return handle_not_found(call, "assistant_id");
	return active[1] ? OK : handle_not_found(call, "principal_id");
}

/* Neither may have been erased, nor be until the commit. */
static enum err hold_people(struct call *call, struct tx *tx, const struct delegation_row *row)
{
	const struct uuid people[] = {row->assistant_id, row->principal_id};
	struct seal_key *keys[2] = {0};
	enum err err = store_person_hold(tx, people, 2, call->arena);

	if (err == OK)
		err = seal_subjects_load(tx, call->worker->seal, &call->token.tenant_id, people, 2, true, keys);
	if (err == OK && !keys[0])
		err = handle_not_found(call, "assistant_id");
	if (err == OK && !keys[1])
		err = handle_not_found(call, "principal_id");
	seal_keys_free(keys, 2);
	return err;
}

enum err handle_delegation_create(
	struct call *call, const struct delegation_create_request *request, struct delegation *reply)
{
	const struct delegation_row row = {.id = uuid_new(),
		.assistant_id = request->assistant_id,
		.principal_id = request->principal_id,
		.created_at = clock_now_us()};
	const struct keyed keyed = handle_keyed(call);
	struct tx *tx = NULL;
	bool found, added = false;
	enum err err;

	if ((err = check_people(call, request)) != OK)
		return err;
	if ((err = handle_begin(call, &tx)) != OK)
		goto done;
	if ((err = handle_claim(call, tx, &keyed, reply, &found)) != OK || found)
		goto done;
	if ((err = hold_people(call, tx, &row)) != OK)
		goto done;
	if ((err = store_delegation_add(tx, &row, &added)) != OK)
		goto done;
	if (!added) {
		err = call_refuse(
			call, ERR_CONFLICT, NULL, "delegation_exists", "This person assists that one already.");
		goto done;
	}
	show(&row, reply);
	if ((err = put_event(call, tx, "delegation.create", reply, false)) != OK)
		goto done;
	if ((err = handle_answer(call, tx, &keyed, NULL, reply)) != OK)
		goto done;
	CRASH_POINT("delegation_create.before_commit");
	err = tx_commit(&tx);
	CRASH_POINT("delegation_create.after_commit");
done:
	tx_free(&tx);
	return err;
}

enum err handle_delegation_list(struct call *call, const struct page_request *request, struct delegation_page *reply)
{
	struct page page = {.limit = handle_limit(request->has_limit, request->limit)};
	const size_t limit = page.limit++;
	struct cursor cursor;
	struct delegation_row *rows = NULL;
	struct tx *tx = NULL;
	size_t count = 0;
	enum err err;

	if ((err = handle_cursor_read(call, CURSOR_DELEGATION, request->cursor, &cursor)) != OK)
		return err;
	page.after = cursor.id;
	if ((err = handle_begin(call, &tx)) != OK)
		return err;
	if ((err = store_delegation_list(tx, &page, call->arena, &rows, &count)) != OK)
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
		reply->next_cursor =
			handle_cursor_text(call, CURSOR_DELEGATION, &(struct cursor){.id = rows[limit - 1].id});
done:
	tx_free(&tx);
	return err;
}

enum err handle_delegation_delete(struct call *call, const struct delegation_ref *request, struct empty *reply)
{
	struct delegation_row row;
	struct delegation delegation;
	struct tx *tx = NULL;
	enum err err;

	(void)reply;
	if ((err = handle_begin(call, &tx)) != OK)
		goto done;
	if ((err = store_delegation_delete(tx, &request->id, &row)) != OK)
		goto done;
	show(&row, &delegation);
	if ((err = put_event(call, tx, "delegation.delete", &delegation, true)) != OK)
		goto done;
	CRASH_POINT("delegation_delete.before_commit");
	err = tx_commit(&tx);
	CRASH_POINT("delegation_delete.after_commit");
done:
	tx_free(&tx);
	return err;
}
