/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUDITSVC_STATE_H
#define BERTH_AUDITSVC_STATE_H

#include <stdatomic.h>

#include "note.h"
#include "service/service.h"

/* What the workers and the job share. */
struct state {
	struct signer *signer;
	char origin[201];
	atomic_uint_least64_t signed_size; /* of the newest signed head */
	atomic_bool inconsistent;          /* the log contradicts its last signed head */
};

MUST_USE enum err state_open(struct context *context);
void state_close(struct context *context);
void state_metrics(struct context *context, struct buf *out);

/* What a worker holds: the jobs role's connection, opened when first used. */
MUST_USE enum err state_worker_open(struct worker *worker);
void state_worker_close(struct worker *worker);

#endif
