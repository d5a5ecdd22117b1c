/* SPDX-License-Identifier: Apache-2.0 */
#include "base/id.h"

#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

/*
 * Random bytes for ids are drawn from the kernel a page at a time: a system call each would cost more than the id. Used
 * bytes are wiped, and a child of fork starts with an empty pool, or it would repeat its parent's ids.
 */
#define ID_POOL_LEN 1024

struct id_state {
	uint8_t pool[ID_POOL_LEN];
	size_t left;
	unsigned fork_count;
	uint64_t last_ms;
	uint64_t last_a; /* 12 bits */
	uint64_t last_b; /* 62 bits */
};

static _Thread_local struct id_state id_state;
static atomic_uint id_fork_count = 1;
static pthread_once_t id_once = PTHREAD_ONCE_INIT;

static void id_forked(void)
{
	atomic_fetch_add(&id_fork_count, 1);
}

static void id_start(void)
{
	if (sodium_init() < 0 || pthread_atfork(NULL, NULL, id_forked) != 0)
		abort();
}

void random_bytes(void *out, size_t len)
{
	(void)pthread_once(&id_once, id_start);
	randombytes_buf(out, len);
}

static uint64_t pool_u64(struct id_state *state)
{
	uint64_t value;

	if (state->left < sizeof(value)) {
		random_bytes(state->pool, sizeof(state->pool));
		state->left = sizeof(state->pool);
	}
	state->left -= sizeof(value);
	memcpy(&value, state->pool + state->left, sizeof(value));
	memset(state->pool + state->left, 0, sizeof(value));
	return value;
}

/* RFC 9562 section 6.2, method 2: within one millisecond the random part grows by a random step. */
static void id_advance(struct id_state *state, uint64_t now_ms)
{
	const uint64_t b_max = (UINT64_C(1) << 62) - 1;
	uint64_t step;

	if (now_ms > state->last_ms) {
		state->last_ms = now_ms;
		/* The top bit stays free, so that a millisecond has room to count on. */
		state->last_a = pool_u64(state) & 0x7ff;
		state->last_b = pool_u64(state) & b_max;
		return;
	}
	step = (pool_u64(state) & UINT32_MAX) + 1;
	if (step <= b_max - state->last_b) {
		state->last_b += step;
		return;
	}
	state->last_b = pool_u64(state) & (b_max >> 1);
	if (state->last_a < 0xfff) {
		state->last_a++;
		return;
	}
	state->last_ms++;
	state->last_a = pool_u64(state) & 0x7ff;
}

struct uuid uuid_new(void)
{
	struct id_state *state = &id_state;
	unsigned fork_count;
	struct uuid id;
	uint64_t high, low;

	(void)pthread_once(&id_once, id_start);
	fork_count = atomic_load_explicit(&id_fork_count, memory_order_relaxed);
	if (state->fork_count != fork_count)
		*state = (struct id_state){.fork_count = fork_count};
	id_advance(state, (uint64_t)clock_now_us() / 1000);
	high = __builtin_bswap64(state->last_ms << 16 | UINT64_C(0x7000) | state->last_a);
	low = __builtin_bswap64(UINT64_C(0x8000000000000000) | state->last_b);
	memcpy(id.b, &high, 8);
	memcpy(id.b + 8, &low, 8);
	return id;
}

bool uuid_is_nil(const struct uuid *id)
{
	static const struct uuid nil = UUID_NIL;

	return memcmp(id->b, nil.b, sizeof(id->b)) == 0;
}

bool uuid_eq(const struct uuid *a, const struct uuid *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

int uuid_cmp(const struct uuid *a, const struct uuid *b)
{
	return memcmp(a->b, b->b, sizeof(a->b));
}

/* Where each byte's two digits stand in the text. */
static const uint8_t uuid_places[16] = {0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34};

void uuid_format(const struct uuid *id, char text_out[UUID_TEXT_LEN + 1])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < 16; i++) {
		text_out[uuid_places[i]] = digits[id->b[i] >> 4];
		text_out[uuid_places[i] + 1] = digits[id->b[i] & 15];
	}
	text_out[8] = text_out[13] = text_out[18] = text_out[23] = '-';
	text_out[UUID_TEXT_LEN] = '\0';
}

struct str uuid_text(struct arena *arena, const struct uuid *id)
{
	char text[UUID_TEXT_LEN + 1];

	uuid_format(id, text);
	return arena_copy(arena, (struct str){text, UUID_TEXT_LEN});
}

static unsigned hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned)(c - 'A') + 10;
	return 256;
}

enum err uuid_parse(struct str text, struct uuid *id_out)
{
	struct uuid id;
	unsigned bad = 0;

	*id_out = UUID_NIL;
	if (text.len != UUID_TEXT_LEN || text.p[8] != '-' || text.p[13] != '-' || text.p[18] != '-' ||
		text.p[23] != '-')
		return ERR_BAD_FIELD;
	for (size_t i = 0; i < 16; i++) {
		unsigned high = hex_value(text.p[uuid_places[i]]);
		unsigned low = hex_value(text.p[uuid_places[i] + 1]);

		bad |= high | low;
		id.b[i] = (uint8_t)(high << 4 | (low & 15));
	}
	if (bad > 15)
		return ERR_BAD_FIELD;
	*id_out = id;
	return OK;
}
