/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_HTTP_ADMIN_H
#define BERTH_HTTP_ADMIN_H

#include "base/buf.h"

/*
 * The admin port that every process has: HTTPS (TLS 1.2 and 1.3), GET and HEAD only, one request a connection, one
 * thread, HTTP_ADMIN_CONNECTIONS at most, each with HTTP_ADMIN_DEADLINE_MS for everything. A client certificate is
 * asked for and not demanded: one that does not verify against the client CA ends the handshake, and pages learn
 * whether there was one. Certificate, key and client CA are read again when their files change; files that do not fit
 * leave the old ones in use.
 */
#define HTTP_ADMIN_CONNECTIONS 16
#define HTTP_ADMIN_DEADLINE_MS 5000
#define HTTP_ADMIN_BODY_MAX (4 * 1024 * 1024)

struct http_admin;

/* What a page is asked with and answers into. Everything borrows for the length of the call. */
struct http_admin_call {
	struct str path;
	struct str query; /* not decoded; STR_NONE without */
	bool has_client_cert;
	struct buf *body;         /* to be written; fails past HTTP_ADMIN_BODY_MAX, which is answered 500 */
	const char *content_type; /* "text/plain; charset=utf-8" unless changed */
	int status;               /* 200 unless changed */
};

struct http_admin_page {
	const char *path;                                          /* NULL ends the table */
	bool needs_client_cert;                                    /* else 403 */
	void (*show)(void *context, struct http_admin_call *call); /* on the admin thread; must not block */
};

struct http_admin_config {
	const char *listen;    /* "host:port", "[v6]:port"; port 0 takes a free one */
	const char *cert_file; /* PEM chain, leaf first */
	const char *key_file;
	const char *client_ca_file;
	const struct http_admin_page *pages;
	void *context;
	int taken_fd; /* over 0: a socket that listens there already; takes it on OK */
};

/*
 * Binds and loads the certificates, so that a wrong address or file fails here; borrows all of `config` but the
 * structure itself. ERR_BAD_FIELD for an address or file that does not serve, ERR_UNAVAILABLE when the address is
 * taken; what is wrong is logged.
 */
MUST_USE enum err http_admin_new(const struct http_admin_config *config, struct http_admin **admin_out);
unsigned http_admin_port(const struct http_admin *admin);
int http_admin_fd(const struct http_admin *admin);            /* that listens; borrows */
MUST_USE enum err http_admin_start(struct http_admin *admin); /* ERR_UNAVAILABLE without a thread */
/* Ends the thread and its connections; may be called twice, and with NULL. */
void http_admin_stop(struct http_admin *admin);
void http_admin_free(struct http_admin **admin); /* stops too */

#endif
