/* SPDX-License-Identifier: Apache-2.0 */
#include "store_cache.h"

#include <hiredis/hiredis.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/wait.h"
#include "cache_talker.h"
#include "contract/revocations.h"
#include "store_cache_stream.h"

#define ANSWER_MS 1500 /* longer than a blocked read */
#define BLOCK_MS "500"
#define BACKOFF_MS 250
#define SETTLE_MS 100
#define SETTLE_MAX 256
#define RATE_KEY "berth:rate:key"

struct talker {
	struct cache_talker with;
	struct store_cache *cache;
	pthread_t thread;
	bool started;
};

struct store_cache {
	struct rate_limiter *rates;
	struct revocations *revocations;
	struct store_cache_stream stream; /* the follower's */
	struct talker follower, settler;
	struct wait_stop stop;
	bool primed; /* atomic */
	bool keyed;
};

/*
 * -- revocations
 * --------------------------------------------------------------------------------------------------------
 */

/* The entries behind those that were read, and whether there may be more at once; false when the conversation broke. */
static bool follow_once(struct talker *talker, struct store_cache_stream *stream, bool *more_out)
{
	char count[16], last_id[48];
	const char *argv[] = {"XREAD", "COUNT", count, "BLOCK", BLOCK_MS, "STREAMS", REVOCATIONS_STREAM, last_id};
	redisReply *reply;
	bool fine;

	*more_out = false;
	snprintf(count, sizeof count, "%d", STORE_CACHE_STREAM_COUNT);
	snprintf(last_id, sizeof last_id, "%llu-%llu", (unsigned long long)stream->last.ms,
		(unsigned long long)stream->last.sequence);
	reply = cache_talker_command(&talker->with, 8, argv, NULL);
	if (reply == NULL)
		return false;
	fine = store_cache_stream_take(stream, reply, more_out);
	freeReplyObject(reply);
	if (!fine)
		cache_talker_drop(&talker->with);
	return fine;
}

/* Whether the marker says that the stream is whole; read before the stream, so that nothing falls between. */
static bool marker_seen(struct talker *talker, bool *seen_out)
{
	const char *argv[] = {"EXISTS", REVOCATIONS_MARKER};
	redisReply *reply = cache_talker_command(&talker->with, 2, argv, NULL);

	*seen_out = reply != NULL && reply->type == REDIS_REPLY_INTEGER && reply->integer == 1;
	freeReplyObject(reply);
	return reply != NULL;
}

static void *follower_main(void *arg)
{
	struct talker *talker = arg;
	struct store_cache *cache = talker->cache;
	struct store_cache_stream *stream = &cache->stream;
	bool whole = false, more = false;

	while (!wait_stop_told(&cache->stop)) {
		/*
		 * After a break all is read again from the start: Redis may have lost its memory, and adding twice
		 * changes nothing.
		 */
		if (talker->with.redis == NULL)
			stream->last = REVOCATION_PLACE_FIRST;
		if (!cache_talker_connect(&talker->with) || (!more && !marker_seen(talker, &whole)) ||
			!follow_once(talker, stream, &more)) {
			more = false;
			cache_talker_state(&talker->with, false);
			(void)wait_stop_for(&cache->stop, BACKOFF_MS * US_PER_MS);
			continue;
		}
		cache_talker_state(&talker->with, true);
		revocation_sweep(cache->revocations, clock_now_us());
		if (more)
			continue;
		if (whole) {
			__atomic_store_n(&cache->primed, true, __ATOMIC_RELAXED);
		} else {
			stream->last = REVOCATION_PLACE_FIRST;
			(void)wait_stop_for(&cache->stop, SETTLE_MS * US_PER_MS);
		}
	}
	cache_talker_drop(&talker->with);
	return NULL;
}

/*
 * -- rate limits
 * --------------------------------------------------------------------------------------------------------
 */

/*
 * KEYS: that of the hash key, then one a bucket. ARGV: our hash key, then taken, per second and burst for each bucket.
 * Every gateway hashes addresses and ids with one key, or their buckets would not meet: ours is offered, and when
 * another stands there already it is all that is answered and nothing is counted. After Redis has lost its memory the
 * buckets held here go on under the key they have. A bucket is a hash of level and instant, by Redis' own clock; what
 * was taken is always taken, so that gateways together cannot pass the limit twice; the level may go below zero down
 * to one burst.
 */
static const char settle_script[] =
	"redis.call('SET', KEYS[1], ARGV[1], 'NX') local shared = redis.call('GET', KEYS[1]) "
	"if shared ~= ARGV[1] then return {shared} end "
	"local t = redis.call('TIME') local now = t[1] * 1000 + math.floor(t[2] / 1000) local out = {shared} "
	"for i = 2, #KEYS do local key = KEYS[i] "
	"local taken, rate, burst = tonumber(ARGV[i*3-4]), tonumber(ARGV[i*3-3]), tonumber(ARGV[i*3-2]) "
	"local row = redis.call('HMGET', key, 'level', 'at') "
	"local level, at = tonumber(row[1]) or burst, tonumber(row[2]) or now "
	"level = math.min(burst, level + math.max(0, now - at) * rate / 1000) - taken "
	"if level < -burst then level = -burst end "
	"redis.call('HSET', key, 'level', level, 'at', now) "
	"redis.call('PEXPIRE', key, math.ceil(2000 * burst / math.max(rate, 1)) + 1000) "
	"out[i] = tostring(level) end return out";

struct settle_args {
	const char *argv[5 + SETTLE_MAX * 4];
	size_t lens[5 + SETTLE_MAX * 4];
	char text[SETTLE_MAX][4][48];
	char count[16];
	uint8_t key[RATE_KEY_LEN];
	int argc;
};

static void settle_arg(struct settle_args *args, const char *text, size_t len)
{
	args->argv[args->argc] = text;
	args->lens[args->argc] = len;
	args->argc++;
}

static void settle_fill(
	struct settle_args *args, const struct rate_limiter *rates, const struct rate_entry *entries, size_t count)
{
	args->argc = 0;
	settle_arg(args, "EVAL", 4);
	settle_arg(args, settle_script, sizeof settle_script - 1);
	settle_arg(args, args->count, (size_t)snprintf(args->count, sizeof args->count, "%zu", count + 1));
	settle_arg(args, RATE_KEY, sizeof RATE_KEY - 1);
	for (size_t i = 0; i < count; i++)
		settle_arg(args, args->text[i][0],
			(size_t)snprintf(args->text[i][0], sizeof args->text[i][0], "berth:rate:%016llx%016llx",
				(unsigned long long)entries[i].key[0], (unsigned long long)entries[i].key[1]));
	settle_arg(args, (const char *)args->key, sizeof args->key);
	for (size_t i = 0; i < count; i++) {
		const struct rate_policy policy = rate_policy_of(rates, entries[i].class);
		const int64_t values[3] = {entries[i].taken, policy.per_s, policy.burst};

		for (size_t j = 0; j < 3; j++)
			settle_arg(args, args->text[i][j + 1],
				(size_t)snprintf(args->text[i][j + 1], sizeof args->text[i][j + 1], "%lld",
					(long long)values[j]));
	}
}

/* Another gateway's key was there first: what was counted under ours counts no more. */
static void settle_take_key(struct store_cache *cache, const struct settle_args *args, const redisReply *shared)
{
	cache->keyed = shared->type == REDIS_REPLY_STRING && shared->len == RATE_KEY_LEN;
	if (cache->keyed && memcmp(shared->str, args->key, RATE_KEY_LEN) != 0)
		rate_set_key(cache->rates, (const uint8_t *)shared->str);
}

/* What was taken, and at first nothing, to learn the key. */
static bool settle_once(struct talker *talker, struct settle_args *args, struct rate_entry *entries, size_t count)
{
	struct store_cache *cache = talker->cache;
	redisReply *reply;

	rate_key(cache->rates, args->key);
	settle_fill(args, cache->rates, entries, count);
	reply = cache_talker_command(&talker->with, args->argc, args->argv, args->lens);
	if (reply == NULL)
		return false;
	if (reply->type == REDIS_REPLY_ARRAY && reply->elements > 0)
		settle_take_key(cache, args, reply->element[0]);
	for (size_t i = 0; i < count && reply->type == REDIS_REPLY_ARRAY && i + 1 < reply->elements; i++)
		entries[i].level = reply->element[i + 1]->type == REDIS_REPLY_STRING
		                           ? strtod(reply->element[i + 1]->str, NULL)
		                           : 0;
	if (reply->type == REDIS_REPLY_ARRAY && reply->elements == count + 1)
		rate_settle(cache->rates, entries, count, clock_monotonic_us());
	freeReplyObject(reply);
	return true;
}

/*
 * With Redis away the buckets held here are the limit. What was taken from them comes back to them; told to Redis later
 * in one sum, it would be held against people who kept to the limit all the time.
 */
static void settle_forget(struct store_cache *cache, struct rate_entry *entries)
{
	size_t count;

	do
		count = rate_collect(cache->rates, entries, SETTLE_MAX);
	while (count == SETTLE_MAX);
}

static void *settler_main(void *arg)
{
	static struct settle_args args;
	static struct rate_entry entries[SETTLE_MAX];
	struct talker *talker = arg;
	struct store_cache *cache = talker->cache;

	while (!wait_stop_told(&cache->stop)) {
		size_t count = 0;
		bool fine =
			cache_talker_connect(&talker->with) && (cache->keyed || settle_once(talker, &args, entries, 0));

		if (fine && (count = rate_collect(cache->rates, entries, SETTLE_MAX)) > 0)
			fine = settle_once(talker, &args, entries, count);
		if (!fine) {
			cache->keyed = false;
			settle_forget(cache, entries);
		}
		cache_talker_state(&talker->with, fine);
		if (count < SETTLE_MAX || !fine)
			(void)wait_stop_for(&cache->stop, fine ? SETTLE_MS * US_PER_MS : BACKOFF_MS * US_PER_MS);
	}
	cache_talker_drop(&talker->with);
	return NULL;
}

/*
 * -- life
 * ---------------------------------------------------------------------------------------------------------------
 */

enum err store_cache_new(const char *socket, const struct secret *password, struct rate_limiter *rates,
	struct revocations *revocations, struct store_cache **cache_out)
{
	struct store_cache *cache = calloc(1, sizeof *cache);

	if (cache == NULL)
		return ERR_OVERLOADED;
	*cache = (struct store_cache){.rates = rates, .revocations = revocations, .stream.revocations = revocations};
	cache->follower.with = (struct cache_talker){
		.name = "revocations", .socket = socket, .password = password, .answer_ms = ANSWER_MS};
	cache->settler.with =
		(struct cache_talker){.name = "limits", .socket = socket, .password = password, .answer_ms = ANSWER_MS};
	cache->follower.cache = cache->settler.cache = cache;
	wait_stop_init(&cache->stop);
	*cache_out = cache;
	return OK;
}

enum err store_cache_start(struct store_cache *cache)
{
	cache->follower.started = pthread_create(&cache->follower.thread, NULL, follower_main, &cache->follower) == 0;
	cache->settler.started = pthread_create(&cache->settler.thread, NULL, settler_main, &cache->settler) == 0;
	return cache->follower.started && cache->settler.started ? OK : ERR_OVERLOADED;
}

void store_cache_free(struct store_cache **cache)
{
	struct store_cache *dying = *cache;

	if (dying == NULL)
		return;
	wait_stop_tell(&dying->stop);
	if (dying->follower.started)
		pthread_join(dying->follower.thread, NULL);
	if (dying->settler.started)
		pthread_join(dying->settler.thread, NULL);
	wait_stop_release(&dying->stop);
	free(dying);
	*cache = NULL;
}

bool store_cache_up(const struct store_cache *cache)
{
	return cache_talker_is_up(&cache->follower.with) && cache_talker_is_up(&cache->settler.with);
}

bool store_cache_primed(const struct store_cache *cache)
{
	return __atomic_load_n(&cache->primed, __ATOMIC_RELAXED);
}

uint64_t store_cache_unreadable(const struct store_cache *cache)
{
	return __atomic_load_n(&cache->stream.unreadable, __ATOMIC_RELAXED);
}
