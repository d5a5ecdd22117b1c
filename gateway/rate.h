/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GATEWAY_RATE_H
#define BERTH_GATEWAY_RATE_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/id.h"

/*
 * Token buckets by address, person, client, tenant, operation of one caller, address at sign-in, and address of tokens
 * that do not verify. The loops decide from the bucket held here and never wait; what they took is settled with Redis
 * in the background by one script (store_cache.h), whose answer becomes the level held. With Redis away the buckets
 * held here go on alone: limits are then per gateway, never off. Thread-safe.
 */
enum rate_class {
	RATE_ADDRESS,
	RATE_PERSON,
	RATE_CLIENT,
	RATE_TENANT,
	RATE_OPERATION,
	RATE_SIGN_IN,
	RATE_BAD_TOKEN,
	RATE_CLASS_COUNT
};

struct rate_policy {
	int64_t per_s; /* tokens that come back each second; 0: no limit of this class */
	int64_t burst; /* tokens at most */
};

struct rate_limiter;

/* What a client is told: of the class with the least left. */
struct rate_answer {
	bool refused;
	enum rate_class class;
	int64_t remaining;
	uint32_t retry_after_s;
	uint32_t full_after_s; /* until the bucket is full again, if nothing more is taken */
};

struct rate_limiter *rate_new(
	const struct rate_policy policies[RATE_CLASS_COUNT], size_t cap); /* NULL without memory */
void rate_free(struct rate_limiter **limiter);
/*
 * Takes one token of (class, who) and merges the outcome into `answer` (start from zero: all bits 0 with remaining
 * INT64_MAX by rate_answer_init). `who` is hashed with a random key: no address or id is kept.
 */
void rate_take(struct rate_limiter *limiter, enum rate_class class, const void *who, size_t who_len, uint64_t now_us,
	struct rate_answer *answer);
/* Refuses as rate_take does when no token is left, but takes none and tells nothing of what is left. */
void rate_look(struct rate_limiter *limiter, enum rate_class class, const void *who, size_t who_len, uint64_t now_us,
	struct rate_answer *answer);
struct rate_answer rate_answer_init(void);
const char *rate_class_name(enum rate_class class);
struct rate_policy rate_policy_of(const struct rate_limiter *limiter, enum rate_class class);
/* From now on; levels above a smaller burst are cut to it when they are next looked at. */
void rate_set_policies(struct rate_limiter *limiter, const struct rate_policy policies[RATE_CLASS_COUNT]);

/* Settling: what was taken since the last time, at most `cap` entries; then the levels that Redis answered. */
struct rate_entry {
	uint64_t key[2]; /* keyed hash, the same in every gateway that shares the hash key */
	enum rate_class class;
	int64_t taken;
	double level;
};
size_t rate_collect(struct rate_limiter *limiter, struct rate_entry *entries_out, size_t cap);
/* Only ever lowers a level: what was taken here stays taken, also when Redis has forgotten it. */
void rate_settle(struct rate_limiter *limiter, const struct rate_entry *entries, size_t count, uint64_t now_us);
/* Every gateway of a deployment uses one key, kept in Redis; until it is known the process's own. */
#define RATE_KEY_LEN 16
void rate_key(struct rate_limiter *limiter, uint8_t key_out[RATE_KEY_LEN]);
void rate_set_key(struct rate_limiter *limiter, const uint8_t key[RATE_KEY_LEN]);

#endif
