/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_TOKEN_ID_TOKEN_H
#define BERTH_TOKEN_ID_TOKEN_H

#include "base/clock.h"
#include "base/id.h"
#include "token/jws.h"

/*
 * An ID token of ours that a client shows again, as a hint of whom it means (OpenID Connect Core section 3.1.2.1,
 * RP-Initiated Logout section 2). It proves nothing of whoever brings it, and so may have expired.
 */
#define ID_TOKEN_LEN_MAX 2048

struct id_token {
	struct uuid person_id;
	struct uuid client_id;  /* the only audience */
	struct uuid session_id; /* nil: not said */
	instant_us issued_at;
};

/*
 * Signature (ES256 or RS256), typ JWT, iss, aud, sub, iat. ERR_UNAUTHENTICATED with a constant reason; *id_token_out
 * is zeroed then. Needs an arena like jws_verify.
 */
MUST_USE enum err id_token_verify(struct arena *arena, struct str issuer, const struct keyset *keys, struct str compact,
	instant_us now, struct id_token *id_token_out, const char **reason_out);

#endif
