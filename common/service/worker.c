/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "contract/envelope.h"
#include "service/context.h"
#include "service/dispatch.h"

#define RECEIVE_MS 500

static enum err worker_open(struct context *context, struct worker *worker)
{
	enum err err = OK;

	worker->context = context;
	worker->arena = arena_new(SERVICE_ARENA_MAX);
	if (worker->arena == NULL)
		return ERR_OVERLOADED;
	if (context->service->schema != NULL) {
		if ((err = context_db_app(context, &worker->db)) != OK)
			return err;
		if ((err = context_seal(context, &worker->seal)) != OK)
			return err;
	}
	return context->service->worker_open != NULL ? context->service->worker_open(worker) : OK;
}

static void worker_close(struct worker *worker)
{
	const struct service *service = worker->context->service;

	if (service->worker_close != NULL)
		service->worker_close(worker);
	seal_free(&worker->seal);
	db_free(&worker->db);
	arena_free(&worker->arena);
}

/* Answers messages until the process stops; what then still waits at the listener is told that it was not executed. */
static void worker_serve(struct service_thread *thread, struct worker *worker, struct link_worker *link)
{
	struct dispatcher dispatcher;
	struct buf reply;
	struct str message;

	buf_init(&reply, LINK_BYTES_MAX);
	if (dispatcher_init(&dispatcher, worker, link_listener_caller(thread->listener),
		    link_listener_lane(thread->listener), thread->metrics) != OK)
		goto done;
	while (!context_stopping(thread->context)) {
		if (link_worker_receive(link, RECEIVE_MS, &message) != OK)
			continue;
		if (context_stopping(thread->context)) {
			link_worker_refuse(link);
			break;
		}
		buf_reset(&reply);
		if (dispatch_batch(&dispatcher, message, &reply) != OK || !buf_ok(&reply))
			link_worker_drop(link);
		else
			link_worker_reply(link, buf_str(&reply));
		log_set_request(NULL);
		arena_reset(worker->arena);
	}
	while (link_worker_receive(link, 50, &message) == OK)
		link_worker_refuse(link);
	dispatcher_release(&dispatcher);
done:
	buf_release(&reply);
}

static void *worker_main(void *arg)
{
	struct service_thread *thread = arg;
	struct worker worker = {.context = thread->context};
	struct link_worker *link = NULL;

	if (worker_open(thread->context, &worker) != OK || link_worker_new(thread->listener, &link) != OK)
		log_event(
			LOG_ERROR, "worker_failed", LOG_C("caller", peer_name(link_listener_caller(thread->listener))));
	else
		worker_serve(thread, &worker, link);
	link_worker_free(&link);
	worker_close(&worker);
	__atomic_store_n(&thread->done, true, __ATOMIC_RELEASE);
	return NULL;
}

static void *job_main(void *arg)
{
	struct service_thread *thread = arg;

	thread->job->run(thread->context);
	__atomic_store_n(&thread->done, true, __ATOMIC_RELEASE);
	return NULL;
}

static enum err thread_start(struct context *context, struct link_listener *listener, const struct job *job)
{
	struct service_thread *thread = &context->threads[context->thread_count];

	INVARIANT(context->thread_count < SERVICE_THREADS_MAX);
	*thread = (struct service_thread){.context = context, .listener = listener, .job = job};
	if (listener != NULL && (thread->metrics = metrics_new()) == NULL)
		return ERR_OVERLOADED;
	context->thread_count++;
	thread->started = pthread_create(&thread->thread, NULL, listener != NULL ? worker_main : job_main, thread) == 0;
	return thread->started ? OK : ERR_OVERLOADED;
}

enum err context_start_workers(struct context *context)
{
	const struct service *service = context->service;
	enum err err = OK;

	for (size_t i = 0; i < context->listener_count; i++) {
		struct link_listener *listener = context->listeners[i];
		const size_t count =
			link_listener_lane(listener) == LANE_FAST ? service->workers_fast : service->workers_slow;
		/* Only the gateway brings load; the other callers get one worker each. */
		const size_t wanted = link_listener_caller(listener) == PEER_gateway && count > 0 ? count : 1;

		for (size_t j = 0; j < wanted && err == OK; j++)
			err = thread_start(context, listener, NULL);
	}
	for (const struct job *job = service->jobs; job != NULL && job->run != NULL && err == OK; job++)
		err = thread_start(context, NULL, job);
	return err;
}

void context_stop_workers(struct context *context)
{
	for (size_t i = 0; i < context->listener_count; i++)
		link_listener_wake(context->listeners[i]);
	for (size_t i = 0; i < context->thread_count; i++) {
		if (context->threads[i].started)
			pthread_join(context->threads[i].thread, NULL);
		context->threads[i].started = false;
		metrics_free(&context->threads[i].metrics);
	}
	context->thread_count = 0;
}
