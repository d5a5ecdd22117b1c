/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_POSSESSION_H
#define BERTH_AUTHSVC_POSSESSION_H

#include "desk.h"
#include "store_tenant.h"
#include "web.h"

/*
 * The proof of possession that a client's request came with (RFC 9449 section 5), judged and spent in the transaction
 * of `store`, so that it is spent exactly when the request has an effect. *jkt_out: the thumbprint of its key, in the
 * arena; absent without a proof. ERR_UNAUTHENTICATED: the reply already holds the refusal, of a client that is to send
 * one and did not too.
 */
MUST_USE enum err possession_take(struct call *call, struct store *store, const struct client_record *client,
	struct web_reply *reply, struct str *jkt_out);
/* The same where no client has to send one. */
MUST_USE enum err possession_shown(struct call *call, struct store *store, const struct client_record *client,
	struct web_reply *reply, struct str *jkt_out);

#endif
