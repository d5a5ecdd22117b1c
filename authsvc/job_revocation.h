/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_JOB_REVOCATION_H
#define BERTH_AUTHSVC_JOB_REVOCATION_H

#include "service/service.h"

/*
 * Tells the edge of every revocation, through the stream of contract/revocations.h: within milliseconds of its
 * commit, and all that are in force again whenever Redis may have forgotten them.
 */
void job_revocation_run(struct context *context);

#endif
