/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUDITSVC_LEAF_H
#define BERTH_AUDITSVC_LEAF_H

#include "base/buf.h"
#include "types.h"

/*
 * The bytes of a leaf, one form only; README.md has them field by field. They hold digests of the sealed documents and
 * never a document, so a leaf stays computable when the documents or their keys are gone.
 */
#define LEAF_VERSION 1
#define LEAF_LEN_MAX 512U

void leaf_encode(const struct event_row *event, struct buf *out);
/* Its hash in the tree (RFC 9162 section 2.1.1). */
MUST_USE enum err leaf_hash(const struct event_row *event, struct hash *hash_out);

#endif
