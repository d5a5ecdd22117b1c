/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_EGRESS_EGRESS_ADDRESS_H
#define BERTH_EGRESS_EGRESS_ADDRESS_H

#include "base/str.h"

/* Pure; in a library of its own (berth_egress_address) without libcurl, so that decisions may use it. */
#define EGRESS_ADDRESS_MAX 254 /* RFC 5321 section 4.5.3.1, less the angle brackets */

/*
 * An addr-spec of a strict subset of RFC 5321 section 4.1.2: dot-atom of ASCII, at most 64 bytes, "@", then a domain
 * of at least two labels of letters, digits and inner hyphens, the last not beginning with a digit. No quoted
 * strings, comments, address literals or UTF-8.
 */
bool egress_address_ok(struct str address);
/* The domain alone; and the same with one label or more, as hosts have. */
bool egress_address_domain_ok(struct str domain);
bool egress_address_host_ok(struct str host);

#endif
