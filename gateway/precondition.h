/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GATEWAY_PRECONDITION_H
#define BERTH_GATEWAY_PRECONDITION_H

#include "base/str.h"

/* Idempotency-Key: 1 to IDEMPOTENCY_KEY_MAX visible ASCII characters, quotes and all; else ERR_BAD_FIELD. */
MUST_USE enum err precondition_key(struct str value);
/*
 * If-Match (RFC 9110 section 13.1.1) of one strong entity tag that we gave, `"<version>"`, or `*`, which becomes -1. A
 * weak, foreign or listed tag can never match: ERR_VERSION_STALE; what is no entity tag at all is ERR_BAD_FIELD.
 */
MUST_USE enum err precondition_match(struct str value, int64_t *version_out);
/*
 * If-None-Match (RFC 9110 section 13.1.2): whether its list names this version, weakly or strongly, or is `*`. What is
 * no entity tag names nothing.
 */
bool precondition_names(struct str value, int64_t version);

#endif
