/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GATEWAY_PROOFS_H
#define BERTH_GATEWAY_PROOFS_H

#include <pthread.h>

#include "exchange.h"
#include "token/dpop.h"

/*
 * Requests whose proof of possession is new to this gateway wait here until it is known whether another gateway of the
 * deployment has seen it. With Redis away what this one knows decides.
 */
#define PROOFS_USED "the proof was used before"

struct proofs {
	pthread_mutex_t lock;
	struct proof_ask *first, **last; /* judged, for the loop to go on with */
};

void proofs_init(struct proofs *proofs);
void proofs_release(struct proofs *proofs); /* drops what was not gone on with */
/* The exchange's proof was spent here: what is to be asked of the others. */
void proofs_note(struct exchange *exchange, const struct dpop_proof *proof);
/*
 * OK: the exchange waits, and goes on in proofs_finish. ERR_UNAVAILABLE: there is nothing to wait for. ERR_OVERLOADED:
 * too many wait.
 */
MUST_USE enum err proofs_ask(struct exchange *exchange);
/* Sends on those that may, refuses the others. */
void proofs_finish(struct loop *loop);
/* For store_proofs_new. */
void proofs_done(struct proof_ask *ask);

#endif
