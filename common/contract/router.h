/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_CONTRACT_ROUTER_H
#define BERTH_CONTRACT_ROUTER_H

#include "base/buf.h"
#include "contract/operation.h"

#define ROUTE_PARAMS_MAX 4
#define ALLOW_TEXT_MAX 80

struct route {
	const struct operation *operation;
	struct {
		struct str name, value; /* value as in the path, percent-encoded; borrows */
	} params[ROUTE_PARAMS_MAX];
	size_t param_count;
};

void router_init(void); /* builds the tree of all public paths once, at start */
/*
 * ERR_NOT_FOUND, or ERR_METHOD_NOT_ALLOWED with the methods of the path in allow_out ("GET, HEAD, POST"), else "". HEAD
 * finds GET. `path` is the path alone, without a query. Segments are compared as bytes: one that is escaped without
 * need, an empty one or a trailing slash is not found.
 */
MUST_USE enum err router_find(
	struct str method, struct str path, struct route *route_out, char allow_out[ALLOW_TEXT_MAX]);

/* OpenAPI 3.1 of every public operation, with permissions, limits and errors; /docs is the same as a readable page. */
void openapi_write(const char *public_url, struct buf *out);
void docs_write(const char *public_url, struct buf *out);
/* "sha256-..." of the page's one style element: the only source that its content security policy needs. */
#define DOCS_STYLE_HASH_MAX 64
void docs_style_hash(char hash_out[DOCS_STYLE_HASH_MAX]);

#endif
