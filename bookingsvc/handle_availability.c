/* SPDX-License-Identifier: Apache-2.0 */
#include "handle.h"
#include "store_stay.h"

#define SERVICE_DEF "contract/bookingsvc.def"
#include "service/handlers.h"

#define SPOTS_MAX 8000 /* in one answer */

/* Why nothing of the area can be booked, whatever is free in it. */
static struct str area_reason(const struct area_availability *area, const struct place *place,
	const struct availability_request *request, instant_us now)
{
	const struct verdict verdict = rules_time(place, request->starts_at, request->ends_at, now);

	if (verdict.err != OK)
		return str_from(verdict.reason);
	return area->free > 0 ? STR_NONE : STR("area_full");
}

static void show_spot(const struct spot_state *state, struct spot_availability *spot)
{
	const char *reason = NULL;

	if (state->taken)
		reason = "spot_taken";
	else if (state->status != SPOT_OPEN)
		reason = "spot_closed";
	*spot = (struct spot_availability){.id = state->id,
		.has_id = true,
		.name = state->name,
		.has_name = true,
		.free = !reason,
		.has_free = true,
		.reason = str_from(reason),
		.has_reason = true};
}

/* What was read of a site. */
struct view {
	struct named_place *places;
	int64_t *peaks;
	size_t place_count;
	struct spot_state *states;
	size_t state_count;
};

/* `states` come area by area, in the order of `places`. Takes those of this area. */
static enum err show_spots(
	struct call *call, const struct view *view, size_t *next, int64_t area_no, struct area_availability *area)
{
	size_t first = *next;

	while (*next < view->state_count && view->states[*next].area_no == area_no)
		(*next)++;
	area->spots.count = *next - first;
	area->spots.items = arena_take_array(call->arena, area->spots.count + 1, sizeof(*area->spots.items));
	if (!area->spots.items)
		return ERR_OVERLOADED;
	for (size_t i = 0; i < area->spots.count; i++) {
		show_spot(&view->states[first + i], &area->spots.items[i]);
		area->free += area->spots.items[i].free;
	}
	area->capacity = (int64_t)area->spots.count;
	return OK;
}

static enum err show(struct call *call, const struct availability_request *request, const struct view *view,
	struct availability *reply)
{
	const instant_us now = clock_now_us();
	size_t next = 0;

	reply->areas.items = arena_take_array(call->arena, view->place_count + 1, sizeof(*reply->areas.items));
	if (!reply->areas.items)
		return ERR_OVERLOADED;
	for (; reply->areas.count < view->place_count; reply->areas.count++) {
		const struct named_place *place = &view->places[reply->areas.count];
		struct area_availability *area = &reply->areas.items[reply->areas.count];
		int64_t left = place->place.capacity - view->peaks[reply->areas.count];

		*area = (struct area_availability){.id = place->place.area_id,
			.has_id = true,
			.name = place->name,
			.has_name = true,
			.inventory = str_from(rules_inventory_name(place->place.inventory)),
			.has_inventory = true,
			.purpose = str_from(rules_purpose_name(place->purpose)),
			.has_purpose = true,
			.capacity = place->place.capacity,
			.has_capacity = true,
			.free = left > 0 ? left : 0,
			.has_free = true,
			.has_reason = true,
			.has_spots = true};
		if (place->place.inventory == INVENTORY_NAMED &&
			show_spots(call, view, &next, place->place.area_no, area) != OK)
			return ERR_OVERLOADED;
		area->reason = area_reason(area, &place->place, request, now);
	}
	return OK;
}

static enum err read_view(
	struct call *call, struct tx *tx, const struct availability_request *request, struct view *view)
{
	const instant_us starts_at = request->starts_at, ends_at = request->ends_at;
	enum err err = store_place_of_site(tx, &request->site_id, request->has_area_id ? &request->area_id : NULL,
		clock_now_us(), call->arena, &view->places, &view->place_count);

	if (err == OK && request->has_area_id && view->place_count == 0)
		return handle_not_found(call, "area_id");
	if (err == OK && !(view->peaks = arena_take_array(call->arena, view->place_count + 1, sizeof(*view->peaks))))
		return ERR_OVERLOADED;
	if (err == OK)
		err = store_spot_states(tx, view->places, view->place_count, starts_at, ends_at, SPOTS_MAX + 1,
			call->arena, &view->states, &view->state_count);
	if (err == OK && view->state_count > SPOTS_MAX)
		return call_refuse(
			call, ERR_RULE, "area_id", "too_many_spots", "This site is large: ask area by area.");
	if (err == OK)
		err = store_pool_peaks(tx, view->places, view->place_count, starts_at, ends_at, view->peaks);
	return err;
}

static enum err check_interval(struct call *call, const struct availability_request *request)
{
	struct verdict verdict = rules_interval(request->starts_at, request->ends_at);

	if (verdict.err == OK && request->ends_at - request->starts_at > STAY_LONGEST_US)
		verdict = (struct verdict){ERR_RULE, "ends_at", "stay_too_long", "No stay is longer than 31 days."};
	return handle_refuse(call, &verdict);
}

enum err handle_availability_read(
	struct call *call, const struct availability_request *request, struct availability *reply)
{
	struct view view = {0};
	struct site_row site;
	struct tx *tx = NULL;
	enum err err;

	if ((err = check_interval(call, request)) != OK)
		return err;
	if ((err = handle_begin(call, &tx)) != OK)
		goto done;
	if ((err = store_site_read(tx, &request->site_id, false, call->arena, &site)) != OK) {
		err = err == ERR_NOT_FOUND ? handle_not_found(call, "site_id") : err;
		goto done;
	}
	if ((err = read_view(call, tx, request, &view)) != OK)
		goto done;
	*reply = (struct availability){.site_id = site.id,
		.has_site_id = true,
		.time_zone = site.time_zone,
		.has_time_zone = true,
		.starts_at = request->starts_at,
		.has_starts_at = true,
		.ends_at = request->ends_at,
		.has_ends_at = true,
		.has_areas = true};
	err = show(call, request, &view, reply);
done:
	tx_free(&tx);
	return err;
}
