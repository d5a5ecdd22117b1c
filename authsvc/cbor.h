/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_CBOR_H
#define BERTH_AUTHSVC_CBOR_H

#include "base/buf.h"

/*
 * CBOR (RFC 8949) as authenticators write it, CTAP2's canonical form: shortest heads, definite lengths, no tags, no
 * floats. Over hostile bytes in a struct reader: after the first failure all give zero and `failed` stays. Texts and
 * bytes borrow.
 */
#define CBOR_ITEMS_MAX 256 /* of one item that is skipped, all its inner ones counted */

enum cbor_kind { CBOR_UNSIGNED, CBOR_NEGATIVE, CBOR_BYTES, CBOR_TEXT, CBOR_ARRAY, CBOR_MAP, CBOR_TAG, CBOR_SIMPLE };

/* A whole number within int64_t. */
int64_t cbor_int(struct reader *reader);
struct str cbor_bytes(struct reader *reader, size_t max_len);
struct str cbor_text(struct reader *reader, size_t max_len); /* well-formed UTF-8 */
/* Entries of an array, pairs of a map: at most `max`. */
size_t cbor_array(struct reader *reader, size_t max);
size_t cbor_map(struct reader *reader, size_t max);
/* Passes over one item with all that is in it. */
void cbor_skip(struct reader *reader);

#endif
