/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GDPRSVC_JOB_ERASURE_H
#define BERTH_GDPRSVC_JOB_ERASURE_H

#include "service/service.h"

/* Goes on with erasures that no request waits for any more: after a crash, a service that was away, a deadline. */
void job_erasure_run(struct context *context);
void job_erasure_metrics(struct buf *out);

#endif
