/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_BOOKINGSVC_STATE_H
#define BERTH_BOOKINGSVC_STATE_H

#include "config.h"
#include "db/db.h"

/* What each worker has beside the skeleton's: worker->state. */
struct state {
	const struct config *config;
	struct db *jobs; /* role jobs, opened when first used; only of workers that sweep */
};

#endif
