/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <sodium.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#endif

/* Under AddressSanitizer, what was not handed out is poisoned and items stand apart, so that overruns show. */
#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
#define ARENA_POISON(p, len) ASAN_POISON_MEMORY_REGION((p), (len))
#define ARENA_UNPOISON(p, len) ASAN_UNPOISON_MEMORY_REGION((p), (len))
#define ARENA_GAP 16
#else
#define ARENA_POISON(p, len) ((void)(p), (void)(len))
#define ARENA_UNPOISON(p, len) ((void)(p), (void)(len))
#define ARENA_GAP 0
#endif

#define ARENA_ALIGN alignof(max_align_t)
#define ARENA_FIRST_BLOCK 16384
#define ARENA_BLOCK_MAX (1024 * 1024)

struct arena_block {
	struct arena_block *older;
	size_t room;
	size_t used;
	alignas(max_align_t) unsigned char bytes[];
};

struct arena {
	struct arena_block *newest;
	size_t cap;
	size_t taken;
	size_t block_len; /* of the next block */
};

static struct arena_block *block_new(size_t room, struct arena_block *older)
{
	struct arena_block *block;

	if (room > SIZE_MAX - sizeof(*block) || (block = malloc(sizeof(*block) + room)) == NULL)
		return NULL;
	block->older = older;
	block->room = room;
	block->used = 0;
	ARENA_POISON(block->bytes, room);
	return block;
}

/* What was kept here may have been a secret: a password on its way, a token. */
static void block_wipe(struct arena_block *block)
{
	ARENA_UNPOISON(block->bytes, block->room);
	if (block->used > 0)
		sodium_memzero(block->bytes, block->used);
	block->used = 0;
}

static void block_free(struct arena_block *block)
{
	block_wipe(block);
	free(block);
}

struct arena *arena_new(size_t cap_bytes)
{
	struct arena *arena = calloc(1, sizeof(*arena));

	if (arena == NULL)
		return NULL;
	arena->cap = cap_bytes;
	arena->block_len = ARENA_FIRST_BLOCK;
	arena->newest = block_new(ARENA_FIRST_BLOCK, NULL);
	if (arena->newest == NULL) {
		free(arena);
		return NULL;
	}
	return arena;
}

void arena_free(struct arena **arena)
{
	if (*arena == NULL)
		return;
	for (struct arena_block *block = (*arena)->newest, *older; block != NULL; block = older) {
		older = block->older;
		block_free(block);
	}
	free(*arena);
	*arena = NULL;
}

void arena_reset(struct arena *arena)
{
	while (arena->newest->older != NULL) {
		struct arena_block *block = arena->newest;

		arena->newest = block->older;
		block_free(block);
	}
	block_wipe(arena->newest);
	arena->taken = 0;
	arena->block_len = ARENA_FIRST_BLOCK;
	ARENA_POISON(arena->newest->bytes, arena->newest->room);
}

/* A block that holds `need` bytes becomes the newest; sizes double, so that a full arena is a handful of blocks. */
static bool arena_grow(struct arena *arena, size_t need)
{
	struct arena_block *block;
	size_t len = arena->block_len < ARENA_BLOCK_MAX ? arena->block_len * 2 : ARENA_BLOCK_MAX;

	arena->block_len = len;
	block = block_new(need > len ? need : len, arena->newest);
	if (block == NULL)
		return false;
	arena->newest = block;
	return true;
}

static void *arena_take_raw(struct arena *arena, size_t len)
{
	struct arena_block *block = arena->newest;
	size_t need;
	void *p;

	if (len > arena->cap || len > SIZE_MAX - ARENA_ALIGN - ARENA_GAP)
		return NULL;
	need = (len + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
	if (len > arena->cap - arena->taken)
		return NULL;
	if (need + ARENA_GAP > block->room - block->used) {
		if (!arena_grow(arena, need + ARENA_GAP))
			return NULL;
		block = arena->newest;
	}
	p = block->bytes + block->used;
	ARENA_UNPOISON(p, len);
	block->used += need + ARENA_GAP;
	arena->taken = need > arena->cap - arena->taken ? arena->cap : arena->taken + need;
	return p;
}

void *arena_take(struct arena *arena, size_t len)
{
	void *p = arena_take_raw(arena, len);

	if (p != NULL && len > 0)
		memset(p, 0, len);
	return p;
}

void *arena_take_array(struct arena *arena, size_t count, size_t item_len)
{
	size_t len;

	if (__builtin_mul_overflow(count, item_len, &len))
		return NULL;
	return arena_take(arena, len);
}

struct str arena_copy(struct arena *arena, struct str s)
{
	char *p;

	if (s.len == SIZE_MAX || (p = arena_take_raw(arena, s.len + 1)) == NULL)
		return STR_NONE;
	if (s.len > 0)
		memcpy(p, s.p, s.len);
	p[s.len] = '\0';
	return (struct str){p, s.len};
}

struct str arena_printf(struct arena *arena, const char *fmt, ...)
{
	va_list args;
	char *p;
	int len;

	va_start(args, fmt);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (len < 0 || (p = arena_take_raw(arena, (size_t)len + 1)) == NULL)
		return STR_NONE;
	va_start(args, fmt);
	(void)vsnprintf(p, (size_t)len + 1, fmt, args);
	va_end(args);
	return (struct str){p, (size_t)len};
}

size_t arena_used(const struct arena *arena)
{
	return arena->taken;
}
