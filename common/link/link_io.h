/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_LINK_LINK_IO_H
#define BERTH_LINK_LINK_IO_H

#include "link/link_private.h"

/*
 * The bytes of one connection without nng's threads. nng tells the end of a read or write on a thread of its own, and
 * finds out on another that there is something to read; an operation that can be over at once needs neither. When there
 * is something to read, an epoll instance says so, which watches a second descriptor of the same socket: nng does not
 * show its own. Not thread-safe; nothing of it blocks.
 */
struct link_io {
	nng_stream *stream; /* borrows */
	nng_aio *tx, *rx;   /* never under way but inside a call */
	int fd;             /* watched; -1: none */
	int epoll_fd;
};

enum link_io_got { LINK_IO_BYTES, LINK_IO_NOTHING, LINK_IO_ENDED };

MUST_USE enum err link_io_init(struct link_io *io, nng_stream *stream);
void link_io_release(struct link_io *io);

/* How much the kernel took; 0 also when the connection has ended. */
size_t link_io_send(struct link_io *io, const char *bytes, size_t len);
enum link_io_got link_io_receive(struct link_io *io, char *room, size_t len, size_t *got_out);

/* From now on `ready` reports what comes, as long as it is there, or once. False: it cannot be watched. */
bool link_io_watch(struct link_io *io, const struct link_ready *ready, bool once);
/* Reports nothing more until it is watched again. */
void link_io_rest(struct link_io *io, const struct link_ready *ready);
bool link_io_is_watched(const struct link_io *io);
void link_io_unwatch(struct link_io *io);

#endif
