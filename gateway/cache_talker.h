/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GATEWAY_CACHE_TALKER_H
#define BERTH_GATEWAY_CACHE_TALKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "base/log.h"

struct redisContext;
struct redisReply;

/* One conversation with Redis, of one thread. */
struct cache_talker {
	const char *name; /* what for, in the log */
	const char *socket;
	const struct secret *password;
	uint64_t answer_ms; /* longer is not waited for an answer */
	struct redisContext *redis;
	bool up;             /* atomic */
	enum log_level told; /* the last state that was logged */
};

/* True when it stands, or stands now. */
bool cache_talker_connect(struct cache_talker *talker);
void cache_talker_drop(struct cache_talker *talker);
/* NULL on any failure, and the connection is dropped: a conversation that failed halfway is not gone on with. Gives. */
struct redisReply *cache_talker_command(struct cache_talker *talker, int argc, const char **argv, const size_t *lens);
/* Tells the log of a change. */
void cache_talker_state(struct cache_talker *talker, bool up);
bool cache_talker_is_up(const struct cache_talker *talker);

#endif
