/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_CONTRACT_CODEC_H
#define BERTH_CONTRACT_CODEC_H

#include "base/buf.h"
#include "base/json.h"
#include "contract/operation.h"

/*
 * What is wrong with a message, for the problem document; written on failure only. `field` is a path as "events[3].at",
 * empty for the message as a whole; where a sender chose a name, only its plain ASCII is shown. `reason` is one of:
 * missing, unknown, repeated, wrong_type, too_small, too_large, too_short, too_long, too_many, not_utf8, nul,
 * not_a_uuid, not_an_instant, not_one_of, bad_escape, malformed, empty. `detail` is a constant sentence, or NULL.
 */
struct fault {
	char field[128];
	const char *reason;
	const char *detail;
};

/*
 * Binary, between processes: tag (row number, ascending), value; exactly the shape, nothing after it. Strings borrow
 * from `bytes`.
 */
void binary_encode(const struct shape *shape, const void *object, struct buf *out);
MUST_USE enum err binary_decode(
	const struct shape *shape, struct str bytes, struct arena *arena, void *object_out, struct fault *fault_out);
/* The same for what a callee answered, which may be newer: rows behind those that this build knows are skipped. */
MUST_USE enum err binary_decode_reply(
	const struct shape *shape, struct str bytes, struct arena *arena, void *object_out, struct fault *fault_out);

/*
 * Strict JSON, at the edge: unknown key, wrong type, out of bounds, U+0000 in TEXT: ERR_BAD_FIELD with the fault. Only
 * IN_BODY fields are looked for; a body is required when the shape has a required IN_BODY field, else an empty body is
 * the empty object.
 */
MUST_USE enum err json_decode(
	const struct shape *shape, struct str document, struct arena *arena, void *object_out, struct fault *fault_out);
void json_encode(const struct shape *shape, const void *object, struct buf *out);

/*
 * Path and query or form parameters, added to `object`, which the caller has zeroed (json_decode zeroes it: call it
 * first). A query parameter that is unknown or repeated, or a REQUIRED one that is missing, is ERR_BAD_FIELD. With
 * `lenient` (OP_WEB) unknown ones are skipped, and the whole query is read even when one is at fault: the first fault
 * is told, and what is at fault, repeated or without a value is left absent.
 */
MUST_USE enum err path_decode(const struct shape *shape, struct str name, struct str value, struct arena *arena,
	void *object, struct fault *fault_out);
MUST_USE enum err query_decode(const struct shape *shape, struct str query, enum field_in in, bool lenient,
	struct arena *arena, void *object, struct fault *fault_out);

/* All REQUIRED fields present and every value in bounds? */
MUST_USE enum err shape_check(const struct shape *shape, const void *object, struct fault *fault_out);
/* The object with PERSONAL and SECRET fields shown as "[redacted]": the only form of a request that a log may hold. */
void json_encode_redacted(const struct shape *shape, const void *object, struct buf *out);

/* RFC 9457 document. `request_id` and the optional members are left out when absent. */
struct problem {
	enum err err;
	struct str field, reason, detail;
	const struct uuid *request_id;
};
void problem_encode(const struct problem *problem, struct buf *out);

#endif
