/* SPDX-License-Identifier: Apache-2.0 */
#include "loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "h2_stream.h"
#include "listen.h"

/* What an epoll event belongs to: a listening socket's place, the wake-up, an arrow, or else a connection's address. */
#define EVENT_WAKE EDGE_LISTEN_MAX
#define EVENT_ARROW (EVENT_WAKE + 1)
#define EVENT_CONN (EVENT_ARROW + PEER_COUNT * LANE_COUNT)
#define REST_TOLD_EVERY_US (10 * US_PER_S)

static enum err watch(struct loop *loop, int fd, uint32_t events, uint64_t data)
{
	struct epoll_event event = {.events = events, .data.u64 = data};

	return epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0 ? OK : ERR_OVERLOADED;
}

/* EPOLLOUT is asked for by loop_again: from the beginning it would be reported of every connection at once. */
#define CONN_EVENTS (EPOLLIN | EPOLLRDHUP | EPOLLET)

void loop_again(struct loop *loop, const struct conn *conn)
{
	struct epoll_event event = {.events = CONN_EVENTS | EPOLLOUT, .data.u64 = (uint64_t)(uintptr_t)conn};

	/* Setting an edge-triggered event anew reports at once what is ready, behind whatever was reported before. */
	(void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, conn->wire.fd, &event);
}

void loop_later(struct loop *loop, struct conn *conn)
{
	if (conn->ready)
		return;
	conn->ready = true;
	conn->ready_next = loop->ready;
	loop->ready = conn;
}

void loop_not_later(struct loop *loop, struct conn *conn)
{
	struct conn **at = &loop->ready;

	if (!conn->ready)
		return;
	while (*at != conn)
		at = &(*at)->ready_next;
	*at = conn->ready_next;
	conn->ready = false;
}

static void loop_run_ready(struct loop *loop)
{
	while (loop->ready != NULL) {
		struct conn *conn = loop->ready;

		loop->ready = conn->ready_next;
		conn->ready = false;
		conn_run(conn);
	}
}

static enum err loop_open_sockets(struct loop *loop)
{
	enum err err;

	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	loop->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (loop->epoll_fd < 0 || loop->wake_fd < 0)
		return ERR_OVERLOADED;
	if ((err = watch(loop, loop->wake_fd, EPOLLIN, EVENT_WAKE)) != OK)
		return err;
	err = listen_open(loop->gateway->context, loop->gateway->config->listen, loop->listen_fds, &loop->listen_count);
	for (size_t i = 0; err == OK && i < loop->listen_count; i++)
		err = watch(loop, loop->listen_fds[i], EPOLLIN, i);
	loop->accepting = true;
	loop->conn_cap = loop->gateway->conns_per_loop;
	return err;
}

static enum err loop_open_links(struct loop *loop)
{
	inbox_init(&loop->inbox, loop->wake_fd);
	for (enum peer callee = PEER_NONE + 1; callee < PEER_COUNT; callee++) {
		for (enum lane lane = LANE_FAST; lane < LANE_COUNT; lane++) {
			const struct link_ready ready = {
				.epoll_fd = loop->epoll_fd, .data = EVENT_ARROW + callee * LANE_COUNT + lane};
			enum err err;

			if (!arrow_declared(PEER_gateway, callee, lane))
				continue;
			if ((err = arrow_init(&loop->arrows[callee][lane], loop, callee, lane, &ready)) != OK)
				return err;
		}
	}
	return OK;
}

enum err loop_new(struct gateway *gateway, size_t index, struct loop **loop_out)
{
	struct loop *loop = calloc(1, sizeof *loop);
	enum err err;

	if (loop == NULL)
		return ERR_OVERLOADED;
	loop->gateway = gateway;
	loop->index = index;
	loop->epoll_fd = loop->wake_fd = -1;
	loop->now_us = clock_monotonic_us();
	timer_wheel_init(&loop->wheel, loop->now_us);
	proofs_init(&loop->proofs);
	buf_init(&loop->scratch, EDGE_OUT_MAX);
	access_log_init(&loop->log);
	loop->tokens = token_cache_new(EDGE_TOKEN_CACHE);
	err = loop->tokens != NULL ? OK : ERR_OVERLOADED;
	if (err == OK)
		err = loop_open_sockets(loop);
	if (err == OK)
		err = loop_open_links(loop);
	if (err != OK) {
		loop_free(&loop);
		return err;
	}
	*loop_out = loop;
	return OK;
}

static void loop_free_conns(struct loop *loop)
{
	while (loop->conns != NULL)
		conn_kill(loop->conns);
	while (loop->dead != NULL) {
		struct conn *conn = loop->dead;

		loop->dead = conn->next;
		conn_free(&conn);
	}
}

void loop_free(struct loop **loop)
{
	struct loop *dying = *loop;

	if (dying == NULL)
		return;
	if (dying->started)
		pthread_join(dying->thread, NULL);
	for (size_t i = 0; i < PEER_COUNT; i++)
		for (size_t j = 0; j < LANE_COUNT; j++)
			if (dying->arrows[i][j].loop != NULL)
				arrow_release(&dying->arrows[i][j]);
	if (dying->inbox.last != NULL)
		inbox_release(&dying->inbox);
	even_release(&dying->even);
	proofs_release(&dying->proofs);
	loop_free_conns(dying);
	while (dying->spare != NULL) {
		struct exchange *exchange = dying->spare;

		dying->spare = exchange->next;
		arena_free(&exchange->arena);
		free(exchange);
	}
	for (size_t i = 0; i < dying->listen_count; i++)
		if (dying->listen_fds[i] >= 0)
			close(dying->listen_fds[i]);
	if (dying->epoll_fd >= 0)
		close(dying->epoll_fd);
	if (dying->wake_fd >= 0)
		close(dying->wake_fd);
	token_cache_free(&dying->tokens);
	keyset_free(&dying->keys);
	buf_release(&dying->scratch);
	h2_stream_release_spare(dying);
	access_log_release(&dying->log);
	free(dying);
	*loop = NULL;
}

void loop_wake(struct loop *loop)
{
	const uint64_t one = 1;

	if (write(loop->wake_fd, &one, sizeof one) < 0)
		return; /* the counter is full, so the loop is awake */
}

static void loop_listen(struct loop *loop, bool on)
{
	for (size_t i = 0; i < loop->listen_count; i++) {
		struct epoll_event event = {.events = on ? EPOLLIN : 0, .data.u64 = i};

		(void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, loop->listen_fds[i], &event);
	}
}

/* A listening socket stays readable while nothing can be accepted from it: without looking away the loop would spin. */
static void loop_rest(struct loop *loop)
{
	edge_count(&loop->counts.accept_rests);
	if (loop->now_us >= loop->rest_told_us + REST_TOLD_EVERY_US) {
		loop->rest_told_us = loop->now_us;
		log_event(LOG_WARN, "accept_rests", LOG_I("errno", errno), LOG_I("connections", loop->conn_count));
	}
	loop->resting_until_us = loop->now_us + EDGE_ACCEPT_REST_US;
	loop_listen(loop, false);
}

/*
 * What one arrow answers at once may let its connection go on with a request for an arrow that was flushed before, so
 * once more when there was any; what still stands then has no room, and a message that ends will ring.
 */
static void loop_flush(struct loop *loop)
{
	/* What ended while this tick lasted makes room, and does not look as if it kept the callee busy. */
	inbox_finish(&loop->inbox);
	for (int round = 0; round < 2; round++) {
		loop_run_ready(loop);
		for (size_t i = 0; i < PEER_COUNT; i++)
			for (size_t j = 0; j < LANE_COUNT; j++)
				if (arrow_waits(&loop->arrows[i][j]))
					arrow_flush(&loop->arrows[i][j]);
	}
	loop_run_ready(loop);
}

/*
 * A tick with many handshakes lasts long. What is answered meanwhile is answered on, and what waits is sent, or callees
 * would stand idle while requests for them wait, and would be taken for slow.
 */
static void loop_look(struct loop *loop)
{
	const uint64_t now_us = clock_monotonic_us();

	if (now_us < loop->looked_us + EDGE_LOOK_US)
		return;
	loop->now_us = loop->looked_us = now_us;
	for (size_t i = 0; i < PEER_COUNT; i++)
		for (size_t j = 0; j < LANE_COUNT; j++)
			if (loop->arrows[i][j].flights > 0)
				arrow_read(&loop->arrows[i][j]);
	loop_flush(loop);
}

static void loop_take(struct loop *loop, int fd, const struct sockaddr_storage *peer)
{
	struct conn *conn;

	edge_count(&loop->counts.accepted);
	if (loop->conn_count >= loop->conn_cap && !conn_make_room(loop)) {
		edge_count(&loop->counts.refused_full);
		close(fd);
		return;
	}
	conn = conn_new(loop, fd, peer);
	if (conn == NULL)
		return;
	if (watch(loop, fd, CONN_EVENTS, (uint64_t)(uintptr_t)conn) != OK)
		conn_kill(conn);
	else
		handshakes_add(&loop->handshakes, &conn->handshake);
}

/* At most `count`; true when there may be more. */
static bool loop_accept(struct loop *loop, int listen_fd, size_t count)
{
	while (count-- > 0) {
		struct sockaddr_storage peer;
		socklen_t peer_len = sizeof peer;
		const int fd = accept4(listen_fd, (struct sockaddr *)&peer, &peer_len, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			loop_take(loop, fd, &peer);
			loop_look(loop);
			continue;
		}
		if (errno == EAGAIN)
			return false;
		if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM)
			continue; /* that one is gone; RFC 9293 has many ways */
		if (conn_make_room(loop))
			continue;
		loop_rest(loop);
		return false;
	}
	return true;
}

static void loop_on_wake(struct loop *loop)
{
	uint64_t count;

	if (read(loop->wake_fd, &count, sizeof count) < 0 && errno != EAGAIN)
		return;
	inbox_finish(&loop->inbox);
	proofs_finish(loop);
}

static void loop_on_event(struct loop *loop, const struct epoll_event *event)
{
	struct conn *conn;

	if (event->data.u64 == EVENT_WAKE) {
		loop_on_wake(loop);
		return;
	}
	if (event->data.u64 < EDGE_LISTEN_MAX) {
		if (loop->accepting && loop->handshakes.count < EDGE_SHAKE_LINE)
			(void)loop_accept(loop, loop->listen_fds[event->data.u64], EDGE_ACCEPTS_PER_TICK);
		return;
	}
	if (event->data.u64 < EVENT_CONN) {
		const size_t place = event->data.u64 - EVENT_ARROW;

		arrow_read(&loop->arrows[place / LANE_COUNT][place % LANE_COUNT]);
		inbox_finish(&loop->inbox);
		return;
	}
	conn = (struct conn *)(uintptr_t)event->data.u64;
	if (conn->state == CONN_DEAD)
		return;
	if ((event->events & (EPOLLIN | EPOLLRDHUP)) != 0)
		conn->wire.readable = true;
	if ((event->events & EPOLLRDHUP) != 0)
		conn->wire.ended = true;
	if ((event->events & EPOLLOUT) != 0)
		conn->wire.writable = true;
	if ((event->events & (EPOLLHUP | EPOLLERR)) != 0)
		conn_kill(conn);
	else if (conn->state == CONN_HANDSHAKE)
		handshakes_add(&loop->handshakes, &conn->handshake);
	else
		conn_run(conn);
}

/* Those that are not reached wait for the next tick, which then comes at once. */
static void loop_shake(struct loop *loop)
{
	struct handshake *one = handshakes_take(&loop->handshakes);
	uint64_t until_us;

	if (one == NULL)
		return;
	until_us = clock_monotonic_us() + EDGE_SHAKE_US;
	do {
		conn_run((struct conn *)(void *)((char *)one - offsetof(struct conn, handshake)));
		loop_look(loop);
	} while (clock_monotonic_us() < until_us && (one = handshakes_take(&loop->handshakes)) != NULL);
}

static void on_due(struct timer *timer, void *ctx)
{
	struct conn *conn = (struct conn *)(void *)((char *)timer - offsetof(struct conn, timer));

	(void)ctx;
	conn_on_timer(conn);
}

static void loop_end_tick(struct loop *loop)
{
	even_run(loop);
	loop_flush(loop);
	timer_wheel_run(&loop->wheel, loop->now_us, on_due, loop);
	if (loop->resting_until_us != 0 && loop->now_us >= loop->resting_until_us && loop->accepting) {
		loop->resting_until_us = 0;
		loop_listen(loop, true);
	}
	while (loop->dead != NULL) {
		struct conn *conn = loop->dead;

		loop->dead = conn->next;
		conn_free(&conn);
	}
}

static void loop_stop_accepting(struct loop *loop)
{
	struct conn *next;

	loop->accepting = false;
	for (size_t i = 0; i < loop->listen_count; i++) {
		/* Who is connected as far as its kernel knows is served; without a successor closing would reset it. */
		if (!context_is_succeeded(loop->gateway->context))
			(void)loop_accept(loop, loop->listen_fds[i], EDGE_BACKLOG);
		close(loop->listen_fds[i]);
		loop->listen_fds[i] = -1;
	}
	for (struct conn *conn = loop->conns; conn != NULL; conn = next) {
		next = conn->next;
		conn_drain(conn);
	}
}

/* Whether something waits for company: then the loop must look again soon. */
static bool loop_holds(const struct loop *loop)
{
	for (size_t i = 0; i < PEER_COUNT; i++)
		for (size_t j = 0; j < LANE_COUNT; j++)
			if (loop->arrows[i][j].queue.waiting > 0 && loop->arrows[i][j].held_since_us != 0)
				return true;
	return false;
}

static int loop_wait(const struct loop *loop, struct epoll_event events[EDGE_EVENTS_PER_TICK])
{
	const uint64_t usual_us = loop_holds(loop) ? EDGE_HOLD_US : WHEEL_TICK_US;
	const uint64_t timeout_us = loop->handshakes.first != NULL ? 0 : even_timeout_us(&loop->even, usual_us);
	const struct timespec timeout = {.tv_nsec = (long)timeout_us * 1000};

	return epoll_pwait2(loop->epoll_fd, events, EDGE_EVENTS_PER_TICK, &timeout, NULL);
}

static void *loop_main(void *arg)
{
	struct loop *loop = arg;
	struct epoll_event events[EDGE_EVENTS_PER_TICK];
	uint64_t drain_until_us = 0;

	for (;;) {
		const int count = loop_wait(loop, events);

		loop->now_us = clock_monotonic_us();
		loop->wall_us = clock_now_us();
		loop->looked_us = loop->now_us;
		for (int i = 0; i < count; i++) {
			loop_on_event(loop, &events[i]);
			loop_look(loop);
		}
		loop_shake(loop);
		loop_end_tick(loop);
		if (!__atomic_load_n(&loop->gateway->draining, __ATOMIC_RELAXED))
			continue;
		if (loop->accepting) {
			loop_stop_accepting(loop);
			drain_until_us = loop->now_us + EDGE_DRAIN_US;
		}
		if (loop->conn_count == 0 || loop->now_us >= drain_until_us)
			return NULL;
	}
}

enum err loop_start(struct loop *loop)
{
	loop->started = pthread_create(&loop->thread, NULL, loop_main, loop) == 0;
	return loop->started ? OK : ERR_OVERLOADED;
}
