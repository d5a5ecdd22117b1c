/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_CONTRACT_SHAPE_H
#define BERTH_CONTRACT_SHAPE_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/id.h"

/*
 * A shape is a struct that crosses a boundary, described field by field. Shapes are declared once, in <callee>.def, by
 * rows:
 *
 *   SHAPE(name)
 *     BOOL   (field, flags, in, help)
 *     I64    (field, flags, in, min, max, help)
 *     TEXT   (field, flags, in, min_len, max_len, help)      UTF-8 without U+0000, bytes
 *     CHOICE (field, flags, in, "a|b|c", help)               TEXT of a closed set
 *     BYTES  (field, flags, in, max_len, help)               base64url in JSON
 *     UUID   (field, flags, in, help)
 *     TIME   (field, flags, in, help)                        RFC 3339
 *     JSON   (field, flags, in, max_len, help)               any JSON value, kept as text
 *     OBJECT (field, shape, flags, help)                     another shape
 *     LIST   (field, shape, flags, max_items, help)          of objects
 *     TEXTS  (field, flags, in, max_items, max_len, help)    list of TEXT
 *     UUIDS  (field, flags, in, max_items, help)
 *   END_SHAPE
 *
 * In C each becomes `struct <name>` with `has_<field>` beside every member (false: absent). A REQUIRED field that is
 * absent, or any value out of bounds, is ERR_BAD_FIELD naming it, in every codec and in both directions. Rows are
 * append-only once released: their order is their tag on the wire.
 */
enum field_type {
	FIELD_BOOL,
	FIELD_I64,
	FIELD_TEXT,
	FIELD_CHOICE,
	FIELD_BYTES,
	FIELD_UUID,
	FIELD_TIME,
	FIELD_JSON,
	FIELD_OBJECT,
	FIELD_LIST,
	FIELD_TEXTS,
	FIELD_UUIDS
};

enum field_flag {
	OPTIONAL = 0,
	REQUIRED = 1,
	PERSONAL = 2, /* never logged; sealed at rest */
	SECRET = 4,   /* never logged, never stored readable */
	NULLABLE = 8  /* JSON null is taken and given: has_<field> with an empty value (p == NULL, nil, 0) */
};

enum field_in { IN_BODY, IN_PATH, IN_QUERY, IN_FORM };

struct shape;

struct texts {
	struct str *items;
	size_t count;
};

struct uuids {
	struct uuid *items;
	size_t count;
};

struct field {
	const char *name;
	enum field_type type;
	unsigned flags;
	enum field_in in;
	int64_t min, max;                   /* I64: value; TEXT, BYTES, JSON: bytes; LIST, TEXTS, UUIDS: items (max) */
	int64_t item_max;                   /* TEXTS: bytes of one */
	const char *choices;                /* CHOICE: "a|b|c" */
	const struct shape *(*shape)(void); /* OBJECT, LIST */
	const char *help;
	size_t offset, has_offset; /* of the member and of its has_ flag */
};

struct shape {
	const char *name;
	const struct field *fields;
	size_t count;
	size_t size; /* of the struct */
};

/* Copies the texts that both shapes have under one name; the strings are borrowed. */
void shape_carry(const struct shape *from, const void *object, const struct shape *to, void *object_out);
const struct field *shape_field(const struct shape *shape, struct str name); /* NULL when it has none of this name */

#endif
