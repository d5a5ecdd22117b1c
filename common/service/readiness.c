/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "service/context.h"

static bool is_set(const bool *flag)
{
	return __atomic_load_n(flag, __ATOMIC_RELAXED);
}

static bool row(struct json_writer *w, const char *name, bool up)
{
	if (w != NULL) {
		json_key(w, name);
		json_put_c(w, up ? "up" : "missing");
	}
	return up;
}

static bool links_up(const struct context *context, struct json_writer *w)
{
	bool all = true;

	for (enum peer peer = PEER_NONE + 1; peer < PEER_COUNT; peer++) {
		for (enum lane lane = LANE_FAST; lane < LANE_COUNT; lane++) {
			const struct link_dialer *dialer = context->dialers[peer][lane];
			char name[48];

			if (dialer == NULL)
				continue;
			snprintf(name, sizeof name, "%s_%s", peer_name(peer), lane_name(lane));
			all = row(w, name, link_live(dialer) > 0) && all;
		}
	}
	return all;
}

/*
 * Other processes count until each was there once. Afterwards one that is away is told and no more: what needs it is
 * answered 503, the rest goes on, and were this process not ready for it, one that falls would take all with it.
 */
bool context_is_equipped(struct context *context, struct json_writer *w)
{
	const struct service *service = context->service;
	const char *missing = service->missing != NULL ? service->missing(context) : NULL;
	const char *degraded = service->degraded != NULL ? service->degraded(context) : NULL;
	bool ready = true;

	if (service->schema != NULL)
		ready = row(w, "postgresql", is_set(&context->store_up)) && ready;
	ready = row(w, "keys", keyring_generation(context->keyring) > 0) && ready;
	if (links_up(context, w))
		__atomic_store_n(&context->joined, true, __ATOMIC_RELAXED);
	ready = is_set(&context->joined) && ready;
	if (missing != NULL)
		ready = row(w, missing, false) && ready;
	if (degraded != NULL)
		(void)row(w, degraded, false);
	return ready;
}

bool context_is_ready(struct context *context, struct json_writer *w)
{
	const bool equipped = context_is_equipped(context, w);

	return row(w, "serving", is_set(&context->serving)) && equipped;
}
