/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_LINK_LINK_PRIVATE_H
#define BERTH_LINK_LINK_PRIVATE_H

/* Shared by the files of this folder, and included by nobody else. */
#include <nng/nng.h>
/* clang-format off: these need the one above */
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>
/* clang-format on */
#include <nng/supplemental/tls/tls.h>

#include "link/link.h"

/* The request id that travels in front of a message. */
#define LINK_HEADER_MAX 64

struct link_identity;

/*
 * Mutual TLS 1.2 for one end: presents this process's leaf, trusts `peer`'s authority alone, and for a dialer wants the
 * role's name in the certificate. ERR_BAD_FIELD (logged). Gives.
 */
MUST_USE enum err link_identity_tls(
	const struct link_identity *identity, enum peer peer, nng_tls_mode mode, nng_tls_config **tls_out);
/* Whether the URL is tls+tcp and short enough; logs when not. */
bool link_identity_url_ok(enum peer peer, const char *url);
/* The log line for a call of nng's that failed while an end was made. */
enum err link_identity_fault(enum peer peer, const char *what, int nng_error);

#endif
