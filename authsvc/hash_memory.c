/* SPDX-License-Identifier: Apache-2.0 */
#include "hash_memory.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sodium.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/log.h"
#include "hasher.h"

#define HUGE_PAGE ((size_t)2 << 20)
#define BLOCK_LEN ((size_t)HASHER_MEMLIMIT)
/* In whole large pages, wherever the mapping begins. */
#define MAPPED_LEN (((BLOCK_LEN + HUGE_PAGE - 1) / HUGE_PAGE + 1) * HUGE_PAGE)

typedef void *map_fn(void *, size_t, int, int, int, off_t);
typedef int unmap_fn(void *, size_t);

/*
 * In place of the C library's, under the names that libsodium calls, for the whole process. ThreadSanitizer has its own
 * in that place, and maps before there is anybody to ask for the next one: with it nothing is kept.
 */
#if defined(__SANITIZE_THREAD__)
#define IN_PLACE_OF(name)
#else
#define IN_PLACE_OF(name) __asm__(name)
#endif
void *hash_memory_map(void *wanted, size_t len, int prot, int flags, int fd, off_t offset) IN_PLACE_OF("mmap");
int hash_memory_unmap(void *start, size_t len) IN_PLACE_OF("munmap");

struct block {
	void *mapped; /* NULL: there is none */
	uint8_t *start;
	bool lent;
	uint64_t given_us;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct block blocks[HASH_MEMORY_BLOCKS_MAX];
static _Thread_local bool entered;

/* What this name means to everybody else. */
static void *next_of(const char *name, void **known)
{
	void *found = __atomic_load_n(known, __ATOMIC_RELAXED);

	if (found == NULL) {
		found = dlsym(RTLD_NEXT, name);
		INVARIANT(found != NULL);
		__atomic_store_n(known, found, __ATOMIC_RELAXED);
	}
	return found;
}

static map_fn *next_mmap(void)
{
	static void *known;

	return (map_fn *)next_of("mmap", &known);
}

static unmap_fn *next_munmap(void)
{
	static void *known;

	return (unmap_fn *)next_of("munmap", &known);
}

static bool block_map(struct block *block)
{
	void *mapped = next_mmap()(NULL, MAPPED_LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (mapped == MAP_FAILED)
		return false;
	block->mapped = mapped;
	block->start = (uint8_t *)(((uintptr_t)mapped + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE);
	/* Without large pages it is as good, only slower. */
	(void)madvise(block->start, BLOCK_LEN, MADV_HUGEPAGE);
	(void)madvise(mapped, MAPPED_LEN, MADV_DONTDUMP);
	return true;
}

/* NULL: all are lent, or there is no memory. */
static void *block_lend(void)
{
	struct block *free_block = NULL;
	void *start = NULL;

	(void)pthread_mutex_lock(&mutex);
	for (size_t i = 0; i < HASH_MEMORY_BLOCKS_MAX; i++) {
		if (blocks[i].lent)
			continue;
		/* One that is there goes first. */
		if (free_block == NULL || (free_block->mapped == NULL && blocks[i].mapped != NULL))
			free_block = &blocks[i];
	}
	if (free_block != NULL && (free_block->mapped != NULL || block_map(free_block))) {
		free_block->lent = true;
		start = free_block->start;
	}
	(void)pthread_mutex_unlock(&mutex);
	return start;
}

/* False when it is none of ours. */
static bool block_take_back(void *start)
{
	struct block *block = NULL;

	(void)pthread_mutex_lock(&mutex);
	for (size_t i = 0; i < HASH_MEMORY_BLOCKS_MAX && block == NULL; i++)
		if (blocks[i].lent && blocks[i].start == start)
			block = &blocks[i];
	(void)pthread_mutex_unlock(&mutex);
	if (block == NULL)
		return false;
	sodium_memzero(start, BLOCK_LEN);
	(void)pthread_mutex_lock(&mutex);
	block->lent = false;
	block->given_us = clock_monotonic_us();
	(void)pthread_mutex_unlock(&mutex);
	return true;
}

void *hash_memory_map(void *wanted, size_t len, int prot, int flags, int fd, off_t offset)
{
	void *start = NULL;

	if (entered && wanted == NULL && len == BLOCK_LEN && fd == -1 && (flags & MAP_ANONYMOUS) != 0)
		start = block_lend();
	return start != NULL ? start : next_mmap()(wanted, len, prot, flags, fd, offset);
}

int hash_memory_unmap(void *start, size_t len)
{
	if (entered && len == BLOCK_LEN && block_take_back(start))
		return 0;
	return next_munmap()(start, len);
}

void hash_memory_enter(void)
{
	entered = true;
}

void hash_memory_leave(void)
{
	entered = false;
}

void hash_memory_age(uint64_t now_us)
{
	(void)pthread_mutex_lock(&mutex);
	for (size_t i = 0; i < HASH_MEMORY_BLOCKS_MAX; i++) {
		struct block *block = &blocks[i];

		if (block->mapped == NULL || block->lent || now_us < block->given_us + HASH_MEMORY_KEPT_US)
			continue;
		(void)next_munmap()(block->mapped, MAPPED_LEN);
		*block = (struct block){0};
	}
	(void)pthread_mutex_unlock(&mutex);
}

size_t hash_memory_kept(bool *clean_out)
{
	size_t kept = 0;

	*clean_out = true;
	(void)pthread_mutex_lock(&mutex);
	for (size_t i = 0; i < HASH_MEMORY_BLOCKS_MAX; i++) {
		if (blocks[i].mapped == NULL)
			continue;
		kept++;
		if (!blocks[i].lent && sodium_is_zero(blocks[i].start, BLOCK_LEN) == 0)
			*clean_out = false;
	}
	(void)pthread_mutex_unlock(&mutex);
	return kept;
}
