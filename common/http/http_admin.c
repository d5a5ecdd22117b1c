/* SPDX-License-Identifier: Apache-2.0 */
#include "http/http_admin.h"

#include <errno.h>
#include <netdb.h>
#include <openssl/err.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/log.h"
#include "http/http_admin_page.h"
#include "http/http_admin_tls.h"

#define READ_LEN 4096
#define LISTEN_QUEUE 64
/* How long a client may take to notice that its answer is complete. */
#define LINGER_US UINT64_C(1000000)
/* No descriptors or memory for another connection: wait, for poll would come back at once. */
#define ACCEPT_PAUSE_US UINT64_C(100000)

enum conn_stage { CONN_HANDSHAKE, CONN_READ, CONN_WRITE, CONN_LINGER };

struct admin_conn {
	SSL *ssl; /* NULL: the place is free */
	int fd;
	enum conn_stage stage;
	short events;
	uint64_t deadline_us;
	size_t sent;
	struct buf in;
	struct buf out;
	struct http_parser parser;
};

struct http_admin {
	struct http_admin_config config;
	struct http_admin_tls tls;
	int listen_fd;
	int stop_fd;
	unsigned port;
	bool running;
	pthread_t thread;
	uint64_t accept_after_us;
	struct admin_conn conns[HTTP_ADMIN_CONNECTIONS];
};

static void conn_close(struct admin_conn *conn)
{
	SSL_free(conn->ssl);
	conn->ssl = NULL;
	(void)close(conn->fd);
	buf_release(&conn->in);
	buf_release(&conn->out);
}

/* What a TLS call that did not succeed wants: true to be called again after the next event. */
static bool conn_wants_more(struct admin_conn *conn, int result)
{
	switch (SSL_get_error(conn->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		conn->events = POLLIN;
		return true;
	case SSL_ERROR_WANT_WRITE:
		conn->events = POLLOUT;
		return true;
	default:
		return false;
	}
}

static bool conn_has_client_cert(const struct admin_conn *conn)
{
	return SSL_get0_peer_certificate(conn->ssl) != NULL && SSL_get_verify_result(conn->ssl) == X509_V_OK;
}

/* Each step gives false when the connection is to be closed. */
static bool conn_linger(struct admin_conn *conn)
{
	char discard[READ_LEN];
	ssize_t got;

	do {
		got = recv(conn->fd, discard, sizeof(discard), 0);
	} while (got > 0);
	return got < 0 && (errno == EAGAIN || errno == EINTR);
}

/* Closing with bytes unread would reset the connection, and the client might lose the answer. */
static bool conn_finish(struct admin_conn *conn)
{
	uint64_t until_us = clock_monotonic_us() + LINGER_US;

	ERR_clear_error();
	(void)SSL_shutdown(conn->ssl);
	(void)shutdown(conn->fd, SHUT_WR);
	conn->stage = CONN_LINGER;
	conn->events = POLLIN;
	if (until_us < conn->deadline_us)
		conn->deadline_us = until_us;
	return conn_linger(conn);
}

static bool conn_write(struct admin_conn *conn)
{
	while (conn->sent < conn->out.len) {
		size_t written = 0;
		int result;

		ERR_clear_error();
		result = SSL_write_ex(conn->ssl, conn->out.p + conn->sent, conn->out.len - conn->sent, &written);
		if (result != 1)
			return conn_wants_more(conn, result);
		conn->sent += written;
	}
	return conn_finish(conn);
}

static bool conn_parse(struct http_admin *admin, struct admin_conn *conn)
{
	enum http_result result;

	do {
		result = http_parser_feed(&conn->parser, &conn->in);
	} while (result == HTTP_HEAD_DONE);
	if (result == HTTP_MORE)
		return true;
	http_admin_page_answer(&admin->config, &conn->parser, conn_has_client_cert(conn), &conn->out);
	if (!buf_ok(&conn->out))
		return false;
	conn->stage = CONN_WRITE;
	return true;
}

static bool conn_read(struct http_admin *admin, struct admin_conn *conn)
{
	while (conn->stage == CONN_READ) {
		char *room = buf_reserve(&conn->in, READ_LEN);
		size_t got = 0;
		int result;

		if (room == NULL)
			return false;
		ERR_clear_error();
		result = SSL_read_ex(conn->ssl, room, READ_LEN, &got);
		if (result != 1)
			return conn_wants_more(conn, result);
		buf_commit(&conn->in, got);
		if (!conn_parse(admin, conn))
			return false;
	}
	return conn_write(conn);
}

static bool conn_handshake(struct http_admin *admin, struct admin_conn *conn)
{
	int result;

	ERR_clear_error();
	result = SSL_do_handshake(conn->ssl);
	if (result != 1)
		return conn_wants_more(conn, result);
	conn->stage = CONN_READ;
	return conn_read(admin, conn);
}

static bool conn_step(struct http_admin *admin, struct admin_conn *conn)
{
	switch (conn->stage) {
	case CONN_HANDSHAKE:
		return conn_handshake(admin, conn);
	case CONN_READ:
		return conn_read(admin, conn);
	case CONN_WRITE:
		return conn_write(conn);
	case CONN_LINGER:
		return conn_linger(conn);
	}
	return false;
}

static void conn_open(struct http_admin *admin, struct admin_conn *conn, int fd)
{
	conn->ssl = http_admin_tls_accept(&admin->tls, fd);
	if (conn->ssl == NULL) {
		(void)close(fd);
		return;
	}
	conn->fd = fd;
	conn->stage = CONN_HANDSHAKE;
	conn->events = POLLIN;
	conn->deadline_us = clock_monotonic_us() + HTTP_ADMIN_DEADLINE_MS * (uint64_t)1000;
	conn->sent = 0;
	buf_init(&conn->in, http_limits_bytes(&http_admin_page_limits) + READ_LEN);
	buf_init(&conn->out, HTTP_ADMIN_BODY_MAX + READ_LEN);
	http_parser_init(&conn->parser, &http_admin_page_limits);
}

static struct admin_conn *conn_free_place(struct http_admin *admin)
{
	for (size_t i = 0; i < HTTP_ADMIN_CONNECTIONS; i++) {
		if (admin->conns[i].ssl == NULL)
			return &admin->conns[i];
	}
	return NULL;
}

static void admin_accept(struct http_admin *admin)
{
	struct admin_conn *place;

	while ((place = conn_free_place(admin)) != NULL) {
		int fd = accept4(admin->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			conn_open(admin, place, fd);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			admin->accept_after_us = clock_monotonic_us() + ACCEPT_PAUSE_US;
			log_event(LOG_WARN, "admin_accept_failed", LOG_I("errno", errno));
		}
		if (errno != EINTR && errno != ECONNABORTED)
			return;
	}
}

/* What to wait for; *timeout_ms_out ends with the nearest deadline. Places: stop, listen, then one a connection. */
static void admin_prepare(const struct http_admin *admin, struct pollfd fds[], int *timeout_ms_out)
{
	uint64_t now_us = clock_monotonic_us();
	uint64_t wake_us = UINT64_MAX;
	bool room = false;

	fds[0] = (struct pollfd){.fd = admin->stop_fd, .events = POLLIN};
	for (size_t i = 0; i < HTTP_ADMIN_CONNECTIONS; i++) {
		const struct admin_conn *conn = &admin->conns[i];

		fds[2 + i] = (struct pollfd){.fd = conn->ssl != NULL ? conn->fd : -1, .events = conn->events};
		room = room || conn->ssl == NULL;
		if (conn->ssl != NULL && conn->deadline_us < wake_us)
			wake_us = conn->deadline_us;
	}
	fds[1] = (struct pollfd){.fd = -1, .events = POLLIN};
	if (room && now_us >= admin->accept_after_us)
		fds[1].fd = admin->listen_fd;
	else if (room && admin->accept_after_us < wake_us)
		wake_us = admin->accept_after_us;
	*timeout_ms_out = -1;
	if (wake_us != UINT64_MAX)
		*timeout_ms_out = wake_us <= now_us ? 0 : (int)((wake_us - now_us) / 1000 + 1);
}

static void *admin_run(void *arg)
{
	struct http_admin *admin = arg;
	struct pollfd fds[2 + HTTP_ADMIN_CONNECTIONS];
	int timeout_ms;

	for (;;) {
		uint64_t now_us;

		admin_prepare(admin, fds, &timeout_ms);
		if (poll(fds, 2 + HTTP_ADMIN_CONNECTIONS, timeout_ms) < 0 && errno != EINTR) {
			log_event(LOG_ERROR, "admin_poll_failed", LOG_I("errno", errno));
			break;
		}
		if (fds[0].revents != 0)
			break;
		now_us = clock_monotonic_us();
		for (size_t i = 0; i < HTTP_ADMIN_CONNECTIONS; i++) {
			struct admin_conn *conn = &admin->conns[i];

			if (conn->ssl == NULL)
				continue;
			if (now_us >= conn->deadline_us || (fds[2 + i].revents != 0 && !conn_step(admin, conn)))
				conn_close(conn);
		}
		if (fds[1].revents != 0)
			admin_accept(admin);
	}
	for (size_t i = 0; i < HTTP_ADMIN_CONNECTIONS; i++) {
		if (admin->conns[i].ssl != NULL)
			conn_close(&admin->conns[i]);
	}
	return NULL;
}

/* Cuts "host:port" or "[v6]:port"; false when it is neither or too long. */
static bool split_address(const char *listen, char host_out[256], char port_out[8])
{
	const char *colon = strrchr(listen, ':');
	struct str host, port;
	uint64_t number;

	if (colon == NULL)
		return false;
	host = (struct str){listen, (size_t)(colon - listen)};
	port = str_from(colon + 1);
	if (host.len >= 2 && host.p[0] == '[' && host.p[host.len - 1] == ']')
		host = (struct str){host.p + 1, host.len - 2};
	if (host.len == 0 || host.len > 255 || str_to_u64(port, 65535, &number) != OK)
		return false;
	memcpy(host_out, host.p, host.len);
	host_out[host.len] = '\0';
	memcpy(port_out, port.p, port.len + 1);
	return true;
}

static int listen_on(const struct addrinfo *address)
{
	int on = 1;
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
		bind(fd, address->ai_addr, address->ai_addrlen) != 0 || listen(fd, LISTEN_QUEUE) != 0) {
		int saved = errno;

		(void)close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

static unsigned bound_port(int fd)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);
	char port[8];
	uint64_t number = 0;

	if (getsockname(fd, (struct sockaddr *)&address, &len) != 0 ||
		getnameinfo((struct sockaddr *)&address, len, NULL, 0, port, sizeof(port), NI_NUMERICSERV) != 0 ||
		str_to_u64(str_from(port), 65535, &number) != OK)
		return 0;
	return (unsigned)number;
}

static enum err admin_listen(struct http_admin *admin)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
	struct addrinfo *addresses = NULL;
	char host[256];
	char port[8];

	if (admin->config.taken_fd > 0) {
		admin->listen_fd = admin->config.taken_fd;
		admin->port = bound_port(admin->listen_fd);
		return OK;
	}
	if (!split_address(admin->config.listen, host, port) || getaddrinfo(host, port, &hints, &addresses) != 0) {
		return config_refuse("BERTH_ADMIN_LISTEN", ERR_BAD_FIELD);
	}
	for (const struct addrinfo *at = addresses; at != NULL && admin->listen_fd < 0; at = at->ai_next)
		admin->listen_fd = listen_on(at);
	freeaddrinfo(addresses);
	if (admin->listen_fd < 0) {
		log_event(LOG_ERROR, "admin_listen_failed", LOG_C("key", "BERTH_ADMIN_LISTEN"), LOG_I("errno", errno));
		return ERR_UNAVAILABLE;
	}
	admin->port = bound_port(admin->listen_fd);
	return OK;
}

enum err http_admin_new(const struct http_admin_config *config, struct http_admin **admin_out)
{
	struct http_admin *admin = calloc(1, sizeof(*admin));
	enum err err = ERR_INTERNAL;

	*admin_out = NULL;
	if (admin == NULL)
		return ERR_INTERNAL;
	admin->config = *config;
	admin->listen_fd = -1;
	admin->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (admin->stop_fd < 0)
		goto done;
	if ((err = http_admin_tls_init(&admin->tls, config->cert_file, config->key_file, config->client_ca_file)) != OK)
		goto done;
	if ((err = admin_listen(admin)) != OK)
		goto done;
	*admin_out = admin;
	admin = NULL;
done:
	http_admin_free(&admin);
	return err;
}

unsigned http_admin_port(const struct http_admin *admin)
{
	return admin->port;
}

int http_admin_fd(const struct http_admin *admin)
{
	return admin->listen_fd;
}

enum err http_admin_start(struct http_admin *admin)
{
	static const int own[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGTRAP};
	sigset_t blocked, before;
	int failed;

	/*
	 * Signals are the main thread's, but for those that a thread earns itself. Blocked here, a client that went
	 * away is an error of write and not SIGPIPE.
	 */
	(void)sigfillset(&blocked);
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		(void)sigdelset(&blocked, own[i]);
	(void)pthread_sigmask(SIG_SETMASK, &blocked, &before);
	failed = pthread_create(&admin->thread, NULL, admin_run, admin);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	admin->running = failed == 0;
	return failed == 0 ? OK : ERR_UNAVAILABLE;
}

void http_admin_stop(struct http_admin *admin)
{
	uint64_t one = 1;

	if (admin == NULL || !admin->running)
		return;
	/* An eventfd of ours takes one more unless it counts to 2^64. */
	INVARIANT(write(admin->stop_fd, &one, sizeof(one)) == (ssize_t)sizeof(one));
	(void)pthread_join(admin->thread, NULL);
	admin->running = false;
}

void http_admin_free(struct http_admin **admin)
{
	if (*admin == NULL)
		return;
	http_admin_stop(*admin);
	http_admin_tls_release(&(*admin)->tls);
	if ((*admin)->listen_fd >= 0)
		(void)close((*admin)->listen_fd);
	if ((*admin)->stop_fd >= 0)
		(void)close((*admin)->stop_fd);
	free(*admin);
	*admin = NULL;
}
