/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_EGRESS_EGRESS_ALLOW_H
#define BERTH_EGRESS_EGRESS_ALLOW_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/str.h"

/*
 * The allow-list: lines `host:port purpose [private]`, where host is a name of ASCII, an IPv4 address or an IPv6
 * address in brackets. Empty lines and what follows # say nothing.
 */
#define EGRESS_ALLOW_ENTRIES_MAX 256
#define EGRESS_ALLOW_HOST_MAX 253
#define EGRESS_ALLOW_PURPOSE_MAX 31
#define EGRESS_ALLOW_DOC_MAX (64 * 1024)

struct egress_allow_entry {
	char host[EGRESS_ALLOW_HOST_MAX + 1]; /* in small letters, IPv6 without brackets */
	char purpose[EGRESS_ALLOW_PURPOSE_MAX + 1];
	uint16_t port;
	bool private_ok; /* may lead to loopback, link-local and private addresses */
};

struct egress_allow {
	size_t count;
	struct egress_allow_entry entries[EGRESS_ALLOW_ENTRIES_MAX];
};

/* ERR_BAD_FIELD with the number of the first bad line, ERR_TOO_LARGE past the caps (line 0 for the document). */
MUST_USE enum err egress_allow_parse(struct str doc, struct egress_allow *allow_out, unsigned *line_out);
/* The entry that names host (any case; IPv6 without brackets) and port for the purpose, or NULL. Borrows. */
const struct egress_allow_entry *egress_allow_find(
	const struct egress_allow *allow, struct str host, unsigned port, const char *purpose);
/* Cuts `host:port`; IPv6 wants brackets, which are taken off. The host is not looked at: egress_allow_host. */
bool egress_allow_split(struct str text, struct str *host_out, uint16_t *port_out);

/* Copies a host that is a name or an address in small letters; false when it is neither. */
bool egress_allow_host(struct str host, char host_out[EGRESS_ALLOW_HOST_MAX + 1]);

enum egress_reach { EGRESS_PUBLIC, EGRESS_PRIVATE, EGRESS_LOOPBACK };

/*
 * Where an address leads. PRIVATE is all that the registries of RFC 6890 do not call global, loopback apart:
 * link-local, shared, multicast, documentation, and addresses of IPv4 inside IPv6 by what they hold. Unknown families
 * too.
 */
enum egress_reach egress_allow_reach(const struct sockaddr *address, socklen_t len);

#endif
