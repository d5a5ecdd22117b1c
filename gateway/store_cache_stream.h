/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GATEWAY_STORE_CACHE_STREAM_H
#define BERTH_GATEWAY_STORE_CACHE_STREAM_H

#include "revocation_entry.h"

#define STORE_CACHE_STREAM_COUNT 1000 /* entries asked for at once */

struct redisReply;

/* How far the stream of revocations has been read, by one thread. */
struct store_cache_stream {
	struct revocations *revocations; /* borrowed */
	struct revocation_place last;
	uint64_t unreadable; /* atomic: entries that were no revocations, in all */
	uint64_t told, told_us;
};

/*
 * Takes all that it understands of an answer to XREAD, wherever that stands; the rest is counted, and told once a
 * second. False when this was no such answer or led nowhere: asking again from here would get the same again.
 */
bool store_cache_stream_take(struct store_cache_stream *stream, const struct redisReply *reply, bool *full_out);

#endif
