/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_SERVICE_HANDOVER_H
#define BERTH_SERVICE_HANDOVER_H

#include <stdbool.h>

#include "base/err.h"

/*
 * How a process takes the place of another without a moment in which nobody listens. Both know a Unix socket's path.
 * The one that serves waits there (it hands on that very socket too); the next one, before it confines itself, proves
 * that it has the same link key, which no other role can read, and gets every listening descriptor. Ready in all other
 * respects it says so; then the old one gives up its ports, says that they are free, and drains.
 *
 *   old → new   nonce (32 bytes), with it the protocol's number
 *   new → old   keyed hash of the nonce (32 bytes)
 *   old → new   how many descriptors, and the descriptors (SCM_RIGHTS): the Unix socket first
 *   new → old   HANDOVER_READY
 *   old → new   HANDOVER_FREE
 *
 * Whoever breaks off before READY changes nothing.
 */
#define HANDOVER_FDS_MAX 250 /* SCM_RIGHTS takes 253 */

struct handover;

struct handover_config {
	const char *path;     /* of the Unix socket */
	const char *key_file; /* proves who one is */
	/* The successor is ready: stop. On the handover's own thread. */
	void (*stop)(void *ctx);
	void *ctx;
};

/*
 * Asks for the predecessor's descriptors, or makes the socket when there is none. ERR_UNAVAILABLE: there is one that
 * does not answer, or refuses; ERR_BAD_FIELD: the path or the key is unusable. Both are logged. Gives.
 */
MUST_USE enum err handover_new(const struct handover_config *config, struct handover **handover_out);
void handover_free(struct handover **handover);

/* A process serves now that waits for this one's word. */
bool handover_follows(const struct handover *handover);
/* A listening socket at this numeric address that the predecessor handed over, or -1. Gives; NULL has none. */
int handover_take(struct handover *handover, const char *host, const char *port);
/* Tells the predecessor to go and waits until its ports are free. ERR_UNAVAILABLE: it is silent. */
MUST_USE enum err handover_finish(struct handover *handover);

/* A listening socket for the successor. Borrows until handover_free. */
void handover_offer(struct handover *handover, int fd);
/* Waits for successors from now on, on a thread of its own. */
MUST_USE enum err handover_start(struct handover *handover);
/* Whether a successor has sent this process away. */
bool handover_is_over(struct handover *handover);
/* The ports are free: lets the successor begin. Does nothing without one, and the second time. */
void handover_yield(struct handover *handover);

#endif
