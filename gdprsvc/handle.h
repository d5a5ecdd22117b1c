/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GDPRSVC_HANDLE_H
#define BERTH_GDPRSVC_HANDLE_H

#include "store.h"

#define SERVICE_DEF "contract/gdprsvc.def"
#include "service/handlers.h"

/* What the handlers share. */
struct store handle_store(const struct call *call);
struct store_origin handle_origin(const struct call *call);
/* The token's person; ERR_FORBIDDEN when a client acts for itself. */
MUST_USE enum err handle_self(struct call *call, struct uuid *person_id_out);

#endif
