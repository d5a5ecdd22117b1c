/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_SERVICE_CALL_H
#define BERTH_SERVICE_CALL_H

#include "base/trace.h"
#include "contract/operation.h"
#include "token/token.h"

struct worker; /* service.h: db, seal, state */

/*
 * One request as its handler sees it. The skeleton has checked, before any handler runs: the arrow, the deadline, the
 * token's signature, issuer, audience, environment and expiry, the permission, the verified address, and every bound of
 * the request's shape. Everything lives in `arena` until the reply has been encoded.
 */
struct call {
	const struct operation *operation;
	struct worker *worker;
	struct arena *arena;
	struct uuid request_id;
	struct trace_place trace; /* below the span of this call */
	uint64_t deadline_us;     /* clock_monotonic_us */
	enum peer caller;
	bool has_token;
	struct str token_text; /* compact; travels on with context_call */
	struct token token;    /* valid when has_token; tenant and person are read from here, never from a request */
	struct str idempotency_key; /* absent: p == NULL */
	int64_t if_match;           /* 0: none. OP_VERSIONED calls always have one, or `*` as -1 */
	struct str client_address;  /* personal */
	struct str cookie, authorization, languages, form_fault; /* OP_WEB */
	struct str proof;         /* OP_WEB of anybody: the DPoP header, unread; absent: none */
	struct str browser;       /* OP_PAGE: its family; absent: none was told */
	struct str request_bytes; /* the request, binary: what an idempotency key is bound to */

	/* What a handler may add to its answer. */
	int64_t version;                  /* becomes the ETag */
	struct str field, reason, detail; /* of a refusal; static or in the arena; no personal data */
	uint32_t retry_after_s;
};

/* `return call_refuse(call, ERR_RULE, "ends_at", "stay_too_long", "The stay is longer than this area allows.");` */
enum err call_refuse(struct call *call, enum err err, const char *field, const char *reason, const char *detail);

/* The client that holds the token, for the audit trail; nil without a token. */
struct uuid call_client(const struct call *call);

#endif
