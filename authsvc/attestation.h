/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_ATTESTATION_H
#define BERTH_AUTHSVC_ATTESTATION_H

#include "base/arena.h"
#include "cose.h"

#define ATTESTATION_FORMAT_MAX 32 /* WebAuthn section 8.1 */
#define ATTESTATION_CERTIFICATE_MAX 4096
#define ATTESTATION_CHAIN_MAX 6
#define ATTESTATION_SIGNATURE_MAX 512

/* An attestation object (WebAuthn section 6.5), taken apart. Borrows. */
struct attestation {
	struct str format;
	struct str authenticator_data;
	struct str statement; /* CBOR, one map */
};

/* What a statement speaks of. */
struct attested {
	const struct cose_key *key;
	struct str signed_bytes; /* authenticator data, then the hash of the client data */
	const uint8_t *aaguid;   /* 16 bytes */
};

/* A constant reason when it is malformed, or NULL. */
const char *attestation_read(struct str object, struct attestation *attestation_out);
/* The statement: "none" (section 8.7) and "packed" (section 8.2). A constant reason when it does not hold, or NULL. */
const char *attestation_check(const struct attestation *attestation, const struct attested *attested);

#endif
