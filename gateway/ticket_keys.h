/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GATEWAY_TICKET_KEYS_H
#define BERTH_GATEWAY_TICKET_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

/*
 * The keys of session tickets (RFC 5077 section 4, RFC 8446 section 4.6.1): one seals for TICKET_KEYS_LIFE_US, opens as
 * long again, and is wiped; so what was recorded cannot be opened later than twice that. Times are monotonic: setting
 * the clock must not make a key live on. Not thread-safe.
 */
#define TICKET_KEYS_LIFE_US (UINT64_C(3600) * US_PER_S)
#define TICKET_KEYS_NAME_LEN 16

struct ticket_key {
	uint8_t name[TICKET_KEYS_NAME_LEN], aes[32], mac[32];
	uint64_t made_us; /* 0: none */
};

struct ticket_keys {
	struct ticket_key now, before;
};

/* A key that seals is there afterwards, and none that is too old. Call at least once a life. False: no randomness. */
bool ticket_keys_age(struct ticket_keys *keys, uint64_t now_us);
/* The key that seals; NULL without one. Borrows until the next ticket_keys_age. */
const struct ticket_key *ticket_keys_sealing(struct ticket_keys *keys, uint64_t now_us);
/* The key of this name, or NULL; *old_out: another one seals now, so the client should get a new ticket. */
const struct ticket_key *ticket_keys_opening(
	struct ticket_keys *keys, const uint8_t name[TICKET_KEYS_NAME_LEN], uint64_t now_us, bool *old_out);
void ticket_keys_wipe(struct ticket_keys *keys);

#endif
