/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GATEWAY_HEAD_H
#define BERTH_GATEWAY_HEAD_H

#include "contract/shapes.h"
#include "exchange.h"

/* What varies in the header section of an answer; the security fields do not. Borrows all. */
struct head {
	int status;
	enum err err;                  /* OK: not a refusal */
	const char *content_type;      /* NULL: none, or web's */
	const struct web_reply *web;   /* OP_WEB: its fields */
	const char *csp;               /* instead of the strictest policy */
	int64_t version;               /* ETag; 0: none */
	const struct uuid *created_id; /* Location */
	struct str scope;              /* of a 403: the missing permission */
	uint32_t retry_after_s;        /* 0: none */
	bool allow;                    /* Allow on a success */
};

void head_write(
	struct buf *out, const struct exchange *exchange, const struct head *head, size_t body_len, bool keep_alive);

#endif
