/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUDITSVC_JOB_CHECKPOINT_H
#define BERTH_AUDITSVC_JOB_CHECKPOINT_H

#include "db/db.h"
#include "note.h"

/*
 * Signs the log's present end, when it grew since the last signed head and is consistent with it, and stores the head
 * before anybody sees it. One size never has two heads. ERR_INTERNAL: the log contradicts its last head; nothing is
 * signed. *size_out: leaves under the newest head.
 */
MUST_USE enum err job_checkpoint_once(struct db *jobs, struct arena *arena, const struct signer *signer,
	struct str origin, instant_us now, uint64_t *size_out);

/* The job: does so whenever the log grew, until the process stops. */
struct context;
void job_checkpoint_run(struct context *context);

#endif
