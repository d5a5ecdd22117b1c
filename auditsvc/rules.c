/* SPDX-License-Identifier: Apache-2.0 */
#include "rules.h"

#include "base/buf.h"
#include "base/encode.h"

#define CURSOR_BY_LEAF 1
#define CURSOR_BY_TIME 2
#define CURSOR_MAX 17U

enum err rules_cursor_parse(struct arena *arena, struct str cursor, bool by_time, struct event_place *place_out)
{
	struct str bytes = base64url_decode(arena, cursor);
	struct reader reader = reader_over(bytes);
	uint64_t leaf, at;
	uint8_t kind;

	*place_out = (struct event_place){0};
	if (!bytes.p)
		return ERR_BAD_CURSOR;
	kind = reader_u8(&reader);
	leaf = reader_u64(&reader);
	at = by_time ? reader_u64(&reader) : 0;
	if (!reader_done(&reader) || kind != (by_time ? CURSOR_BY_TIME : CURSOR_BY_LEAF))
		return ERR_BAD_CURSOR;
	if (leaf > INT64_MAX || at > (uint64_t)INSTANT_MAX)
		return ERR_BAD_CURSOR;
	*place_out = (struct event_place){(int64_t)leaf, (instant_us)at};
	return OK;
}

struct str rules_cursor(struct arena *arena, bool by_time, const struct event_place *place)
{
	struct str text = STR_NONE;
	struct buf bytes;

	buf_init(&bytes, CURSOR_MAX);
	buf_put_byte(&bytes, by_time ? CURSOR_BY_TIME : CURSOR_BY_LEAF);
	buf_put_u64(&bytes, (uint64_t)place->leaf_index);
	if (by_time)
		buf_put_u64(&bytes, (uint64_t)place->at);
	if (buf_ok(&bytes))
		text = base64url_encode(arena, buf_str(&bytes));
	buf_release(&bytes);
	return text;
}

static bool is_lost(const struct content *content)
{
	return content->present && !content->plain.p;
}

bool rules_event_is_erased(const struct event_row *event)
{
	return event->erased || is_lost(&event->before) || is_lost(&event->after);
}

bool rules_event_is_about(const struct event_row *event, const struct uuid *person_id)
{
	return !uuid_is_nil(&event->subject_id) && uuid_eq(&event->subject_id, person_id);
}

instant_us rules_retention_edge(instant_us now, int64_t days)
{
	return now > days * US_PER_DAY ? now - days * US_PER_DAY : 0;
}

enum head_step rules_head_step(bool has_signed, uint64_t signed_size, uint64_t size)
{
	if (!has_signed || size > signed_size)
		return HEAD_DUE;
	return size < signed_size ? HEAD_LOST : HEAD_CURRENT;
}
