/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_JOB_KEYS_H
#define BERTH_AUTHSVC_JOB_KEYS_H

#include "service/service.h"

/*
 * Signing keys: makes them, hands over from one to the next every 30 days, and loads what the process signs with.
 * Replicas take turns under a lock; each looks again every few seconds.
 */
void job_keys_run(struct context *context);
/* One turn: decide, change, load. */
MUST_USE enum err job_keys_turn(struct context *context);
/* `authsvc --rotate-keys`: hands over as soon as every process knows the next keys. */
int job_keys_rotate(struct context *context, int argc, char **argv);
/* The verification keys, for the process's own checks. */
enum err job_keys_fetch(struct context *context, struct buf *document_out);

#endif
