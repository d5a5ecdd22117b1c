/* SPDX-License-Identifier: Apache-2.0 */
#include "service/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define PROOF_LEN 32
#define KEY_FILE_MAX (16U << 10)
#define ANSWER_MS 3000 /* for each step of the other side */
#define READY_MS 90000 /* for a successor to become ready */
#define FREE_MS 10000
#define DEAD_MAX 50 /* connections to a predecessor that ends without a word, until it is given up */
#define DEAD_MS 20
#define VERSION 1

enum word { HANDOVER_READY = 'R', HANDOVER_FREE = 'F' };

struct hello {
	uint8_t version;
	uint8_t nonce[PROOF_LEN];
};

struct handover {
	struct handover_config config;
	uint8_t key[PROOF_LEN];
	int listen_fd;
	int old_fd; /* to the predecessor; -1: none, or it has gone */
	int taken[HANDOVER_FDS_MAX], offered[HANDOVER_FDS_MAX];
	size_t taken_count, offered_count;
	int stop_fd;
	pthread_t thread;
	bool running;
	pthread_mutex_t lock;
	int new_fd; /* to the successor that is ready; -1: none */
	bool over;
};

static void fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* False when nothing comes in time. */
static bool wait_input(int fd, int ms)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};

	return poll(&ready, 1, ms) == 1;
}

/* One message of exactly `len` bytes; the socket keeps them apart. */
static bool get(int fd, void *out, size_t len, int ms)
{
	return wait_input(fd, ms) && recv(fd, out, len, 0) == (ssize_t)len;
}

static bool put(int fd, const void *bytes, size_t len)
{
	return send(fd, bytes, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static enum err refuse(const char *why)
{
	log_event(LOG_ERROR, "handover_failed", LOG_C("reason", why), LOG_I("errno", errno));
	return ERR_UNAVAILABLE;
}

/* ---- who one is ---- */

static enum err key_read(struct handover *handover)
{
	static const char purpose[] = "berth handover 1";
	uint8_t text[KEY_FILE_MAX];
	int fd = open(handover->config.key_file, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd >= 0 ? read(fd, text, sizeof(text)) : -1;

	fd_close(&fd);
	if (len <= 0 || (size_t)len == sizeof(text)) {
		log_event(LOG_ERROR, "handover_failed", LOG_C("reason", "the key file cannot be read"));
		return ERR_BAD_FIELD;
	}
	(void)crypto_generichash(handover->key, sizeof(handover->key), text, (size_t)len,
		(const unsigned char *)purpose, sizeof(purpose) - 1);
	sodium_memzero(text, sizeof(text));
	return OK;
}

static void prove(const struct handover *handover, const struct hello *hello, uint8_t proof_out[PROOF_LEN])
{
	(void)crypto_generichash(
		proof_out, PROOF_LEN, hello->nonce, sizeof(hello->nonce), handover->key, sizeof(handover->key));
}

static bool same_user(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && peer.uid == geteuid();
}

/* ---- the descriptors' way ---- */

union control {
	struct cmsghdr header;
	char room[CMSG_SPACE(HANDOVER_FDS_MAX * sizeof(int))];
};

static bool send_fds(int to, const int *fds, size_t count)
{
	static union control control;
	uint8_t number = (uint8_t)count;
	struct iovec bytes = {.iov_base = &number, .iov_len = 1};
	struct msghdr message = {.msg_iov = &bytes,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = CMSG_SPACE(count * sizeof(int))};
	struct cmsghdr *header = &control.header;

	memset(&control, 0, sizeof(control));
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(header), fds, count * sizeof(int));
	return sendmsg(to, &message, MSG_NOSIGNAL) == 1;
}

static bool is_listening(int fd)
{
	int listening = 0;
	socklen_t len = sizeof(listening);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) == 0 && listening == 1;
}

/* What came is the caller's to close, also when false. */
static bool receive_fds(int from, int *fds_out, size_t *count_out)
{
	static union control control;
	uint8_t number = 0;
	struct iovec bytes = {.iov_base = &number, .iov_len = 1};
	struct msghdr message = {
		.msg_iov = &bytes, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
	const struct cmsghdr *header;
	bool all = true;

	*count_out = 0;
	if (!wait_input(from, ANSWER_MS) || recvmsg(from, &message, MSG_CMSG_CLOEXEC) != 1)
		return false;
	header = CMSG_FIRSTHDR(&message);
	if (header == NULL || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
		return false;
	*count_out = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	memcpy(fds_out, CMSG_DATA(header), *count_out * sizeof(int));
	for (size_t i = 0; i < *count_out; i++)
		all = all && is_listening(fds_out[i]);
	return all && *count_out == number && number > 0 && (message.msg_flags & MSG_CTRUNC) == 0;
}

/* ---- the successor's side ---- */

static enum err make_socket(struct handover *handover, const struct sockaddr_un *address)
{
	(void)unlink(address->sun_path); /* of one that died */
	handover->listen_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (handover->listen_fd >= 0 && fchmod(handover->listen_fd, 0600) == 0 &&
		bind(handover->listen_fd, (const struct sockaddr *)address, sizeof(*address)) == 0 &&
		listen(handover->listen_fd, 4) == 0)
		return OK;
	(void)refuse("the socket cannot be made");
	return ERR_BAD_FIELD;
}

static enum err ask(struct handover *handover)
{
	struct hello hello;
	uint8_t proof[PROOF_LEN];

	if (!same_user(handover->old_fd))
		return refuse("the predecessor is another user's");
	if (!get(handover->old_fd, &hello, sizeof(hello), ANSWER_MS) || hello.version != VERSION)
		return refuse("the predecessor does not answer");
	prove(handover, &hello, proof);
	if (!put(handover->old_fd, proof, sizeof(proof)) ||
		!receive_fds(handover->old_fd, handover->taken, &handover->taken_count))
		return refuse("the predecessor hands over nothing");
	/* The first is the Unix socket, where the next successor will ask. */
	handover->listen_fd = handover->taken[0];
	handover->taken[0] = handover->taken[--handover->taken_count];
	log_event(LOG_INFO, "handover_taken", LOG_I("sockets", handover->taken_count));
	return OK;
}

/* It was killed: its socket takes connections for a moment longer, and resets them. */
static bool has_died(int fd)
{
	uint8_t byte;

	return same_user(fd) && wait_input(fd, ANSWER_MS) && recv(fd, &byte, 1, MSG_PEEK) <= 0;
}

static enum err meet(struct handover *handover)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const size_t len = strlen(handover->config.path);

	if (len >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		(void)refuse("the path is too long");
		return ERR_BAD_FIELD;
	}
	memcpy(address.sun_path, handover->config.path, len);
	for (int i = 0; i < DEAD_MAX; i++) {
		handover->old_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
		if (handover->old_fd < 0 ||
			connect(handover->old_fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
			fd_close(&handover->old_fd);
			return make_socket(handover, &address);
		}
		if (!has_died(handover->old_fd))
			return ask(handover);
		fd_close(&handover->old_fd);
		(void)poll(NULL, 0, DEAD_MS);
	}
	return refuse("the predecessor ends each time it is asked");
}

enum err handover_new(const struct handover_config *config, struct handover **handover_out)
{
	struct handover *handover = calloc(1, sizeof(*handover));
	enum err err;

	if (handover == NULL)
		return ERR_OVERLOADED;
	handover->config = *config;
	handover->listen_fd = handover->old_fd = handover->new_fd = -1;
	handover->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&handover->lock, NULL);
	if ((err = key_read(handover)) == OK)
		err = meet(handover);
	if (err == OK)
		*handover_out = handover;
	else
		handover_free(&handover);
	return err;
}

bool handover_follows(const struct handover *handover)
{
	return handover != NULL && handover->old_fd >= 0;
}

static bool same_address(int fd, const struct addrinfo *wanted)
{
	struct sockaddr_storage bound;
	socklen_t len = sizeof(bound);

	return getsockname(fd, (struct sockaddr *)&bound, &len) == 0 && len == wanted->ai_addrlen &&
	       memcmp(&bound, wanted->ai_addr, len) == 0;
}

int handover_take(struct handover *handover, const char *host, const char *port)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV | AI_PASSIVE};
	struct addrinfo *wanted = NULL;
	int fd = -1;

	if (!handover_follows(handover) || getaddrinfo(host, port, &hints, &wanted) != 0)
		return -1;
	for (size_t i = 0; i < handover->taken_count && fd < 0; i++) {
		if (!same_address(handover->taken[i], wanted))
			continue;
		fd = handover->taken[i];
		handover->taken[i] = handover->taken[--handover->taken_count];
	}
	freeaddrinfo(wanted);
	return fd;
}

enum err handover_finish(struct handover *handover)
{
	const uint8_t ready = HANDOVER_READY;
	uint8_t word = 0;

	if (!put(handover->old_fd, &ready, 1) || !get(handover->old_fd, &word, 1, FREE_MS) || word != HANDOVER_FREE)
		return refuse("the predecessor does not go");
	fd_close(&handover->old_fd);
	if (handover->taken_count > 0)
		log_event(LOG_WARN, "handover_unused", LOG_I("sockets", handover->taken_count));
	return OK;
}

/* ---- the predecessor's side ---- */

void handover_offer(struct handover *handover, int fd)
{
	if (handover == NULL || handover->offered_count == HANDOVER_FDS_MAX - 1)
		return;
	handover->offered[handover->offered_count++] = fd;
}

/* False when it broke off, or is no successor. */
static bool hand_over(struct handover *handover, int to)
{
	struct hello hello = {.version = VERSION};
	uint8_t proof[PROOF_LEN], expected[PROOF_LEN], word = 0;
	struct pollfd ends[] = {{.fd = to, .events = POLLIN}, {.fd = handover->stop_fd, .events = POLLIN}};
	int fds[HANDOVER_FDS_MAX];

	randombytes_buf(hello.nonce, sizeof(hello.nonce));
	prove(handover, &hello, expected);
	if (!same_user(to) || !put(to, &hello, sizeof(hello)) || !get(to, proof, sizeof(proof), ANSWER_MS))
		return false;
	if (sodium_memcmp(proof, expected, sizeof(proof)) != 0) {
		log_event(LOG_WARN, "handover_refused");
		return false;
	}
	fds[0] = handover->listen_fd;
	memcpy(fds + 1, handover->offered, handover->offered_count * sizeof(int));
	if (!send_fds(to, fds, handover->offered_count + 1))
		return false;
	return poll(ends, 2, READY_MS) > 0 && ends[1].revents == 0 && get(to, &word, 1, 0) && word == HANDOVER_READY;
}

static void *wait_successors(void *arg)
{
	struct handover *handover = arg;
	struct pollfd ends[] = {
		{.fd = handover->listen_fd, .events = POLLIN}, {.fd = handover->stop_fd, .events = POLLIN}};

	while (poll(ends, 2, -1) > 0 && ends[1].revents == 0) {
		int to = accept4(handover->listen_fd, NULL, NULL, SOCK_CLOEXEC);

		if (to < 0)
			continue;
		if (!hand_over(handover, to)) {
			fd_close(&to);
			continue;
		}
		pthread_mutex_lock(&handover->lock);
		handover->new_fd = to;
		handover->over = true;
		pthread_mutex_unlock(&handover->lock);
		log_event(LOG_INFO, "handover_given", LOG_I("sockets", handover->offered_count));
		handover->config.stop(handover->config.ctx);
		break;
	}
	return NULL;
}

enum err handover_start(struct handover *handover)
{
	handover->running = pthread_create(&handover->thread, NULL, wait_successors, handover) == 0;
	if (!handover->running)
		return ERR_OVERLOADED;
	(void)pthread_setname_np(handover->thread, "handover");
	return OK;
}

bool handover_is_over(struct handover *handover)
{
	bool over;

	if (handover == NULL)
		return false;
	pthread_mutex_lock(&handover->lock);
	over = handover->over;
	pthread_mutex_unlock(&handover->lock);
	return over;
}

void handover_yield(struct handover *handover)
{
	const uint8_t word = HANDOVER_FREE;

	if (handover == NULL)
		return;
	pthread_mutex_lock(&handover->lock);
	if (handover->new_fd >= 0)
		(void)put(handover->new_fd, &word, 1);
	fd_close(&handover->new_fd);
	pthread_mutex_unlock(&handover->lock);
}

void handover_free(struct handover **handover)
{
	struct handover *gone = *handover;
	const uint64_t one = 1;

	if (gone == NULL)
		return;
	*handover = NULL;
	if (gone->running && write(gone->stop_fd, &one, sizeof(one)) == sizeof(one))
		pthread_join(gone->thread, NULL);
	handover_yield(gone);
	for (size_t i = 0; i < gone->taken_count; i++)
		fd_close(&gone->taken[i]);
	fd_close(&gone->listen_fd);
	fd_close(&gone->old_fd);
	fd_close(&gone->stop_fd);
	sodium_memzero(gone->key, sizeof(gone->key));
	pthread_mutex_destroy(&gone->lock);
	free(gone);
}
