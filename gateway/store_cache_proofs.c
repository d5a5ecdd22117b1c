/* SPDX-License-Identifier: Apache-2.0 */
#include "store_cache_proofs.h"

#include <hiredis/hiredis.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/wait.h"
#include "cache_talker.h"

#define ANSWER_MS 250 /* whoever waits longer is judged by what is known here */
#define BACKOFF_MS 250
#define IDLE_MS 500
#define TOGETHER_MAX 256
#define WAITING_MAX 8192
#define KEY_PREFIX "berth:proof:"
#define KEY_PREFIX_LEN (sizeof(KEY_PREFIX) - 1)

struct store_proofs {
	struct cache_talker talker;
	store_proofs_done_fn *done;
	pthread_t thread;
	bool started;
	struct wait_stop stop; /* its lock guards what follows */
	struct proof_ask *first, **last;
	size_t waiting;
};

enum err store_proofs_new(
	const char *socket, const struct secret *password, store_proofs_done_fn *done, struct store_proofs **proofs_out)
{
	struct store_proofs *proofs = calloc(1, sizeof *proofs);

	if (proofs == NULL)
		return ERR_OVERLOADED;
	proofs->talker =
		(struct cache_talker){.name = "proofs", .socket = socket, .password = password, .answer_ms = ANSWER_MS};
	proofs->done = done;
	proofs->last = &proofs->first;
	wait_stop_init(&proofs->stop);
	*proofs_out = proofs;
	return OK;
}

/* Those that wait, at most `max`; with none waits for one, `wait_ms` at most. */
static struct proof_ask *take(struct store_proofs *proofs, size_t max, uint64_t wait_ms)
{
	struct proof_ask *taken = NULL, **end = &taken;

	pthread_mutex_lock(&proofs->stop.lock);
	if (proofs->first == NULL && wait_ms > 0 && !proofs->stop.told)
		(void)wait_until(&proofs->stop.wake, &proofs->stop.lock, clock_monotonic_us() + wait_ms * US_PER_MS);
	for (; proofs->first != NULL && max > 0; max--) {
		*end = proofs->first;
		proofs->first = proofs->first->next;
		(*end)->next = NULL;
		end = &(*end)->next;
		proofs->waiting--;
	}
	if (proofs->first == NULL)
		proofs->last = &proofs->first;
	pthread_mutex_unlock(&proofs->stop.lock);
	return taken;
}

/* Whoever asked has it back with its `done`. */
static void finish(struct store_proofs *proofs, struct proof_ask *asks)
{
	while (asks != NULL) {
		struct proof_ask *ask = asks;

		asks = ask->next;
		proofs->done(ask);
	}
}

/* SET key 1 NX PX: one command, so of many at once one is the first. */
static bool send_one(struct cache_talker *talker, const struct proof_ask *ask)
{
	char key[KEY_PREFIX_LEN + STORE_PROOFS_USE_LEN], keep[24];
	const char *argv[] = {"SET", key, "1", "NX", "PX", keep};
	const size_t lens[] = {
		3, sizeof key, 1, 2, 2, (size_t)snprintf(keep, sizeof keep, "%llu", (unsigned long long)ask->keep_ms)};

	memcpy(key, KEY_PREFIX, KEY_PREFIX_LEN);
	memcpy(key + KEY_PREFIX_LEN, ask->use, sizeof ask->use);
	return redisAppendCommandArgv(talker->redis, 6, argv, lens) == REDIS_OK;
}

/* False when the conversation broke, or Redis refused, for want of memory say. */
static bool read_one(struct cache_talker *talker, struct proof_ask *ask)
{
	void *read = NULL;
	const redisReply *reply;

	if (redisGetReply(talker->redis, &read) != REDIS_OK)
		return false;
	reply = read;
	if (reply->type == REDIS_REPLY_STATUS)
		ask->err = OK;
	else if (reply->type == REDIS_REPLY_NIL)
		ask->err = ERR_CONFLICT;
	freeReplyObject(read);
	return ask->err != ERR_UNAVAILABLE;
}

/* All are sent before the first answer is read. False when Redis is away. */
static bool ask_all(struct cache_talker *talker, struct proof_ask *asks)
{
	bool fine = cache_talker_connect(talker);

	for (struct proof_ask *ask = asks; ask != NULL && fine; ask = ask->next)
		fine = send_one(talker, ask);
	for (struct proof_ask *ask = asks; ask != NULL && fine; ask = ask->next)
		fine = read_one(talker, ask);
	if (!fine)
		cache_talker_drop(talker);
	return fine;
}

/* Nothing is asked: whether Redis is still there must be known before somebody asks. */
static bool look(struct cache_talker *talker)
{
	const char *argv[] = {"PING"};
	redisReply *reply = cache_talker_connect(talker) ? cache_talker_command(talker, 1, argv, NULL) : NULL;

	freeReplyObject(reply);
	return reply != NULL;
}

static void *proofs_main(void *arg)
{
	struct store_proofs *proofs = arg;

	cache_talker_state(&proofs->talker, look(&proofs->talker));
	while (!wait_stop_told(&proofs->stop)) {
		const bool up = cache_talker_is_up(&proofs->talker);
		struct proof_ask *asks = take(proofs, TOGETHER_MAX, up ? IDLE_MS : BACKOFF_MS);

		cache_talker_state(
			&proofs->talker, asks != NULL ? ask_all(&proofs->talker, asks) : look(&proofs->talker));
		finish(proofs, asks);
	}
	finish(proofs, take(proofs, SIZE_MAX, 0));
	cache_talker_drop(&proofs->talker);
	return NULL;
}

enum err store_proofs_start(struct store_proofs *proofs)
{
	proofs->started = pthread_create(&proofs->thread, NULL, proofs_main, proofs) == 0;
	return proofs->started ? OK : ERR_OVERLOADED;
}

void store_proofs_free(struct store_proofs **proofs)
{
	struct store_proofs *dying = *proofs;

	if (dying == NULL)
		return;
	wait_stop_tell(&dying->stop);
	if (dying->started)
		pthread_join(dying->thread, NULL);
	wait_stop_release(&dying->stop);
	free(dying);
	*proofs = NULL;
}

enum err store_proofs_ask(struct store_proofs *proofs, struct proof_ask *ask)
{
	enum err err = OK;

	ask->next = NULL;
	ask->err = ERR_UNAVAILABLE;
	pthread_mutex_lock(&proofs->stop.lock);
	if (proofs->stop.told || !cache_talker_is_up(&proofs->talker))
		err = ERR_UNAVAILABLE;
	else if (proofs->waiting >= WAITING_MAX)
		err = ERR_OVERLOADED;
	if (err == OK) {
		*proofs->last = ask;
		proofs->last = &ask->next;
		proofs->waiting++;
		pthread_cond_signal(&proofs->stop.wake);
	}
	pthread_mutex_unlock(&proofs->stop.lock);
	return err;
}

bool store_proofs_up(const struct store_proofs *proofs)
{
	return cache_talker_is_up(&proofs->talker);
}
