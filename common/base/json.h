/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_BASE_JSON_H
#define BERTH_BASE_JSON_H

#include "base/arena.h"
#include "base/buf.h"

/*
 * Strict RFC 8259 reader for hostile documents. Refused: a BOM, invalid UTF-8, duplicate keys (compared after
 * unescaping), lone surrogates, anything after the value, depth over JSON_DEPTH_MAX, more than JSON_NODES_MAX values.
 * Numbers keep their text.
 */
#define JSON_DEPTH_MAX 16
#define JSON_NODES_MAX 20000

enum json_kind { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
	enum json_kind kind;
	struct str text;    /* STRING: unescaped (may hold U+0000); NUMBER: as written */
	struct str key;     /* name when a member of an object, unescaped */
	struct json *first; /* ARRAY, OBJECT: children in order */
	struct json *next;
	size_t count;
};

/*
 * Parses all of `doc` into the arena. ERR_BAD_JSON with a constant reason in *reason_out (never NULL on failure),
 * ERR_TOO_LARGE when the arena is full. Strings borrow from `doc` or the arena.
 */
MUST_USE enum err json_parse(
	struct arena *arena, struct str doc, const struct json **root_out, const char **reason_out);
const struct json *json_get(const struct json *object, const char *key); /* NULL when absent or not an object */
struct str json_get_str(const struct json *object, const char *key);     /* STR_NONE when absent or not a string */
/* Whole numbers only, no exponent or fraction; else ERR_BAD_FIELD. */
MUST_USE enum err json_to_i64(const struct json *number, int64_t *value_out);

/* Writer: commas are put by the writer itself. Strings that are not UTF-8 have their bad bytes replaced by U+FFFD. */
struct json_writer {
	struct buf *buf;
	bool comma;
	size_t values; /* at least those written, to stay under JSON_NODES_MAX */
};

struct json_writer json_writer_over(struct buf *buf);
void json_begin_object(struct json_writer *w);
void json_end_object(struct json_writer *w);
void json_begin_array(struct json_writer *w);
void json_end_array(struct json_writer *w);
void json_key(struct json_writer *w, const char *key);
void json_put_str(struct json_writer *w, struct str s);
void json_put_c(struct json_writer *w, const char *cstr);
void json_put_i64(struct json_writer *w, int64_t value);
void json_put_bool(struct json_writer *w, bool value);
void json_put_null(struct json_writer *w);
void json_put_raw(struct json_writer *w, struct str json); /* an already encoded value */

#endif
