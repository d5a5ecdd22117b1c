/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GATEWAY_WARM_H
#define BERTH_GATEWAY_WARM_H

#include <stddef.h>

#include "edge_limits.h"
#include "tls.h"

/*
 * The connections of a loop that were active last, whose TLS sessions keep their buffers: two of 17 KB each. All others
 * give them back as soon as they are empty, since most clients are silent most of the time. Whoever comes takes the
 * place of the one that has had one for longest.
 */
struct warm {
	SSL *places[EDGE_WARM_MAX];
	size_t next;
};

/* Where the session stands, for warm_remove. It must be removed before it is freed. */
size_t warm_add(struct warm *warm, SSL *ssl);
/* Whether it has its place still. */
bool warm_holds(const struct warm *warm, const SSL *ssl, size_t place);
void warm_remove(struct warm *warm, const SSL *ssl, size_t place);

#endif
