/* SPDX-License-Identifier: Apache-2.0 */
#include "rules.h"

static const char *const inventory_names[] = {[INVENTORY_NAMED] = "named", [INVENTORY_POOLED] = "pooled"};
static const char *const purpose_names[] = {[PURPOSE_PARKING] = "parking",
	[PURPOSE_DESK] = "desk",
	[PURPOSE_ROOM] = "room",
	[PURPOSE_CHARGER] = "charger",
	[PURPOSE_LOCKER] = "locker"};
static const char *const spot_status_names[] = {[SPOT_OPEN] = "open", [SPOT_CLOSED] = "closed"};
static const char *const stay_status_names[] = {[STAY_CONFIRMED] = "confirmed",
	[STAY_CHECKED_IN] = "checked_in",
	[STAY_COMPLETED] = "completed",
	[STAY_CANCELLED] = "cancelled"};

#define COUNT(names) (sizeof(names) / sizeof((names)[0]))

static int parse(const char *const *names, size_t count, struct str name, int fallback)
{
	for (size_t i = 1; i < count; i++)
		if (str_eq_c(name, names[i]))
			return (int)i;
	return fallback;
}

const char *rules_inventory_name(enum inventory inventory)
{
	return inventory_names[inventory];
}

enum inventory rules_inventory_parse(struct str name, enum inventory fallback)
{
	return (enum inventory)parse(inventory_names, COUNT(inventory_names), name, (int)fallback);
}

const char *rules_purpose_name(enum purpose purpose)
{
	return purpose_names[purpose];
}

enum purpose rules_purpose_parse(struct str name, enum purpose fallback)
{
	return (enum purpose)parse(purpose_names, COUNT(purpose_names), name, (int)fallback);
}

const char *rules_spot_status_name(enum spot_status status)
{
	return spot_status_names[status];
}

enum spot_status rules_spot_status_parse(struct str name, enum spot_status fallback)
{
	return (enum spot_status)parse(spot_status_names, COUNT(spot_status_names), name, (int)fallback);
}

const char *rules_stay_status_name(enum stay_status status)
{
	return stay_status_names[status];
}

int rules_stay_status_parse(struct str name)
{
	return parse(stay_status_names, COUNT(stay_status_names), name, 0);
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_letter(char c)
{
	return is_upper(c) || (c >= 'a' && c <= 'z');
}

/* Digits stand only behind Etc/GMT: elsewhere PostgreSQL would read them as a POSIX offset and take any name. */
bool rules_zone_grammar(struct str name)
{
	bool etc = str_starts(name, "Etc/GMT");
	bool slash = false, begins = true;

	if (str_eq_c(name, "UTC"))
		return true;
	for (size_t i = 0; i < name.len; i++) {
		char c = name.p[i];

		if (begins ? !is_upper(c)
			   : !is_letter(c) && c != '/' && c != '_' && c != '-' && c != '+' &&
					!(etc && c >= '0' && c <= '9'))
			return false;
		slash |= c == '/';
		begins = c == '/';
	}
	return slash && !begins && name.len <= 64;
}

struct verdict rules_version(int64_t if_match, int64_t version)
{
	if (if_match == -1 || if_match == version)
		return VERDICT_OK;
	return (struct verdict){ERR_VERSION_STALE, NULL, "version_stale", "Read it again: it has changed since."};
}

struct verdict rules_area_change(struct area_row *area, const struct area_change *change, int64_t peak)
{
	bool policy = change->longest_stay_min || change->window_days || change->capacity;

	if (change->capacity && area->inventory != INVENTORY_POOLED)
		return (struct verdict){ERR_RULE, "capacity", "area_is_named",
			"The capacity of an area with named spots is the number of its spots."};
	if (change->capacity && *change->capacity < peak)
		return (struct verdict){ERR_CONFLICT, "capacity", "capacity_booked",
			"More places than that are booked at one time to come."};
	if (change->name.p)
		area->name = change->name;
	if (change->capacity)
		area->capacity = *change->capacity;
	if (change->longest_stay_min)
		area->longest_stay_min = *change->longest_stay_min;
	if (area->lookback_min < area->longest_stay_min)
		area->lookback_min = area->longest_stay_min;
	if (change->window_days)
		area->window_days = *change->window_days;
	area->policy_version += policy;
	area->version++;
	return VERDICT_OK;
}
