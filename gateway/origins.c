/* SPDX-License-Identifier: Apache-2.0 */
#include "origins.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define CALL_MS 2000
#define ARENA_MAX (8U << 20)
#define DIGEST_LEN 16

/* A pair by its digests: fixed size whatever is registered, and nothing of it can collide on purpose. */
struct pair {
	uint8_t origin[DIGEST_LEN];
	struct uuid client_id;
};

struct pairs {
	struct pair *items; /* room for ORIGINS_MAX; sorted by origin, then client, once taken */
	size_t count;
};

struct origins {
	struct context *context;
	pthread_t thread;
	bool started;
	uint8_t key[crypto_generichash_KEYBYTES];
	struct pairs next; /* the thread's own */
	pthread_rwlock_t lock;
	struct pairs held;
	/* Atomic. */
	uint64_t reads, failures, cut;
};

struct origins *origins_new(struct context *context)
{
	struct origins *origins = calloc(1, sizeof *origins);

	if (origins == NULL)
		return NULL;
	origins->context = context;
	randombytes_buf(origins->key, sizeof origins->key);
	pthread_rwlock_init(&origins->lock, NULL);
	return origins;
}

static void digest(const struct origins *origins, struct str origin, uint8_t digest_out[DIGEST_LEN])
{
	(void)crypto_generichash(
		digest_out, DIGEST_LEN, (const unsigned char *)origin.p, origin.len, origins->key, sizeof origins->key);
}

static int pair_order(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct pair));
}

static bool pair_add(struct pairs *pairs, const struct pair *pair)
{
	/* Doubled by the powers of two that a count passes. */
	if ((pairs->count & (pairs->count - 1)) == 0) {
		const size_t room = pairs->count == 0 ? 1 : 2 * pairs->count;
		struct pair *items = realloc(pairs->items, room * sizeof *items);

		if (items == NULL)
			return false;
		pairs->items = items;
	}
	pairs->items[pairs->count++] = *pair;
	return true;
}

bool origins_add(struct origins *origins, const struct origin_list *page)
{
	for (size_t i = 0; i < page->items.count; i++) {
		const struct client_origins *client = &page->items.items[i];

		for (size_t j = 0; j < client->origins.count; j++) {
			struct pair pair = {.client_id = client->client_id};

			digest(origins, client->origins.items[j], pair.origin);
			if (origins->next.count == ORIGINS_MAX || !pair_add(&origins->next, &pair))
				return false;
		}
	}
	return true;
}

void origins_take(struct origins *origins)
{
	struct pairs old;

	if (origins->next.count > 0)
		qsort(origins->next.items, origins->next.count, sizeof *origins->next.items, pair_order);
	pthread_rwlock_wrlock(&origins->lock);
	old = origins->held;
	origins->held = origins->next;
	pthread_rwlock_unlock(&origins->lock);
	free(old.items);
	origins->next = (struct pairs){NULL, 0};
}

/* The first pair that is not before the wanted one, under the lock. */
static const struct pair *pair_from(const struct pairs *pairs, const struct pair *wanted)
{
	size_t low = 0, high = pairs->count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (pair_order(&pairs->items[middle], wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < pairs->count ? &pairs->items[low] : NULL;
}

static bool origins_find(struct origins *origins, struct str origin, const struct uuid *client_id)
{
	struct pair wanted = {.client_id = client_id != NULL ? *client_id : UUID_NIL};
	const struct pair *found;
	bool allowed;

	if (origins == NULL || origin.len == 0 || origin.len > ORIGIN_TEXT_MAX)
		return false;
	digest(origins, origin, wanted.origin);
	pthread_rwlock_rdlock(&origins->lock);
	found = pair_from(&origins->held, &wanted);
	allowed = found != NULL && memcmp(found->origin, wanted.origin, DIGEST_LEN) == 0 &&
	          (client_id == NULL || uuid_eq(&found->client_id, client_id));
	pthread_rwlock_unlock(&origins->lock);
	return allowed;
}

bool origins_known(struct origins *origins, struct str origin)
{
	return origins_find(origins, origin, NULL);
}

bool origins_allow(struct origins *origins, struct str origin, const struct uuid *client_id)
{
	return origins_find(origins, origin, client_id);
}

/* All pages into `next`. */
static enum err origins_fetch(struct origins *origins, struct arena *arena)
{
	struct origin_list_request request = {.has_after = false};
	bool more = true;

	origins->next.count = 0;
	free(origins->next.items);
	origins->next.items = NULL;
	while (more) {
		struct origin_list page = {.has_items = false};
		enum err err;

		arena_reset(arena);
		err = context_call(origins->context, NULL, OPID_origin_list, &request, CALL_MS, arena, &page);
		if (err != OK)
			return err;
		if (!origins_add(origins, &page)) {
			__atomic_fetch_add(&origins->cut, 1, __ATOMIC_RELAXED);
			log_event(LOG_ERROR, "origins_cut", LOG_I("held", origins->next.count));
			return OK;
		}
		more = page.more && page.items.count > 0;
		if (more)
			request = (struct origin_list_request){
				.after = page.items.items[page.items.count - 1].client_id, .has_after = true};
	}
	return OK;
}

static void *origins_main(void *arg)
{
	struct origins *origins = arg;
	struct arena *arena = arena_new(ARENA_MAX);

	while (arena != NULL && !context_stopping(origins->context)) {
		const enum err err = origins_fetch(origins, arena);
		const uint64_t until_us = clock_monotonic_us() + ORIGINS_EVERY_MS * 1000;

		__atomic_fetch_add(err == OK ? &origins->reads : &origins->failures, 1, __ATOMIC_RELAXED);
		if (err == OK)
			origins_take(origins);
		/* Pokes are for others; only the end of the process is not waited through. */
		while (!context_stopping(origins->context) && clock_monotonic_us() < until_us)
			context_wait(origins->context, (until_us - clock_monotonic_us()) / 1000 + 1);
	}
	arena_free(&arena);
	return NULL;
}

enum err origins_start(struct origins *origins)
{
	origins->started = pthread_create(&origins->thread, NULL, origins_main, origins) == 0;
	return origins->started ? OK : ERR_OVERLOADED;
}

void origins_free(struct origins **origins)
{
	if (*origins == NULL)
		return;
	if ((*origins)->started)
		pthread_join((*origins)->thread, NULL);
	free((*origins)->held.items);
	free((*origins)->next.items);
	pthread_rwlock_destroy(&(*origins)->lock);
	free(*origins);
	*origins = NULL;
}

void origins_write(struct origins *origins, struct buf *out)
{
	size_t held;

	pthread_rwlock_rdlock(&origins->lock);
	held = origins->held.count;
	pthread_rwlock_unlock(&origins->lock);
	buf_printf(out,
		"# TYPE berth_edge_origins gauge\nberth_edge_origins %zu\n"
		"# TYPE berth_edge_origins_reads_total counter\nberth_edge_origins_reads_total %llu\n"
		"# TYPE berth_edge_origins_failures_total counter\nberth_edge_origins_failures_total %llu\n"
		"# TYPE berth_edge_origins_cut_total counter\nberth_edge_origins_cut_total %llu\n",
		held, (unsigned long long)__atomic_load_n(&origins->reads, __ATOMIC_RELAXED),
		(unsigned long long)__atomic_load_n(&origins->failures, __ATOMIC_RELAXED),
		(unsigned long long)__atomic_load_n(&origins->cut, __ATOMIC_RELAXED));
}
