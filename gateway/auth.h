/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GATEWAY_AUTH_H
#define BERTH_GATEWAY_AUTH_H

#include "token/token.h"

struct exchange;
struct http_parser;

/* The token of `Authorization: Bearer <token>` (RFC 6750 section 2.1), p NULL when it is none. */
struct str auth_bearer(struct str authorization);
/* The same of `DPoP <token>` too (RFC 9449 section 7.1), and which it was. */
struct str auth_token(struct str authorization, bool *proven_out);
/*
 * Verifies, through the loop's cache, and asks the revocations. ERR_UNAUTHENTICATED, ERR_TOKEN_EXPIRED,
 * ERR_TOKEN_REVOKED; ERR_UNAVAILABLE before the first keys and revocations came. A token that is not in the cache costs
 * a signature check: an address whose tokens did not verify too often has none left, ERR_RATE_LIMITED with
 * exchange->rate. `*token_out` borrows until the next call.
 */
MUST_USE enum err auth_check(struct exchange *exchange, struct str compact, const struct token **token_out);

/*
 * Whether a token came as it must (RFC 9449 section 7): one bound to a key under the scheme DPoP and beside a proof for
 * this request that was not used before, any other as Bearer. Nothing is done for a bearer token. ERR_UNAUTHENTICATED
 * with exchange->challenge; ERR_RATE_LIMITED as auth_check; ERR_OVERLOADED when no further use can be remembered.
 */
MUST_USE enum err auth_prove(
	struct exchange *exchange, const struct http_parser *parser, struct str compact, const struct token *token);
/* Counts a proof that was refused, here or by word of another gateway, and lets its address pay for it. */
void auth_count_proof(struct exchange *exchange);

#endif
