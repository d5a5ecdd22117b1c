/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_PASSKEY_H
#define BERTH_AUTHSVC_PASSKEY_H

#include "desk.h"
#include "store_factor.h"
#include "store_person.h"

/*
 * Passkeys as this product uses them, around the verifier of webauthn.h: challenges, what browsers are asked for, what
 * is kept of a credential. A challenge is computed, for one browser (the seed of its forms), one ceremony and what the
 * page is about; nothing is stored before it is answered, and then it is spent for good.
 */
enum passkey_ceremony { PASSKEY_REGISTER, PASSKEY_SIGN_IN, PASSKEY_FACTOR };

struct passkey_asked {
	struct str seed, about;
	enum passkey_ceremony ceremony;
	bool user_verification; /* required */
};

/* What a page shows: the challenge for its form, and the options for its script as JSON. */
struct passkey_offer {
	struct str challenge, options; /* options absent: the page offers none */
};
/* A new credential for the person; those of `factors` are not made twice. */
MUST_USE enum err passkey_offer_new(struct call *call, const struct passkey_asked *asked, const struct uuid *tenant_id,
	const struct person_record *person, const struct factor_record *factors, size_t count,
	struct passkey_offer *offer_out);
/* One of the passkeys of `factors`; with count 0 any that the browser has for this site. */
MUST_USE enum err passkey_offer(struct call *call, const struct passkey_asked *asked,
	const struct factor_record *factors, size_t count, struct passkey_offer *offer_out);

/* What came back, base64url as it was sent. */
struct passkey_answer {
	struct str challenge, client_data;
	struct str attestation, transports, name;                          /* PASSKEY_REGISTER */
	struct str credential, authenticator_data, signature, user_handle; /* the others */
};

/*
 * Verifies, spends the challenge and stores the credential. ERR_UNAUTHENTICATED with a constant *reason_out: refused;
 * ERR_CONFLICT: it is there already.
 */
MUST_USE enum err passkey_register(struct call *call, struct store *store, const struct passkey_asked *asked,
	const struct person_record *person, const struct passkey_answer *answer, struct factor_record *factor_out,
	bool *user_verified_out, const char **reason_out);
/*
 * Verifies, spends the challenge and counts the use. ERR_NOT_FOUND: the person has no such passkey.
 * ERR_UNAUTHENTICATED with a constant *reason_out: refused.
 */
MUST_USE enum err passkey_prove(struct call *call, struct store *store, const struct passkey_asked *asked,
	const struct person_record *person, const struct passkey_answer *answer, struct factor_record *factor_out,
	const char **reason_out);

/* Tenant and person that a user handle names. */
bool passkey_handle_read(
	struct call *call, struct str user_handle, struct uuid *tenant_id_out, struct uuid *person_id_out);
/* The name that its owner gave it; absent when `factor` is no passkey or it has none. */
struct str passkey_name(struct call *call, const struct factor_record *factor);

#endif
