/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "link/link_listener_private.h"

/* A peer that does not read for so long does not get its reply: a worker must not wait for it. */
#define REPLY_TIMEOUT_MS 2000

enum err link_worker_new(struct link_listener *listener, struct link_worker **worker_out)
{
	struct link_worker *worker = calloc(1, sizeof(*worker));
	enum err err = ERR_OVERLOADED;

	if (!worker)
		return err;
	if (nng_aio_alloc(&worker->aio, NULL, NULL) != 0 || nng_ctx_open(&worker->ctx, listener->socket) != 0)
		goto done;
	worker->open = true;
	worker->listener = listener;
	pthread_mutex_lock(&listener->lock);
	worker->next = listener->workers;
	listener->workers = worker;
	pthread_mutex_unlock(&listener->lock);
	*worker_out = worker;
	worker = NULL;
	err = OK;
done:
	link_worker_free(&worker);
	return err;
}

static void forget(struct link_worker *worker)
{
	struct link_worker **place = &worker->listener->workers;

	pthread_mutex_lock(&worker->listener->lock);
	while (*place && *place != worker)
		place = &(*place)->next;
	if (*place)
		*place = worker->next;
	pthread_mutex_unlock(&worker->listener->lock);
}

void link_worker_free(struct link_worker **worker)
{
	struct link_worker *gone = *worker;

	if (!gone)
		return;
	*worker = NULL;
	if (gone->listener)
		forget(gone);
	if (gone->open)
		(void)nng_ctx_close(gone->ctx);
	if (gone->aio)
		nng_aio_free(gone->aio);
	if (gone->message)
		nng_msg_free(gone->message);
	free(gone);
}

static void set_waiting(struct link_worker *worker, bool waiting)
{
	pthread_mutex_lock(&worker->listener->lock);
	worker->waiting = waiting;
	pthread_mutex_unlock(&worker->listener->lock);
}

static void count(struct link_worker *worker, uint64_t *counter)
{
	pthread_mutex_lock(&worker->listener->lock);
	(*counter)++;
	pthread_mutex_unlock(&worker->listener->lock);
}

/* Gives the message up; answered or not. */
static void let_go(struct link_worker *worker)
{
	if (worker->message)
		nng_msg_free(worker->message);
	worker->message = NULL;
}

enum err link_worker_receive(struct link_worker *worker, uint64_t timeout_ms, struct str *message_out)
{
	int rv;

	let_go(worker);
	nng_aio_set_timeout(worker->aio, timeout_ms < 60000 ? (nng_duration)timeout_ms : 60000);
	nng_ctx_recv(worker->ctx, worker->aio);
	/* After the receive has begun, so that a wake never falls between; a wake that comes before finds nothing. */
	set_waiting(worker, true);
	nng_aio_wait(worker->aio);
	set_waiting(worker, false);
	if ((rv = nng_aio_result(worker->aio)) != 0)
		return rv == NNG_ECLOSED ? ERR_DRAINING : ERR_DEADLINE;
	worker->message = nng_aio_get_msg(worker->aio);
	nng_aio_set_msg(worker->aio, NULL);
	count(worker, &worker->listener->stats.received);
	*message_out = (struct str){nng_msg_body(worker->message), nng_msg_len(worker->message)};
	return OK;
}

static bool send_bytes(struct link_worker *worker, struct str bytes)
{
	nng_msg *reply = NULL;

	INVARIANT(worker->message != NULL);
	let_go(worker);
	if (nng_msg_alloc(&reply, bytes.len) != 0)
		return false;
	if (bytes.len > 0)
		memcpy(nng_msg_body(reply), bytes.p, bytes.len);
	nng_aio_set_msg(worker->aio, reply);
	nng_aio_set_timeout(worker->aio, REPLY_TIMEOUT_MS);
	nng_ctx_send(worker->ctx, worker->aio);
	nng_aio_wait(worker->aio);
	if (nng_aio_result(worker->aio) == 0)
		return true;
	reply = nng_aio_get_msg(worker->aio);
	nng_aio_set_msg(worker->aio, NULL);
	if (reply)
		nng_msg_free(reply);
	return false;
}

void link_worker_reply(struct link_worker *worker, struct str reply)
{
	INVARIANT(reply.len > 0 && reply.len <= LINK_BYTES_MAX);
	if (send_bytes(worker, reply)) {
		count(worker, &worker->listener->stats.replied);
		return;
	}
	count(worker, &worker->listener->stats.dropped);
	log_event(LOG_WARN, "link_reply_lost", LOG_C("caller", peer_name(worker->listener->caller)));
}

void link_worker_refuse(struct link_worker *worker)
{
	(void)send_bytes(worker, (struct str){"", 0});
	count(worker, &worker->listener->stats.refused);
}

void link_worker_drop(struct link_worker *worker)
{
	let_go(worker);
	count(worker, &worker->listener->stats.dropped);
}
