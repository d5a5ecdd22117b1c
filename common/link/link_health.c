/* SPDX-License-Identifier: Apache-2.0 */
#include "link/link_health.h"

bool link_health_fault(struct link_health *health)
{
	health->good = 0;
	health->faults++;
	return health->state != LINK_HEALTH_OPEN &&
	       (health->state == LINK_HEALTH_HALF_OPEN || health->faults >= LINK_HEALTH_FAULTS);
}

static void went_well(struct link_health *health, uint64_t now_us)
{
	if (health->state == LINK_HEALTH_CLOSED) {
		if (health->times > 0 && now_us - health->well_since_us >= LINK_HEALTH_FORGET_US)
			health->times = 0;
		return;
	}
	if (health->state == LINK_HEALTH_HALF_OPEN && ++health->good >= LINK_HEALTH_PROBES) {
		health->state = LINK_HEALTH_CLOSED;
		health->well_since_us = now_us;
	}
}

bool link_health_answer(struct link_health *health, uint64_t took_us, uint64_t others_us, uint64_t now_us)
{
	bool slow = others_us > 0 && took_us > LINK_HEALTH_SLOW_US && took_us / LINK_HEALTH_SLOW_TIMES > others_us;

	health->faults = 0;
	if (!slow) {
		health->slow = 0;
		went_well(health, now_us);
		return false;
	}
	health->good = 0;
	health->slow++;
	return health->state == LINK_HEALTH_HALF_OPEN ||
	       (health->state == LINK_HEALTH_CLOSED && health->slow >= LINK_HEALTH_SLOW);
}

void link_health_eject(struct link_health *health, uint64_t now_us)
{
	uint64_t for_us = LINK_HEALTH_FIRST_US;

	for (unsigned i = 0; i < health->times && for_us < LINK_HEALTH_LAST_US; i++)
		for_us *= 2;
	if (for_us > LINK_HEALTH_LAST_US)
		for_us = LINK_HEALTH_LAST_US;
	health->state = LINK_HEALTH_OPEN;
	health->until_us = now_us + for_us;
	health->times++;
	health->faults = health->slow = health->good = 0;
}

bool link_health_try(struct link_health *health, uint64_t now_us)
{
	if (health->state != LINK_HEALTH_OPEN || now_us < health->until_us)
		return false;
	health->state = LINK_HEALTH_HALF_OPEN;
	return true;
}

bool link_health_takes(const struct link_health *health, size_t in_flight)
{
	return health->state == LINK_HEALTH_CLOSED || (health->state == LINK_HEALTH_HALF_OPEN && in_flight == 0);
}
