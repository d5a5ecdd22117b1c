/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GATEWAY_LISTEN_H
#define BERTH_GATEWAY_LISTEN_H

#include <stddef.h>

#include "base/err.h"

struct context;

/*
 * Opens a listening TCP socket for each of "127.0.0.1:8443,[::1]:8443", shared between loops by SO_REUSEPORT, or takes
 * over one of the process before. At most EDGE_LISTEN_MAX. Gives the sockets, also on an error. ERR_BAD_FIELD (logged
 * with the place in the list) for what is no numeric address and port or cannot be had.
 */
MUST_USE enum err listen_open(struct context *context, const char *addresses, int *fds_out, size_t *count_out);

#endif
