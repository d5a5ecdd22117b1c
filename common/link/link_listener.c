/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "link/link_listener_private.h"

#define GREETING_US (5 * US_PER_S)
/* A caller asks for a sign of life every two seconds; one that is silent for longer is gone. */
#define SILENCE_MAX_US (15 * US_PER_S)
#define ACCEPT_AGAIN_US (100 * US_PER_MS)
/* Connections that have not shown their certificate yet. */
#define STRANGERS_MAX 64
#define CLOSE_STEP_US 20000
/* What a caller may have waiting here, and what it may leave unread. */
#define QUEUED_MAX 16
#define QUEUED_BYTES_MAX (8U << 20)
#define OUT_MAX (16U << 20)

/* ---- events of a connection ---- */

/* Under the lock. Before any message of its is refused, or it would not know whom to wait for. */
static void tell_drain(struct caller *caller)
{
	const struct link_listener *listener = caller->listener;

	if (listener->draining && caller->greeted && !caller->told)
		caller->told = link_conn_send(
			caller->conn, LINK_CONN_NOTE, listener->succeeded ? LINK_CONN_NEXT : STR_NONE, NULL);
}

static void on_opened(void *owner, struct link_conn *conn)
{
	struct caller *caller = owner;
	struct link_listener *listener = caller->listener;

	pthread_mutex_lock(&listener->lock);
	caller->greeted = listener->stats.connected < LINK_PEERS_MAX;
	if (caller->greeted) {
		listener->stats.connects++;
		listener->stats.connected++;
		tell_drain(caller);
	} else {
		listener->stats.turned_away++;
		link_conn_close(conn, false);
	}
	pthread_mutex_unlock(&listener->lock);
	link_keeper_poke(&listener->kept, 0);
}

static struct message *message_new(struct caller *caller, uint32_t id, struct str payload)
{
	struct message *message = malloc(sizeof(*message) + payload.len);

	if (!message)
		return NULL;
	*message = (struct message){.caller = caller, .id = id, .came_us = clock_monotonic_us(), .len = payload.len};
	if (payload.len > 0)
		memcpy(message->bytes, payload.p, payload.len);
	return message;
}

void link_message_free(struct message **message)
{
	if (!*message)
		return;
	sodium_memzero((*message)->bytes, (*message)->len);
	free(*message);
	*message = NULL;
}

void link_listener_ring(struct link_listener *listener)
{
	const uint64_t one = 1;

	if (atomic_load(&listener->waiting) > 0 && write(listener->came_fd, &one, sizeof(one)) < 0)
		return; /* the counter is full: it is readable, and that is all there is to it */
}

/* Under the lock. False: this process takes nothing more. */
static bool enqueue(struct link_listener *listener, struct message *message)
{
	struct caller *caller = message->caller;

	if (listener->draining || listener->closing)
		return false;
	listener->queued++;
	caller->queued++;
	caller->queued_bytes += message->len;
	*listener->last = message;
	listener->last = &message->next;
	if (!caller->attended)
		link_listener_ring(listener);
	return true;
}

static enum link_conn_next on_message(void *owner, struct link_conn *conn, uint32_t id, struct str payload)
{
	struct caller *caller = owner;
	struct link_listener *listener = caller->listener;
	struct message *message;
	bool taken, full;

	if (id == LINK_CONN_NOTE) {
		if (!str_eq(payload, LINK_CONN_PING))
			return LINK_CONN_BAD;
		(void)link_conn_send(conn, id, payload, NULL);
		return LINK_CONN_GO;
	}
	if (!(message = message_new(caller, id, payload)))
		return LINK_CONN_BAD;
	pthread_mutex_lock(&listener->lock);
	taken = enqueue(listener, message);
	full = caller->queued >= QUEUED_MAX || caller->queued_bytes >= QUEUED_BYTES_MAX;
	if (!taken)
		listener->stats.refused++;
	pthread_mutex_unlock(&listener->lock);
	if (taken)
		return full ? LINK_CONN_PAUSE : LINK_CONN_GO;
	link_message_free(&message);
	(void)link_conn_send(conn, id, STR_NONE, NULL);
	return LINK_CONN_GO;
}

static const struct link_conn_events events = {.opened = on_opened, .message = on_message};

/* ---- accepting ---- */

/* Under the lock. */
static void accept_next(struct link_listener *listener)
{
	listener->accepting = !listener->draining && !listener->closing;
	listener->accept_at_us = 0;
	if (listener->accepting)
		nng_stream_listener_accept(listener->end, listener->accept);
}

/*
 * Under the lock. Whoever can reach the port can hold connections without a certificate for as long as a handshake may
 * take: the oldest of too many such goes, so that they keep no caller out.
 */
static void make_room(struct link_listener *listener)
{
	struct caller *oldest = NULL;
	size_t strangers = 0;

	/* The newest stands first. */
	for (struct caller *caller = listener->callers; caller; caller = caller->next) {
		if (caller->greeted || caller->closed)
			continue;
		strangers++;
		oldest = caller;
	}
	if (strangers < STRANGERS_MAX)
		return;
	oldest->closed = true;
	listener->stats.turned_away++;
	link_conn_close(oldest->conn, false);
}

/* Under the lock. Takes the stream. */
static void caller_add(struct link_listener *listener, nng_stream *stream)
{
	struct link_conn_config config = {.stream = stream,
		.tls = listener->tls,
		.server = true,
		.peer = listener->caller,
		.out_max = OUT_MAX,
		.events = &events,
		.kept = &listener->kept,
		.readers = &listener->waiting};
	struct caller *caller = calloc(1, sizeof(*caller));

	if (!caller) {
		listener->stats.turned_away++;
		nng_stream_free(stream);
		return;
	}
	make_room(listener);
	caller->listener = listener;
	config.owner = caller;
	caller->ready =
		(struct link_ready){.epoll_fd = listener->epoll_fd, .data = LINK_MARK_FIRST + listener->marks++};
	config.ready = &caller->ready;
	if (link_conn_new(&config, &caller->conn) != OK) {
		free(caller);
		return;
	}
	caller->next = listener->callers;
	listener->callers = caller;
}

static void accepted(void *arg)
{
	struct link_listener *listener = arg;
	int rv = nng_aio_result(listener->accept);

	pthread_mutex_lock(&listener->lock);
	listener->accepting = false;
	if (rv == 0) {
		caller_add(listener, nng_aio_get_output(listener->accept, 0));
		accept_next(listener);
	} else {
		/* Out of descriptors, say: not again at once. */
		listener->accept_at_us = clock_monotonic_us() + ACCEPT_AGAIN_US;
	}
	pthread_cond_broadcast(&listener->gone);
	pthread_mutex_unlock(&listener->lock);
	link_keeper_poke(&listener->kept, clock_monotonic_us() + ACCEPT_AGAIN_US);
}

/* ---- what time brings; all under the lock ---- */

static void forget_messages(struct caller *caller)
{
	struct link_listener *listener = caller->listener;
	struct message **place = &listener->first;

	while (*place) {
		struct message *message = *place;

		if (message->caller != caller) {
			place = &message->next;
			continue;
		}
		*place = message->next;
		link_message_free(&message);
		listener->stats.dropped++;
	}
	listener->last = place;
	listener->queued -= caller->queued;
	caller->queued = 0;
	caller->queued_bytes = 0;
}

static void bury(struct caller *caller, uint64_t now_us)
{
	struct link_listener *listener = caller->listener;
	const char *fault = link_conn_fault(caller->conn);

	if (fault)
		listener->stats.faults++;
	/* Counted always, told once a second: a stranger shall not write the log. */
	if (fault && now_us >= listener->told_us + US_PER_S) {
		listener->told_us = now_us;
		log_event(LOG_WARN, "link_broken", LOG_C("caller", peer_name(listener->caller)),
			LOG_C("lane", lane_name(listener->lane)), LOG_C("reason", fault));
	}
	if (caller->greeted)
		listener->stats.connected--;
	link_conn_free(&caller->conn);
	free(caller);
}

static void watch(struct caller *caller, uint64_t now_us)
{
	const struct link_listener *listener = caller->listener;
	uint64_t since_us = caller->greeted ? link_conn_heard_us(caller->conn) + SILENCE_MAX_US
	                                    : link_conn_made_us(caller->conn) + GREETING_US;

	if (since_us <= now_us || listener->closing)
		link_conn_close(caller->conn, false);
	else
		tell_drain(caller);
}

static uint64_t tick(void *owner, uint64_t now_us)
{
	struct link_listener *listener = owner;
	struct caller **place = &listener->callers, *caller;
	uint64_t next_us;

	pthread_mutex_lock(&listener->lock);
	while ((caller = *place) != NULL) {
		if (link_conn_is_over(caller->conn)) {
			forget_messages(caller);
			if (caller->users == 0) {
				*place = caller->next;
				bury(caller, now_us);
				continue;
			}
		} else {
			watch(caller, now_us);
			if (atomic_load(&listener->waiting) == 0)
				link_conn_leave(caller->conn);
		}
		place = &caller->next;
	}
	if (listener->accept_at_us != 0 && listener->accept_at_us <= now_us)
		accept_next(listener);
	pthread_cond_broadcast(&listener->gone);
	next_us = listener->accept_at_us != 0 ? listener->accept_at_us : LINK_KEEPER_NEVER;
	if (listener->callers && next_us > now_us + US_PER_S)
		next_us = now_us + US_PER_S;
	pthread_mutex_unlock(&listener->lock);
	return next_us;
}

/* ---- life ---- */

static bool watch_fd(const struct link_listener *listener, int fd, uint32_t what, uint64_t mark)
{
	struct epoll_event event = {.events = what, .data.u64 = mark};

	return fd >= 0 && epoll_ctl(listener->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static bool open_fds(struct link_listener *listener)
{
	listener->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	listener->came_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	listener->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return listener->epoll_fd >= 0 && watch_fd(listener, listener->came_fd, EPOLLIN | EPOLLET, LINK_MARK_CAME) &&
	       watch_fd(listener, listener->wake_fd, EPOLLIN, LINK_MARK_WAKE);
}

static void close_fds(struct link_listener *listener)
{
	const int fds[] = {listener->came_fd, listener->wake_fd, listener->epoll_fd};

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static enum err listener_start(struct link_listener *listener, const char *url)
{
	char inner[LINK_URL_MAX];
	enum err err;
	int rv;

	if ((err = link_identity_url(listener->caller, str_from(url), inner)) != OK)
		return err;
	if ((rv = nng_stream_listener_alloc(&listener->end, inner)) != 0 ||
		(rv = nng_aio_alloc(&listener->accept, accepted, listener)) != 0 ||
		(rv = nng_stream_listener_listen(listener->end)) != 0)
		return link_identity_fault(listener->caller, "listening", nng_strerror(rv));
	if (!(listener->is_kept = link_keeper_add(&listener->kept)))
		return ERR_OVERLOADED;
	pthread_mutex_lock(&listener->lock);
	accept_next(listener);
	pthread_mutex_unlock(&listener->lock);
	return OK;
}

enum err link_listener_new(const struct link_listener_config *config, struct link_listener **listener_out)
{
	struct link_listener *listener = calloc(1, sizeof(*listener));
	enum err err;

	if (!listener)
		return ERR_OVERLOADED;
	pthread_mutex_init(&listener->lock, NULL);
	wait_init(&listener->gone);
	listener->caller = config->caller;
	listener->lane = config->lane;
	listener->last = &listener->first;
	listener->kept = (struct link_kept){.tick = tick, .owner = listener};
	err = open_fds(listener) ? link_identity_tls(config->identity, config->caller, &listener->tls) : ERR_OVERLOADED;
	if (err == OK)
		err = listener_start(listener, config->url);
	if (err == OK)
		*listener_out = listener;
	else
		link_listener_free(&listener);
	return err;
}

void link_listener_drain(struct link_listener *listener, bool succeeded)
{
	struct message *message;

	pthread_mutex_lock(&listener->lock);
	listener->draining = true;
	listener->succeeded = listener->succeeded || succeeded;
	/* The port is free for the next process from now on. */
	nng_stream_listener_close(listener->end);
	for (struct caller *caller = listener->callers; caller; caller = caller->next)
		tell_drain(caller);
	while ((message = listener->first) != NULL) {
		listener->first = message->next;
		listener->queued--;
		message->caller->queued--;
		message->caller->queued_bytes -= message->len;
		listener->stats.refused++;
		(void)link_conn_send(message->caller->conn, message->id, STR_NONE, NULL);
		link_conn_resume(message->caller->conn);
		link_message_free(&message);
	}
	listener->last = &listener->first;
	pthread_mutex_unlock(&listener->lock);
	link_keeper_poke(&listener->kept, 0);
}

bool link_listener_wait_gone(struct link_listener *listener, uint64_t deadline_us)
{
	bool in_time = true;

	pthread_mutex_lock(&listener->lock);
	while (in_time && listener->callers)
		in_time = wait_until(&listener->gone, &listener->lock, deadline_us);
	pthread_mutex_unlock(&listener->lock);
	return in_time;
}

static void close_all(struct link_listener *listener)
{
	pthread_mutex_lock(&listener->lock);
	listener->closing = true;
	nng_stream_listener_close(listener->end);
	while (listener->callers || listener->accepting) {
		link_keeper_poke(&listener->kept, 0);
		(void)wait_until(&listener->gone, &listener->lock, clock_monotonic_us() + CLOSE_STEP_US);
	}
	pthread_mutex_unlock(&listener->lock);
}

void link_listener_free(struct link_listener **listener)
{
	struct link_listener *gone = *listener;

	if (!gone)
		return;
	*listener = NULL;
	if (gone->is_kept) {
		close_all(gone);
		link_keeper_remove(&gone->kept);
	}
	if (gone->accept)
		nng_aio_free(gone->accept);
	if (gone->end)
		nng_stream_listener_free(gone->end);
	SSL_CTX_free(gone->tls);
	close_fds(gone);
	pthread_cond_destroy(&gone->gone);
	pthread_mutex_destroy(&gone->lock);
	free(gone);
}

void link_listener_wake(struct link_listener *listener)
{
	const uint64_t one = 1;

	pthread_mutex_lock(&listener->lock);
	listener->wakes++;
	listener->unwoken = atomic_load(&listener->waiting);
	if (listener->unwoken > 0 && write(listener->wake_fd, &one, sizeof(one)) < 0)
		log_event(LOG_ERROR, "link_wake_failed", LOG_I("errno", errno));
	pthread_mutex_unlock(&listener->lock);
}

struct link_listener_stats link_listener_stats(const struct link_listener *listener)
{
	/* The lock is no part of what the caller sees as constant. */
	pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&listener->lock;
	struct link_listener_stats stats;

	pthread_mutex_lock(lock);
	stats = listener->stats;
	pthread_mutex_unlock(lock);
	return stats;
}

enum peer link_listener_caller(const struct link_listener *listener)
{
	return listener->caller;
}

enum lane link_listener_lane(const struct link_listener *listener)
{
	return listener->lane;
}
