/* SPDX-License-Identifier: Apache-2.0 */
#include "token/keyring.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/wait.h"

#define FIRST_RETRY_US 250000 /* until the first keys came: the process is not ready before */

struct keyring {
	keyring_fetch *fetch;
	void *user;
	uint64_t refresh_us;
	pthread_mutex_t fetching; /* one fetch at a time; taken before `lock` */
	pthread_mutex_t lock;
	pthread_cond_t changed; /* monotonic clock */
	pthread_t thread;
	/* All below is guarded by `lock`; the generation is written under it and read without. */
	bool running;
	bool stopping;
	bool missed; /* a fetch is due before its time */
	bool in_fetch;
	bool failing;
	uint64_t started_at; /* last fetch, monotonic; 0: never */
	struct keyset *keys;
	_Atomic uint64_t generation;
	struct keyring_counts counts;
};

struct keyring *keyring_new(keyring_fetch *fetch, void *user, int64_t refresh_ms)
{
	struct keyring *ring = calloc(1, sizeof(*ring));

	if (ring == NULL)
		return NULL;
	ring->fetch = fetch;
	ring->user = user;
	ring->refresh_us = refresh_ms > 0 ? (uint64_t)refresh_ms * 1000 : (uint64_t)KEYRING_MISS_GAP_US;
	wait_init(&ring->changed);
	/* With default attributes these cannot fail on Linux. */
	(void)pthread_mutex_init(&ring->lock, NULL);
	(void)pthread_mutex_init(&ring->fetching, NULL);
	return ring;
}

void keyring_free(struct keyring **ring)
{
	struct keyring *gone = *ring;

	*ring = NULL;
	if (gone == NULL)
		return;
	(void)pthread_mutex_lock(&gone->lock);
	gone->stopping = true;
	(void)pthread_cond_broadcast(&gone->changed);
	(void)pthread_mutex_unlock(&gone->lock);
	if (gone->running)
		(void)pthread_join(gone->thread, NULL);
	keyset_free(&gone->keys);
	(void)pthread_cond_destroy(&gone->changed);
	(void)pthread_mutex_destroy(&gone->lock);
	(void)pthread_mutex_destroy(&gone->fetching);
	free(gone);
}

static enum err fetch_keys(struct keyring *ring, struct keyset **keys_out, const char **reason_out)
{
	struct buf doc;
	enum err err;

	*reason_out = "no answer";
	buf_init(&doc, KEYSET_DOC_MAX);
	if ((err = ring->fetch(ring->user, &doc)) != OK)
		goto done;
	*reason_out = "the answer is larger than a key set may be";
	if (!buf_ok(&doc)) {
		err = ERR_TOO_LARGE;
		goto done;
	}
	if ((err = keyset_parse(buf_str(&doc), keys_out, reason_out)) != OK)
		goto done;
	if (keyset_count(*keys_out) == 0) {
		*reason_out = "no key in it is usable";
		keyset_free(keys_out);
		err = ERR_BAD_GATEWAY;
	}
done:
	buf_release(&doc);
	return err;
}

/* Under the lock. Logs only when the state turns, so that an outage is two lines. */
static void record(struct keyring *ring, struct keyset **keys, enum err err, const char *reason)
{
	if (err != OK) {
		ring->counts.failed++;
		if (!ring->failing)
			log_event(LOG_WARN, "keyring_fetch_failed", LOG_C("code", err_code(err)),
				LOG_C("reason", reason));
		ring->failing = true;
		return;
	}
	ring->counts.fetched++;
	ring->counts.fetched_at = clock_now_us();
	if (ring->failing)
		log_event(LOG_INFO, "keyring_fetch_recovered");
	ring->failing = false;
	if (ring->keys != NULL && keyset_eq(ring->keys, *keys))
		return;
	keyset_free(&ring->keys);
	ring->keys = *keys;
	*keys = NULL;
	atomic_fetch_add(&ring->generation, 1);
	log_event(LOG_INFO, "keyring_changed", LOG_I("generation", atomic_load(&ring->generation)),
		LOG_I("keys", keyset_count(ring->keys)));
}

static enum err refresh(struct keyring *ring)
{
	struct keyset *keys = NULL;
	const char *reason;
	enum err err;

	(void)pthread_mutex_lock(&ring->fetching);
	(void)pthread_mutex_lock(&ring->lock);
	ring->started_at = clock_monotonic_us();
	ring->missed = false;
	ring->in_fetch = true;
	(void)pthread_mutex_unlock(&ring->lock);

	err = fetch_keys(ring, &keys, &reason);

	(void)pthread_mutex_lock(&ring->lock);
	record(ring, &keys, err, reason);
	ring->in_fetch = false;
	(void)pthread_cond_broadcast(&ring->changed);
	(void)pthread_mutex_unlock(&ring->lock);
	(void)pthread_mutex_unlock(&ring->fetching);
	keyset_free(&keys);
	return err;
}

enum err keyring_refresh(struct keyring *ring)
{
	return refresh(ring);
}

/* When the next fetch is due, monotonic. Under the lock. */
static uint64_t due_at(const struct keyring *ring)
{
	uint64_t wait = ring->refresh_us;

	if (ring->started_at == 0)
		return 0;
	if (ring->keys == NULL)
		wait = FIRST_RETRY_US;
	else if ((ring->missed || ring->failing) && wait > (uint64_t)KEYRING_MISS_GAP_US)
		wait = (uint64_t)KEYRING_MISS_GAP_US;
	return ring->started_at + wait;
}

static void *refresher(void *arg)
{
	struct keyring *ring = arg;

	(void)pthread_mutex_lock(&ring->lock);
	while (!ring->stopping) {
		uint64_t due = due_at(ring);

		if (clock_monotonic_us() < due) {
			(void)wait_until(&ring->changed, &ring->lock, due);
			continue;
		}
		(void)pthread_mutex_unlock(&ring->lock);
		(void)refresh(ring);
		(void)pthread_mutex_lock(&ring->lock);
	}
	(void)pthread_mutex_unlock(&ring->lock);
	return NULL;
}

enum err keyring_start(struct keyring *ring)
{
	bool started;

	(void)pthread_mutex_lock(&ring->lock);
	INVARIANT(!ring->running);
	started = pthread_create(&ring->thread, NULL, refresher, ring) == 0;
	ring->running = started;
	(void)pthread_mutex_unlock(&ring->lock);
	return started ? OK : ERR_OVERLOADED;
}

uint64_t keyring_generation(const struct keyring *ring)
{
	return atomic_load_explicit(&ring->generation, memory_order_acquire);
}

struct keyset *keyring_keys(struct keyring *ring, uint64_t *generation_out)
{
	struct keyset *keys = NULL;

	(void)pthread_mutex_lock(&ring->lock);
	*generation_out = atomic_load(&ring->generation);
	if (ring->keys != NULL)
		keys = keyset_share(ring->keys);
	(void)pthread_mutex_unlock(&ring->lock);
	return keys;
}

void keyring_miss(struct keyring *ring, uint64_t generation)
{
	(void)pthread_mutex_lock(&ring->lock);
	ring->counts.misses++;
	/* Keys that came meanwhile, or are coming, may hold it already. */
	if (generation == atomic_load(&ring->generation) && !ring->missed && !ring->in_fetch) {
		ring->missed = true;
		(void)pthread_cond_broadcast(&ring->changed);
	}
	(void)pthread_mutex_unlock(&ring->lock);
}

bool keyring_wait_newer(struct keyring *ring, uint64_t generation, int64_t timeout_ms)
{
	uint64_t deadline = clock_monotonic_us() + (uint64_t)(timeout_ms > 0 ? timeout_ms : 0) * 1000;
	bool newer;

	(void)pthread_mutex_lock(&ring->lock);
	while (atomic_load(&ring->generation) == generation && !ring->stopping && clock_monotonic_us() < deadline &&
		(ring->in_fetch || (ring->missed && due_at(ring) < deadline)))
		(void)wait_until(&ring->changed, &ring->lock, deadline);
	newer = atomic_load(&ring->generation) > generation;
	(void)pthread_mutex_unlock(&ring->lock);
	return newer;
}

struct keyring_counts keyring_counts(struct keyring *ring)
{
	struct keyring_counts counts;

	(void)pthread_mutex_lock(&ring->lock);
	counts = ring->counts;
	(void)pthread_mutex_unlock(&ring->lock);
	return counts;
}
