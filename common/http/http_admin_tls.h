/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_HTTP_ADMIN_TLS_H
#define BERTH_HTTP_ADMIN_TLS_H

#include <openssl/ssl.h>
#include <sys/stat.h>

#include "base/str.h"

/* The TLS side of the admin port: one context, made again when one of its files has changed. */
struct http_admin_tls {
	const char *cert_file;
	const char *key_file;
	const char *client_ca_file;
	SSL_CTX *context;
	struct stat seen[3]; /* the files, when last read */
};

/* Borrows the names. ERR_BAD_FIELD when a file does not serve; what is wrong is logged. */
MUST_USE enum err http_admin_tls_init(
	struct http_admin_tls *tls, const char *cert_file, const char *key_file, const char *client_ca_file);
void http_admin_tls_release(struct http_admin_tls *tls);
/* The server's side of a connection over `fd`, with the files as they are now. Gives; NULL without memory. */
SSL *http_admin_tls_accept(struct http_admin_tls *tls, int fd);

#endif
