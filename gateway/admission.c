/* SPDX-License-Identifier: Apache-2.0 */
#include "admission.h"

#define SCALE 16U /* of each_us_16 */
#define WEIGHT 4U /* a new measurement counts for a quarter */
#define EACH_MAX_US 10000000U

static void measure(struct admission *admission, uint64_t now_us)
{
	uint64_t each_us_16 = (now_us - admission->since_us) * SCALE / admission->ended;

	if (each_us_16 > EACH_MAX_US * SCALE)
		each_us_16 = EACH_MAX_US * SCALE;
	if (each_us_16 == 0)
		each_us_16 = 1;
	if (admission->each_us_16 == 0)
		admission->each_us_16 = each_us_16;
	else
		admission->each_us_16 += each_us_16 / WEIGHT - admission->each_us_16 / WEIGHT;
	admission->since_us = now_us;
	admission->ended = 0;
}

void admission_sent(struct admission *admission, size_t count, uint64_t now_us)
{
	if (admission->under_way < ADMISSION_REST) {
		admission->since_us = now_us;
		admission->ended = 0;
	}
	admission->under_way += count;
}

void admission_ended(struct admission *admission, size_t count, uint64_t now_us)
{
	const bool busy = admission->under_way >= ADMISSION_BUSY;

	admission->under_way -= count;
	admission->ended += count;
	if (busy && now_us >= admission->since_us + ADMISSION_WINDOW_US)
		measure(admission, now_us);
}

uint64_t admission_wait_us(const struct admission *admission, size_t count)
{
	return count < ADMISSION_FLOOR ? 0 : admission->each_us_16 * count / SCALE;
}

/* How many it answers in `within_us`, at least `least`, less those under way. */
static size_t room_within(const struct admission *admission, uint64_t within_us, size_t least)
{
	size_t all;

	if (admission->each_us_16 == 0)
		return SIZE_MAX;
	all = (size_t)(within_us * SCALE / admission->each_us_16);
	if (all < least)
		all = least;
	return all > admission->under_way ? all - admission->under_way : 0;
}

size_t admission_limit(const struct admission *admission, uint64_t wait_us)
{
	return room_within(admission, wait_us, ADMISSION_FLOOR);
}

size_t admission_room(const struct admission *admission)
{
	return room_within(admission, ADMISSION_AHEAD_US, ADMISSION_AHEAD_LEAST);
}
