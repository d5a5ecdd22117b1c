/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_JOB_TRACE_H
#define BERTH_AUTHSVC_JOB_TRACE_H

#include "service/service.h"

/* Sends the spans of all processes to the collector of BERTH_TRACE_URL; does nothing without one. */
void job_trace_run(struct context *context);

#endif
