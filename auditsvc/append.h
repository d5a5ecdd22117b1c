/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUDITSVC_APPEND_H
#define BERTH_AUDITSVC_APPEND_H

#include "db/db.h"
#include "seal/seal.h"
#include "types.h"

#define APPEND_MAX 256U

/*
 * Appends events in their order, all in one transaction, each exactly once by (tenant, id): one that is in the log
 * already, or earlier in the list, is left out. Documents come in `plain`. Appends of all processes queue up at one
 * row lock, so that leaves stand in the order of commit without gaps. ERR_DEADLINE: the outcome is unknown, and the
 * same call again finds out.
 */
MUST_USE enum err append_events(struct db *db, struct seal *seal, struct arena *arena, struct event_row *events,
	size_t count, size_t *appended_out);

#endif
