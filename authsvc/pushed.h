/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_PUSHED_H
#define BERTH_AUTHSVC_PUSHED_H

#include "ask.h"

/* Requests that were pushed before the browser comes (RFC 9126): single use, bound to their client, for a minute. */
#define PUSHED_URI_MAX 128

/* Whether a request_uri is of the kind that we give, whether or not it stands for anything. */
bool pushed_is_ours(struct str request_uri);
/* Keeps the request; *request_uri_out lies in the arena. Not committed. */
MUST_USE enum err pushed_keep(struct call *call, struct store *store, const struct client_record *client,
	const struct ask *ask, struct str *request_uri_out);
/* The request, which is gone once this is committed: ERR_NOT_FOUND when it is used, expired or another client's. */
MUST_USE enum err pushed_take(struct call *call, struct store *store, const struct client_record *client,
	struct str request_uri, struct ask *ask_out);

#endif
