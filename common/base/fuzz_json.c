/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/json.h"

static void write_back(struct json_writer *w, const struct json *value)
{
	if (value->kind == JSON_OBJECT)
		json_begin_object(w);
	if (value->kind == JSON_ARRAY)
		json_begin_array(w);
	for (const struct json *child = value->first; child != NULL; child = child->next) {
		if (value->kind == JSON_OBJECT) {
			/* json_key takes C strings; a key is written as a string and a colon. */
			json_put_str(w, child->key);
			buf_put_byte(w->buf, ':');
			w->comma = false;
		}
		write_back(w, child);
	}
	if (value->kind == JSON_OBJECT)
		json_end_object(w);
	if (value->kind == JSON_ARRAY)
		json_end_array(w);
	if (value->kind == JSON_STRING)
		json_put_str(w, value->text);
	if (value->kind == JSON_NUMBER)
		json_put_raw(w, value->text);
	if (value->kind == JSON_TRUE || value->kind == JSON_FALSE)
		json_put_bool(w, value->kind == JSON_TRUE);
	if (value->kind == JSON_NULL)
		json_put_null(w);
}

static void same(const struct json *a, const struct json *b)
{
	int64_t a_value, b_value;

	if (a->kind != b->kind || a->count != b->count || !str_eq(a->text, b->text) || !str_eq(a->key, b->key))
		abort();
	if (json_to_i64(a, &a_value) != json_to_i64(b, &b_value) || a_value != b_value)
		abort();
	for (a = a->first, b = b->first; a != NULL && b != NULL; a = a->next, b = b->next)
		same(a, b);
	if (a != NULL || b != NULL)
		abort();
}

/* What was accepted is written by our writer, read again, and must be the same tree. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct arena *arena = arena_new(8 << 20);
	const struct json *root, *again;
	const char *reason;
	struct json_writer w;
	struct buf buf;

	buf_init(&buf, 8 << 20);
	if (arena == NULL)
		goto done;
	if (json_parse(arena, (struct str){(const char *)data, len}, &root, &reason) != OK) {
		if (reason == NULL || root != NULL)
			abort();
		goto done;
	}
	w = json_writer_over(&buf);
	write_back(&w, root);
	if (!buf_ok(&buf) || json_parse(arena, buf_str(&buf), &again, &reason) != OK)
		abort();
	same(root, again);
done:
	buf_release(&buf);
	arena_free(&arena);
	return 0;
}
