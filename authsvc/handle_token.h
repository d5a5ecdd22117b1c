/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_HANDLE_TOKEN_H
#define BERTH_AUTHSVC_HANDLE_TOKEN_H

#include "caller.h"
#include "rules_oauth.h"
#include "store_grant.h"
#include "store_person.h"

/* One request of the token endpoint on its way, and the steps that its single form shares with its batches. */
struct exchange {
	struct call *call;
	struct store *store;
	const struct token_request *request;
	struct client_record client;
	struct str resource; /* of the access token, once it is known */
	struct str jkt;      /* of the proof that came along; absent: none */
	struct web_reply *reply;
	const char *error, *reason; /* why it was refused; NULL: it was not */
};

/* What says who the client is. */
struct caller_claim handle_token_claim(const struct token_request *request);
/* client_credentials: for the client itself; nothing is stored but that a proof was used. */
MUST_USE enum err handle_token_for_client(struct exchange *exchange);
/* The scope of this access token: what was granted, or less. False: more was asked for. */
bool handle_token_narrow(const struct exchange *exchange, const struct family_record *family, struct scope *scope_out);
/* Its resource, likewise; the exchange keeps it. */
bool handle_token_target(struct exchange *exchange, struct str granted);
/*
 * The answer, with the family's refresh token when it gives any. Before the commit: what cannot be signed must not be
 * marked as given. `bound` as for issue_tokens.
 */
MUST_USE enum err handle_token_sign(struct exchange *exchange, const struct family_record *family,
	const struct person_record *person, const struct rights *bound, const struct scope *scope, struct str nonce);

#endif
