/* SPDX-License-Identifier: Apache-2.0 */
#include "token/revocation.h"

#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Open addressing with linear probing; entries leave only when the sweep builds the table anew, so no tombstones. */
struct entry {
	bool taken;
	uint8_t kind;
	struct uuid id; /* of a client: the hash of its id */
	instant_us issued_before;
	instant_us until;
};

struct revocations {
	uint8_t secret[crypto_shorthash_KEYBYTES]; /* nobody outside can aim at one chain of slots */
	size_t cap;
	size_t slot_count; /* a power of two, at least twice the cap */
	pthread_mutex_t writer;
	pthread_rwlock_t lock; /* guards what `slots` points to */
	struct entry *slots;
	struct entry *spare; /* the sweep's */
	instant_us earliest; /* the writers': nothing runs out before */
	atomic_size_t count;
	_Atomic instant_us distrusted;
};

static bool make_locks(struct revocations *set)
{
	pthread_rwlockattr_t attr;
	bool made = false;

	if (pthread_rwlockattr_init(&attr) != 0)
		return false;
	/* Loops that read all the time must not keep a revocation out. */
	if (pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP) == 0 &&
		pthread_rwlock_init(&set->lock, &attr) == 0) {
		made = pthread_mutex_init(&set->writer, NULL) == 0;
		if (!made)
			(void)pthread_rwlock_destroy(&set->lock);
	}
	(void)pthread_rwlockattr_destroy(&attr);
	return made;
}

struct revocations *revocation_new(size_t cap)
{
	struct revocations *set = NULL;
	size_t slot_count = 16;

	if (cap == 0 || cap > SIZE_MAX / (8 * sizeof(struct entry)))
		return NULL;
	while (slot_count < 2 * cap)
		slot_count *= 2;
	if ((set = calloc(1, sizeof(*set))) == NULL)
		return NULL;
	set->cap = cap;
	set->slot_count = slot_count;
	set->slots = calloc(slot_count, sizeof(*set->slots));
	set->spare = calloc(slot_count, sizeof(*set->spare));
	set->earliest = INSTANT_MAX;
	if (set->slots == NULL || set->spare == NULL || !make_locks(set)) {
		free(set->slots);
		free(set->spare);
		free(set);
		return NULL;
	}
	random_bytes(set->secret, sizeof(set->secret));
	return set;
}

void revocation_free(struct revocations **set)
{
	struct revocations *gone = *set;

	*set = NULL;
	if (gone == NULL)
		return;
	(void)pthread_mutex_destroy(&gone->writer);
	(void)pthread_rwlock_destroy(&gone->lock);
	free(gone->slots);
	free(gone->spare);
	free(gone);
}

static struct uuid id_of_client(struct str client_id)
{
	struct uuid id;

	(void)crypto_generichash(id.b, sizeof(id.b), (const unsigned char *)client_id.p, client_id.len, NULL, 0);
	return id;
}

/* The slot that holds (kind, id), or the free one where it belongs; half the slots are free, so it ends. */
static struct entry *slot_of(
	const struct revocations *set, struct entry *slots, enum revocation_kind kind, const struct uuid *id)
{
	uint8_t text[1 + sizeof(id->b)] = {(uint8_t)kind};
	uint8_t hash[crypto_shorthash_BYTES];
	uint64_t at;

	memcpy(text + 1, id->b, sizeof(id->b));
	(void)crypto_shorthash(hash, text, sizeof(text), set->secret);
	memcpy(&at, hash, sizeof(at));
	for (;; at++) {
		struct entry *slot = &slots[at & (set->slot_count - 1)];

		if (!slot->taken || (slot->kind == kind && uuid_eq(&slot->id, id)))
			return slot;
	}
}

void revocation_distrust(struct revocations *set, instant_us at)
{
	instant_us seen = atomic_load(&set->distrusted);

	while (at > seen && !atomic_compare_exchange_weak(&set->distrusted, &seen, at)) {}
}

static instant_us later(instant_us a, instant_us b)
{
	return a > b ? a : b;
}

static instant_us earlier(instant_us a, instant_us b)
{
	return a < b ? a : b;
}

/* Builds the table anew without what has run out. The writer's lock is held. */
static void rebuild(struct revocations *set, instant_us now)
{
	struct entry *old = set->slots;
	size_t count = 0;

	if (set->earliest > now)
		return;
	set->earliest = INSTANT_MAX;
	memset(set->spare, 0, set->slot_count * sizeof(*set->spare));
	for (size_t i = 0; i < set->slot_count; i++) {
		if (!old[i].taken || old[i].until <= now)
			continue;
		*slot_of(set, set->spare, (enum revocation_kind)old[i].kind, &old[i].id) = old[i];
		set->earliest = earlier(set->earliest, old[i].until);
		count++;
	}
	(void)pthread_rwlock_wrlock(&set->lock);
	set->slots = set->spare;
	atomic_store(&set->count, count);
	(void)pthread_rwlock_unlock(&set->lock);
	set->spare = old;
}

static void put(struct revocations *set, const struct entry *entry, instant_us now)
{
	struct entry *slot = slot_of(set, set->slots, (enum revocation_kind)entry->kind, &entry->id);

	if (!slot->taken && atomic_load(&set->count) >= set->cap) {
		rebuild(set, now);
		slot = slot_of(set, set->slots, (enum revocation_kind)entry->kind, &entry->id);
	}
	if (!slot->taken && atomic_load(&set->count) >= set->cap) {
		/* The issuer's clock may be ahead of ours by as much as verification tolerates. */
		revocation_distrust(set, now + TOKEN_LEEWAY_US);
		return;
	}
	set->earliest = earlier(set->earliest, entry->until);
	(void)pthread_rwlock_wrlock(&set->lock);
	if (slot->taken) {
		slot->issued_before = later(slot->issued_before, entry->issued_before);
		slot->until = later(slot->until, entry->until);
	} else {
		*slot = *entry;
		atomic_fetch_add(&set->count, 1);
	}
	(void)pthread_rwlock_unlock(&set->lock);
}

enum err revocation_add(struct revocations *set, const struct revocation *revocation, instant_us now)
{
	struct entry entry = {.taken = true,
		.kind = (uint8_t)revocation->kind,
		.id = revocation->id,
		.issued_before = INSTANT_MAX,
		.until = revocation->until};

	if (revocation->kind > REVOCATION_TENANT)
		return ERR_BAD_FIELD;
	if (revocation->kind == REVOCATION_CLIENT) {
		if (!jwk_kid_ok(revocation->client_id))
			return ERR_BAD_FIELD;
		entry.id = id_of_client(revocation->client_id);
	} else if (uuid_is_nil(&revocation->id)) {
		return ERR_BAD_FIELD;
	}
	if (revocation->kind != REVOCATION_SESSION && revocation->kind != REVOCATION_TOKEN)
		entry.issued_before = revocation->issued_before;
	if (revocation->until <= now)
		return OK; /* all that it covers has expired */
	(void)pthread_mutex_lock(&set->writer);
	put(set, &entry, now);
	(void)pthread_mutex_unlock(&set->writer);
	return OK;
}

static bool covered(
	const struct revocations *set, enum revocation_kind kind, const struct uuid *id, const struct token *token)
{
	const struct entry *slot = slot_of(set, set->slots, kind, id);

	return slot->taken && token->issued_at <= slot->issued_before;
}

bool revocation_hit(const struct revocations *set, const struct token *token)
{
	struct revocations *locked = (struct revocations *)(uintptr_t)set; /* only the lock changes */
	struct uuid client;
	bool hit;

	if (token->issued_at <= atomic_load(&locked->distrusted))
		return true;
	if (atomic_load(&locked->count) == 0)
		return false;
	client = id_of_client(str_from(token->client_id));
	(void)pthread_rwlock_rdlock(&locked->lock);
	hit = covered(set, REVOCATION_SESSION, &token->session_id, token) ||
	      covered(set, REVOCATION_TOKEN, &token->token_id, token) ||
	      covered(set, REVOCATION_PERSON, &token->person_id, token) ||
	      covered(set, REVOCATION_CLIENT, &client, token) ||
	      covered(set, REVOCATION_TENANT, &token->tenant_id, token);
	(void)pthread_rwlock_unlock(&locked->lock);
	return hit;
}

void revocation_sweep(struct revocations *set, instant_us now)
{
	instant_us distrusted = atomic_load(&set->distrusted);

	/* Nothing issued up to then can still be alive. */
	if (distrusted != 0 && distrusted + TOKEN_LIFE_MAX_US + US_PER_S < now)
		(void)atomic_compare_exchange_strong(&set->distrusted, &distrusted, 0);
	if (atomic_load(&set->count) == 0)
		return;
	(void)pthread_mutex_lock(&set->writer);
	rebuild(set, now);
	(void)pthread_mutex_unlock(&set->writer);
}

size_t revocation_count(const struct revocations *set)
{
	return atomic_load(&set->count);
}

instant_us revocation_overflowed(const struct revocations *set)
{
	return atomic_load(&set->distrusted);
}
