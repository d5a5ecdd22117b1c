/* SPDX-License-Identifier: Apache-2.0 */
#include "listen.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "edge_limits.h"
#include "service/service.h"

/* Splits at the last colon; brackets around an IPv6 address are cut. */
static bool split_address(struct str text, char host[64], char port[8])
{
	size_t colon = text.len;

	while (colon > 0 && text.p[colon - 1] != ':')
		colon--;
	if (colon < 2 || text.len - colon == 0 || text.len - colon >= 8)
		return false;
	memcpy(port, text.p + colon, text.len - colon);
	port[text.len - colon] = '\0';
	text.len = colon - 1;
	if (text.len >= 2 && text.p[0] == '[' && text.p[text.len - 1] == ']') {
		text.p++;
		text.len -= 2;
	}
	if (text.len == 0 || text.len >= 64)
		return false;
	memcpy(host, text.p, text.len);
	host[text.len] = '\0';
	return true;
}

static int socket_open(const struct addrinfo *address)
{
	const int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &(int){1}, sizeof(int));
	if (address->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){1}, sizeof(int));
	if (bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, EDGE_BACKLOG) == 0)
		return fd;
	close(fd);
	return -1;
}

static enum err listen_one(struct context *context, struct str text, int *fd_out)
{
	const struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE};
	struct addrinfo *found = NULL;
	char host[64], port[8], address[80];

	if (!split_address(text, host, port))
		return ERR_BAD_FIELD;
	(void)snprintf(address, sizeof address, "[%s]:%s", host, port);
	*fd_out = context_inherit(context, address);
	if (*fd_out < 0) {
		if (getaddrinfo(host, port, &hints, &found) != 0)
			return ERR_BAD_FIELD;
		*fd_out = socket_open(found);
		freeaddrinfo(found);
	}
	if (*fd_out < 0)
		return ERR_BAD_FIELD;
	/* Whatever is accepted has it from here. */
	(void)setsockopt(*fd_out, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	return OK;
}

enum err listen_open(struct context *context, const char *addresses, int *fds_out, size_t *count_out)
{
	struct str rest = str_from(addresses), one;
	bool more;

	*count_out = 0;
	do {
		more = str_cut(&rest, ',', &one);
		if (*count_out == EDGE_LISTEN_MAX || listen_one(context, str_trim(one), &fds_out[*count_out]) != OK) {
			log_event(LOG_ERROR, "listen_failed", LOG_C("key", "BERTH_GATEWAY_LISTEN"),
				LOG_I("place", *count_out + 1));
			return ERR_BAD_FIELD;
		}
		context_offer(context, fds_out[*count_out]);
		(*count_out)++;
	} while (more);
	return OK;
}
