/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "seal/seal.h"
#include "seal/seal_private.h"

/*
 * Hostile ciphertext and hostile wrapped keys: neither opens, nothing is read past its end. The first byte chooses;
 * what was sealed here and then changed is tried as well, so that the fuzzer starts from the inside.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct key_epoch masters[] = {{2, {2}}, {1, {1}}};
static const struct uuid tenant = {{1}}, row = {{2}};
static struct seal *seal;
static struct seal_key *key;
static struct arena *arena;

static void set_up(void)
{
	if (seal)
		return;
	log_init("fuzz", LOG_ERROR + 1); /* every refusal is an alarm */
	arena = arena_new(4 << 20);
	if (!arena || seal_new("fuzz", masters, 2, &masters[0], &seal) != OK || !(key = seal_key_take(seal)))
		abort();
	random_bytes(key->key, SEAL_KEY_LEN);
}

static void open_hostile(const struct seal_place *place, struct str input)
{
	struct str plain;

	/* A forgery of 2^-128 apart, only what came from seal_field opens. */
	if (seal_open(key, place, input, arena, &plain) == OK && input.p)
		abort();
}

static void open_changed(const struct seal_place *place, struct str input)
{
	struct str sealed, plain;
	char *p;

	if (input.len < 3 || seal_field(key, place, input, arena, &sealed) != OK)
		return;
	if (!(p = arena_take(arena, sealed.len)))
		return;
	memcpy(p, sealed.p, sealed.len);
	p[((size_t)(uint8_t)input.p[0] << 8 | (uint8_t)input.p[1]) % sealed.len] ^= (char)(input.p[2] | 1);
	if (seal_open(key, place, (struct str){p, sealed.len}, arena, &plain) == OK)
		abort();
	if (seal_open(key, place, sealed, arena, &plain) != OK || !str_eq(plain, input))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seal_place place = {&tenant, "table", "column", &row};
	struct seal_owner owner = {tenant, row};
	uint8_t out[SEAL_KEY_LEN];
	struct str input;

	set_up();
	if (size == 0)
		return 0;
	input = (struct str){(const char *)data + 1, size - 1};
	if (data[0] % 3 == 0)
		open_hostile(&place, input);
	else if (data[0] % 3 == 1)
		open_changed(&place, input);
	else if (seal_unwrap(seal, &owner, data[0] / 64, input, out) == OK)
		abort();
	arena_reset(arena);
	return 0;
}
