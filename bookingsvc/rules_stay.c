/* SPDX-License-Identifier: Apache-2.0 */
#include "rules.h"

#define REFUSE(err, field, reason, detail) ((struct verdict){(err), (field), (reason), (detail)})

static bool is_at(
	const struct reach *reach, const struct uuid *site_id, const struct uuid *area_id, const struct uuid *person_id)
{
	const struct uuid *id = reach->where == REACH_SITE ? site_id : reach->where == REACH_AREA ? area_id : person_id;
	bool member = false;

	if (id == NULL || uuid_is_nil(id))
		return false;
	if (reach->where != REACH_GROUP)
		return uuid_eq(id, &reach->id);
	for (size_t i = 0; i < reach->member_count && !member; i++)
		member = uuid_eq(id, &reach->members[i]);
	return member;
}

static bool is_place(const struct reach *reach)
{
	return reach->where == REACH_SITE || reach->where == REACH_AREA;
}

struct caller rules_caller_at(const struct caller *caller, const struct uuid *site_id, const struct uuid *area_id,
	const struct uuid *person_id)
{
	struct caller there = *caller;

	for (size_t i = 0; i < caller->reach_count; i++) {
		const struct reach *reach = &caller->reach[i];

		if (!is_at(reach, site_id, area_id, person_id))
			continue;
		there.manage |= reach->manage;
		there.read_all |= reach->read_all;
		there.site_manage |= reach->site_manage && is_place(reach);
		there.assists |= reach->act_for && !is_place(reach);
	}
	return there;
}

bool rules_manages_somewhere(const struct caller *caller)
{
	for (size_t i = 0; i < caller->reach_count; i++) {
		if (caller->reach[i].manage && is_place(&caller->reach[i]))
			return true;
	}
	return false;
}

enum standing rules_standing(const struct caller *caller, const struct uuid *person_id, bool is_principal)
{
	if (!uuid_is_nil(person_id) && uuid_eq(&caller->person_id, person_id))
		return STANDING_SELF;
	if (caller->assists || (caller->act_for && is_principal))
		return STANDING_ASSISTANT;
	return caller->manage ? STANDING_STAFF : STANDING_NONE;
}

struct verdict rules_may_book_for(enum standing standing, const struct caller *caller)
{
	if (standing != STANDING_NONE)
		return VERDICT_OK;
	if (caller->act_for)
		return REFUSE(ERR_FORBIDDEN, "for_person_id", "booking.manage",
			"You may book for your principals only; this person has not made you their assistant.");
	return REFUSE(ERR_FORBIDDEN, "for_person_id", "booking.act_for", "You may book for yourself only.");
}

struct verdict rules_may_touch(enum standing standing, const struct caller *caller, bool change)
{
	if (standing != STANDING_NONE || (caller->read_all && !change))
		return VERDICT_OK;
	if (caller->read_all)
		return REFUSE(ERR_FORBIDDEN, NULL, "booking.manage", "You may see this booking but not change it.");
	return REFUSE(ERR_NOT_FOUND, NULL, NULL, NULL);
}

struct verdict rules_interval(instant_us starts_at, instant_us ends_at)
{
	if (starts_at >= ends_at)
		return REFUSE(ERR_BAD_FIELD, "ends_at", "ends_before_start", "A stay ends after it has started.");
	return VERDICT_OK;
}

static struct verdict length(const struct place *place, instant_us starts_at, instant_us ends_at)
{
	if (ends_at - starts_at > place->longest_stay_min * US_PER_MIN)
		return REFUSE(ERR_RULE, "ends_at", "stay_too_long", "The stay is longer than this area allows.");
	return VERDICT_OK;
}

static struct verdict start(const struct place *place, instant_us starts_at, instant_us now)
{
	if (starts_at < now - PAST_GRACE_US)
		return REFUSE(ERR_RULE, "starts_at", "in_the_past", "A stay cannot start in the past.");
	if (starts_at >= place->window_ends_at)
		return REFUSE(
			ERR_RULE, "starts_at", "beyond_window", "This area takes bookings only so many days ahead.");
	return VERDICT_OK;
}

static struct verdict spot_is_open(const struct place *place)
{
	if (place->spot_no && place->spot_status != SPOT_OPEN)
		return REFUSE(ERR_RULE, "spot_id", "spot_closed", "This spot takes no new bookings.");
	return VERDICT_OK;
}

struct verdict rules_time(const struct place *place, instant_us starts_at, instant_us ends_at, instant_us now)
{
	struct verdict verdict = rules_interval(starts_at, ends_at);

	if (verdict.err == OK)
		verdict = start(place, starts_at, now);
	if (verdict.err == OK)
		verdict = length(place, starts_at, ends_at);
	/* Within the grace a stay may start in the past, but not be over. */
	if (verdict.err == OK && ends_at <= now)
		verdict = REFUSE(ERR_RULE, "ends_at", "in_the_past", "A stay cannot end in the past.");
	return verdict;
}

struct verdict rules_create(const struct place *place, instant_us starts_at, instant_us ends_at, instant_us now)
{
	struct verdict verdict = rules_time(place, starts_at, ends_at, now);

	return verdict.err == OK ? spot_is_open(place) : verdict;
}

static struct verdict must_live(const struct stay_row *stay, instant_us now)
{
	if (stay->status == STAY_CANCELLED)
		return REFUSE(ERR_CONFLICT, NULL, "booking_cancelled", "This booking was cancelled.");
	if (stay->status == STAY_COMPLETED || stay->ends_at <= now)
		return REFUSE(ERR_CONFLICT, NULL, "stay_over", "This stay is over.");
	return VERDICT_OK;
}

static struct verdict new_start(
	const struct stay_row *stay, const struct stay_change *change, instant_us starts_at, instant_us now)
{
	if (starts_at == stay->starts_at)
		return VERDICT_OK;
	if (stay->status == STAY_CHECKED_IN)
		return REFUSE(ERR_CONFLICT, "starts_at", "already_checked_in", "The person has arrived already.");
	return start(change->place, starts_at, now);
}

struct verdict rules_update(struct stay_row *stay, const struct stay_change *change, instant_us now)
{
	instant_us starts_at = change->has_starts_at ? change->starts_at : stay->starts_at;
	instant_us ends_at = change->has_ends_at ? change->ends_at : stay->ends_at;
	struct verdict verdict = must_live(stay, now);

	if (verdict.err == OK)
		verdict = rules_interval(starts_at, ends_at);
	if (verdict.err == OK)
		verdict = new_start(stay, change, starts_at, now);
	if (verdict.err == OK && ends_at - starts_at > stay->ends_at - stay->starts_at)
		verdict = length(change->place, starts_at, ends_at);
	if (verdict.err == OK && ends_at <= now)
		verdict = REFUSE(ERR_RULE, "ends_at", "in_the_past", "A stay cannot end in the past.");
	if (verdict.err == OK && change->to_spot && change->place->spot_no != stay->spot_no)
		verdict = spot_is_open(change->place);
	if (verdict.err != OK)
		return verdict;
	stay->starts_at = starts_at;
	stay->ends_at = ends_at;
	stay->held_until = ends_at;
	if (change->to_spot) {
		stay->spot_no = change->place->spot_no;
		stay->spot_id = change->place->spot_id;
	}
	stay->version++;
	return VERDICT_OK;
}

static struct str cancel_reason(enum standing standing)
{
	if (standing == STANDING_SELF)
		return STR("cancelled_by_person");
	return standing == STANDING_ASSISTANT ? STR("cancelled_by_assistant") : STR("cancelled_by_staff");
}

static void cancel(struct stay_row *stay, struct str reason, instant_us now)
{
	stay->status = STAY_CANCELLED;
	stay->reason = reason;
	stay->cancelled_at = now;
	stay->version++;
}

struct verdict rules_cancel(struct stay_row *stay, enum standing standing, instant_us now)
{
	struct verdict verdict = must_live(stay, now);

	if (verdict.err == OK && stay->status == STAY_CHECKED_IN)
		verdict =
			REFUSE(ERR_CONFLICT, NULL, "already_checked_in", "The person has arrived: check out instead.");
	if (verdict.err == OK)
		cancel(stay, cancel_reason(standing), now);
	return verdict;
}

struct verdict rules_check_in(struct stay_row *stay, instant_us now)
{
	struct verdict verdict = must_live(stay, now);

	if (verdict.err != OK)
		return verdict;
	if (stay->status == STAY_CHECKED_IN)
		return REFUSE(ERR_CONFLICT, NULL, "already_checked_in", "The person has arrived already.");
	if (now < stay->starts_at - ARRIVAL_EARLY_US)
		return REFUSE(ERR_RULE, NULL, "too_early", "Check-in opens half an hour before the stay starts.");
	stay->status = STAY_CHECKED_IN;
	stay->checked_in_at = now;
	stay->version++;
	return VERDICT_OK;
}

static instant_us within(instant_us at, instant_us least, instant_us most)
{
	if (at < least)
		return least;
	return at > most ? most : at;
}

static void check_out(struct stay_row *stay, instant_us now)
{
	stay->status = STAY_COMPLETED;
	stay->checked_out_at = now;
	stay->held_until = within(now, stay->starts_at, stay->ends_at);
	stay->version++;
}

/* Late is fine: who overstays must be able to leave. */
struct verdict rules_check_out(struct stay_row *stay, instant_us now)
{
	if (stay->status == STAY_CANCELLED)
		return REFUSE(ERR_CONFLICT, NULL, "booking_cancelled", "This booking was cancelled.");
	if (stay->status == STAY_COMPLETED)
		return REFUSE(ERR_CONFLICT, NULL, "stay_over", "This stay is over.");
	if (stay->status != STAY_CHECKED_IN)
		return REFUSE(ERR_CONFLICT, NULL, "not_checked_in", "The person has not arrived.");
	check_out(stay, now);
	return VERDICT_OK;
}

void rules_erase(struct stay_row *stay, instant_us now)
{
	if (stay->status == STAY_CONFIRMED) {
		cancel(stay, STR("person_erased"), now);
	} else if (stay->status == STAY_CHECKED_IN) {
		check_out(stay, now);
		stay->reason = STR("person_erased");
	}
}
