/* SPDX-License-Identifier: Apache-2.0 */
#include "egress/egress_address.h"

#include <string.h>

#define LOCAL_MAX 64 /* RFC 5321 section 4.5.3.1.1 */
#define DOMAIN_MAX 253
#define LABEL_MAX 63

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Dot-string: atoms of RFC 5322 section 3.2.3 with single dots between. */
static bool local_ok(struct str local)
{
	static const char others[] = "!#$%&'*+-/=?^_`{|}~";
	bool dot = true; /* as if one stood in front */

	if (local.len > LOCAL_MAX)
		return false;
	for (size_t i = 0; i < local.len; i++) {
		char c = local.p[i];

		if (c == '.' ? dot : (!is_alnum(c) && memchr(others, c, sizeof(others) - 1) == NULL))
			return false;
		dot = c == '.';
	}
	return !dot;
}

static bool label_ok(struct str label)
{
	if (label.len == 0 || label.len > LABEL_MAX || label.p[0] == '-' || label.p[label.len - 1] == '-')
		return false;
	for (size_t i = 0; i < label.len; i++) {
		if (!is_alnum(label.p[i]) && label.p[i] != '-')
			return false;
	}
	return true;
}

bool egress_address_host_ok(struct str host)
{
	struct str rest = host;
	struct str label;
	bool more;

	if (host.len > DOMAIN_MAX)
		return false;
	do {
		more = str_cut(&rest, '.', &label);
		if (!label_ok(label))
			return false;
	} while (more);
	/* A last label that begins with a digit could be read as an address: 127.1, 0x7f000001. */
	return label.p[0] < '0' || label.p[0] > '9';
}

bool egress_address_domain_ok(struct str domain)
{
	return egress_address_host_ok(domain) && memchr(domain.p, '.', domain.len) != NULL;
}

bool egress_address_ok(struct str address)
{
	struct str rest = address;
	struct str local;

	if (address.len == 0 || address.len > EGRESS_ADDRESS_MAX || !str_cut(&rest, '@', &local))
		return false;
	return local_ok(local) && egress_address_domain_ok(rest);
}
