/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_STORE_SWEEP_H
#define BERTH_AUTHSVC_STORE_SWEEP_H

#include "store.h"

/*
 * Removes what was kept long enough, of all tenants, at most `limit` rows; commits. With a connection of the jobs
 * role.
 */
MUST_USE enum err store_sweep(struct db *jobs, instant_us now, int64_t limit, int64_t *rows_out);

#endif
