/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "contract/operation.h"

/* clang-format off */
static const char *const peer_names[PEER_COUNT] = {
	[PEER_NONE] = "none",
#define PEER(name, number) [number] = #name,
#include "contract/peers.def"
#undef PEER
};

static const struct {
	enum peer caller, callee;
	enum lane lane;
} arrows[] = {
#define ARROW(caller, callee, lane) {PEER_##caller, PEER_##callee, LANE_##lane},
#include "contract/peers.def"
#undef ARROW
};
/* clang-format on */

const char *peer_name(enum peer peer)
{
	size_t at = (size_t)peer;

	return at < PEER_COUNT ? peer_names[at] : peer_names[PEER_NONE];
}

enum peer peer_by_name(const char *name)
{
	for (size_t i = PEER_NONE + 1; i < PEER_COUNT; i++) {
		if (strcmp(peer_names[i], name) == 0)
			return (enum peer)i;
	}
	return PEER_NONE;
}

const char *lane_name(enum lane lane)
{
	return lane == LANE_FAST ? "FAST" : "SLOW";
}

bool arrow_declared(enum peer caller, enum peer callee, enum lane lane)
{
	for (size_t i = 0; i < sizeof(arrows) / sizeof(arrows[0]); i++) {
		if (arrows[i].caller == caller && arrows[i].callee == callee && arrows[i].lane == lane)
			return true;
	}
	return false;
}
