/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_ONCE_H
#define BERTH_AUTHSVC_ONCE_H

#include "db/idempotency.h"
#include "desk.h"

/*
 * An operation that takes an Idempotency-Key: one transaction in the caller's tenant, in which the first answer is kept
 * with the change, to be given again.
 *
 *	CRASH_COMMIT("thing_create");
 *	if (once_open(call, reply_out, &once))
 *		once.err = create(call, request_in, &once.store, reply_out);
 *	return once_close(call, &once, reply_out);
 */
struct once {
	struct store store;
	enum err err; /* how the change went */
	bool keyed, to_do;
	struct idempotency_claim claim;
};

/* Whether there is something to do. There is not when it failed, or when `reply` is the first answer already. */
MUST_USE bool once_open(struct call *call, void *reply, struct once *once_out);
/* Commits what went well, passes the crash points of the operation, and lets go of the store. */
MUST_USE enum err once_close(struct call *call, struct once *once, const void *reply);

#endif
