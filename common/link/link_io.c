/* SPDX-License-Identifier: Apache-2.0 */
#include "link/link_io.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define HOLES_MAX 1024 /* places without a descriptor in a row, after which no further one is expected */

enum err link_io_init(struct link_io *io, nng_stream *stream)
{
	*io = (struct link_io){.stream = stream, .fd = -1, .epoll_fd = -1};
	if (nng_aio_alloc(&io->tx, NULL, NULL) != 0 || nng_aio_alloc(&io->rx, NULL, NULL) != 0)
		return ERR_OVERLOADED;
	return OK;
}

void link_io_release(struct link_io *io)
{
	link_io_unwatch(io);
	nng_aio_free(io->tx);
	nng_aio_free(io->rx);
	io->tx = io->rx = NULL;
}

/* It is over, or taken back; nobody waits for longer than another thread holds a lock of nng's. */
static int end_now(nng_aio *aio)
{
	if (nng_aio_count(aio) == 0)
		nng_aio_cancel(aio);
	nng_aio_wait(aio);
	return nng_aio_result(aio);
}

size_t link_io_send(struct link_io *io, const char *bytes, size_t len)
{
	/* nng only reads from it. */
	nng_iov iov = {.iov_buf = (void *)(uintptr_t)bytes, .iov_len = len};

	(void)nng_aio_set_iov(io->tx, 1, &iov);
	nng_stream_send(io->stream, io->tx);
	return end_now(io->tx) == 0 ? nng_aio_count(io->tx) : 0;
}

enum link_io_got link_io_receive(struct link_io *io, char *room, size_t len, size_t *got_out)
{
	nng_iov iov = {.iov_buf = room, .iov_len = len};
	char first;
	int rv;

	*got_out = 0;
	/* nng would have its poller wait for what is not there. */
	if (recv(io->fd, &first, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && (errno == EAGAIN || errno == EINTR))
		return LINK_IO_NOTHING;
	(void)nng_aio_set_iov(io->rx, 1, &iov);
	nng_stream_recv(io->stream, io->rx);
	rv = end_now(io->rx);
	*got_out = nng_aio_count(io->rx);
	if (rv == NNG_ECANCELED)
		return LINK_IO_NOTHING;
	return rv == 0 && *got_out > 0 ? LINK_IO_BYTES : LINK_IO_ENDED;
}

/* -- its descriptor -- */

static bool is_address(const nng_sockaddr *wanted, const struct sockaddr_storage *seen)
{
	const struct sockaddr_in *v4 = (const void *)seen;
	const struct sockaddr_in6 *v6 = (const void *)seen;

	if (wanted->s_family == NNG_AF_INET)
		return v4->sin_family == AF_INET && v4->sin_port == wanted->s_in.sa_port &&
		       v4->sin_addr.s_addr == wanted->s_in.sa_addr;
	return wanted->s_family == NNG_AF_INET6 && v6->sin6_family == AF_INET6 &&
	       v6->sin6_port == wanted->s_in6.sa_port &&
	       memcmp(&v6->sin6_addr, wanted->s_in6.sa_addr, sizeof(v6->sin6_addr)) == 0;
}

/* Both ends together are one connection's alone. */
static bool is_between(int fd, const nng_sockaddr *local, const nng_sockaddr *remote)
{
	struct sockaddr_storage seen = {.ss_family = AF_UNSPEC};
	socklen_t len = sizeof(seen);

	if (getsockname(fd, (struct sockaddr *)&seen, &len) != 0 || !is_address(local, &seen))
		return false;
	len = sizeof(seen);
	return getpeername(fd, (struct sockaddr *)&seen, &len) == 0 && is_address(remote, &seen);
}

/* A second descriptor of the stream's socket, or -1. The first may not be kept: nng closes it when it likes. */
static int second_of(nng_stream *stream)
{
	nng_sockaddr local, remote;
	int holes = 0;

	if (nng_stream_get_addr(stream, NNG_OPT_LOCADDR, &local) != 0 ||
		nng_stream_get_addr(stream, NNG_OPT_REMADDR, &remote) != 0)
		return -1;
	for (int fd = 0; holes < HOLES_MAX; fd++) {
		int second;

		errno = 0;
		if (!is_between(fd, &local, &remote)) {
			holes = errno == EBADF ? holes + 1 : 0;
			continue;
		}
		second = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		/* The number may have come to mean another file meanwhile. */
		if (second >= 0 && is_between(second, &local, &remote))
			return second;
		if (second >= 0)
			close(second);
		return -1;
	}
	return -1;
}

bool link_io_watch(struct link_io *io, const struct link_ready *ready, bool once)
{
	struct epoll_event event = {.events = EPOLLIN | (once ? EPOLLONESHOT : 0U), .data.u64 = ready->data};

	if (io->fd >= 0)
		return !once || epoll_ctl(io->epoll_fd, EPOLL_CTL_MOD, io->fd, &event) == 0;
	io->fd = second_of(io->stream);
	if (io->fd < 0)
		return false;
	io->epoll_fd = ready->epoll_fd;
	if (epoll_ctl(io->epoll_fd, EPOLL_CTL_ADD, io->fd, &event) == 0)
		return true;
	close(io->fd);
	io->fd = -1;
	return false;
}

void link_io_rest(struct link_io *io, const struct link_ready *ready)
{
	struct epoll_event event = {.events = EPOLLONESHOT, .data.u64 = ready->data};

	(void)epoll_ctl(io->epoll_fd, EPOLL_CTL_MOD, io->fd, &event);
}

bool link_io_is_watched(const struct link_io *io)
{
	return io->fd >= 0;
}

void link_io_unwatch(struct link_io *io)
{
	if (io->fd < 0)
		return;
	/* Closing alone would not do: nng's own descriptor keeps the socket. */
	(void)epoll_ctl(io->epoll_fd, EPOLL_CTL_DEL, io->fd, NULL);
	close(io->fd);
	io->fd = -1;
}
