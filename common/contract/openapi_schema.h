/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_CONTRACT_OPENAPI_SCHEMA_H
#define BERTH_CONTRACT_OPENAPI_SCHEMA_H

#include "base/json.h"
#include "contract/shape.h"

/* Inside common/contract: JSON Schema (2020-12, as OpenAPI 3.1 wants it) of shapes. Each writes one value. */

void openapi_schema_field(struct json_writer *w, const struct field *field);
/* The fields of one place as an object; `closed`: nothing else is taken. */
void openapi_schema_object(struct json_writer *w, const struct shape *shape, enum field_in in, bool closed);
/*
 * Every shape of a JSON body by its name, then `problem` and `oauth_error`: the members of an object that the
 * caller has begun.
 */
void openapi_schema_all(struct json_writer *w);
void openapi_schema_ref(
	struct json_writer *w, const char *kind, const char *name); /* {"$ref":"#/components/<kind>/<name>"} */

void openapi_schema_text(struct json_writer *w, const char *key, const char *value); /* a member */
void openapi_schema_true(struct json_writer *w, const char *key);                    /* a member that is true */

#endif
