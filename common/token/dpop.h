/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_TOKEN_DPOP_H
#define BERTH_TOKEN_DPOP_H

#include "base/clock.h"
#include "token/jws.h"

/*
 * A proof of possession (DPoP, RFC 9449): a JWT under a key that it brings along, made by a client for one request. It
 * says that the sender holds the key; to whom that matters is said by a token's `cnf.jkt`.
 */
#define DPOP_LEN_MAX 4096
#define DPOP_TYP "dpop+jwt"
#define DPOP_ALGS "EdDSA ES256 RS256" /* what jws.h verifies: the kind of the key decides */
#define DPOP_JTI_MAX 128
#define DPOP_PAST_US (60 * US_PER_S)  /* how old iat may be */
#define DPOP_FUTURE_US (5 * US_PER_S) /* clocks of clients */

/* The request that a proof came with. */
struct dpop_request {
	struct str method;
	struct str origin; /* our own public address, https://host[:port]: never what the request says of itself */
	struct str path;   /* as it came, without query */
	struct str token;  /* the access token beside the proof; absent where tokens are given */
};

struct dpop_proof {
	char jkt[JWK_THUMBPRINT_LEN + 1]; /* of its key (RFC 7638) */
	uint8_t use[32];                  /* of key and jti: proofs of which this is the same are one */
	instant_us expires_at;            /* refused for its age from then on, so its use may be forgotten */
};

/*
 * RFC 9449 section 4.3, all but its last point: typ, algorithm and signature of the key it brings, which is public;
 * htm and htu of this request, without query and fragment, both normalised; iat not older than DPOP_PAST_US; jti; ath
 * of the token, if there is one. ERR_UNAUTHENTICATED with a constant reason otherwise. Whose key it is, and whether
 * `use` was seen before, is for the caller to find out.
 */
MUST_USE enum err dpop_verify(struct arena *arena, const struct dpop_request *request, struct str compact,
	instant_us now, struct dpop_proof *proof_out, const char **reason_out);
/* Whether this is a thumbprint as `cnf.jkt` and dpop_jkt hold it (RFC 9449 sections 6.1 and 10). */
bool dpop_jkt_ok(struct str jkt);

#endif
