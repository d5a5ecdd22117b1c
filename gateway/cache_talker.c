/* SPDX-License-Identifier: Apache-2.0 */
#include "cache_talker.h"

#include <hiredis/hiredis.h>

#define CONNECT_MS 500

void cache_talker_state(struct cache_talker *talker, bool up)
{
	__atomic_store_n(&talker->up, up, __ATOMIC_RELAXED);
	if (talker->told == (up ? LOG_INFO : LOG_WARN))
		return;
	talker->told = up ? LOG_INFO : LOG_WARN;
	log_event(talker->told, up ? "redis_up" : "redis_down", LOG_C("use", talker->name));
}

bool cache_talker_is_up(const struct cache_talker *talker)
{
	return __atomic_load_n(&talker->up, __ATOMIC_RELAXED);
}

void cache_talker_drop(struct cache_talker *talker)
{
	redisFree(talker->redis);
	talker->redis = NULL;
}

struct redisReply *cache_talker_command(struct cache_talker *talker, int argc, const char **argv, const size_t *lens)
{
	redisReply *reply = redisCommandArgv(talker->redis, argc, argv, lens);

	if (reply != NULL && reply->type != REDIS_REPLY_ERROR)
		return reply;
	freeReplyObject(reply);
	cache_talker_drop(talker);
	return NULL;
}

bool cache_talker_connect(struct cache_talker *talker)
{
	const struct timeval answer = {(time_t)talker->answer_ms / 1000, (suseconds_t)talker->answer_ms % 1000 * 1000};
	const struct timeval connect = {CONNECT_MS / 1000, CONNECT_MS % 1000 * 1000};
	const char *auth[3] = {"AUTH", "gateway", secret_str(talker->password).p};
	redisReply *reply;

	if (talker->redis != NULL)
		return true;
	talker->redis = redisConnectUnixWithTimeout(talker->socket, connect);
	if (talker->redis == NULL || talker->redis->err != 0 || redisSetTimeout(talker->redis, answer) != REDIS_OK) {
		cache_talker_drop(talker);
		return false;
	}
	reply = cache_talker_command(talker, 3, auth, NULL);
	freeReplyObject(reply);
	return reply != NULL;
}
