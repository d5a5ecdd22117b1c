/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUDITSVC_STORE_CHECKPOINT_H
#define BERTH_AUDITSVC_STORE_CHECKPOINT_H

#include "store.h"

/* The signed head of the greatest size. ERR_NOT_FOUND: none yet. Either role. */
MUST_USE enum err store_checkpoint_newest(struct store *store, struct head_row *head_out);
/* Queued, by the jobs role. One that is there for this size stays. */
MUST_USE enum err store_checkpoint_append(struct store *store, const struct head_row *head);

#endif
