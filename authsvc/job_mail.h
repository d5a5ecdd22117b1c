/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_JOB_MAIL_H
#define BERTH_AUTHSVC_JOB_MAIL_H

#include "service/service.h"

/* Sends what waits in the mail table, one by one; tries again with growing gaps until the link in it has expired. */
void job_mail_run(struct context *context);

#endif
