/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_HTTP_TARGET_H
#define BERTH_HTTP_TARGET_H

#include "base/str.h"

/* What HTTP/1.1 and HTTP/2 requests are both judged by: methods, targets, authorities, field names and values. */
enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE, HTTP_OPTIONS };

/* ERR_BAD_REQUEST when it is no token, ERR_NOT_IMPLEMENTED when it is none of the above (CONNECT and TRACE too). */
MUST_USE enum err http_method_parse(struct str text, enum http_method *method_out);
const char *http_method_name(enum http_method method);

enum http_target_form { HTTP_ORIGIN_FORM, HTTP_ABSOLUTE_FORM, HTTP_ASTERISK_FORM };

/* All slices borrow from the target, but an absolute target's empty path gives a constant "/". */
struct http_target {
	enum http_target_form form;
	bool https;           /* ABSOLUTE_FORM: the scheme */
	struct str authority; /* ABSOLUTE_FORM; else STR_NONE */
	struct str path;
	struct str query; /* STR_NONE without "?" */
};

/*
 * RFC 9112 section 3.2, RFC 3986: origin-form, absolute-form with http or https, and "*" for OPTIONS only. Refused
 * beyond the grammar: a NUL, "/" or "\" under an escape in the path, and segments that are "." or ".." once decoded.
 */
MUST_USE enum err http_target_parse(
	struct str text, enum http_method method, struct http_target *target_out, const char **reason_out);

/*
 * host [":" port]: a name of letters, digits, "-", "." and "_", an IPv4 or a bracketed IPv6 address. *port_out is 0
 * without a port.
 */
MUST_USE enum err http_authority_parse(struct str text, struct str *host_out, unsigned *port_out);

bool http_is_token(struct str text);       /* RFC 9110 section 5.6.2, not empty */
bool http_is_field_value(struct str text); /* VCHAR, SP, HTAB and bytes from 0x80 on; may be empty */
/* Steps through a comma-separated list (RFC 9110 section 5.6.1), empty elements included; false at its end. */
bool http_list_next(struct str *list, struct str *element_out);

#endif
