/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_ONCE_H
#define BERTH_AUTHSVC_ONCE_H

#include "db/idempotency.h"
#include "desk.h"

/* Idempotency-Key of an operation that makes something: the first answer is kept with the change and given again. */
struct once {
	bool keyed;
	struct idempotency_claim claim;
};

/* *repeated_out: `reply` and the call's version are the first answer, and nothing is to be done. */
MUST_USE enum err once_begin(
	struct call *call, struct store *store, void *reply, struct once *once_out, bool *repeated_out);
MUST_USE enum err once_finish(struct call *call, struct store *store, const struct once *once, const void *reply);

#endif
