/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GATEWAY_TLS_H
#define BERTH_GATEWAY_TLS_H

#include <openssl/ssl.h>

#include "tls_client.h"
#include "tls_wire.h"

/*
 * The edge's TLS: 1.2 and 1.3, forward secrecy and AEAD only, no renegotiation, no compression, no early data; session
 * tickets under keys that change every hour and are held for two; in TLS 1.3 the handshake sends none, its owner asks
 * for one. Thread-safe.
 */
struct tls_store;

/*
 * Comma-separated files, keys in the order of certificates. ERR_BAD_FIELD, logged with the file's place in the list.
 * With a file of authorities, clients are asked for a certificate and may have none; one that does not hold ends the
 * handshake. NULL: nobody is asked. Gives.
 */
MUST_USE enum err tls_store_new(
	const char *cert_files, const char *key_files, const char *client_ca_file, struct tls_store **store_out);
void tls_store_free(struct tls_store **store);
/*
 * Reads the files again; on an error the certificates held stay. Connections that stand go on, and what their clients
 * have shown is judged anew: tls_session_is_certified.
 */
MUST_USE enum err tls_store_reload(struct tls_store *store);
/* Whether a file has changed since it was read last, or reading failed a while ago. */
bool tls_store_changed(const struct tls_store *store);
size_t tls_store_certificates(const struct tls_store *store);
/* Whole days until the certificate at this place of the list runs out; -1 when it has. */
int64_t tls_store_days_left(struct tls_store *store, size_t place);
/* Ticket keys that are too old go from memory, whether or not somebody connects. Call now and then. */
void tls_store_age(struct tls_store *store);
/* A server-side session over `wire`, which it borrows; NULL without memory. */
SSL *tls_session_new(struct tls_store *store, struct tls_wire *wire);
/* Whether the handshake, which has ended, chose HTTP/2 (RFC 7301). */
bool tls_session_is_h2(const SSL *ssl);
/* Whether a ticket is to be asked for, once the handshake has ended. */
bool tls_session_gives_ticket(const SSL *ssl);
/*
 * Whether the client has shown a certificate, now or in the session resumed, that holds by what is loaded now and has
 * not run out. `verdict` is the session's own, and spares asking the same again.
 */
bool tls_session_is_certified(struct tls_store *store, const SSL *ssl, struct tls_client_verdict *verdict);

#endif
