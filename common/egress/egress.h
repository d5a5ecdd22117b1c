/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_EGRESS_EGRESS_H
#define BERTH_EGRESS_EGRESS_H

#include "base/config.h"
#include "egress/egress_address.h"
#include "egress/mail.h"

/*
 * The one way out to the world, and the one place that knows libcurl. A destination that the allow-list does not name
 * for the purpose is refused before its name is looked up. Thread-safe; calls block, so they belong on worker
 * threads, never on an event loop.
 *
 * Allow-list: lines `host:port purpose [private]`, # comments. A destination may resolve to loopback, link-local or
 * private addresses only when its line says `private` or its host is itself such a literal (or "localhost"). The SMTP
 * hop's purpose is `mail`.
 */
struct egress;

struct egress_config {
	const char *allow_list_path;
	const char *smtp_url;  /* smtp://host:port (STARTTLS) or smtps://host:port; NULL: mail is refused */
	const char *smtp_user; /* NULL: no authentication */
	const struct secret *smtp_password; /* borrows for the life of the egress */
	const char *ca_file;                /* NULL: the system's */
	const char *proxy;                  /* NULL: none; the environment is never asked */
	const char *helo_name;              /* our name for EHLO and Message-ID; NULL: "localhost" */
	bool smtp_plain_ok;                 /* allow a hop without TLS: only to entries whose address is loopback */
	int64_t timeout_ms;                 /* whole call; 0: 10 s */
};

struct egress_counts {
	uint64_t refused; /* not on the list, or resolved to a forbidden address */
	uint64_t mail_sent, mail_failed;
};

/*
 * Reads the list (each fault is logged with its line number). ERR_BAD_FIELD when it or the configuration is faulty.
 * Gives.
 */
MUST_USE enum err egress_new(const struct egress_config *config, struct egress **egress_out);
void egress_free(struct egress **egress);
struct egress_counts egress_counts(const struct egress *egress);

/* Whether the list names host:port for the purpose; counts and logs a refusal. ERR_FORBIDDEN when not. */
MUST_USE enum err egress_check(struct egress *egress, struct str host, unsigned port, const char *purpose);
/* Whether egress_post() could understand the URL; not whether the allow-list has its host. */
bool egress_url_ok(struct str url);
/*
 * POSTs `body` to `url`, https://host[:port]/path, or http:// to a loopback address; what is answered is read and
 * forgotten. ERR_FORBIDDEN when the list does not name the destination for the purpose, ERR_BAD_FIELD for no such URL,
 * ERR_UNAVAILABLE when it could not be handed over, ERR_BAD_GATEWAY when the answer was not 2xx.
 */
MUST_USE enum err egress_post(
	struct egress *egress, const char *url, const char *purpose, const char *content_type, struct str body);
/*
 * Composes and hands the message to the SMTP hop. ERR_BAD_FIELD when the message cannot be composed (an address, a
 * header), ERR_FORBIDDEN when the hop is not allowed, ERR_UNAVAILABLE when trying again later may help,
 * ERR_BAD_GATEWAY when the hop refused it for good (5xx).
 */
MUST_USE enum err egress_send_mail(struct egress *egress, const struct mail *mail);

#endif
