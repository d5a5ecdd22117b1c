/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GATEWAY_H2_SESSION_H
#define BERTH_GATEWAY_H2_SESSION_H

#include "base/err.h"
#include "h2.h"

/* Makes h2->session with our settings queued; ERR_OVERLOADED without memory. What it reports goes to h2_stream.h. */
MUST_USE enum err h2_session_open(struct h2 *h2);

#endif
