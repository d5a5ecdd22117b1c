/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GATEWAY_PAGE_H
#define BERTH_GATEWAY_PAGE_H

#include "base/buf.h"
#include "base/id.h"
#include "http/http.h"

/*
 * What a person sees when a page cannot be answered: what to do next, in three languages at once, since what was
 * asked in may be what is at fault.
 */
bool page_wanted(const struct http_parser *parser); /* the client takes HTML, as a browser's address bar does */
void page_write_error(struct buf *out, enum err err, const struct uuid *request_id);

#endif
