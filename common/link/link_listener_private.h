/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_LINK_LINK_LISTENER_PRIVATE_H
#define BERTH_LINK_LINK_LISTENER_PRIVATE_H

#include <pthread.h>

#include "link/link_private.h"

struct link_listener {
	enum peer caller;
	enum lane lane;
	nng_socket socket;
	bool open;
	pthread_mutex_t lock; /* everything below */
	struct link_worker *workers;
	struct link_listener_stats stats;
};

struct link_worker {
	struct link_listener *listener;
	struct link_worker *next;
	nng_ctx ctx;
	bool open;
	nng_aio *aio;
	bool waiting;     /* in a receive that a wake may end */
	nng_msg *message; /* received and not answered yet */
};

#endif
