/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GATEWAY_STORE_CACHE_PROOFS_H
#define BERTH_GATEWAY_STORE_CACHE_PROOFS_H

#include "base/config.h"

/*
 * Uses of proofs as all gateways of a deployment see them: the first to write a use down has it. On a thread of its
 * own, which asks Redis for all that wait at once, so that no loop waits.
 */
#define STORE_PROOFS_USE_LEN 32

struct store_proofs;

/* The asker's own, until `done` runs. */
struct proof_ask {
	struct proof_ask *next;
	uint8_t use[STORE_PROOFS_USE_LEN];
	uint64_t keep_ms; /* for which the proof may still come */
	/* OK: nobody had used it; ERR_CONFLICT: somebody had; ERR_UNAVAILABLE: Redis could not be asked. */
	enum err err;
};

/* On the thread of this store, once for each ask; must not block. */
typedef void store_proofs_done_fn(struct proof_ask *ask);

/* Borrows socket and password. Gives. */
MUST_USE enum err store_proofs_new(const char *socket, const struct secret *password, store_proofs_done_fn *done,
	struct store_proofs **proofs_out);
MUST_USE enum err store_proofs_start(struct store_proofs *proofs);
/* Stops and joins; what waits is done with ERR_UNAVAILABLE. */
void store_proofs_free(struct store_proofs **proofs);
/* Any thread. ERR_UNAVAILABLE: Redis is away; ERR_OVERLOADED: too many wait. Then `done` does not run. */
MUST_USE enum err store_proofs_ask(struct store_proofs *proofs, struct proof_ask *ask);
bool store_proofs_up(const struct store_proofs *proofs);

#endif
