/* SPDX-License-Identifier: Apache-2.0 */
#include "store_cache.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "base/clock.h"
#include "base/log.h"

#define CONNECT_TIMEOUT_MS 200
#define CALL_TIMEOUT_MS 300
#define RETRY_GAP_US (1 * US_PER_S)
#define COUNTERS_MAX 4
#define KEY_TEXT_MAX 96
#define ID_BYTES 16       /* of a keyed hash: enough for a name */
#define TRUST_S "2592000" /* 30 days */
#define ARGS_MAX (4 + COUNTERS_MAX + 1 + COUNTERS_MAX * 5)

struct cache {
	const char *socket_path;
	const char *user;
	const struct secret *password;
	redisContext *redis;
	uint64_t retry_at_us;
	uint64_t generation;
};

static const char *const kind_names[THROTTLE_KINDS] = {
	[THROTTLE_PAIR] = "pair",
	[THROTTLE_ACCOUNT] = "account",
	[THROTTLE_ADDRESS] = "address",
	[THROTTLE_MAIL] = "mail",
	[THROTTLE_RESET] = "reset",
	[THROTTLE_ASKER] = "asker",
	[THROTTLE_DEVICE] = "device",
	[THROTTLE_TOLD] = "told",
	[THROTTLE_KNOCK] = "knock",
};

/* KEYS: the counters, then the trust. ARGV, for each counter: free, base, cap, keep, "1" for an account. */
static const char attempt_script[] =
	"local t = redis.call('TIME') "
	"local now = t[1] * 1000 + math.floor(t[2] / 1000) "
	"local n = #KEYS - 1 "
	"local trusted = redis.call('EXISTS', KEYS[n + 1]) == 1 "
	"local wait = 0 "
	"local function counts(i) return not (trusted and ARGV[i * 5] == '1') end "
	"for i = 1, n do "
	"if counts(i) then "
	"local left = tonumber(redis.call('HGET', KEYS[i], 'next') or '0') - now "
	"if left > wait then wait = left end "
	"end "
	"end "
	"if wait > 0 then return wait end "
	"for i = 1, n do "
	"if counts(i) then "
	"local a = i * 5 - 4 "
	"local over = redis.call('HINCRBY', KEYS[i], 'count', 1) - tonumber(ARGV[a]) "
	"local delay = 0 "
	"if over >= 0 then "
	"delay = math.min(tonumber(ARGV[a + 2]), tonumber(ARGV[a + 1]) * 2 ^ math.min(over, 40)) end "
	"redis.call('HSET', KEYS[i], 'next', string.format('%.0f', now + delay)) "
	"redis.call('PEXPIRE', KEYS[i], ARGV[a + 3]) "
	"end "
	"end "
	"return 0";

/* KEYS: the counters, then the trust. ARGV: the kind of each, then how long trust lasts. */
static const char succeed_script[] =
	"local n = #KEYS - 1 "
	"local trusted = redis.call('EXISTS', KEYS[n + 1]) == 1 "
	"for i = 1, n do "
	"if ARGV[i] == 'pair' or ARGV[i] == 'device' or (ARGV[i] == 'account' and not trusted) then "
	"redis.call('DEL', KEYS[i]) "
	"elseif (ARGV[i] == 'address' or ARGV[i] == 'knock') and redis.call('EXISTS', KEYS[i]) == 1 then "
	"redis.call('HINCRBY', KEYS[i], 'count', -1) redis.call('HSET', KEYS[i], 'next', '0') end "
	"end "
	"redis.call('SET', KEYS[n + 1], '1', 'EX', ARGV[n + 1]) "
	"return 0";

struct cache *store_cache_new(const char *socket_path, const char *user, const struct secret *password)
{
	struct cache *cache = calloc(1, sizeof(*cache));

	if (cache == NULL)
		return NULL;
	cache->socket_path = socket_path;
	cache->user = user;
	cache->password = password;
	return cache;
}

static void drop(struct cache *cache)
{
	if (cache->redis != NULL)
		redisFree(cache->redis);
	cache->redis = NULL;
	cache->retry_at_us = clock_monotonic_us() + (uint64_t)RETRY_GAP_US;
}

void store_cache_free(struct cache **cache)
{
	if (*cache == NULL)
		return;
	drop(*cache);
	free(*cache);
	*cache = NULL;
}

uint64_t store_cache_generation(const struct cache *cache)
{
	return cache->generation;
}

static bool authenticate(struct cache *cache)
{
	struct str password = secret_str(cache->password);
	redisReply *reply;
	bool ok;

	if (cache->password == NULL)
		return true;
	reply = redisCommand(cache->redis, "AUTH %s %b", cache->user, password.p, password.len);
	ok = reply != NULL && reply->type == REDIS_REPLY_STATUS;
	if (reply != NULL)
		freeReplyObject(reply);
	return ok;
}

static enum err ensure(struct cache *cache)
{
	struct timeval connect = {.tv_usec = CONNECT_TIMEOUT_MS * 1000};
	struct timeval call = {.tv_usec = CALL_TIMEOUT_MS * 1000};

	if (cache->redis != NULL)
		return OK;
	if (clock_monotonic_us() < cache->retry_at_us)
		return ERR_UNAVAILABLE;
	cache->redis = redisConnectUnixWithTimeout(cache->socket_path, connect);
	if (cache->redis == NULL || cache->redis->err != 0 || redisSetTimeout(cache->redis, call) != REDIS_OK ||
		!authenticate(cache)) {
		log_event(LOG_WARN, "cache_unreachable");
		drop(cache);
		return ERR_UNAVAILABLE;
	}
	cache->generation++;
	return OK;
}

struct command {
	const char *argv[ARGS_MAX];
	size_t len[ARGS_MAX];
	int count;
};

static void arg(struct command *command, const char *bytes, size_t len)
{
	INVARIANT(command->count < ARGS_MAX);
	command->argv[command->count] = bytes;
	command->len[command->count++] = len;
}

static void arg_c(struct command *command, const char *text)
{
	arg(command, text, strlen(text));
}

/*
 * Gives *reply_out on OK only. An error answer is ours to mend, not a loss of Redis: logged, ERR_UNAVAILABLE all the
 * same.
 */
static enum err run(struct cache *cache, struct command *command, redisReply **reply_out)
{
	redisReply *reply;
	enum err err;

	*reply_out = NULL;
	if ((err = ensure(cache)) != OK)
		return err;
	reply = redisCommandArgv(cache->redis, command->count, command->argv, command->len);
	if (reply == NULL) {
		log_event(LOG_WARN, "cache_lost");
		drop(cache);
		return ERR_UNAVAILABLE;
	}
	if (reply->type == REDIS_REPLY_ERROR) {
		log_event(LOG_ERROR, "cache_refused", LOG_C("command", command->argv[0]));
		freeReplyObject(reply);
		drop(cache);
		return ERR_UNAVAILABLE;
	}
	*reply_out = reply;
	return OK;
}

static enum err run_for_integer(struct cache *cache, struct command *command, int64_t *value_out)
{
	redisReply *reply;
	enum err err;

	if ((err = run(cache, command, &reply)) != OK)
		return err;
	*value_out = reply->type == REDIS_REPLY_INTEGER ? (int64_t)reply->integer : 0;
	freeReplyObject(reply);
	return OK;
}

static void name_key(char text_out[KEY_TEXT_MAX], const char *kind, struct str id)
{
	char hex[2 * ID_BYTES + 1] = {0};

	for (size_t i = 0; i < ID_BYTES && i < id.len; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", (unsigned)(unsigned char)id.p[i]);
	(void)snprintf(text_out, KEY_TEXT_MAX, "berth:attempts:%s:%s", kind, hex);
}

struct names {
	char counters[COUNTERS_MAX][KEY_TEXT_MAX];
	char trust[KEY_TEXT_MAX];
	char key_count[8];
};

static void begin_script(struct command *command, const char *script, struct names *names,
	const struct cache_counter *counters, size_t count, struct str trusted)
{
	INVARIANT(count > 0 && count <= COUNTERS_MAX);
	(void)snprintf(names->key_count, sizeof(names->key_count), "%zu", count + 1);
	arg_c(command, "EVAL");
	arg_c(command, script);
	arg_c(command, names->key_count);
	for (size_t i = 0; i < count; i++) {
		name_key(names->counters[i], kind_names[counters[i].kind], counters[i].id);
		arg_c(command, names->counters[i]);
	}
	name_key(names->trust, "trust", trusted);
	arg_c(command, names->trust);
}

enum err store_cache_attempt(struct cache *cache, const struct cache_counter *counters, size_t count,
	struct str trusted, int64_t *wait_ms_out)
{
	char numbers[COUNTERS_MAX][4][24];
	struct command command = {.count = 0};
	struct names names = {.key_count = ""};

	*wait_ms_out = 0;
	begin_script(&command, attempt_script, &names, counters, count, trusted);
	for (size_t i = 0; i < count; i++) {
		const struct throttle_curve *curve = &rules_throttle_curves[counters[i].kind];
		const int64_t values[4] = {curve->free, curve->base_ms, curve->cap_ms, curve->keep_ms};

		for (size_t k = 0; k < 4; k++) {
			(void)snprintf(numbers[i][k], sizeof(numbers[i][k]), "%lld", (long long)values[k]);
			arg_c(&command, numbers[i][k]);
		}
		arg_c(&command, counters[i].kind == THROTTLE_ACCOUNT ? "1" : "0");
	}
	return run_for_integer(cache, &command, wait_ms_out);
}

enum err store_cache_succeed(
	struct cache *cache, const struct cache_counter *counters, size_t count, struct str trusted)
{
	struct command command = {.count = 0};
	struct names names = {.key_count = ""};
	int64_t ignored;

	begin_script(&command, succeed_script, &names, counters, count, trusted);
	for (size_t i = 0; i < count; i++)
		arg_c(&command, kind_names[counters[i].kind]);
	arg_c(&command, TRUST_S);
	return run_for_integer(cache, &command, &ignored);
}

enum err store_cache_append(
	struct cache *cache, const char *stream, int64_t oldest_ms, const struct cache_field *fields, size_t count)
{
	struct command command = {.count = 0};
	char oldest[24];
	redisReply *reply;
	enum err err;

	INVARIANT(count <= CACHE_FIELDS_MAX);
	(void)snprintf(oldest, sizeof(oldest), "%lld", (long long)(oldest_ms > 0 ? oldest_ms : 0));
	arg_c(&command, "XADD");
	arg_c(&command, stream);
	arg_c(&command, "MINID");
	arg_c(&command, "~");
	arg_c(&command, oldest);
	arg_c(&command, "*");
	for (size_t i = 0; i < count; i++) {
		arg_c(&command, fields[i].name);
		arg(&command, fields[i].value.p, fields[i].value.len);
	}
	if ((err = run(cache, &command, &reply)) == OK)
		freeReplyObject(reply);
	return err;
}

enum err store_cache_mark(struct cache *cache, const char *key)
{
	struct command command = {.count = 0};
	redisReply *reply;
	enum err err;

	arg_c(&command, "SET");
	arg_c(&command, key);
	arg_c(&command, "1");
	if ((err = run(cache, &command, &reply)) == OK)
		freeReplyObject(reply);
	return err;
}

enum err store_cache_marked(struct cache *cache, const char *key, bool *marked_out)
{
	struct command command = {.count = 0};
	int64_t count = 0;
	enum err err;

	arg_c(&command, "EXISTS");
	arg_c(&command, key);
	err = run_for_integer(cache, &command, &count);
	*marked_out = err == OK && count == 1;
	return err;
}
