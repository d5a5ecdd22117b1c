/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GATEWAY_AUTH_H
#define BERTH_GATEWAY_AUTH_H

#include "token/token.h"

struct exchange;

/* The token of `Authorization: Bearer <token>` (RFC 6750 section 2.1), p NULL when it is none. */
struct str auth_bearer(struct str authorization);
/*
 * Verifies, through the loop's cache, and asks the revocations. ERR_UNAUTHENTICATED, ERR_TOKEN_EXPIRED,
 * ERR_TOKEN_REVOKED; ERR_UNAVAILABLE before the first keys and revocations came. A token that is not in the cache costs
 * a signature check: an address whose tokens did not verify too often has none left, ERR_RATE_LIMITED with
 * exchange->rate. `*token_out` borrows until the next call.
 */
MUST_USE enum err auth_check(struct exchange *exchange, struct str compact, const struct token **token_out);

#endif
