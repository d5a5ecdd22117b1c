/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_SERVICE_CONTEXT_H
#define BERTH_SERVICE_CONTEXT_H

#include <pthread.h>

#include "base/json.h"
#include "http/http_admin.h"
#include "link/link.h"
#include "service/handover.h"
#include "service/metrics.h"
#include "service/service.h"
#include "token/keyring.h"

/* The skeleton's own view of the process; everybody else uses the accessors of service.h. */
#define SERVICE_LISTENERS_MAX 16
#define SERVICE_THREADS_MAX 64
#define SERVICE_ARENA_MAX (32U << 20)

/* Keys that every process has. */
struct common_config {
	const char *env, *log_level, *region, *public_url;
	const char *admin_listen, *admin_cert_file, *admin_key_file, *admin_ca_file;
	const char *link_cert_file, *link_key_file, *link_ca_dir;
	int64_t trace_per_s;
	const char *handover_socket; /* NULL: none */
};

/* Keys of a process with a database. */
struct store_config {
	const char *host, *dbname;
	int64_t port;
	struct secret *app_password, *jobs_password;
	struct secret *master_keys, *index_key;
};

/* What holds of the sandbox; what the kernel is too old for stays false, and is told. */
struct confined {
	bool files, ports, scope, calls;
};

struct service_thread {
	struct context *context;
	pthread_t thread;
	bool started;
	struct link_listener *listener; /* of a worker */
	const struct job *job;          /* of a job */
	struct metrics *metrics;        /* a worker's own */
	bool done;                      /* atomic */
};

struct context {
	const struct service *service;
	const char *name;
	struct common_config common;
	struct store_config store;
	void *config, *state;
	struct token_rules rules;
	char app_user[64], jobs_user[64];
	struct db_config db_app, db_jobs;
	struct key_epoch masters[8];
	size_t master_count;
	struct key_epoch index_key;
	struct link_identity *identity;
	struct link_dialer *dialers[PEER_COUNT][LANE_COUNT]; /* for context_call */
	struct link_listener *listeners[SERVICE_LISTENERS_MAX];
	size_t listener_count;
	struct service_thread threads[SERVICE_THREADS_MAX];
	size_t thread_count;
	struct keyring *keyring;
	struct outbox_relay *relay;
	struct seal *relay_seal;
	struct http_admin *admin;
	struct handover *handover;                       /* NULL: not configured */
	const struct handler *handlers[OPERATION_COUNT]; /* by operation_id */
	handler_many_fn many[OPERATION_COUNT];
	pthread_mutex_t lock;
	pthread_cond_t wake;
	uint64_t pokes;
	bool stopping; /* atomic */
	bool serving;  /* atomic */
	bool store_up; /* atomic: version and environment were checked, and PostgreSQL answers */
	bool joined;   /* atomic: every dialed arrow has been up, once */
	instant_us started_at;
	struct confined confined;
};

/* configure.c */
MUST_USE enum err context_configure(struct context *context);
void context_help(const struct service *service);
/* "BERTH_LISTEN_GATEWAY_FAST" */
#define CONTEXT_LINK_KEY_MAX 64
void context_link_key(const char *verb, enum peer peer, enum lane lane, char key_out[CONTEXT_LINK_KEY_MAX]);
/* links.c. The configured URLs of an arrow, "LISTEN" or "DIAL"; NULL when there are none. */
const char *context_link_url(const char *verb, enum peer peer, enum lane lane);
/* Dialers, and listeners too unless a process still has their ports. */
MUST_USE enum err context_open_links(struct context *context);
void context_close_links(struct context *context);
/* Tells callers to go, and waits a little until they have. Workers must have ended. */
void context_drain_links(struct context *context);
/* succession.c */
/* Before confinement: finds the process whose place this one takes. */
MUST_USE enum err context_meet(struct context *context);
/* Once all else is there: waits for its turn, and opens what it had to leave to the other until then. */
MUST_USE enum err context_succeed(struct context *context);
/* From now on this process can be succeeded. */
MUST_USE enum err context_await_successor(struct context *context);
/* links.c */
MUST_USE enum err context_open_listeners(struct context *context);
/* worker.c */
MUST_USE enum err context_start_workers(struct context *context);
/* After context_stopping: nothing more is received, what is under way ends; joins. */
void context_stop_workers(struct context *context);
/* Their counters too; when nobody reads these any more. */
void context_free_threads(struct context *context);
/* spans.c: hands this process's spans to authsvc, which exports them. NULL where there is nothing to hand on. */
const struct job *context_spans_job(const struct context *context);
/* relay.c */
MUST_USE enum err context_start_relay(struct context *context);
/* readiness.c. With a writer, a row for each dependency: "up" or "missing". */
bool context_is_ready(struct context *context, struct json_writer *w);
/* Whether all is there that serving takes. */
bool context_is_equipped(struct context *context, struct json_writer *w);
/* exposition.c: all of /metrics. */
void context_write_metrics(struct context *context, struct buf *out);
/* admin.c */
MUST_USE enum err context_open_admin(struct context *context);
/* migrate.c */
int context_migrate(const struct service *service);
/* confine.c */
/* ERR_INTERNAL when the kernel could and refused: then the process must not serve. */
MUST_USE enum err context_confine(struct context *context);
/* filter.c */
void context_filter(struct context *context);

#endif
