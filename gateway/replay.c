/* SPDX-License-Identifier: Apache-2.0 */
#include "replay.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "token/dpop.h"

#define WAYS 32 /* at half its room, a set that is full is one of millions */
#define KEY_LEN 16
#define LOCKS 64

struct replay_set {
	uint8_t key[WAYS][KEY_LEN];
	uint32_t until_s[WAYS]; /* after `since`; 0: free */
};

struct replay {
	uint8_t secret[crypto_generichash_KEYBYTES]; /* so that nobody can aim at one set */
	instant_us since;
	size_t set_count; /* a power of two */
	struct replay_set *sets;
	pthread_mutex_t locks[LOCKS];
};

struct replay *replay_new(size_t entries, instant_us since)
{
	struct replay *replay = calloc(1, sizeof(*replay));
	size_t set_count = 1;

	if (replay == NULL)
		return NULL;
	while (set_count * WAYS < entries)
		set_count *= 2;
	replay->since = since - since % US_PER_S;
	replay->set_count = set_count;
	/* calloc: memory that no proof has touched is not there yet. */
	if ((replay->sets = calloc(set_count, sizeof(*replay->sets))) == NULL) {
		free(replay);
		return NULL;
	}
	for (size_t i = 0; i < LOCKS; i++)
		pthread_mutex_init(&replay->locks[i], NULL);
	randombytes_buf(replay->secret, sizeof(replay->secret));
	return replay;
}

void replay_free(struct replay **replay)
{
	struct replay *dying = *replay;

	*replay = NULL;
	if (dying == NULL)
		return;
	for (size_t i = 0; i < LOCKS; i++)
		pthread_mutex_destroy(&dying->locks[i]);
	free(dying->sets);
	free(dying);
}

static enum err set_spend(struct replay_set *set, const uint8_t *key, uint32_t until_s, int64_t now_s)
{
	size_t way = WAYS;

	for (size_t i = 0; i < WAYS; i++) {
		if (set->until_s[i] == 0 || (int64_t)set->until_s[i] <= now_s)
			way = i;
		else if (memcmp(set->key[i], key, KEY_LEN) == 0)
			return ERR_CONFLICT;
	}
	if (way == WAYS)
		return ERR_OVERLOADED;
	memcpy(set->key[way], key, KEY_LEN);
	set->until_s[way] = until_s;
	return OK;
}

enum err replay_spend(struct replay *replay, const uint8_t use[REPLAY_USE_LEN], instant_us expires_at, instant_us now)
{
	uint8_t hash[KEY_LEN + sizeof(uint64_t)];
	const int64_t until_s = (expires_at - replay->since + US_PER_S - 1) / US_PER_S;
	const int64_t now_s = (now - replay->since) / US_PER_S;
	uint64_t at;
	enum err err;

	if (expires_at - DPOP_PAST_US < replay->since || until_s <= 0 || until_s > UINT32_MAX)
		return ERR_CONFLICT;
	(void)crypto_generichash(hash, sizeof(hash), use, REPLAY_USE_LEN, replay->secret, sizeof(replay->secret));
	memcpy(&at, hash + KEY_LEN, sizeof(at));
	at &= replay->set_count - 1;
	pthread_mutex_lock(&replay->locks[at % LOCKS]);
	err = set_spend(&replay->sets[at], hash, (uint32_t)until_s, now_s);
	pthread_mutex_unlock(&replay->locks[at % LOCKS]);
	return err;
}
