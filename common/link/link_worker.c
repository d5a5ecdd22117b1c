/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "link/link_listener_private.h"

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

enum err link_worker_receive(struct link_worker *worker, uint64_t timeout_ms, struct str *message_out)
{
	struct link_listener *listener = worker->listener;
	uint64_t deadline_us = clock_monotonic_us() + timeout_ms * 1000, wakes;
	struct message *message;

	let_go(worker, &listener->stats.dropped);
	pthread_mutex_lock(&listener->lock);
	wakes = listener->wakes;
	listener->waiting++;
	while ((message = take(listener)) == NULL && listener->wakes == wakes) {
		if (!wait_until(&listener->came, &listener->lock, deadline_us)) {
			message = take(listener);
			break;
		}
	}
	listener->waiting--;
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
	if (listener->queued > listener->waiting)
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
