/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "link/link_listener_private.h"

#define EVENTS_MAX 8 /* connections that one worker reads before it works */

enum err link_worker_new(struct link_listener *listener, struct link_worker **worker_out)
{
	struct link_worker *worker = calloc(1, sizeof(*worker));

	if (!worker)
		return ERR_OVERLOADED;
	worker->listener = listener;
	*worker_out = worker;
	return OK;
}

/* Gives the message up, answered or not. */
static void let_go(struct link_worker *worker, uint64_t *counter)
{
	struct link_listener *listener = worker->listener;
	struct message *message = worker->message;

	if (!message)
		return;
	worker->message = NULL;
	pthread_mutex_lock(&listener->lock);
	(*counter)++;
	message->caller->users--;
	pthread_mutex_unlock(&listener->lock);
	link_message_free(&message);
	/* A connection that has ended may have waited for this. */
	link_keeper_poke(&listener->kept, clock_monotonic_us() + US_PER_S);
}

void link_worker_free(struct link_worker **worker)
{
	struct link_worker *gone = *worker;

	if (!gone)
		return;
	*worker = NULL;
	let_go(gone, &gone->listener->stats.dropped);
	free(gone);
}

/* Under the lock. */
static struct message *take(struct link_listener *listener)
{
	struct message *message = listener->first;

	if (!message)
		return NULL;
	listener->first = message->next;
	if (!listener->first)
		listener->last = &listener->first;
	listener->queued--;
	message->caller->queued--;
	message->caller->queued_bytes -= message->len;
	message->caller->users++;
	listener->stats.received++;
	return message;
}

static void hold(struct link_worker *worker, struct message *message, struct str *message_out)
{
	/* There is room for another of this caller's. */
	link_conn_resume(message->caller->conn);
	worker->message = message;
	*message_out = (struct str){message->bytes, message->len};
}

/* Under the lock, which it lets go. Takes what has come on the connection with this mark, if there is one still. */
static void read_caller(struct link_listener *listener, uint64_t mark)
{
	struct caller *caller = listener->callers;

	while (caller && caller->ready.data != mark)
		caller = caller->next;
	if (!caller)
		return;
	caller->users++;
	caller->attended = true;
	pthread_mutex_unlock(&listener->lock);
	link_conn_read(caller->conn);
	pthread_mutex_lock(&listener->lock);
	caller->attended = false;
	caller->users--;
	if (!link_conn_is_open(caller->conn))
		link_keeper_poke(&listener->kept, 0);
}

/* Under the lock. Somebody has noticed the wake; what is readable until all have is not any more. */
static void notice_wake(struct link_listener *listener)
{
	uint64_t count;

	if (listener->unwoken > 0 && --listener->unwoken == 0 && read(listener->wake_fd, &count, sizeof(count)) < 0)
		log_event(LOG_ERROR, "link_wake_failed", LOG_I("errno", errno));
}

/* Under the lock, which it lets go while it waits. Then some messages may be there. */
static void attend(struct link_listener *listener, uint64_t deadline_us)
{
	const uint64_t now_us = clock_monotonic_us(), wakes = listener->wakes;
	const uint64_t wait_ms = deadline_us > now_us ? (deadline_us - now_us + 999) / 1000 : 0;
	struct epoll_event events[EVENTS_MAX];
	int count;

	atomic_fetch_add(&listener->waiting, 1);
	pthread_mutex_unlock(&listener->lock);
	count = epoll_wait(listener->epoll_fd, events, EVENTS_MAX, wait_ms < INT_MAX ? (int)wait_ms : INT_MAX);
	pthread_mutex_lock(&listener->lock);
	/* With nobody left to hear of it, somebody must see to it that what comes is read in time. */
	if (atomic_fetch_sub(&listener->waiting, 1) == 1)
		link_keeper_poke(&listener->kept, clock_monotonic_us() + LINK_UNREAD_US);
	if (listener->wakes != wakes)
		notice_wake(listener);
	for (int i = 0; i < count; i++)
		if (events[i].data.u64 >= LINK_MARK_FIRST)
			read_caller(listener, events[i].data.u64);
}

enum err link_worker_receive(struct link_worker *worker, uint64_t timeout_ms, struct str *message_out)
{
	struct link_listener *listener = worker->listener;
	uint64_t deadline_us = clock_monotonic_us() + timeout_ms * 1000, wakes;
	struct message *message;

	let_go(worker, &listener->stats.dropped);
	pthread_mutex_lock(&listener->lock);
	wakes = listener->wakes;
	while ((message = take(listener)) == NULL && listener->wakes == wakes && clock_monotonic_us() < deadline_us)
		attend(listener, deadline_us);
	if (message && listener->queued > 0)
		link_listener_ring(listener);
	pthread_mutex_unlock(&listener->lock);
	if (!message)
		return ERR_DEADLINE;
	hold(worker, message, message_out);
	return OK;
}

enum err link_worker_gather(struct link_worker *worker, struct str *message_out)
{
	struct link_listener *listener = worker->listener;
	struct message *message = NULL;

	let_go(worker, &listener->stats.dropped);
	pthread_mutex_lock(&listener->lock);
	if (listener->queued > atomic_load(&listener->waiting))
		message = take(listener);
	pthread_mutex_unlock(&listener->lock);
	if (!message)
		return ERR_DEADLINE;
	hold(worker, message, message_out);
	return OK;
}

uint64_t link_worker_came_us(const struct link_worker *worker)
{
	INVARIANT(worker->message != NULL);
	return worker->message->came_us;
}

void link_worker_reply(struct link_worker *worker, struct str reply)
{
	const struct message *message = worker->message;

	INVARIANT(worker->message != NULL && reply.len > 0 && reply.len <= LINK_BYTES_MAX);
	if (link_conn_send(message->caller->conn, message->id, reply, NULL))
		let_go(worker, &worker->listener->stats.replied);
	else
		let_go(worker, &worker->listener->stats.dropped);
}

void link_worker_refuse(struct link_worker *worker)
{
	struct message *message = worker->message;

	INVARIANT(message != NULL);
	(void)link_conn_send(message->caller->conn, message->id, STR_NONE, NULL);
	let_go(worker, &worker->listener->stats.refused);
}

void link_worker_drop(struct link_worker *worker)
{
	let_go(worker, &worker->listener->stats.dropped);
}
