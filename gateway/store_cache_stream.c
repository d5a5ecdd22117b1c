/* SPDX-License-Identifier: Apache-2.0 */
#include "store_cache_stream.h"

#include <hiredis/hiredis.h>

#include "base/clock.h"
#include "base/log.h"

#define TELL_EVERY_US US_PER_S

static struct str reply_str(const redisReply *reply)
{
	return reply->type == REDIS_REPLY_STRING ? (struct str){reply->str, reply->len} : STR_NONE;
}

static const redisReply *reply_list(const redisReply *reply, size_t elements)
{
	return reply->type == REDIS_REPLY_ARRAY && reply->elements == elements ? reply : NULL;
}

static bool fields_apply(struct store_cache_stream *stream, const redisReply *fields)
{
	struct revocation_entry entry = {.broken = fields->type != REDIS_REPLY_ARRAY || fields->elements % 2 != 0};

	for (size_t i = 0; !entry.broken && i < fields->elements; i += 2)
		revocation_entry_field(&entry, reply_str(fields->element[i]), reply_str(fields->element[i + 1]));
	return revocation_entry_whole(&entry) &&
	       revocation_add(stream->revocations, &entry.revocation, clock_now_us()) == OK;
}

/* Whether it leads on. One that does not is applied all the same: refusing too much is the safe side. */
static bool entry_take(struct store_cache_stream *stream, const redisReply *reply)
{
	const redisReply *entry = reply_list(reply, 2);
	struct revocation_place place;
	bool leads_on = entry != NULL && revocation_entry_place(reply_str(entry->element[0]), &place) &&
	                revocation_entry_is_behind(place, stream->last);

	if (leads_on)
		stream->last = place;
	if (entry == NULL || !fields_apply(stream, entry->element[1]) || !leads_on)
		__atomic_store_n(&stream->unreadable, stream->unreadable + 1, __ATOMIC_RELAXED);
	return leads_on;
}

static void tell(struct store_cache_stream *stream)
{
	const uint64_t now_us = clock_monotonic_us();

	if (stream->unreadable == stream->told || (stream->told != 0 && now_us - stream->told_us < TELL_EVERY_US))
		return;
	log_event(LOG_WARN, "revocation_unreadable", LOG_I("entries", stream->unreadable - stream->told));
	stream->told = stream->unreadable;
	stream->told_us = now_us;
}

bool store_cache_stream_take(struct store_cache_stream *stream, const redisReply *reply, bool *full_out)
{
	const redisReply *streams = reply_list(reply, 1);
	const redisReply *named = streams != NULL ? reply_list(streams->element[0], 2) : NULL;
	const redisReply *entries = named != NULL ? named->element[1] : NULL;
	bool leads_on = reply->type == REDIS_REPLY_NIL;

	*full_out = false;
	for (size_t i = 0; entries != NULL && entries->type == REDIS_REPLY_ARRAY && i < entries->elements; i++) {
		leads_on = entry_take(stream, entries->element[i]) || leads_on;
		*full_out = i + 1 >= STORE_CACHE_STREAM_COUNT;
	}
	tell(stream);
	return leads_on;
}
