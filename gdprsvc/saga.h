/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GDPRSVC_SAGA_H
#define BERTH_GDPRSVC_SAGA_H

#include "service/service.h"
#include "store.h"

/*
 * The erasure across services: each is asked until it confirms, in the order of rules.h. Every step may run twice and
 * on two replicas at once: services' erasures are idempotent, and the ledger takes each confirmation once.
 *
 * Goes on until all have confirmed or the deadline; OK in both cases, `erasure->pending` tells. When authsvc refuses
 * (ERR_NOT_FOUND: unknown person, ERR_CONFLICT: the tenant's last Admin) or was provably not reached, before it has
 * ever agreed, nothing has changed anywhere: the erasure is withdrawn, *withdrawn_out. Other errors leave it to the
 * job.
 */
MUST_USE enum err saga_run(struct context *context, const struct store *store, const struct store_origin *origin,
	uint64_t deadline_us, struct arena *arena, struct erasure_record *erasure, bool *withdrawn_out);

#endif
