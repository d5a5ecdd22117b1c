/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_REFUSAL_H
#define BERTH_AUTHSVC_REFUSAL_H

#include "desk.h"
#include "store_tenant.h"
#include "web.h"

/*
 * A request of OAuth 2.0 that is refused, by whoever says to be the client: its reason stands in the log each time, and
 * in the audit log of the client's tenant in measure, once in a quarter of an hour for each client and reason. `error`
 * and `reason` are constants. No transaction is open: nothing else that the request did is kept.
 */
MUST_USE enum err refusal_tell(struct call *call, const struct uuid *tenant_id, const struct client_record *client,
	const char *error, const char *reason);
/* Rolls back what `store` holds, answers as RFC 6749 section 5.2 has it, and tells. */
MUST_USE enum err refusal_answer(struct call *call, struct store *store, const struct client_record *client,
	struct web_reply *reply, int status, const char *error, const char *reason);

#endif
