/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GATEWAY_EDGE_LINKS_H
#define BERTH_GATEWAY_EDGE_LINKS_H

#include "base/buf.h"

struct gateway;

/* Whether every loop has a live replica of every callee. Any thread. */
bool edge_links_up(const struct gateway *gateway);
/* Prometheus text of all loops' links together, a line for each callee, lane and replica. */
void edge_links_write(const struct gateway *gateway, struct buf *out);

#endif
