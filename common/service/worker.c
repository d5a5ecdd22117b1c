/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "contract/envelope.h"
#include "service/context.h"
#include "service/dispatch.h"

#define RECEIVE_MS 5000
#define CONNECT_US (3 * US_PER_S) /* a worker's connections, before it serves without */
#define CONNECT_AGAIN_MS 50
#define GATHER_BYTES (256U << 10) /* more is not gathered for one batch */
#define REPLY_KEPT (256U << 10)   /* a larger reply's buffer is given back */

/*
 * One after the other: all at once they would keep each other, and whoever watches whether PostgreSQL answers, past the
 * time that a connection may take.
 */
void worker_connect(struct context *context, struct db *db)
{
	static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
	const uint64_t until_us = clock_monotonic_us() + CONNECT_US;

	pthread_mutex_lock(&turn);
	while (clock_monotonic_us() < until_us && !context_stopping(context) && db_ping(db) != OK)
		context_wait(context, CONNECT_AGAIN_MS);
	pthread_mutex_unlock(&turn);
}

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
		worker_connect(context, worker->db);
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

/* What one worker has taken and not answered yet. */
struct desk {
	struct link_worker *links[DISPATCH_MESSAGES_MAX];
	struct letter letters[DISPATCH_MESSAGES_MAX];
	size_t count;
};

/* What waits is taken together: while the workers are busy batches grow by themselves. */
static void desk_receive(struct desk *desk)
{
	struct str *message = &desk->letters[0].message;
	size_t bytes = 0;
	enum err err = link_worker_receive(desk->links[0], RECEIVE_MS, message);

	for (desk->count = 0; err == OK; message = &desk->letters[desk->count].message) {
		desk->letters[desk->count].came_us = link_worker_came_us(desk->links[desk->count]);
		bytes += message->len;
		if (++desk->count == DISPATCH_MESSAGES_MAX || bytes >= GATHER_BYTES)
			break;
		err = link_worker_gather(desk->links[desk->count], &desk->letters[desk->count].message);
	}
}

static void desk_answer(struct desk *desk)
{
	for (size_t i = 0; i < desk->count; i++) {
		struct letter *letter = &desk->letters[i];

		if (letter->err != OK || !buf_ok(&letter->reply))
			link_worker_drop(desk->links[i]);
		else
			link_worker_reply(desk->links[i], buf_str(&letter->reply));
		if (letter->reply.room > REPLY_KEPT)
			buf_release(&letter->reply);
		buf_reset(&letter->reply);
	}
}

static enum err desk_open(struct desk *desk, struct link_listener *listener)
{
	enum err err = OK;

	for (size_t i = 0; i < DISPATCH_MESSAGES_MAX && err == OK; i++) {
		buf_init(&desk->letters[i].reply, LINK_BYTES_MAX);
		err = link_worker_new(listener, &desk->links[i]);
	}
	return err;
}

static void desk_close(struct desk *desk)
{
	for (size_t i = 0; i < DISPATCH_MESSAGES_MAX; i++) {
		link_worker_free(&desk->links[i]);
		buf_release(&desk->letters[i].reply);
	}
}

/* Answers messages until the process stops. What is not received by then, the listener refuses by itself. */
static void worker_serve(struct service_thread *thread, struct worker *worker, struct desk *desk)
{
	struct dispatcher dispatcher;

	if (dispatcher_init(&dispatcher, worker, link_listener_caller(thread->listener),
		    link_listener_lane(thread->listener), thread->metrics) == OK) {
		while (!context_stopping(thread->context)) {
			desk_receive(desk);
			if (desk->count == 0)
				continue;
			dispatch_letters(&dispatcher, desk->letters, desk->count);
			desk_answer(desk);
			log_set_request(NULL);
			arena_reset(worker->arena);
		}
	}
	dispatcher_release(&dispatcher);
}

static void *worker_main(void *arg)
{
	struct service_thread *thread = arg;
	struct worker worker = {.context = thread->context};
	struct desk desk = {0};

	if (worker_open(thread->context, &worker) != OK || desk_open(&desk, thread->listener) != OK)
		log_event(
			LOG_ERROR, "worker_failed", LOG_C("caller", peer_name(link_listener_caller(thread->listener))));
	else
		worker_serve(thread, &worker, &desk);
	desk_close(&desk);
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
	char name[16];

	INVARIANT(context->thread_count < SERVICE_THREADS_MAX && (listener != NULL || job != NULL));
	*thread = (struct service_thread){.context = context, .listener = listener, .job = job};
	if (listener != NULL && (thread->metrics = metrics_new()) == NULL)
		return ERR_OVERLOADED;
	/* The admin port may be counting. */
	__atomic_store_n(&context->thread_count, context->thread_count + 1, __ATOMIC_RELEASE);
	thread->started = pthread_create(&thread->thread, NULL, listener != NULL ? worker_main : job_main, thread) == 0;
	if (!thread->started)
		return ERR_OVERLOADED;
	snprintf(name, sizeof name, "%s", listener != NULL ? peer_name(link_listener_caller(listener)) : job->name);
	(void)pthread_setname_np(thread->thread, name);
	return OK;
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
	if (err == OK && context_spans_job(context) != NULL)
		err = thread_start(context, NULL, context_spans_job(context));
	return err;
}

/* A wake finds only who already waits, so it is said again until the thread has gone. */
static void join(struct context *context, struct service_thread *thread)
{
	const struct timespec step = {.tv_nsec = 1000000};

	while (!__atomic_load_n(&thread->done, __ATOMIC_ACQUIRE)) {
		for (size_t i = 0; i < context->listener_count; i++)
			link_listener_wake(context->listeners[i]);
		context_poke(context);
		nanosleep(&step, NULL);
	}
	pthread_join(thread->thread, NULL);
}

void context_stop_workers(struct context *context)
{
	for (size_t i = 0; i < context->thread_count; i++) {
		if (context->threads[i].started)
			join(context, &context->threads[i]);
		context->threads[i].started = false;
	}
}

void context_free_threads(struct context *context)
{
	for (size_t i = 0; i < context->thread_count; i++)
		metrics_free(&context->threads[i].metrics);
	context->thread_count = 0;
}
