/* SPDX-License-Identifier: Apache-2.0 */
#include "rate.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define RATE_SHARDS 64U
#define RATE_WAYS 8U

struct bucket {
	uint64_t key[2]; /* both 0: free */
	double level;
	uint64_t updated_us;
	int64_t unsettled;
	uint8_t class;
};

struct shard {
	pthread_mutex_t lock;
	struct bucket *buckets; /* sets of RATE_WAYS */
};

struct rate_limiter {
	struct rate_policy policies[RATE_CLASS_COUNT]; /* each number atomic */
	struct shard shards[RATE_SHARDS];
	size_t sets;         /* a shard; a power of two */
	size_t cursor_shard; /* where rate_collect goes on */
	pthread_rwlock_t key_lock;
	uint8_t key[RATE_KEY_LEN];
};

_Static_assert(RATE_KEY_LEN == crypto_shorthash_siphashx24_KEYBYTES, "the hash's key");

struct rate_limiter *rate_new(const struct rate_policy policies[RATE_CLASS_COUNT], size_t cap)
{
	struct rate_limiter *limiter = calloc(1, sizeof *limiter);

	if (limiter == NULL)
		return NULL;
	rate_set_policies(limiter, policies);
	limiter->sets = 1;
	while (limiter->sets * RATE_WAYS * RATE_SHARDS < cap)
		limiter->sets *= 2;
	randombytes_buf(limiter->key, sizeof limiter->key);
	pthread_rwlock_init(&limiter->key_lock, NULL);
	for (size_t i = 0; i < RATE_SHARDS; i++) {
		pthread_mutex_init(&limiter->shards[i].lock, NULL);
		limiter->shards[i].buckets = calloc(limiter->sets * RATE_WAYS, sizeof(struct bucket));
		if (limiter->shards[i].buckets == NULL) {
			rate_free(&limiter);
			return NULL;
		}
	}
	return limiter;
}

void rate_free(struct rate_limiter **limiter)
{
	if (*limiter == NULL)
		return;
	for (size_t i = 0; i < RATE_SHARDS; i++) {
		if ((*limiter)->shards[i].buckets == NULL)
			continue;
		free((*limiter)->shards[i].buckets);
		pthread_mutex_destroy(&(*limiter)->shards[i].lock);
	}
	pthread_rwlock_destroy(&(*limiter)->key_lock);
	free(*limiter);
	*limiter = NULL;
}

const char *rate_class_name(enum rate_class class)
{
	static const char *const names[RATE_CLASS_COUNT] = {
		[RATE_ADDRESS] = "address",
		[RATE_PERSON] = "person",
		[RATE_CLIENT] = "client",
		[RATE_TENANT] = "tenant",
		[RATE_OPERATION] = "operation",
		[RATE_SIGN_IN] = "sign-in",
		[RATE_BAD_TOKEN] = "bad-token",
	};

	return names[class];
}

struct rate_policy rate_policy_of(const struct rate_limiter *limiter, enum rate_class class)
{
	const struct rate_policy *policy = &limiter->policies[class];

	return (struct rate_policy){.per_s = __atomic_load_n(&policy->per_s, __ATOMIC_RELAXED),
		.burst = __atomic_load_n(&policy->burst, __ATOMIC_RELAXED)};
}

void rate_set_policies(struct rate_limiter *limiter, const struct rate_policy policies[RATE_CLASS_COUNT])
{
	for (size_t i = 0; i < RATE_CLASS_COUNT; i++) {
		__atomic_store_n(&limiter->policies[i].per_s, policies[i].per_s, __ATOMIC_RELAXED);
		__atomic_store_n(&limiter->policies[i].burst, policies[i].burst, __ATOMIC_RELAXED);
	}
}

struct rate_answer rate_answer_init(void)
{
	return (struct rate_answer){.remaining = INT64_MAX};
}

void rate_key(struct rate_limiter *limiter, uint8_t key_out[RATE_KEY_LEN])
{
	pthread_rwlock_rdlock(&limiter->key_lock);
	memcpy(key_out, limiter->key, sizeof limiter->key);
	pthread_rwlock_unlock(&limiter->key_lock);
}

void rate_set_key(struct rate_limiter *limiter, const uint8_t key[RATE_KEY_LEN])
{
	pthread_rwlock_wrlock(&limiter->key_lock);
	memcpy(limiter->key, key, sizeof limiter->key);
	pthread_rwlock_unlock(&limiter->key_lock);
}

static void key_of(
	struct rate_limiter *limiter, enum rate_class class, const void *who, size_t who_len, uint64_t key_out[2])
{
	uint8_t text[80] = {(uint8_t) class};

	if (who_len > sizeof text - 1)
		who_len = sizeof text - 1;
	memcpy(text + 1, who, who_len);
	pthread_rwlock_rdlock(&limiter->key_lock);
	crypto_shorthash_siphashx24((uint8_t *)key_out, text, who_len + 1, limiter->key);
	pthread_rwlock_unlock(&limiter->key_lock);
	if (key_out[0] == 0 && key_out[1] == 0)
		key_out[0] = 1;
}

/* The bucket of this key, else the least recently used of its set, emptied: a flood of new keys cannot grow memory. */
static struct bucket *bucket_find(const struct rate_limiter *limiter, struct shard *shard, const uint64_t key[2],
	enum rate_class class, uint64_t now_us)
{
	struct bucket *set = shard->buckets + (key[1] & (limiter->sets - 1)) * RATE_WAYS;
	struct bucket *oldest = set;

	for (size_t i = 0; i < RATE_WAYS; i++) {
		if (set[i].key[0] == key[0] && set[i].key[1] == key[1])
			return &set[i];
		if (set[i].updated_us < oldest->updated_us)
			oldest = &set[i];
	}
	*oldest = (struct bucket){.key = {key[0], key[1]},
		.level = (double)rate_policy_of(limiter, class).burst,
		.updated_us = now_us,
		.class = (uint8_t) class};
	return oldest;
}

static void bucket_refill(struct bucket *bucket, const struct rate_policy *policy, uint64_t now_us)
{
	if (now_us > bucket->updated_us)
		bucket->level += (double)(now_us - bucket->updated_us) * (double)policy->per_s / 1e6;
	if (bucket->level > (double)policy->burst)
		bucket->level = (double)policy->burst;
	bucket->updated_us = now_us;
}

/* Until so many tokens have come back, at least one second and at most an hour. */
static uint32_t seconds_for(double tokens, const struct rate_policy *policy)
{
	const double wait_s = tokens / (double)policy->per_s;

	return wait_s < 1 ? 1 : wait_s > 3600 ? 3600 : (uint32_t)(wait_s + 0.999);
}

static void answer_merge(struct rate_answer *answer, enum rate_class class, const struct bucket *bucket,
	const struct rate_policy *policy, bool refused)
{
	const int64_t remaining = bucket->level > 0 ? (int64_t)bucket->level : 0;

	if (refused) {
		answer->refused = true;
		answer->class = class;
		answer->remaining = 0;
		answer->retry_after_s = seconds_for(1.0 - bucket->level, policy);
		answer->full_after_s = seconds_for((double)policy->burst - bucket->level, policy);
		return;
	}
	if (answer->refused || remaining >= answer->remaining)
		return;
	answer->class = class;
	answer->remaining = remaining;
	answer->full_after_s = seconds_for((double)policy->burst - bucket->level, policy);
}

static void rate_ask(struct rate_limiter *limiter, enum rate_class class, const void *who, size_t who_len,
	uint64_t now_us, bool take, struct rate_answer *answer)
{
	const struct rate_policy policy = rate_policy_of(limiter, class);
	struct shard *shard;
	struct bucket *bucket;
	uint64_t key[2];
	bool refused;

	if (policy.per_s <= 0 || answer->refused)
		return;
	key_of(limiter, class, who, who_len, key);
	shard = &limiter->shards[key[0] % RATE_SHARDS];
	pthread_mutex_lock(&shard->lock);
	bucket = bucket_find(limiter, shard, key, class, now_us);
	bucket_refill(bucket, &policy, now_us);
	refused = bucket->level < 1.0;
	if (take && !refused) {
		bucket->level -= 1.0;
		bucket->unsettled++;
	}
	if (take || refused)
		answer_merge(answer, class, bucket, &policy, refused);
	pthread_mutex_unlock(&shard->lock);
}

void rate_take(struct rate_limiter *limiter, enum rate_class class, const void *who, size_t who_len, uint64_t now_us,
	struct rate_answer *answer)
{
	rate_ask(limiter, class, who, who_len, now_us, true, answer);
}

void rate_look(struct rate_limiter *limiter, enum rate_class class, const void *who, size_t who_len, uint64_t now_us,
	struct rate_answer *answer)
{
	rate_ask(limiter, class, who, who_len, now_us, false, answer);
}

static size_t shard_collect(
	struct rate_limiter *limiter, struct shard *shard, struct rate_entry *entries_out, size_t cap)
{
	size_t count = 0;

	pthread_mutex_lock(&shard->lock);
	for (size_t i = 0; i < limiter->sets * RATE_WAYS && count < cap; i++) {
		struct bucket *bucket = &shard->buckets[i];

		if (bucket->unsettled == 0)
			continue;
		entries_out[count++] = (struct rate_entry){.key = {bucket->key[0], bucket->key[1]},
			.class = (enum rate_class)bucket->class,
			.taken = bucket->unsettled};
		bucket->unsettled = 0;
	}
	pthread_mutex_unlock(&shard->lock);
	return count;
}

size_t rate_collect(struct rate_limiter *limiter, struct rate_entry *entries_out, size_t cap)
{
	size_t count = 0;

	for (size_t i = 0; i < RATE_SHARDS && count < cap; i++) {
		count += shard_collect(
			limiter, &limiter->shards[limiter->cursor_shard], entries_out + count, cap - count);
		limiter->cursor_shard = (limiter->cursor_shard + 1) % RATE_SHARDS;
	}
	return count;
}

void rate_settle(struct rate_limiter *limiter, const struct rate_entry *entries, size_t count, uint64_t now_us)
{
	for (size_t i = 0; i < count; i++) {
		struct shard *shard = &limiter->shards[entries[i].key[0] % RATE_SHARDS];
		const struct rate_policy policy = rate_policy_of(limiter, entries[i].class);
		struct bucket *bucket;
		double level;

		pthread_mutex_lock(&shard->lock);
		bucket = bucket_find(limiter, shard, entries[i].key, entries[i].class, now_us);
		bucket_refill(bucket, &policy, now_us);
		level = entries[i].level - (double)bucket->unsettled;
		if (level < bucket->level)
			bucket->level = level;
		pthread_mutex_unlock(&shard->lock);
	}
}
