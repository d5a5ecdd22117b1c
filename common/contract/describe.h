/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_CONTRACT_DESCRIBE_H
#define BERTH_CONTRACT_DESCRIBE_H

#include "contract/operation.h"

/* Inside common/contract: what the OpenAPI document and the /docs page both say about the contract. */

#define DESCRIBE_SHAPES_MAX 256

extern const enum err describe_errors[]; /* every error, in the order of errors.def */
extern const size_t describe_error_count;

/* May this public operation answer with this error? Judged by its permission, flags and shapes. */
bool describe_may_fail(const struct operation *operation, enum err err);

/* Title of the part of the API that a callee answers. */
const char *describe_part(enum peer callee);

/* "boolean", "integer", "UUID", ... for people. */
const char *describe_type(const struct field *field);

bool describe_has_fields(const struct shape *shape, enum field_in in);
bool describe_is_required(const struct field *field);
/* Does it read one object that has a version, so that If-None-Match may spare the answer? */
bool describe_is_versioned_read(const struct operation *operation);

/*
 * Shapes of JSON bodies that public operations take or give, each once, with those that they hold. `request`: is
 * it one that they take?
 */
struct described_shapes {
	size_t count;
	struct {
		const struct shape *shape;
		bool request;
	} items[DESCRIBE_SHAPES_MAX];
};

void describe_shapes(struct described_shapes *shapes_out);

#endif
