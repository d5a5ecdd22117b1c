/* SPDX-License-Identifier: Apache-2.0 */
#include "rules.h"

#include "base/buf.h"
#include "base/encode.h"

#define CURSOR_VERSION 1
#define CURSOR_LEN 9U

enum err rules_cursor_parse(struct arena *arena, struct str cursor, int64_t *below_out)
{
	struct str bytes = base64url_decode(arena, cursor);
	struct reader reader = reader_over(bytes);
	uint8_t version;
	uint64_t below;

	*below_out = 0;
	if (!bytes.p)
		return ERR_BAD_CURSOR;
	version = reader_u8(&reader);
	below = reader_u64(&reader);
	if (!reader_done(&reader) || version != CURSOR_VERSION || below == 0 || below > INT64_MAX)
		return ERR_BAD_CURSOR;
	*below_out = (int64_t)below;
	return OK;
}

struct str rules_cursor(struct arena *arena, int64_t below)
{
	char bytes[CURSOR_LEN] = {CURSOR_VERSION};

	for (size_t i = 1; i < CURSOR_LEN; i++)
		bytes[i] = (char)(uint8_t)((uint64_t)below >> (8 * (CURSOR_LEN - 1 - i)));
	return base64url_encode(arena, (struct str){bytes, sizeof(bytes)});
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
