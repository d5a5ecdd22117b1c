/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_LINK_LINK_PRIVATE_H
#define BERTH_LINK_LINK_PRIVATE_H

/* Shared by the files of this folder, and included by nobody else. */
#include <nng/nng.h>
#include <openssl/ssl.h>

#include "link/link.h"
#include "link/link_keeper.h"

/* Behind "tls+tcp://" and in front of a host, what nng's streams want. */
#define LINK_SCHEME "tls+tcp://"
#define LINK_SCHEME_INNER "tcp://"

/*
 * Mutual TLS 1.2 or 1.3 for one end: presents this process's leaf, trusts `peer`'s authority alone. ERR_BAD_FIELD
 * (logged). Gives: SSL_CTX_free.
 */
MUST_USE enum err link_identity_tls(const struct link_identity *identity, enum peer peer, SSL_CTX **tls_out);
/*
 * One end of a session with `peer`, whose certificate must hold its name. Gives, also on failure: SSL_free, which frees
 * what carries its bytes from and to the network too.
 */
MUST_USE bool link_identity_session(
	SSL_CTX *tls, enum peer peer, bool server, SSL **ssl_out, BIO **from_net_out, BIO **to_net_out);
/* tcp://host:port of a URL that is tls+tcp and well-formed; ERR_BAD_FIELD (logged). */
MUST_USE enum err link_identity_url(enum peer peer, struct str url, char inner_out[LINK_URL_MAX]);
/* The log line for what failed while an end was made; always ERR_BAD_FIELD. */
enum err link_identity_fault(enum peer peer, const char *what, const char *reason);

#endif
