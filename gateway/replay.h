/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GATEWAY_REPLAY_H
#define BERTH_GATEWAY_REPLAY_H

#include "base/clock.h"
#include "base/err.h"

/*
 * Which proofs of possession were used, until their age alone refuses them (RFC 9449 section 11.1). Fixed memory,
 * shared by all loops. What is there is never forgotten early: without room a use is refused.
 */
#define REPLAY_USE_LEN 32

struct replay;

/* Room for about `entries`; what was issued before `since` is taken as used. NULL without memory. */
struct replay *replay_new(size_t entries, instant_us since);
void replay_free(struct replay **replay);
/*
 * Any thread. OK: it is the first use of a proof that can come until `expires_at`, and there will be no second.
 * ERR_CONFLICT: it was used, or may have been before this process began; ERR_OVERLOADED: no room.
 */
MUST_USE enum err replay_spend(
	struct replay *replay, const uint8_t use[REPLAY_USE_LEN], instant_us expires_at, instant_us now);

#endif
