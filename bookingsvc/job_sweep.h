/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_BOOKINGSVC_JOB_SWEEP_H
#define BERTH_BOOKINGSVC_JOB_SWEEP_H

#include "service/service.h"

/* Forgets answers to idempotency keys that are older than a day. */
void job_sweep_run(struct context *context);

#endif
