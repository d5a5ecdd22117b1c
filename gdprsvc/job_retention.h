/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GDPRSVC_JOB_RETENTION_H
#define BERTH_GDPRSVC_JOB_RETENTION_H

#include "service/service.h"

/* Asks each service, in every interval once and by one replica, to remove what it has kept long enough. */
void job_retention_run(struct context *context);
/* The heartbeat: when each service's last complete sweep ended. A sweep that does not come is red. */
void job_retention_metrics(struct buf *out);

#endif
