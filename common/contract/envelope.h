/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_CONTRACT_ENVELOPE_H
#define BERTH_CONTRACT_ENVELOPE_H

#include "base/buf.h"
#include "contract/operation.h"

/*
 * What travels between two processes: one message is one batch of items, and its reply has one item for each, in the
 * same order. All integers are big-endian or LEB128; strings have a length; nothing is a struct's own bytes.
 */
#define BATCH_ITEMS_MAX 256
#define BATCH_BYTES_MAX (4u << 20) /* also the link's receive cap */
#define TOKEN_BYTES_MAX 4096
#define IDEMPOTENCY_KEY_MAX 255
#define CLIENT_ADDRESS_MAX 64
#define TRACEPARENT_MAX 128
#define HEADER_TEXT_MAX 8192 /* cookie, authorization, languages */
#define PROOF_BYTES_MAX 4096 /* DPoP */
#define FAULT_TEXT_MAX 300
#define BROWSER_MAX 16

struct request_item {
	uint16_t operation; /* number */
	struct uuid request_id;
	uint32_t deadline_ms; /* time left when it was sent */
	struct str token;     /* compact access token of the end user; absent for public and internal operations */
	struct str idempotency_key; /* absent: none */
	int64_t if_match;           /* 0: none */
	struct str client_address;  /* text of the client's IP address; personal: never logged by services */
	struct str traceparent;
	struct str cookie;        /* OP_WEB: the Cookie header */
	struct str authorization; /* OP_WEB: the Authorization header when it is not a Bearer token */
	struct str languages;     /* OP_WEB: Accept-Language */
	struct str
		/* OP_WEB: name of the first parameter that was repeated or out of bounds; the handler answers */
		form_fault;
	struct str proof;   /* OP_WEB of anybody: the DPoP header */
	struct str body;    /* the request shape, binary */
	struct str browser; /* OP_PAGE: family of the browser, a word of the edge's own */
};

struct reply_item {
	enum err err;
	struct str field;  /* ERR_BAD_FIELD and kin: the field at fault; never its value */
	struct str reason; /* machine-readable reason: a missing permission's name, a rule's code */
	struct str detail; /* plain sentence for people, no personal data */
	uint32_t retry_after_s;
	int64_t version; /* of the object answered; 0: none. The edge makes it the ETag */
	struct str body; /* the reply shape, binary; empty on error */
};

void request_batch_begin(struct buf *out); /* empties `out`: a batch begins its buffer */
/*
 * Counts itself. An item over the caps, or one that no longer fits, leaves the batch as it was and `out` failed: clear
 * `failed` to send what it holds. It is checked here because one bad item would make the receiver drop the whole batch.
 */
void request_batch_add(struct buf *out, const struct request_item *item);
size_t request_batch_count(const struct buf *out);
/* Every string borrows from `message`. ERR_BAD_GATEWAY when malformed in any way. */
MUST_USE enum err request_batch_decode(
	struct arena *arena, struct str message, struct request_item **items_out, size_t *count_out);

void reply_batch_begin(struct buf *out, size_t count); /* empties `out` */
/*
 * Cuts texts at FAULT_TEXT_MAX and drops the body of an error. One that does not fit: as request_batch_add; answer it
 * with an error instead.
 */
void reply_batch_add(struct buf *out, const struct reply_item *item);
MUST_USE enum err reply_batch_decode(
	struct arena *arena, struct str message, struct reply_item **items_out, size_t *count_out);

#endif
