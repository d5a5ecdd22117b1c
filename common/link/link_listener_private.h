/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_LINK_LINK_LISTENER_PRIVATE_H
#define BERTH_LINK_LINK_LISTENER_PRIVATE_H

#include <pthread.h>

#include "base/wait.h"
#include "link/link_conn.h"

/* One connection of a caller. */
struct caller {
	struct link_listener *listener;
	struct caller *next;
	struct link_conn *conn;
	struct link_ready ready;
	bool attended; /* a worker reads it right now, and takes the first message itself */
	bool greeted, closed;
	bool told;     /* that this process drains */
	size_t queued; /* messages of its that no worker has taken */
	size_t queued_bytes;
	size_t users; /* messages taken and not answered, and a worker that reads */
};

/* A message on its way to a worker, or with it. */
struct message {
	struct message *next;
	struct caller *caller;
	uint32_t id;
	uint64_t came_us;
	size_t len;
	char bytes[];
};

void link_message_free(struct message **message); /* wiped: a request may hold a password */

struct link_listener {
	enum peer caller;
	enum lane lane;
	SSL_CTX *tls;
	nng_stream_listener *end;
	nng_aio *accept;
	struct link_kept kept;
	bool is_kept;
	int epoll_fd;         /* what came on a connection, and the next two */
	int came_fd;          /* a message that nobody holds; wakes one worker */
	int wake_fd;          /* readable while a worker has yet to notice a wake */
	pthread_mutex_t lock; /* everything below */
	pthread_cond_t gone;  /* a connection, or the accepting */
	bool accepting, draining, closing;
	bool succeeded;        /* draining, another process takes the address */
	uint64_t accept_at_us; /* after a failure; 0: none */
	uint64_t told_us;      /* when a fault was logged last */
	uint64_t wakes;
	struct caller *callers;
	struct message *first, **last;
	size_t queued;          /* messages there */
	uint64_t marks;         /* given to callers */
	_Atomic size_t waiting; /* workers without one */
	size_t unwoken;         /* of those, how many have a wake to notice */
	struct link_listener_stats stats;
};

#define LINK_MARK_CAME 0
#define LINK_MARK_WAKE 1
#define LINK_MARK_FIRST 2 /* of a caller */

/* Under the lock. One of those that wait takes a look at the queue. */
void link_listener_ring(struct link_listener *listener);

struct link_worker {
	struct link_listener *listener;
	struct message *message; /* received and not answered yet */
};

#endif
