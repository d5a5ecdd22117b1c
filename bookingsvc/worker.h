/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_BOOKINGSVC_WORKER_H
#define BERTH_BOOKINGSVC_WORKER_H

#include "service/service.h"

/* Gives each worker its struct state, and takes it back. */
MUST_USE enum err worker_open(struct worker *worker);
void worker_close(struct worker *worker);

#endif
