/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_WEBAUTHN_H
#define BERTH_AUTHSVC_WEBAUTHN_H

#include "base/arena.h"

/*
 * The relying party of passkeys: WebAuthn Level 3 sections 7.1 (registration) and 7.2 (authentication). Pure: no store,
 * no clock; whoever calls has made the challenge, uses it once and keeps the credential. All results borrow from what
 * came or from the arena. On failure *reason_out is a constant text that says which check failed.
 */
#define WEBAUTHN_CHALLENGE_MIN 16 /* bytes, section 13.4.3 */
#define WEBAUTHN_CHALLENGE_MAX 128
#define WEBAUTHN_CLIENT_DATA_MAX 4096
#define WEBAUTHN_ATTESTATION_MAX 16384
#define WEBAUTHN_AUTH_DATA_MAX 8192
#define WEBAUTHN_CREDENTIAL_ID_MAX 1023 /* section 5.8.3 */
#define WEBAUTHN_SIGNATURE_MAX 512
#define WEBAUTHN_AAGUID_LEN 16

struct webauthn_rules {
	struct str rp_id;  /* a host name */
	struct str origin; /* "https://host[:port]", compared byte by byte */
	struct str challenge;
	bool user_verification; /* required */
};

/* What the authenticator says of itself and the key. */
struct webauthn_state {
	uint32_t sign_count; /* 0: it does not count */
	bool user_verified;
	bool backup_eligible; /* a passkey that may be synchronised */
	bool backed_up;
};

struct webauthn_credential {
	struct webauthn_state state;
	struct str id;
	struct str public_key; /* COSE */
	uint8_t aaguid[WEBAUTHN_AAGUID_LEN];
};

/*
 * Attestation "none" and "packed": with the key itself, or with a certificate whose own issuer is not asked after (a
 * statement is checked for what it says, trust in makers is not wanted). ERR_BAD_FIELD: refused; ERR_OVERLOADED: no
 * memory.
 */
MUST_USE enum err webauthn_register(struct arena *arena, const struct webauthn_rules *rules, struct str client_data,
	struct str attestation_object, struct webauthn_credential *credential_out, const char **reason_out);

/* What is kept of a credential. */
struct webauthn_known {
	struct str public_key;
	uint32_t sign_count;
	const bool *backup_eligible; /* NULL: not known. It never changes over a credential's life. */
};

struct webauthn_assertion {
	struct str client_data, authenticator_data, signature;
};

/* ERR_UNAUTHENTICATED: refused; state_out->sign_count is what is to be kept. */
MUST_USE enum err webauthn_authenticate(struct arena *arena, const struct webauthn_rules *rules,
	const struct webauthn_known *known, const struct webauthn_assertion *assertion,
	struct webauthn_state *state_out, const char **reason_out);

#endif
