/* SPDX-License-Identifier: Apache-2.0 */
#include "throttle.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define WAYS 8 /* of one set */

struct counter {
	struct throttle_key key;
	int64_t count; /* 0: free */
	uint64_t next_ms, seen_ms;
};

struct throttle {
	pthread_mutex_t mutex;
	size_t sets; /* a power of two */
	struct counter counters[];
};

struct throttle *throttle_new(size_t entries)
{
	struct throttle *throttle;
	size_t sets = 1;

	while (sets * WAYS < entries)
		sets *= 2;
	throttle = calloc(1, sizeof(*throttle) + sets * WAYS * sizeof(throttle->counters[0]));
	if (throttle == NULL)
		return NULL;
	throttle->sets = sets;
	if (pthread_mutex_init(&throttle->mutex, NULL) != 0) {
		free(throttle);
		return NULL;
	}
	return throttle;
}

void throttle_free(struct throttle **throttle)
{
	if (*throttle == NULL)
		return;
	(void)pthread_mutex_destroy(&(*throttle)->mutex);
	free(*throttle);
	*throttle = NULL;
}

/* The key's counter, or the one to use for it: a free one, else the one quiet longest. */
static struct counter *counter_of(struct throttle *throttle, const struct throttle_key *key, uint64_t now_ms)
{
	struct counter *set, *best;
	uint64_t slot;

	memcpy(&slot, key->id.b, sizeof(slot)); /* a keyed hash: strangers cannot aim at a set */
	set = best = &throttle->counters[(slot & (throttle->sets - 1)) * WAYS];
	for (size_t i = 0; i < WAYS; i++) {
		struct counter *one = &set[i];

		if (one->count > 0 && one->key.kind == key->kind &&
			memcmp(&one->key.id, &key->id, sizeof(key->id)) == 0) {
			if (now_ms - one->seen_ms >= (uint64_t)rules_throttle_curves[key->kind].keep_ms)
				one->count = 0;
			return one;
		}
		if (best->count > 0 && (one->count == 0 || one->seen_ms < best->seen_ms))
			best = one;
	}
	if (best->count > 0)
		memset(best, 0, sizeof(*best));
	return best;
}

static void count_one(struct throttle *throttle, const struct throttle_key *key, uint64_t now_ms)
{
	struct counter *counter = counter_of(throttle, key, now_ms);

	counter->key = *key;
	counter->count++;
	counter->seen_ms = now_ms;
	counter->next_ms = now_ms + (uint64_t)rules_throttle_delay_ms(key->kind, counter->count);
}

int64_t throttle_attempt_ms(
	struct throttle *throttle, const struct throttle_key *keys, size_t count, uint64_t now_monotonic_us)
{
	uint64_t now_ms = now_monotonic_us / 1000;
	int64_t wait = 0;

	(void)pthread_mutex_lock(&throttle->mutex);
	for (size_t i = 0; i < count; i++) {
		const struct counter *counter = counter_of(throttle, &keys[i], now_ms);

		if (counter->count > 0 && counter->next_ms > now_ms && (int64_t)(counter->next_ms - now_ms) > wait)
			wait = (int64_t)(counter->next_ms - now_ms);
	}
	for (size_t i = 0; i < count && wait == 0; i++)
		count_one(throttle, &keys[i], now_ms);
	(void)pthread_mutex_unlock(&throttle->mutex);
	return wait;
}

void throttle_forget(struct throttle *throttle, const struct throttle_key *key)
{
	struct counter *counter;

	(void)pthread_mutex_lock(&throttle->mutex);
	counter = counter_of(throttle, key, clock_monotonic_us() / 1000);
	counter->count = 0;
	(void)pthread_mutex_unlock(&throttle->mutex);
}
