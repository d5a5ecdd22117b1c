/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_HTTP_ADMIN_PAGE_H
#define BERTH_HTTP_ADMIN_PAGE_H

#include "http/http.h"
#include "http/http_admin.h"

extern const struct http_limits http_admin_page_limits;

/* Writes the whole answer to the parsed request, or to parser->err when that is set, into `out`. */
void http_admin_page_answer(const struct http_admin_config *config, const struct http_parser *parser,
	bool has_client_cert, struct buf *out);

#endif
