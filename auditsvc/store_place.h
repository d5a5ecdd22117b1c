/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUDITSVC_STORE_PLACE_H
#define BERTH_AUDITSVC_STORE_PLACE_H

#include "seal/seal.h"
#include "types.h"

/* Where a document is sealed to: `column` ("before", "after") of the event. Borrows the event's ids. */
struct seal_place store_place(const struct event_row *event, const char *column);

#endif
