/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "link/link.h"
#include "link/test_pki.h"

/* bookingsvc listens for the gateway; auditsvc is a foreign role. */
static char pki[TEST_PKI_PATH_MAX];

static struct link_identity *identity_in(const char *dir, enum peer self, const char *leaf)
{
	struct link_identity *identity = NULL;
	char cert[400], key[400], ca[400];

	(void)snprintf(cert, sizeof(cert), "%s/%s.pem", dir, leaf);
	(void)snprintf(key, sizeof(key), "%s/%s.key", dir, leaf);
	(void)snprintf(ca, sizeof(ca), "%s/ca", dir);
	assert_int_equal(link_identity_new(self, cert, key, ca, &identity), OK);
	return identity;
}

static int free_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	close(fd);
	return ntohs(address.sin_port);
}

/* Every test is run with dialers that nng's threads read, and with such that a thread of the owner's does. */
static bool owner_reads;

/* The owner of one. */
struct owner {
	struct link_dialer *dialer;
	int epoll_fd, stop_fd;
	pthread_t thread;
	struct owner *next;
};

static struct owner *owners;

static void *owner_main(void *arg)
{
	const struct owner *owner = arg;
	struct epoll_event event;

	for (;;) {
		if (epoll_wait(owner->epoll_fd, &event, 1, -1) != 1)
			continue;
		if (event.data.u64 == 0)
			return NULL;
		link_dialer_read(owner->dialer);
	}
}

static struct owner *owner_new(void)
{
	struct owner *owner = calloc(1, sizeof(*owner));
	struct epoll_event event = {.events = EPOLLIN};

	owner->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	owner->stop_fd = eventfd(0, EFD_CLOEXEC);
	assert_int_equal(epoll_ctl(owner->epoll_fd, EPOLL_CTL_ADD, owner->stop_fd, &event), 0);
	return owner;
}

static void owner_start(struct owner *owner, struct link_dialer *dialer)
{
	owner->dialer = dialer;
	owner->next = owners;
	owners = owner;
	assert_int_equal(pthread_create(&owner->thread, NULL, owner_main, owner), 0);
}

static void dialer_free(struct link_dialer **dialer)
{
	struct owner **place = &owners, *owner;
	const uint64_t one = 1;

	while (*place && (*place)->dialer != *dialer)
		place = &(*place)->next;
	owner = *place;
	if (owner) {
		*place = owner->next;
		assert_int_equal(write(owner->stop_fd, &one, sizeof(one)), sizeof(one));
		pthread_join(owner->thread, NULL);
	}
	link_dialer_free(dialer);
	if (owner) {
		close(owner->stop_fd);
		close(owner->epoll_fd);
	}
	free(owner);
}

static struct link_dialer *dialer_to(
	const char *dir, enum peer self, const char *leaf, const char *urls, size_t in_flight)
{
	struct link_identity *identity = identity_in(dir, self, leaf);
	struct owner *owner = owner_reads ? owner_new() : NULL;
	const struct link_ready ready = {.epoll_fd = owner ? owner->epoll_fd : -1, .data = 1};
	struct link_dialer *dialer = NULL;
	struct link_dialer_config config = {
		.identity = identity,
		.callee = PEER_bookingsvc,
		.lane = LANE_FAST,
		.urls = urls,
		.in_flight_max = in_flight,
		.ready = owner ? &ready : NULL,
	};

	assert_int_equal(link_dialer_new(&config, &dialer), OK);
	link_identity_free(&identity);
	if (owner)
		owner_start(owner, dialer);
	return dialer;
}

static struct link_listener *listener_at(const char *dir, int port)
{
	struct link_identity *identity = identity_in(dir, PEER_bookingsvc, "bookingsvc");
	struct link_listener *listener = NULL;
	struct link_listener_config config = {.identity = identity, .caller = PEER_gateway, .lane = LANE_FAST};
	char url[LINK_URL_MAX];

	(void)snprintf(url, sizeof(url), "tls+tcp://127.0.0.1:%d", port);
	config.url = url;
	assert_int_equal(link_listener_new(&config, &listener), OK);
	link_identity_free(&identity);
	return listener;
}

/*
 * A callee that answers by the first byte: 'e' echo, 'b' the largest reply, 'r' refuse, for it drains from now on,
 * 'd' drop, 's' slowly.
 */
struct server {
	struct link_listener *listener;
	pthread_t threads[4];
	size_t thread_count;
	atomic_bool stop;
	atomic_uint received;
	atomic_uint delay_us; /* before an echo */
	char mark;            /* what an echo begins with */
};

static void answer(struct server *server, struct link_worker *worker, struct str message)
{
	static char big[LINK_BYTES_MAX];

	switch (message.p[0]) {
	case 'r':
		/* One that took connections still would be found anew, and be another process to its caller. */
		link_listener_drain(server->listener, false);
		link_worker_refuse(worker);
		break;
	case 'd':
		link_worker_drop(worker);
		break;
	case 'b':
		link_worker_reply(worker, (struct str){big, sizeof(big)});
		break;
	case 's':
		usleep(300000);
		link_worker_reply(worker, STR("slow"));
		break;
	default: {
		struct buf reply;

		usleep(atomic_load(&server->delay_us));
		buf_init(&reply, LINK_BYTES_MAX);
		buf_put_byte(&reply, (uint8_t)server->mark);
		buf_put(&reply, message.p + 1, message.len - 1);
		link_worker_reply(worker, buf_str(&reply));
		buf_release(&reply);
	}
	}
}

static void *serve(void *arg)
{
	struct server *server = arg;
	struct link_worker *worker = NULL;
	struct str message;

	INVARIANT(link_worker_new(server->listener, &worker) == OK);
	while (!atomic_load(&server->stop)) {
		if (link_worker_receive(worker, 5000, &message) != OK)
			continue;
		atomic_fetch_add(&server->received, 1);
		answer(server, worker, message);
	}
	link_worker_free(&worker);
	return NULL;
}

static struct server *server_start(int port, size_t threads, char mark)
{
	struct server *server = calloc(1, sizeof(*server));

	server->listener = listener_at(pki, port);
	server->mark = mark;
	server->thread_count = threads;
	for (size_t i = 0; i < threads; i++)
		assert_int_equal(pthread_create(&server->threads[i], NULL, serve, server), 0);
	return server;
}

static void server_stop(struct server **server)
{
	atomic_store(&(*server)->stop, true);
	for (size_t i = 0; i < (*server)->thread_count; i++) {
		struct timespec soon;

		/* A wake may come just before a wait: say it again until the thread has gone. */
		do {
			link_listener_wake((*server)->listener);
			usleep(1000);
			soon = (struct timespec){0};
		} while (pthread_timedjoin_np((*server)->threads[i], NULL, &soon) != 0);
	}
	link_listener_free(&(*server)->listener);
	free(*server);
	*server = NULL;
}

/* Every thread of it has stopped. */
static void stop_process(pid_t pid)
{
	int status;

	assert_int_equal(kill(pid, SIGSTOP), 0);
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_true(WIFSTOPPED(status));
}

static bool wait_live(struct link_dialer *dialer, size_t live)
{
	for (int i = 0; i < 3000 && link_live(dialer) != live; i++)
		usleep(10000);
	return link_live(dialer) == live;
}

static uint64_t in_ms(uint64_t ms)
{
	return clock_monotonic_us() + ms * 1000;
}

static enum err ask(struct link_dialer *dialer, struct str message, uint64_t ms, char *first_out)
{
	struct buf reply;
	enum err err;

	buf_init(&reply, LINK_BYTES_MAX);
	err = link_call_wait(dialer, message, in_ms(ms), &reply);
	if (first_out)
		*first_out = err == OK ? reply.p[0] : '\0';
	buf_release(&reply);
	return err;
}

static void test_a_message_comes_back_as_its_reply(void **state)
{
	int port = free_port();
	struct server *server = server_start(port, 2, '1');
	struct link_dialer *dialer;
	char url[LINK_URL_MAX], *large = calloc(1, LINK_BYTES_MAX + 1), first;

	(void)state;
	(void)snprintf(url, sizeof(url), "tls+tcp://127.0.0.1:%d", port);
	dialer = dialer_to(pki, PEER_gateway, "gateway", url, 0);
	assert_true(wait_live(dialer, 1));
	assert_int_equal(link_room(dialer), LINK_IN_FLIGHT_USUAL);
	assert_int_equal(ask(dialer, STR("e"), 2000, &first), OK);
	assert_int_equal(first, '1');
	memset(large, 'e', LINK_BYTES_MAX);
	assert_int_equal(ask(dialer, (struct str){large, LINK_BYTES_MAX}, 5000, &first), OK);
	assert_int_equal(ask(dialer, STR("b"), 5000, NULL), OK);
	assert_int_equal(ask(dialer, (struct str){large, LINK_BYTES_MAX + 1}, 2000, NULL), ERR_TOO_LARGE);
	for (int i = 0; i < 200; i++)
		assert_int_equal(ask(dialer, STR("e again"), 2000, &first), OK);
	assert_int_equal(link_stats(dialer, 0).answered, 203);
	assert_int_equal(link_room(dialer), LINK_IN_FLIGHT_USUAL);
	free(large);
	dialer_free(&dialer);
	server_stop(&server);
}

struct heard {
	pthread_t by;
	unsigned times;
	enum err err;
};

static void hear(void *ctx, enum err err, struct str reply)
{
	struct heard *heard = ctx;

	(void)reply;
	heard->by = pthread_self();
	heard->err = err;
	heard->times++;
}

/* Nobody but the owner takes a reply, and no byte of it is taken before. */
static void test_a_reply_waits_for_the_thread_that_reads(void **state)
{
	int port = free_port();
	struct server *server = server_start(port, 1, '1');
	struct owner *owner = owner_new();
	const struct link_ready ready = {.epoll_fd = owner->epoll_fd, .data = 7};
	struct link_identity *identity = identity_in(pki, PEER_gateway, "gateway");
	struct link_dialer *dialer = NULL;
	struct heard heard = {.times = 0};
	struct epoll_event event;
	char url[LINK_URL_MAX];
	struct link_dialer_config config = {
		.identity = identity, .callee = PEER_bookingsvc, .lane = LANE_FAST, .urls = url, .ready = &ready};

	(void)state;
	(void)snprintf(url, sizeof(url), "tls+tcp://127.0.0.1:%d", port);
	assert_int_equal(link_dialer_new(&config, &dialer), OK);
	link_identity_free(&identity);
	assert_true(wait_live(dialer, 1));
	link_dialer_read(dialer); /* nothing: does not wait */
	for (unsigned i = 1; i <= 3; i++) {
		assert_int_equal(link_send(dialer, STR("e"), in_ms(5000), hear, &heard), OK);
		assert_int_equal(epoll_wait(owner->epoll_fd, &event, 1, 5000), 1);
		assert_int_equal(event.data.u64, 7);
		usleep(1000);
		assert_int_equal(heard.times, i - 1);
		link_dialer_read(dialer);
		assert_int_equal(heard.times, i);
		assert_true(pthread_equal(heard.by, pthread_self()));
		assert_int_equal(heard.err, OK);
		assert_int_equal(epoll_wait(owner->epoll_fd, &event, 1, 0), 0);
	}
	link_dialer_free(&dialer);
	/* Nothing of it is watched any more. */
	assert_int_equal(epoll_wait(owner->epoll_fd, &event, 1, 0), 0);
	close(owner->stop_fd);
	close(owner->epoll_fd);
	free(owner);
	server_stop(&server);
}

static void test_a_deadline_ends_the_call(void **state)
{
	int port = free_port();
	struct server *server = server_start(port, 1, '1');
	struct link_dialer *dialer;
	char url[LINK_URL_MAX];
	uint64_t begun;

	(void)state;
	(void)snprintf(url, sizeof(url), "tls+tcp://127.0.0.1:%d", port);
	dialer = dialer_to(pki, PEER_gateway, "gateway", url, 1);
	assert_true(wait_live(dialer, 1));
	begun = clock_monotonic_us();
	assert_int_equal(ask(dialer, STR("s"), 50, NULL), ERR_DEADLINE);
	assert_in_range(clock_monotonic_us() - begun, 50000, 250000);
	assert_int_equal(ask(dialer, STR("d"), 400, NULL), ERR_DEADLINE);
	assert_int_equal(link_send(dialer, STR("e"), clock_monotonic_us(), NULL, NULL), ERR_DEADLINE);
	assert_int_equal(link_stats(dialer, 0).late, 2);
	/* A late reply is nobody's: the next call gets its own. */
	assert_int_equal(ask(dialer, STR("e"), 2000, NULL), OK);
	dialer_free(&dialer);
	server_stop(&server);
}

static void never(void *ctx, enum err err, struct str reply)
{
	(void)ctx;
	(void)err;
	(void)reply;
	fail();
}

static void test_without_a_peer_the_call_fails_at_once(void **state)
{
	struct link_dialer *dialer;
	char url[LINK_URL_MAX];
	uint64_t begun = clock_monotonic_us();

	(void)state;
	(void)snprintf(url, sizeof(url), "tls+tcp://127.0.0.1:%d", free_port());
	dialer = dialer_to(pki, PEER_gateway, "gateway", url, 0);
	assert_int_equal(link_send(dialer, STR("e"), in_ms(2000), never, NULL), ERR_UNAVAILABLE);
	assert_int_equal(ask(dialer, STR("e"), 2000, NULL), ERR_UNAVAILABLE);
	assert_true(clock_monotonic_us() - begun < 500000);
	assert_int_equal(link_room(dialer), 0);
	dialer_free(&dialer);
}

struct tally {
	atomic_uint ended, ok, unavailable, deadline, draining, other;
};

static void tally(void *ctx, enum err err, struct str reply)
{
	struct tally *t = ctx;

	(void)reply;
	switch (err) {
	case OK:
		atomic_fetch_add(&t->ok, 1);
		break;
	case ERR_UNAVAILABLE:
		atomic_fetch_add(&t->unavailable, 1);
		break;
	case ERR_DEADLINE:
		atomic_fetch_add(&t->deadline, 1);
		break;
	case ERR_DRAINING:
		atomic_fetch_add(&t->draining, 1);
		break;
	default:
		atomic_fetch_add(&t->other, 1);
	}
	atomic_fetch_add(&t->ended, 1);
}

static bool wait_ended(struct tally *t, unsigned count, int ms)
{
	for (int i = 0; i < ms && atomic_load(&t->ended) < count; i++)
		usleep(1000);
	return atomic_load(&t->ended) == count;
}

/* A process that receives and never answers, until killed; it writes a byte for each message. */
static int child(int port)
{
	struct link_listener *listener = listener_at(pki, port);
	struct link_worker *workers[4];
	struct str message;

	for (size_t i = 0; i < COUNT_OF(workers); i++)
		INVARIANT(link_worker_new(listener, &workers[i]) == OK);
	for (size_t i = 0;; i = (i + 1) % COUNT_OF(workers)) {
		if (link_worker_receive(workers[i], 100, &message) == OK)
			INVARIANT(write(STDOUT_FILENO, "x", 1) == 1);
	}
}

static int child_echo(int port)
{
	struct server *server = server_start(port, 3, 'c');

	(void)server;
	INVARIANT(write(STDOUT_FILENO, "x", 1) == 1);
	for (;;)
		(void)pause();
}

/* This very program anew: nng does not survive a fork. */
static pid_t child_start(const char *mode, int port, int *pipe_out)
{
	char text[16];
	int fds[2];
	pid_t pid;

	(void)snprintf(text, sizeof(text), "%d", port);
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		(void)dup2(fds[1], STDOUT_FILENO);
		close(fds[0]);
		close(fds[1]);
		(void)execl("/proc/self/exe", mode, pki, text, (char *)NULL);
		_exit(1);
	}
	close(fds[1]);
	*pipe_out = fds[0];
	return pid;
}

static void test_a_killed_peer_fails_its_calls_at_once_and_got_them_at_most_once(void **state)
{
	int port = free_port(), fd;
	pid_t pid = child_start("mute", port, &fd);
	struct link_dialer *dialer;
	struct server *server;
	struct tally t = {0};
	char url[LINK_URL_MAX], bytes[64];
	uint64_t begun;

	(void)state;
	(void)snprintf(url, sizeof(url), "tls+tcp://127.0.0.1:%d", port);
	dialer = dialer_to(pki, PEER_gateway, "gateway", url, 4);
	assert_true(wait_live(dialer, 1));
	for (int i = 0; i < 4; i++)
		assert_int_equal(link_send(dialer, STR("e"), in_ms(20000), tally, &t), OK);
	assert_int_equal(link_send(dialer, STR("e"), in_ms(20000), never, NULL), ERR_OVERLOADED);
	for (int got = 0; got < 4;)
		got += (int)read(fd, bytes, 4);
	begun = clock_monotonic_us();
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_true(wait_ended(&t, 4, 5000));
	assert_true(clock_monotonic_us() - begun < 10000000); /* not the deadline's twenty seconds */
	assert_int_equal(t.deadline, 4);
	assert_int_equal(link_stats(dialer, 0).lost, 4);
	assert_int_equal(waitpid(pid, NULL, 0), pid);

	/* Whoever comes up in its place gets none of them. */
	server = server_start(port, 1, '2');
	assert_true(wait_live(dialer, 1));
	usleep(100000);
	assert_int_equal(atomic_load(&server->received), 0);
	assert_int_equal(ask(dialer, STR("e"), 2000, NULL), OK);
	assert_int_equal(link_stats(dialer, 0).connects, 2);
	close(fd);
	dialer_free(&dialer);
	server_stop(&server);
}

static void test_two_replicas_share_the_load_and_one_takes_over(void **state)
{
	int ports[2] = {free_port(), free_port()};
	struct server *servers[2] = {server_start(ports[0], 2, '1'), server_start(ports[1], 2, '2')};
	struct link_dialer *dialer;
	char urls[3 * LINK_URL_MAX];

	(void)state;
	(void)snprintf(urls, sizeof(urls), "tls+tcp://127.0.0.1:%d, tls+tcp://127.0.0.1:%d", ports[0], ports[1]);
	dialer = dialer_to(pki, PEER_gateway, "gateway", urls, 0);
	assert_int_equal(link_replicas(dialer), 2);
	assert_true(wait_live(dialer, 2));
	for (int i = 0; i < 100; i++)
		assert_int_equal(ask(dialer, STR("e"), 2000, NULL), OK);
	assert_int_equal(atomic_load(&servers[0]->received), 50);
	link_eject(dialer, 0, true);
	assert_int_equal(link_live(dialer), 1);
	assert_int_equal(ask(dialer, STR("e"), 2000, NULL), OK);
	assert_int_equal(atomic_load(&servers[0]->received), 50);
	link_eject(dialer, 0, false);
	server_stop(&servers[0]);
	assert_true(wait_live(dialer, 1));
	for (int i = 0; i < 20; i++)
		assert_int_equal(ask(dialer, STR("e"), 2000, NULL), OK);
	dialer_free(&dialer);
	server_stop(&servers[1]);
}

static void test_a_draining_peer_gets_no_more(void **state)
{
	int ports[2] = {free_port(), free_port()};
	struct server *servers[2] = {server_start(ports[0], 1, '1'), server_start(ports[1], 1, '2')};
	struct link_dialer *dialer;
	char urls[3 * LINK_URL_MAX], first;
	unsigned draining;

	(void)state;
	(void)snprintf(urls, sizeof(urls), "tls+tcp://127.0.0.1:%d,tls+tcp://127.0.0.1:%d", ports[0], ports[1]);
	dialer = dialer_to(pki, PEER_gateway, "gateway", urls, 0);
	assert_true(wait_live(dialer, 2));
	assert_int_equal(ask(dialer, STR("r"), 2000, NULL), ERR_DRAINING);
	assert_int_equal(link_live(dialer), 1);
	draining = atomic_load(&servers[0]->received) > 0 ? 0 : 1;
	for (int i = 0; i < 10; i++) {
		assert_int_equal(ask(dialer, STR("e"), 2000, &first), OK);
		assert_int_equal(first, draining == 0 ? '2' : '1');
	}
	/* Until it has connected anew: then it is another process. */
	server_stop(&servers[draining]);
	servers[draining] = server_start(ports[draining], 1, '3');
	assert_true(wait_live(dialer, 2));
	dialer_free(&dialer);
	server_stop(&servers[0]);
	server_stop(&servers[1]);
}

static void test_freeing_a_dialer_ends_what_is_under_way(void **state)
{
	int port = free_port();
	struct server *server = server_start(port, 1, '1');
	struct link_dialer *dialer;
	struct tally t = {0};
	char url[LINK_URL_MAX];

	(void)state;
	(void)snprintf(url, sizeof(url), "tls+tcp://127.0.0.1:%d", port);
	dialer = dialer_to(pki, PEER_gateway, "gateway", url, 8);
	assert_true(wait_live(dialer, 1));
	for (int i = 0; i < 8; i++)
		assert_int_equal(link_send(dialer, STR("s"), in_ms(60000), tally, &t), OK);
	dialer_free(&dialer);
	assert_int_equal(t.ended, 8);
	assert_int_equal(t.deadline + t.unavailable + t.ok, 8);
	server_stop(&server);
}

/* Either end closes while the other writes; neither waits for what nng would owe for ever, nor loses memory. */
static void test_connections_that_end_while_they_read_are_soon_over(void **state)
{
	const int port = free_port();
	uint64_t slowest_us = 0;
	struct tally t = {0};
	char url[LINK_URL_MAX];
	unsigned sent = 0;

	(void)state;
	(void)snprintf(url, sizeof(url), "tls+tcp://127.0.0.1:%d", port);
	for (unsigned round = 0; round < 150; round++) {
		struct server *server = server_start(port, 2, '1');
		struct link_dialer *dialer = dialer_to(pki, PEER_gateway, "gateway", url, 8);
		uint64_t begun_us;

		assert_true(wait_live(dialer, 1));
		for (int i = 0; i < 100; i++)
			sent += link_send(dialer, STR("e and something"), in_ms(60000), tally, &t) == OK;
		usleep(round * 7 % 500);
		begun_us = clock_monotonic_us();
		if (round % 2 == 0) {
			dialer_free(&dialer);
			server_stop(&server);
		} else {
			server_stop(&server);
			dialer_free(&dialer);
		}
		if (clock_monotonic_us() - begun_us > slowest_us)
			slowest_us = clock_monotonic_us() - begun_us;
	}
	assert_int_equal(t.ended, sent);
	assert_true(slowest_us < 4 * US_PER_S);
}

static int connect_to(int port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct timeval patience = {.tv_sec = 3};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

static void test_garbage_and_plain_text_get_nothing(void **state)
{
	static const struct {
		const char *name;
		const char *bytes;
		size_t len;
	} cases[] = {
		{"an SP header without TLS", "\0SP\0\0\x30\0\0", 8},
		{"an HTTP request", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27},
		{"a TLS record of nonsense", "\x16\x03\x01\x00\x10garbagegarbagega", 21},
		{"zeros", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16},
	};
	int port = free_port();
	struct server *server = server_start(port, 1, '1');
	struct link_dialer *dialer;
	char url[LINK_URL_MAX], bytes[256];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		int fd = connect_to(port);
		ssize_t got;

		CHECK(cases[i].name, send(fd, cases[i].bytes, cases[i].len, MSG_NOSIGNAL) == (ssize_t)cases[i].len);
		/* An alert and the end, or the end at once: never an SP header. */
		got = recv(fd, bytes, sizeof(bytes), 0);
		CHECK(cases[i].name, got <= 0 || bytes[0] == 0x15);
		close(fd);
	}
	assert_int_equal(link_listener_stats(server->listener).connects, 0);
	(void)snprintf(url, sizeof(url), "tls+tcp://127.0.0.1:%d", port);
	dialer = dialer_to(pki, PEER_gateway, "gateway", url, 0);
	assert_true(wait_live(dialer, 1));
	assert_int_equal(ask(dialer, STR("e"), 2000, NULL), OK);
	assert_int_equal(atomic_load(&server->received), 1);
	dialer_free(&dialer);
	server_stop(&server);
}

static void test_strangers_who_hold_connections_keep_no_caller_out(void **state)
{
	int port = free_port(), fds[200];
	struct server *server = server_start(port, 1, '1');
	struct link_dialer *dialer;
	char url[LINK_URL_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(fds); i++)
		fds[i] = connect_to(port);
	(void)snprintf(url, sizeof(url), "tls+tcp://127.0.0.1:%d", port);
	dialer = dialer_to(pki, PEER_gateway, "gateway", url, 0);
	assert_true(wait_live(dialer, 1));
	assert_int_equal(ask(dialer, STR("e"), 2000, NULL), OK);
	assert_true(link_listener_stats(server->listener).turned_away >= 100);
	for (size_t i = 0; i < COUNT_OF(fds); i++)
		close(fds[i]);
	assert_int_equal(ask(dialer, STR("e"), 2000, NULL), OK);
	dialer_free(&dialer);
	server_stop(&server);
}

static void test_only_the_declared_role_connects(void **state)
{
	char foreign[TEST_PKI_PATH_MAX];
	struct {
		const char *name;
		const char *dir;
		const char *leaf;
		bool connects;
	} cases[] = {
		{"the gateway with its own leaf", pki, "gateway", true},
		{"another role of the same suite", pki, "auditsvc", false},
		{"the callee's own leaf", pki, "bookingsvc", false},
		{"a gateway of another suite", foreign, "gateway", false},
	};
	int port = free_port();
	struct server *server = server_start(port, 1, '1');
	char url[LINK_URL_MAX], ca[400], from[400];

	(void)state;
	test_pki_dir(foreign);
	test_pki_role(foreign, "gateway");
	/* It even trusts the true callee. */
	(void)snprintf(ca, sizeof(ca), "%s/ca/bookingsvc-ca.pem", foreign);
	(void)snprintf(from, sizeof(from), "%s/ca/bookingsvc-ca.pem", pki);
	assert_int_equal(symlink(from, ca), 0);
	(void)snprintf(url, sizeof(url), "tls+tcp://127.0.0.1:%d", port);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct link_dialer *dialer = dialer_to(cases[i].dir, PEER_gateway, cases[i].leaf, url, 0);

		if (cases[i].connects) {
			CHECK(cases[i].name, wait_live(dialer, 1));
			CHECK(cases[i].name, ask(dialer, STR("e"), 2000, NULL) == OK);
		} else {
			usleep(500000);
			CHECK(cases[i].name, link_live(dialer) == 0);
			CHECK(cases[i].name, ask(dialer, STR("e"), 500, NULL) == ERR_UNAVAILABLE);
		}
		dialer_free(&dialer);
	}
	assert_int_equal(atomic_load(&server->received), 1);
	server_stop(&server);
	test_pki_remove(foreign);
}

static void test_a_dialer_refuses_a_false_callee(void **state)
{
	char foreign[TEST_PKI_PATH_MAX];
	struct link_listener *listener;
	struct link_dialer *dialer;
	char url[LINK_URL_MAX];
	int port = free_port();

	(void)state;
	/* A listener that takes the gateway, but is another suite's bookingsvc. */
	test_pki_dir(foreign);
	test_pki_role(foreign, "bookingsvc");
	test_pki_role(foreign, "gateway");
	listener = listener_at(foreign, port);
	(void)snprintf(url, sizeof(url), "tls+tcp://127.0.0.1:%d", port);
	dialer = dialer_to(pki, PEER_gateway, "gateway", url, 0);
	usleep(500000);
	assert_int_equal(link_live(dialer), 0);
	assert_int_equal(link_listener_stats(listener).connects, 0);
	dialer_free(&dialer);
	link_listener_free(&listener);
	test_pki_remove(foreign);
}

/* Each end asks the other for its own name and for a time that has not passed, under the very authority it trusts. */
static void test_a_leaf_of_the_right_authority_must_have_the_name_and_the_time(void **state)
{
	static const struct {
		const char *name;
		const char *caller;
		int caller_days;
		const char *callee;
		int callee_days;
	} cases[] = {
		{"both as declared", "gateway", 30, "bookingsvc", 30},
		{"a caller whose time has passed", "gateway", -1, "bookingsvc", 30},
		{"a caller of another name", "auditsvc", 30, "bookingsvc", 30},
		{"a callee whose time has passed", "gateway", 30, "bookingsvc", -1},
		{"a callee of another name", "gateway", 30, "auditsvc", 30},
		{"a callee with the caller's name", "gateway", 30, "gateway", 30},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char dir[TEST_PKI_PATH_MAX], url[LINK_URL_MAX];
		int port = free_port();
		struct link_listener *listener;
		struct link_dialer *dialer;

		test_pki_dir(dir);
		test_pki_role_as(dir, "gateway", cases[i].caller, cases[i].caller_days);
		test_pki_role_as(dir, "bookingsvc", cases[i].callee, cases[i].callee_days);
		listener = listener_at(dir, port);
		(void)snprintf(url, sizeof(url), "tls+tcp://127.0.0.1:%d", port);
		dialer = dialer_to(dir, PEER_gateway, "gateway", url, 0);
		for (int j = 0; j < 3000 && link_live(dialer) == 0 && link_listener_stats(listener).faults == 0; j++)
			usleep(10000);
		CHECK(cases[i].name, link_live(dialer) == (i == 0));
		CHECK(cases[i].name, link_listener_stats(listener).connects == (i == 0));
		CHECK(cases[i].name, i == 0 || link_listener_stats(listener).faults > 0);
		link_dialer_free(&dialer);
		link_listener_free(&listener);
		test_pki_remove(dir);
	}
}

static void test_urls_other_than_tls_are_refused(void **state)
{
	static const char *const urls[] = {"tcp://127.0.0.1:1", "ipc:///tmp/x", "inproc://x", "", "tls+tcp://",
		"tls+tcp://127.0.0.1:1,tcp://127.0.0.1:1", "tls+tcp://127.0.0.1:1,", "ws://127.0.0.1:1",
		"tls+tcp://127.0.0.1:99999", "tls+tcp://127.0.0.1", "tls+tcp://:7000", "tls+tcp://host:70x0"};
	struct link_identity *identity = identity_in(pki, PEER_gateway, "gateway");

	(void)state;
	for (size_t i = 0; i < COUNT_OF(urls); i++) {
		struct link_dialer_config config = {
			.identity = identity, .callee = PEER_bookingsvc, .lane = LANE_FAST, .urls = urls[i]};
		struct link_dialer *dialer = NULL;

		CHECK(urls[i], link_dialer_new(&config, &dialer) == ERR_BAD_FIELD);
		CHECK(urls[i], dialer == NULL);
	}
	link_identity_free(&identity);
}

static void test_a_message_that_waits_in_no_connection_is_undelivered(void **state)
{
	int port = free_port(), fd;
	pid_t pid = child_start("mute", port, &fd);
	struct link_dialer *dialer;
	struct tally t = {0};
	char url[LINK_URL_MAX];
	unsigned sent = 0;

	(void)state;
	(void)snprintf(url, sizeof(url), "tls+tcp://127.0.0.1:%d", port);
	dialer = dialer_to(pki, PEER_gateway, "gateway", url, 16);
	assert_true(wait_live(dialer, 1));
	/* Stopped, it reads nothing: large messages fill the connection and the rest waits on this side. */
	stop_process(pid);
	for (int i = 0; i < 16; i++) {
		static char large[LINK_BYTES_MAX];

		sent += link_send(dialer, (struct str){large, sizeof(large)}, in_ms(20000), tally, &t) == OK;
	}
	/* A machine so slow that the callee's silence is noticed meanwhile takes fewer. */
	assert_true(sent >= 8);
	usleep(200000);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_true(wait_ended(&t, sent, 5000));
	assert_true(t.unavailable + 6 >= sent);
	assert_int_equal(t.unavailable + t.deadline, sent);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(fd);
	dialer_free(&dialer);
}

static void *drain_after(void *arg)
{
	struct server *server = arg;

	usleep(50000);
	link_listener_drain(server->listener, false);
	INVARIANT(link_listener_wait_gone(server->listener, in_ms(3000)));
	return NULL;
}

static void test_a_drain_under_load_fails_nobody(void **state)
{
	int ports[2] = {free_port(), free_port()};
	struct server *servers[2] = {server_start(ports[0], 2, '1'), server_start(ports[1], 2, '2')};
	struct link_dialer *dialer;
	char urls[3 * LINK_URL_MAX];
	unsigned refused = 0;
	pthread_t thread;

	(void)state;
	(void)snprintf(urls, sizeof(urls), "tls+tcp://127.0.0.1:%d,tls+tcp://127.0.0.1:%d", ports[0], ports[1]);
	dialer = dialer_to(pki, PEER_gateway, "gateway", urls, 4);
	assert_true(wait_live(dialer, 2));
	assert_int_equal(pthread_create(&thread, NULL, drain_after, servers[0]), 0);
	for (int i = 0; i < 1500; i++) {
		enum err err = ask(dialer, STR("e"), 2000, NULL);

		/* At most the messages that crossed the notice; they may be sent again. */
		assert_true(err == OK || err == ERR_DRAINING);
		refused += err == ERR_DRAINING;
	}
	pthread_join(thread, NULL);
	assert_true(refused <= 4);
	assert_int_equal(link_live(dialer), 1);
	assert_int_equal(link_stats(dialer, 0).lost, 0);
	assert_int_equal(link_listener_stats(servers[0]->listener).connected, 0);
	dialer_free(&dialer);
	server_stop(&servers[0]);
	server_stop(&servers[1]);
}

static void test_a_peer_that_hangs_is_given_up(void **state)
{
	int port = free_port(), fd;
	pid_t pid = child_start("echo", port, &fd);
	struct link_dialer *dialer;
	struct tally t = {0};
	char url[LINK_URL_MAX], byte;
	uint64_t begun;

	(void)state;
	(void)snprintf(url, sizeof(url), "tls+tcp://127.0.0.1:%d", port);
	assert_int_equal(read(fd, &byte, 1), 1);
	dialer = dialer_to(pki, PEER_gateway, "gateway", url, 4);
	assert_true(wait_live(dialer, 1));
	assert_int_equal(ask(dialer, STR("e"), 2000, NULL), OK);
	stop_process(pid);
	begun = clock_monotonic_us();
	assert_int_equal(link_send(dialer, STR("e"), in_ms(60000), tally, &t), OK);
	for (int i = 0; i < 900 && link_live(dialer) > 0; i++)
		usleep(10000);
	assert_int_equal(link_live(dialer), 0);
	assert_in_range(clock_monotonic_us() - begun, 3000000, 9000000);
	assert_true(wait_ended(&t, 1, 1000));
	assert_int_equal(t.deadline, 1);
	assert_int_equal(kill(pid, SIGCONT), 0);
	assert_true(wait_live(dialer, 1));
	assert_int_equal(ask(dialer, STR("e"), 2000, NULL), OK);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(fd);
	dialer_free(&dialer);
}

static void test_a_stopped_replica_is_left_for_the_other_until_it_goes_on(void **state)
{
	int ports[2] = {free_port(), free_port()}, fds[2];
	pid_t pids[2] = {child_start("echo", ports[0], &fds[0]), child_start("echo", ports[1], &fds[1])};
	struct link_dialer *dialer;
	char urls[3 * LINK_URL_MAX], byte;
	struct tally t = {0};
	uint64_t begun;

	(void)state;
	(void)snprintf(urls, sizeof(urls), "tls+tcp://127.0.0.1:%d,tls+tcp://127.0.0.1:%d", ports[0], ports[1]);
	for (size_t i = 0; i < COUNT_OF(fds); i++)
		assert_int_equal(read(fds[i], &byte, 1), 1);
	dialer = dialer_to(pki, PEER_gateway, "gateway", urls, 4);
	assert_true(wait_live(dialer, 2));
	stop_process(pids[0]);
	begun = clock_monotonic_us();
	for (int i = 0; i < 8; i++)
		assert_int_equal(link_send(dialer, STR("e"), in_ms(60000), tally, &t), OK);
	/* Long before any deadline its messages are told to be lost, so that what may run twice goes to the other. */
	assert_true(wait_ended(&t, 8, 20000));
	assert_true(clock_monotonic_us() - begun < 20000000);
	assert_int_equal(t.ok + t.deadline, 8);
	assert_in_range(t.deadline, 1, 4);
	assert_int_equal(link_live(dialer), 1);
	for (int i = 0; i < 50; i++)
		assert_int_equal(ask(dialer, STR("e"), 20000, NULL), OK);
	assert_int_equal(kill(pids[0], SIGCONT), 0);
	assert_true(wait_live(dialer, 2));
	for (int i = 0; i < 50; i++)
		assert_int_equal(ask(dialer, STR("e"), 20000, NULL), OK);
	for (size_t i = 0; i < COUNT_OF(pids); i++) {
		assert_int_equal(kill(pids[i], SIGKILL), 0);
		assert_int_equal(waitpid(pids[i], NULL, 0), pids[i]);
		close(fds[i]);
	}
	dialer_free(&dialer);
}

static void test_a_replica_far_slower_than_the_other_is_ejected_and_tried_again(void **state)
{
	int ports[2] = {free_port(), free_port()};
	struct server *servers[2] = {server_start(ports[0], 2, '1'), server_start(ports[1], 2, '2')};
	struct link_dialer *dialer;
	char urls[3 * LINK_URL_MAX];
	uint64_t until_us = in_ms(60000);
	unsigned before;

	(void)state;
	(void)snprintf(urls, sizeof(urls), "tls+tcp://127.0.0.1:%d,tls+tcp://127.0.0.1:%d", ports[0], ports[1]);
	dialer = dialer_to(pki, PEER_gateway, "gateway", urls, 4);
	assert_true(wait_live(dialer, 2));
	atomic_store(&servers[0]->delay_us, 400000);
	while (link_stats(dialer, 0).ejections == 0 && clock_monotonic_us() < until_us)
		assert_int_equal(ask(dialer, STR("e"), 20000, NULL), OK);
	assert_int_equal(link_stats(dialer, 0).ejections, 1);
	assert_int_equal(link_stats(dialer, 1).ejections, 0);
	/* Quick again, the next messages that try it bring it back. */
	atomic_store(&servers[0]->delay_us, 0);
	before = atomic_load(&servers[0]->received);
	until_us = in_ms(60000);
	while (atomic_load(&servers[0]->received) < before + 20 && clock_monotonic_us() < until_us)
		assert_int_equal(ask(dialer, STR("e"), 20000, NULL), OK);
	assert_true(atomic_load(&servers[0]->received) >= before + 20);
	assert_int_equal(link_live(dialer), 2);
	dialer_free(&dialer);
	server_stop(&servers[0]);
	server_stop(&servers[1]);
}

static void test_when_all_are_ejected_none_is(void **state)
{
	int ports[2] = {free_port(), free_port()};
	struct server *servers[2] = {server_start(ports[0], 1, '1'), server_start(ports[1], 1, '2')};
	struct link_dialer *dialer;
	char urls[3 * LINK_URL_MAX], first;

	(void)state;
	(void)snprintf(urls, sizeof(urls), "tls+tcp://127.0.0.1:%d,tls+tcp://127.0.0.1:%d", ports[0], ports[1]);
	dialer = dialer_to(pki, PEER_gateway, "gateway", urls, 0);
	assert_true(wait_live(dialer, 2));
	link_eject(dialer, 0, true);
	link_eject(dialer, 1, true);
	assert_int_equal(link_live(dialer), 2);
	assert_int_equal(ask(dialer, STR("e"), 20000, NULL), OK);
	/* The last that is well is gone: the ejected one serves. */
	link_eject(dialer, 1, false);
	assert_int_equal(link_live(dialer), 1);
	server_stop(&servers[1]);
	for (int i = 0; i < 1000 && link_stats(dialer, 1).connected; i++)
		usleep(10000);
	assert_int_equal(ask(dialer, STR("e"), 20000, &first), OK);
	assert_int_equal(first, '1');
	dialer_free(&dialer);
	server_stop(&servers[0]);
}

/* One process follows another at one address: true when it took less than a caller is ready to wait. */
static bool succeed_once(void)
{
	int port = free_port();
	struct server *old = server_start(port, 1, '1'), *successor;
	struct link_dialer *dialer;
	struct tally t = {0};
	char url[LINK_URL_MAX], first;
	uint64_t begun;
	bool in_time;
	enum err err;

	(void)snprintf(url, sizeof(url), "tls+tcp://127.0.0.1:%d", port);
	dialer = dialer_to(pki, PEER_gateway, "gateway", url, 4);
	assert_true(wait_live(dialer, 1));
	assert_int_equal(link_send(dialer, STR("s"), in_ms(60000), tally, &t), OK);
	for (int i = 0; i < 20000 && atomic_load(&old->received) == 0; i++)
		usleep(1000);
	begun = clock_monotonic_us();
	link_listener_drain(old->listener, true);
	successor = server_start(port, 1, '2');
	for (int i = 0; i < 20000 && link_stats(dialer, 0).connects == 1 && !link_returns(dialer); i++)
		usleep(100);
	err = ask(dialer, STR("e"), 20000, &first);
	in_time = clock_monotonic_us() - begun < 4000000;
	if (err == OK)
		assert_int_equal(first, '2');
	else
		assert_false(in_time);
	assert_true(wait_ended(&t, 1, 20000));
	assert_int_equal(t.ok, 1);
	assert_int_equal(link_stats(dialer, 0).lost, 0);
	dialer_free(&dialer);
	server_stop(&old);
	server_stop(&successor);
	return err == OK;
}

struct refusals {
	struct link_dialer *dialer;
	atomic_uint refused, orphans; /* of them: with nobody to go to, and nobody awaited */
};

static void on_refusal(void *ctx, enum err err, struct str reply)
{
	struct refusals *refusals = ctx;

	(void)reply;
	if (err != ERR_DRAINING)
		return;
	if (link_live(refusals->dialer) == 0 && !link_returns(refusals->dialer))
		atomic_fetch_add(&refusals->orphans, 1);
	atomic_fetch_add(&refusals->refused, 1);
}

static void test_who_is_refused_by_one_that_is_succeeded_knows_whom_to_wait_for(void **state)
{
	int port = free_port();
	struct server *server = server_start(port, 1, '1');
	struct refusals refusals = {0};
	struct tally t = {0};
	char url[LINK_URL_MAX];

	(void)state;
	(void)snprintf(url, sizeof(url), "tls+tcp://127.0.0.1:%d", port);
	refusals.dialer = dialer_to(pki, PEER_gateway, "gateway", url, 8);
	assert_true(wait_live(refusals.dialer, 1));
	/* The only worker is busy; what comes behind is refused at the drain. */
	assert_int_equal(link_send(refusals.dialer, STR("s"), in_ms(60000), tally, &t), OK);
	for (int i = 0; i < 20000 && atomic_load(&server->received) == 0; i++)
		usleep(1000);
	for (int i = 0; i < 5; i++)
		assert_int_equal(link_send(refusals.dialer, STR("s"), in_ms(60000), on_refusal, &refusals), OK);
	usleep(50000);
	link_listener_drain(server->listener, true);
	assert_true(wait_ended(&t, 1, 20000));
	for (int i = 0; i < 20000 && link_stats(refusals.dialer, 0).in_flight > 0; i++)
		usleep(1000);
	assert_true(atomic_load(&refusals.refused) > 0);
	assert_int_equal(atomic_load(&refusals.orphans), 0);
	dialer_free(&refusals.dialer);
	server_stop(&server);
}

static void test_a_successor_is_awaited_while_the_old_one_finishes(void **state)
{
	bool done = false;

	(void)state;
	for (int i = 0; i < 5 && !done; i++)
		done = succeed_once();
	assert_true(done);
}

static void test_one_that_comes_back_is_found_at_once(void **state)
{
	uint64_t least_us = UINT64_MAX;
	int port = free_port();
	struct link_dialer *dialer;
	char url[LINK_URL_MAX];

	(void)state;
	(void)snprintf(url, sizeof(url), "tls+tcp://127.0.0.1:%d", port);
	dialer = dialer_to(pki, PEER_gateway, "gateway", url, 4);
	/* The best of a few, for the machine may have others to serve. */
	for (int i = 0; i < 5; i++) {
		struct server *server;
		uint64_t begun, took_us;

		usleep(800000); /* the back-off is at its greatest */
		server = server_start(port, 1, '1');
		begun = clock_monotonic_us();
		while (link_live(dialer) == 0 && clock_monotonic_us() - begun < 20000000)
			usleep(1000);
		took_us = clock_monotonic_us() - begun;
		least_us = took_us < least_us ? took_us : least_us;
		server_stop(&server);
		assert_true(wait_live(dialer, 0));
	}
	assert_true(least_us < 300000);
	dialer_free(&dialer);
}

struct load {
	struct link_dialer *dialer;
	unsigned ok, failed;
};

static void *load(void *arg)
{
	struct load *l = arg;

	for (int i = 0; i < 500; i++) {
		if (ask(l->dialer, STR("e load"), 5000, NULL) == OK)
			l->ok++;
		else
			l->failed++;
	}
	return NULL;
}

static void test_many_threads_share_a_dialer_with_little_room(void **state)
{
	int port = free_port();
	struct server *server = server_start(port, 4, '1');
	struct link_dialer *dialer;
	struct load loads[6];
	pthread_t threads[COUNT_OF(loads)];
	char url[LINK_URL_MAX];

	(void)state;
	(void)snprintf(url, sizeof(url), "tls+tcp://127.0.0.1:%d", port);
	dialer = dialer_to(pki, PEER_gateway, "gateway", url, 2);
	assert_true(wait_live(dialer, 1));
	for (size_t i = 0; i < COUNT_OF(loads); i++) {
		loads[i] = (struct load){.dialer = dialer};
		assert_int_equal(pthread_create(&threads[i], NULL, load, &loads[i]), 0);
	}
	for (size_t i = 0; i < COUNT_OF(loads); i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(loads[i].ok, 500);
	}
	dialer_free(&dialer);
	server_stop(&server);
}

struct siege {
	struct link_dialer *dialer;
	atomic_bool stop;
	atomic_uint counts[3]; /* answered, lost, refused at once */
};

static void *besiege(void *arg)
{
	struct siege *siege = arg;
	char message[3000];

	memset(message, 'e', sizeof(message));
	while (!atomic_load(&siege->stop)) {
		enum err err = ask(siege->dialer, (struct str){message, sizeof(message)}, 3000, NULL);

		atomic_fetch_add(&siege->counts[err == OK ? 0 : err == ERR_DEADLINE ? 1 : 2], 1);
		if (err == ERR_UNAVAILABLE)
			usleep(500);
	}
	return NULL;
}

static void test_a_peer_killed_again_and_again_under_load_is_found_again(void **state)
{
	struct siege siege = {0};
	int port = free_port(), rounds = getenv("BERTH_TEST_LONG") ? 200 : 6;
	pthread_t threads[4];
	char url[LINK_URL_MAX], byte;

	(void)state;
	(void)snprintf(url, sizeof(url), "tls+tcp://127.0.0.1:%d", port);
	siege.dialer = dialer_to(pki, PEER_gateway, "gateway", url, 8);
	for (size_t i = 0; i < COUNT_OF(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, besiege, &siege), 0);
	for (int i = 0; i < rounds; i++) {
		unsigned before = atomic_load(&siege.counts[0]);
		int fd;
		pid_t pid = child_start("echo", port, &fd);

		assert_int_equal(read(fd, &byte, 1), 1);
		assert_true(wait_live(siege.dialer, 1));
		for (int j = 0; j < 20000 && atomic_load(&siege.counts[0]) < before + 50; j++)
			usleep(1000);
		assert_true(atomic_load(&siege.counts[0]) >= before + 50);
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_true(wait_live(siege.dialer, 0));
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		close(fd);
	}
	atomic_store(&siege.stop, true);
	for (size_t i = 0; i < COUNT_OF(threads); i++)
		pthread_join(threads[i], NULL);
	/* Every loss was told at once, none by its deadline. */
	assert_int_equal(link_stats(siege.dialer, 0).late, 0);
	dialer_free(&siege.dialer);
}

/* A deadline counts from when a message came in, and heartbeats are answered, though every worker is at work. */
static void test_what_comes_while_all_work_is_read_in_time(void **state)
{
	int port = free_port();
	struct link_listener *listener = listener_at(pki, port);
	struct link_worker *workers[3] = {NULL};
	struct link_dialer *dialer;
	struct tally t = {0};
	char url[LINK_URL_MAX];
	struct str message;
	uint64_t sent_us = 0;

	(void)state;
	(void)snprintf(url, sizeof(url), "tls+tcp://127.0.0.1:%d", port);
	dialer = dialer_to(pki, PEER_gateway, "gateway", url, 0);
	for (size_t i = 0; i < COUNT_OF(workers); i++)
		assert_int_equal(link_worker_new(listener, &workers[i]), OK);
	assert_true(wait_live(dialer, 1));
	for (size_t i = 0; i < COUNT_OF(workers); i++) {
		sent_us = clock_monotonic_us();
		assert_int_equal(link_send(dialer, STR("e"), in_ms(20000), tally, &t), OK);
		/* All are at work, but before the first. */
		usleep(i == 0 ? 0 : 1000000);
		assert_int_equal(link_worker_receive(workers[i], 5000, &message), OK);
		assert_true(link_worker_came_us(workers[i]) - sent_us < 900000);
	}
	for (size_t i = 0; i < COUNT_OF(workers); i++)
		link_worker_reply(workers[i], STR("e"));
	assert_true(wait_ended(&t, COUNT_OF(workers), 5000));
	dialer_free(&dialer);
	for (size_t i = 0; i < COUNT_OF(workers); i++)
		link_worker_free(&workers[i]);
	link_listener_free(&listener);
}

struct sleeper {
	struct link_listener *listener;
	uint64_t timeout_ms;
	enum err err;
};

static void *sleep_in_receive(void *arg)
{
	struct sleeper *sleeper = arg;
	struct link_worker *worker = NULL;
	struct str message;

	INVARIANT(link_worker_new(sleeper->listener, &worker) == OK);
	sleeper->err = link_worker_receive(worker, sleeper->timeout_ms, &message);
	link_worker_free(&worker);
	return NULL;
}

static void sleep_all(struct link_listener *listener, uint64_t timeout_ms, bool wake)
{
	struct sleeper sleepers[4];
	pthread_t threads[COUNT_OF(sleepers)];

	for (size_t i = 0; i < COUNT_OF(sleepers); i++) {
		sleepers[i] = (struct sleeper){.listener = listener, .timeout_ms = timeout_ms};
		assert_int_equal(pthread_create(&threads[i], NULL, sleep_in_receive, &sleepers[i]), 0);
	}
	usleep(200000);
	if (wake)
		link_listener_wake(listener);
	for (size_t i = 0; i < COUNT_OF(sleepers); i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(sleepers[i].err, ERR_DEADLINE);
	}
}

static void test_a_wake_ends_every_wait_that_has_begun_and_no_other(void **state)
{
	struct link_listener *listener = listener_at(pki, free_port());
	uint64_t begun_us;

	(void)state;
	for (int round = 0; round < 3; round++) {
		begun_us = clock_monotonic_us();
		sleep_all(listener, 60000, true);
		assert_true(clock_monotonic_us() - begun_us < 30000000);
		begun_us = clock_monotonic_us();
		sleep_all(listener, 400, false);
		assert_true(clock_monotonic_us() - begun_us >= 400000);
	}
	link_listener_free(&listener);
}

static int make_pki(void **state)
{
	(void)state;
	log_init("test", getenv("BERTH_TEST_VERBOSE") ? LOG_DEBUG : LOG_ERROR);
	(void)signal(SIGPIPE, SIG_IGN);
	test_pki_dir(pki);
	test_pki_role(pki, "gateway");
	test_pki_role(pki, "bookingsvc");
	test_pki_role(pki, "auditsvc");
	return 0;
}

static int remove_pki(void **state)
{
	(void)state;
	test_pki_remove(pki);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_killed_peer_fails_its_calls_at_once_and_got_them_at_most_once),
		cmocka_unit_test(test_a_message_that_waits_in_no_connection_is_undelivered),
		cmocka_unit_test(test_a_message_comes_back_as_its_reply),
		cmocka_unit_test(test_a_reply_waits_for_the_thread_that_reads),
		cmocka_unit_test(test_what_comes_while_all_work_is_read_in_time),
		cmocka_unit_test(test_a_wake_ends_every_wait_that_has_begun_and_no_other),
		cmocka_unit_test(test_a_deadline_ends_the_call),
		cmocka_unit_test(test_without_a_peer_the_call_fails_at_once),
		cmocka_unit_test(test_two_replicas_share_the_load_and_one_takes_over),
		cmocka_unit_test(test_a_draining_peer_gets_no_more),
		cmocka_unit_test(test_a_drain_under_load_fails_nobody),
		cmocka_unit_test(test_a_peer_that_hangs_is_given_up),
		cmocka_unit_test(test_a_stopped_replica_is_left_for_the_other_until_it_goes_on),
		cmocka_unit_test(test_a_replica_far_slower_than_the_other_is_ejected_and_tried_again),
		cmocka_unit_test(test_when_all_are_ejected_none_is),
		cmocka_unit_test(test_who_is_refused_by_one_that_is_succeeded_knows_whom_to_wait_for),
		cmocka_unit_test(test_a_successor_is_awaited_while_the_old_one_finishes),
		cmocka_unit_test(test_one_that_comes_back_is_found_at_once),
		cmocka_unit_test(test_freeing_a_dialer_ends_what_is_under_way),
		cmocka_unit_test(test_connections_that_end_while_they_read_are_soon_over),
		cmocka_unit_test(test_garbage_and_plain_text_get_nothing),
		cmocka_unit_test(test_strangers_who_hold_connections_keep_no_caller_out),
		cmocka_unit_test(test_only_the_declared_role_connects),
		cmocka_unit_test(test_a_dialer_refuses_a_false_callee),
		cmocka_unit_test(test_a_leaf_of_the_right_authority_must_have_the_name_and_the_time),
		cmocka_unit_test(test_urls_other_than_tls_are_refused),
		cmocka_unit_test(test_many_threads_share_a_dialer_with_little_room),
		cmocka_unit_test(test_a_peer_killed_again_and_again_under_load_is_found_again),
	};

	if (argc == 3) {
		(void)snprintf(pki, sizeof(pki), "%s", argv[1]);
		return strcmp(argv[0], "mute") == 0 ? child((int)strtol(argv[2], NULL, 10))
		                                    : child_echo((int)strtol(argv[2], NULL, 10));
	}
	if (argc == 2)
		cmocka_set_test_filter(argv[1]);
	if (cmocka_run_group_tests_name("nng's threads read", tests, make_pki, remove_pki) != 0)
		return 1;
	owner_reads = true;
	return cmocka_run_group_tests_name("the owner reads", tests, make_pki, remove_pki);
}
