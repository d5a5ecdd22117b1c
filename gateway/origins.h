/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GATEWAY_ORIGINS_H
#define BERTH_GATEWAY_ORIGINS_H

#include "base/buf.h"
#include "base/id.h"
#include "contract/shapes.h"
#include "service/service.h"

/*
 * Which web origins may use which client's tokens: a copy of the registrations that authsvc holds, read anew every few
 * seconds by a thread of its own. Until the first one came, and for whatever is beyond the cap, no origin is allowed.
 * While authsvc is away the copy stays. Look-ups are thread-safe and never wait for authsvc.
 */
#define ORIGINS_MAX 16384 /* (client, origin) pairs */
#define ORIGIN_TEXT_MAX 255
#define ORIGINS_EVERY_MS 2000

struct origins;

struct origins *origins_new(struct context *context); /* NULL without memory */
MUST_USE enum err origins_start(struct origins *origins);
void origins_free(struct origins **origins); /* after context_stopping; joins */

/* Whether any client registered it: all that a preflight, which has no token, can be judged by. */
bool origins_known(struct origins *origins, struct str origin);
bool origins_allow(struct origins *origins, struct str origin, const struct uuid *client_id);
/* Prometheus text; any thread. */
void origins_write(struct origins *origins, struct buf *out);

/*
 * Building a copy: adds what one page of the answer holds; false when the cap was met. It is in force, instead of the
 * one before, after origins_take.
 */
bool origins_add(struct origins *origins, const struct origin_list *page);
void origins_take(struct origins *origins);

#endif
