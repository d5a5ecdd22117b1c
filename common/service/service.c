/* SPDX-License-Identifier: Apache-2.0 */
#include "service/service.h"

#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/crash.h"
#include "base/log.h"
#include "base/wait.h"
#include "service/context.h"

#define KEYS_CALL_MS 3000
#define CHECK_MS 500
/* After SIGTERM: ten seconds for what is under way, and what closing takes. */
#define DRAIN_S 14
#define WATCH_MS 1000

/* -- accessors -- */

void *context_config(struct context *context)
{
	return context->config;
}

void *context_state(struct context *context)
{
	return context->state;
}

void context_set_state(struct context *context, void *state)
{
	context->state = state;
}

const char *context_environment(const struct context *context)
{
	return context->common.env;
}

const char *context_public_url(const struct context *context)
{
	return context->common.public_url;
}

enum err context_seal(struct context *context, struct seal **seal_out)
{
	return seal_new(context->name, context->masters, context->master_count, &context->index_key, seal_out);
}

struct outbox_relay *context_relay(struct context *context)
{
	return context->relay;
}

struct keyring *context_keyring(struct context *context)
{
	return context->keyring;
}

const struct token_rules *context_token_rules(const struct context *context)
{
	return &context->rules;
}

enum err context_db_app(struct context *context, struct db **db_out)
{
	return db_open(&context->db_app, db_out);
}

enum err context_db_jobs(struct context *context, struct db **db_out)
{
	return db_open(&context->db_jobs, db_out);
}

bool context_stopping(const struct context *context)
{
	return __atomic_load_n(&context->stopping, __ATOMIC_RELAXED);
}

void context_wait(struct context *context, uint64_t timeout_ms)
{
	const uint64_t deadline_us = clock_monotonic_us() + timeout_ms * 1000;
	uint64_t pokes;

	pthread_mutex_lock(&context->lock);
	pokes = context->pokes;
	while (!context_stopping(context) && context->pokes == pokes)
		if (!wait_until(&context->wake, &context->lock, deadline_us))
			break;
	pthread_mutex_unlock(&context->lock);
}

void context_poke(struct context *context)
{
	pthread_mutex_lock(&context->lock);
	context->pokes++;
	pthread_cond_broadcast(&context->wake);
	pthread_mutex_unlock(&context->lock);
}

/* -- keys -- */

static enum err fetch_keys(void *user, struct buf *doc_out)
{
	struct context *context = user;
	struct arena *arena;
	struct empty request;
	struct keys_reply reply = {0};
	enum err err;

	if (context->service->fetch_keys != NULL)
		return context->service->fetch_keys(context, doc_out);
	arena = arena_new(1U << 20);
	if (arena == NULL)
		return ERR_OVERLOADED;
	err = context_call(context, NULL, OPID_keys_read, &request, KEYS_CALL_MS, arena, &reply);
	if (err == OK)
		buf_put_str(doc_out, reply.jwks);
	arena_free(&arena);
	return err;
}

/* -- life -- */

static void handlers_index(struct context *context)
{
	for (const struct handler *h = context->service->handlers; h != NULL && h->handle != NULL; h++)
		context->handlers[h->operation] = h;
	for (const struct handler *h = context->service->handlers_many; h != NULL && h->handle_many != NULL; h++)
		context->many[h->operation] = h->handle_many;
}

static enum err context_open(struct context *context)
{
	const struct service *service = context->service;
	enum err err;

	if ((err = context_open_admin(context)) != OK)
		return err;
	if ((err = context_open_links(context)) != OK)
		return err;
	context->keyring = keyring_new(fetch_keys, context, KEYRING_REFRESH_MS);
	if (context->keyring == NULL)
		return ERR_OVERLOADED;
	handlers_index(context);
	return service->open != NULL ? service->open(context) : OK;
}

/* PostgreSQL away is waited for and told by /readyz; another environment's database or an older schema is final. */
static enum err schema_check(struct context *context)
{
	const struct service *service = context->service;
	int newest = 0;
	struct db *db = NULL;
	enum err err;

	for (size_t i = 0; i < service->migration_count; i++)
		if (service->migrations[i].number > newest)
			newest = service->migrations[i].number;
	if ((err = context_db_app(context, &db)) != OK)
		return err;
	do {
		if ((err = db_check(db)) == OK)
			err = db_check_version(db, newest);
		if (err == ERR_UNAVAILABLE)
			context_wait(context, CHECK_MS);
	} while (err == ERR_UNAVAILABLE && !context_stopping(context));
	db_free(&db);
	__atomic_store_n(&context->store_up, err == OK, __ATOMIC_RELAXED);
	return err;
}

/* One thread takes the signals, so that no other is interrupted by them. */
static void *signals_main(void *arg)
{
	const struct timespec patience = {.tv_sec = DRAIN_S};
	struct context *context = arg;
	sigset_t set;
	int number = 0;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	while (sigwait(&set, &number) == 0) {
		log_event(LOG_INFO, "signal", LOG_I("number", number));
		if (number == SIGHUP) {
			context_poke(context);
			continue;
		}
		__atomic_store_n(&context->stopping, true, __ATOMIC_RELAXED);
		context_poke(context);
		/* The drain is bounded, whatever hangs. */
		nanosleep(&patience, NULL);
		log_event(LOG_ERROR, "drain_overrun");
		_exit(1);
	}
	return NULL;
}

static enum err signals_start(struct context *context)
{
	pthread_t thread;
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	if (pthread_create(&thread, NULL, signals_main, context) != 0)
		return ERR_OVERLOADED;
	pthread_setname_np(thread, "signals");
	pthread_detach(thread);
	return OK;
}

static void store_seen(struct context *context, bool up)
{
	const bool was_up = __atomic_exchange_n(&context->store_up, up, __ATOMIC_RELAXED);

	if (up != was_up)
		log_event(up ? LOG_INFO : LOG_WARN, up ? "postgresql_up" : "postgresql_down");
}

/* Until the process stops, tells /readyz whether PostgreSQL answers; the workers find out by themselves. */
static enum err watch_store(struct context *context)
{
	uint64_t due_us = 0;
	struct db *db = NULL;
	enum err err = OK;

	if (context->service->schema != NULL && (err = context_db_app(context, &db)) != OK)
		return err;
	while (!context_stopping(context)) {
		const uint64_t now_us = clock_monotonic_us();

		/* Pokes wake this thread too. */
		if (db != NULL && now_us >= due_us) {
			store_seen(context, db_ping(db) == OK);
			due_us = now_us + WATCH_MS * 1000;
		}
		context_wait(context, WATCH_MS);
	}
	db_free(&db);
	return OK;
}

static enum err context_serve(struct context *context)
{
	const struct service *service = context->service;
	enum err err;

	if ((err = keyring_start(context->keyring)) != OK)
		return err;
	if (service->schema != NULL && (err = schema_check(context)) != OK)
		return err;
	if ((err = context_start_relay(context)) != OK)
		return err;
	if ((err = context_succeed(context)) != OK)
		return err;
	if ((err = context_start_workers(context)) != OK)
		return err;
	if ((err = context_await_successor(context)) != OK)
		return err;
	__atomic_store_n(&context->serving, true, __ATOMIC_RELAXED);
	log_event(LOG_INFO, "serving", LOG_C("version", BERTH_VERSION), LOG_C("region", context->common.region));
	if (service->serve != NULL)
		err = service->serve(context);
	if (err == OK)
		err = watch_store(context);
	__atomic_store_n(&context->serving, false, __ATOMIC_RELAXED);
	log_event(LOG_INFO, "draining");
	return err;
}

static void context_close(struct context *context)
{
	__atomic_store_n(&context->stopping, true, __ATOMIC_RELAXED);
	context_poke(context);
	context_yield(context);
	context_stop_workers(context);
	context_drain_links(context);
	/* Until here the admin port says that this process drains. */
	http_admin_stop(context->admin);
	context_free_threads(context);
	outbox_relay_free(&context->relay);
	seal_free(&context->relay_seal);
	if (context->service->close != NULL)
		context->service->close(context);
	keyring_free(&context->keyring);
	context_close_links(context);
	handover_free(&context->handover);
	http_admin_free(&context->admin);
	secret_free(&context->store.app_password);
	secret_free(&context->store.jobs_password);
	secret_free(&context->store.master_keys);
	secret_free(&context->store.index_key);
	sodium_memzero(context->masters, sizeof context->masters);
	sodium_memzero(&context->index_key, sizeof context->index_key);
	if (context->config != NULL)
		config_release(context->service->config_keys, context->config);
	free(context->config);
}

static const struct tool *tool_find(const struct service *service, const char *flag)
{
	for (const struct tool *tool = service->tools; tool != NULL && tool->flag != NULL; tool++)
		if (strcmp(tool->flag, flag) == 0)
			return tool;
	return NULL;
}

static const struct command *command_find(const struct service *service, const char *flag)
{
	for (const struct command *command = service->commands; command != NULL && command->flag != NULL; command++)
		if (strcmp(command->flag, flag) == 0)
			return command;
	return NULL;
}

static int run_command(struct context *context, const struct command *command, int argc, char **argv)
{
	int code = 1;

	/* A command is an operator's: it opens no port and joins no link. */
	if (context->service->schema == NULL || schema_check(context) == OK)
		code = command->run(context, argc, argv);
	return code;
}

static int run_service(struct context *context)
{
	enum err err;

	if ((err = context_meet(context)) == OK && (err = context_confine(context)) == OK &&
		(err = signals_start(context)) == OK && (err = context_open(context)) == OK) {
		context_filter(context);
		/* While another process has the port, it answers there. */
		if (!handover_follows(context->handover))
			err = http_admin_start(context->admin);
		if (err == OK)
			err = context_serve(context);
	}
	if (err != OK)
		log_event(LOG_ERROR, "stopped", LOG_C("code", err_code(err)));
	context_close(context);
	return err == OK ? 0 : 1;
}

#ifdef BERTH_TEST_BUILD
/* The relay's points are in every program and passed only where it runs. */
static void tell_crash_point(void *user, const char *name)
{
	const struct service *service = user;

	if (service->outbox || strncmp(name, "outbox.", 7) != 0)
		puts(name);
}

static bool list_crash_points(const struct service *service)
{
	crash_each(tell_crash_point, (void *)(uintptr_t)service);
	return true;
}
#else
static bool list_crash_points(const struct service *service)
{
	(void)service;
	return false;
}
#endif

/* Options that need no configuration; false when it was none of them. */
static bool run_option(const struct service *service, int argc, char **argv, int *code_out)
{
	const char *flag = argv[1];
	const struct tool *tool = tool_find(service, flag);

	*code_out = 0;
	if (tool != NULL)
		*code_out = tool->run(argc - 2, argv + 2);
	else if (strcmp(flag, "--help") == 0)
		context_help(service);
	else if (strcmp(flag, "--version") == 0)
		printf("%s %s\n", peer_name(service->self), BERTH_VERSION);
	else if (strcmp(flag, "--migrate") == 0 && service->schema != NULL)
		*code_out = context_migrate(service);
	else
		return strcmp(flag, "--crash-points") == 0 && list_crash_points(service);
	return true;
}

static int usage(const struct service *service, const char *flag)
{
	fprintf(stderr, "%s: there is no option %s; --help lists them\n", peer_name(service->self), flag);
	return 2;
}

int service_main(const struct service *service, int argc, char **argv)
{
	static struct context context;
	const struct command *command = NULL;
	enum err err;
	int code;

	context.service = service;
	context.name = peer_name(service->self);
	context.started_at = clock_now_us();
	log_init(context.name, LOG_INFO);
	if (sodium_init() < 0)
		return 1;
	if (argc > 1 && run_option(service, argc, argv, &code))
		return code;
	if (argc > 1 && (command = command_find(service, argv[1])) == NULL)
		return usage(service, argv[1]);
	pthread_mutex_init(&context.lock, NULL);
	wait_init(&context.wake);
	if ((err = context_configure(&context)) != OK) {
		log_event(LOG_ERROR, "stopped", LOG_C("code", err_code(err)));
		return 2;
	}
	return command != NULL ? run_command(&context, command, argc - 2, argv + 2) : run_service(&context);
}
