/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_JOB_HASHES_H
#define BERTH_AUTHSVC_JOB_HASHES_H

#include "service/service.h"

/* Gives the memory of password hashes back when nobody has signed in for a while. */
void job_hashes_run(struct context *context);

#endif
