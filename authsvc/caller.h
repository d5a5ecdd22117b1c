/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_CALLER_H
#define BERTH_AUTHSVC_CALLER_H

#include "desk.h"
#include "store_tenant.h"
#include "web.h"

/* The OAuth 2.0 client behind a request. */

/* The tenant of a client_id as text: ERR_NOT_FOUND when there is none or it is no id. */
MUST_USE enum err caller_tenant(
	struct call *call, struct str client_id, struct uuid *id_out, struct uuid *tenant_id_out);

struct caller_claim {
	struct str client_id, client_secret; /* of the form; absent: p == NULL */
	bool public_ok;                      /* a public client may name itself without a secret */
	struct str assertion_type, assertion;
};
/*
 * The first half for clients with secrets that were here before, without asking a store: who says to be whom, and
 * whose. False: all that is left to caller_authenticate.
 */
bool caller_claimed(struct call *call, const struct caller_claim *claim, struct uuid *id_out,
	struct uuid *tenant_id_out, struct str *secret_out);
/* The second half: whether it is that client. */
bool caller_is(struct call *call, const struct client_record *client, struct str secret);
/*
 * Authenticates the client (RFC 6749 section 2.3, RFC 7523) by the method it is registered for, and begins a
 * transaction in its tenant. ERR_UNAUTHENTICATED: the reply already holds the refusal. The store is to be released
 * either way.
 */
MUST_USE enum err caller_authenticate(struct call *call, const struct caller_claim *claim, struct web_reply *reply,
	struct store *store_out, struct client_record *client_out);

#endif
