/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "contract/envelope.h"

/* A request batch that is taken comes back byte by byte. */
static void judge_requests(struct arena *arena, struct str message, struct buf *again)
{
	struct request_item *items;
	size_t count;

	if (request_batch_decode(arena, message, &items, &count) != OK)
		return;
	request_batch_begin(again);
	for (size_t i = 0; i < count; i++)
		request_batch_add(again, &items[i]);
	if (!buf_ok(again) || request_batch_count(again) != count || !str_eq(buf_str(again), message))
		abort();
}

/* A reply may hold an error that we do not know, so only its second form must come back. */
static void judge_replies(struct arena *arena, struct str message, struct buf *again)
{
	struct reply_item *items;
	size_t count, recount;

	if (reply_batch_decode(arena, message, &items, &count) != OK)
		return;
	reply_batch_begin(again, count);
	for (size_t i = 0; i < count; i++)
		reply_batch_add(again, &items[i]);
	if (!buf_ok(again) || reply_batch_decode(arena, buf_str(again), &items, &recount) != OK || recount != count)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str message = {(const char *)data, size};
	static struct arena *arena;
	struct buf again;

	if (arena == NULL && (arena = arena_new(4u << 20)) == NULL)
		abort();
	arena_reset(arena);
	buf_init(&again, BATCH_BYTES_MAX);
	judge_requests(arena, message, &again);
	judge_replies(arena, message, &again);
	buf_release(&again);
	return 0;
}
