/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_JOB_LOGOUT_H
#define BERTH_AUTHSVC_JOB_LOGOUT_H

#include "service/service.h"

/* Tells clients of sessions that ended (OpenID Connect Back-Channel Logout 1.0), until they take it or it is late. */
#define LOGOUT_PURPOSE "logout" /* of destinations on the allow-list */
void job_logout_run(struct context *context);

#endif
