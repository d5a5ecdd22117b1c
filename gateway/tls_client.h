/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GATEWAY_TLS_CLIENT_H
#define BERTH_GATEWAY_TLS_CLIENT_H

#include <openssl/ssl.h>

#include "base/str.h"

/* What was found about a client's certificate, by what was loaded then. All zero: nothing yet. */
struct tls_client_verdict {
	uint64_t generation;      /* of the authorities */
	int64_t since_s, until_s; /* no other moment is judged alike for sure */
	bool holds;
};

/*
 * From now on clients are asked for a certificate of the authorities in the file; its lists say what they have revoked.
 * A session is resumed only under the very ones by which it was made. ERR_BAD_FIELD, logged.
 */
MUST_USE enum err tls_client_load(SSL_CTX *ctx, const char *file);
/*
 * Whether the certificate that the client has shown holds now, by the authorities and lists of `ctx`. Until when that
 * stands: when the next certificate or list of all that might matter begins or runs out.
 */
bool tls_client_holds(SSL_CTX *ctx, const SSL *ssl, int64_t now_s, int64_t *until_s_out);
/*
 * Whether a session that is resumed can be judged: a ticket keeps the client's certificate, and not those between it
 * and its authority.
 */
bool tls_client_may_resume(const SSL *ssl);
/* Since 1970; `unknown` when it does not say so. */
int64_t tls_client_time_s(const ASN1_TIME *time, int64_t unknown);

#endif
