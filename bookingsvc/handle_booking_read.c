/* SPDX-License-Identifier: Apache-2.0 */
#include "handle_booking.h"

#define SERVICE_DEF "contract/bookingsvc.def"
#include "service/handlers.h"

enum err handle_booking_read(struct call *call, const struct booking_ref *request, struct booking *reply)
{
	struct stay_row stay;
	struct verdict verdict;
	struct caller caller;
	struct tx *tx = NULL;
	enum err err;

	if ((err = handle_caller_whole(call, &caller)) != OK)
		goto done;
	if ((err = handle_begin(call, &tx)) != OK)
		goto done;
	if ((err = store_stay_read(tx, &request->id, false, &caller.person_id, call->arena, &stay)) != OK)
		goto done;
	caller = rules_caller_at(&caller, &stay.site_id, &stay.area_id, &stay.person_id);
	verdict = rules_may_touch(rules_standing(&caller, &stay.person_id, stay.is_principal), &caller, false);
	if ((err = handle_refuse(call, &verdict)) != OK)
		goto done;
	err = handle_booking_show_all(call, tx, &stay, 1, reply);
	call->version = stay.version;
done:
	tx_free(&tx);
	return err;
}

/* Whose bookings may be listed: one's own, a principal's; with booking.read_all, there or everywhere, anyone's. */
static enum err check_scope(struct call *call, struct tx *tx, const struct caller *everywhere, bool everyone,
	const struct uuid *person_id, const struct uuid *site_id)
{
	const struct caller caller = rules_caller_at(everywhere, site_id, NULL, everyone ? NULL : person_id);
	bool held = false;
	enum err err = OK;

	if (caller.read_all || (!everyone && caller.assists) || (!everyone && uuid_eq(person_id, &caller.person_id)))
		return OK;
	if (!everyone && caller.act_for)
		err = store_delegation_held(tx, &caller.person_id, person_id, 1, &held);
	if (err != OK || held)
		return err;
	return call_refuse(call, ERR_FORBIDDEN, everyone ? "everyone" : "person_id", "booking.read_all",
		"You may list your own bookings and those of your principals.");
}

static enum err read_filter(struct call *call, const struct booking_list_request *request, struct stay_filter *filter)
{
	struct cursor cursor;
	enum err err = handle_cursor_read(call, CURSOR_BOOKING, request->cursor, &cursor);

	*filter = (struct stay_filter){.site_id = request->site_id,
		.status = rules_stay_status_parse(request->status),
		.ends_after = request->has_from ? request->from : INSTANT_MIN,
		.starts_before = request->has_to ? request->to : INSTANT_MAX,
		.after = cursor.at,
		.after_id = cursor.id,
		.limit = handle_limit(request->has_limit, request->limit) + 1};
	return err;
}

/* No stay is longer: a range begins so much before its lower bound, instead of at the beginning of all. */
static enum err bound_filter(struct tx *tx, struct stay_filter *filter)
{
	int64_t lookback_min = STAY_LONGEST_MIN;
	instant_us bound;
	enum err err = OK;

	if (filter->ends_after == INSTANT_MIN)
		return OK;
	if (!filter->person_no)
		err = store_lookback(tx, &lookback_min);
	bound = filter->ends_after - lookback_min * US_PER_MIN - 1;
	if (bound > filter->after) {
		filter->after = bound;
		filter->after_id = UUID_NIL;
	}
	return err;
}

static enum err show_page(struct call *call, struct tx *tx, const struct stay_row *stays, size_t count, size_t limit,
	struct booking_page *reply)
{
	reply->has_items = reply->has_next_cursor = true;
	reply->items.count = count < limit ? count : limit;
	if (!(reply->items.items = arena_take_array(call->arena, limit, sizeof(*reply->items.items))))
		return ERR_OVERLOADED;
	if (count > limit)
		reply->next_cursor = handle_cursor_text(call, CURSOR_BOOKING,
			&(struct cursor){.at = stays[limit - 1].starts_at, .id = stays[limit - 1].id});
	return handle_booking_show_all(call, tx, stays, reply->items.count, reply->items.items);
}

/* What stands of whom: a person without a number has no stays. */
static enum err find_page(struct call *call, struct tx *tx, bool everyone, const struct uuid *person_id,
	struct stay_filter *filter, struct booking_page *reply)
{
	struct stay_row *stays = NULL;
	size_t count = 0;
	enum err err = OK;

	if (!everyone)
		err = store_person_number(tx, person_id, &filter->person_no);
	if (err == ERR_NOT_FOUND)
		return show_page(call, tx, NULL, 0, filter->limit - 1, reply);
	if (err == OK)
		err = bound_filter(tx, filter);
	if (err == OK)
		err = store_stay_list(tx, filter, call->arena, &stays, &count);
	return err == OK ? show_page(call, tx, stays, count, filter->limit - 1, reply) : err;
}

enum err handle_booking_list(struct call *call, const struct booking_list_request *request, struct booking_page *reply)
{
	const bool everyone = request->has_everyone && request->everyone;
	const struct uuid *person_id = request->has_person_id ? &request->person_id : &call->token.person_id;
	const struct uuid *site_id = request->has_site_id ? &request->site_id : NULL;
	struct caller caller = handle_caller(call);
	struct stay_filter filter;
	struct tx *tx = NULL;
	enum err err;

	if (everyone && request->has_person_id)
		return call_refuse(
			call, ERR_BAD_FIELD, "everyone", "exactly_one", "Give either person_id or everyone.");
	if (!everyone && uuid_is_nil(person_id))
		return handle_need_person(call);
	if ((err = read_filter(call, request, &filter)) != OK)
		return err;
	if (request->has_person_id && (err = handle_caller_whole(call, &caller)) != OK)
		return err;
	if ((err = handle_begin(call, &tx)) != OK)
		return err;
	if ((err = check_scope(call, tx, &caller, everyone, person_id, site_id)) == OK)
		err = find_page(call, tx, everyone, person_id, &filter, reply);
	tx_free(&tx);
	return err;
}
