/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_SERVICE_SERVICE_H
#define BERTH_SERVICE_SERVICE_H

#include "base/config.h"
#include "contract/codec.h"
#include "contract/operation.h"
#include "db/db.h"
#include "outbox/outbox.h"
#include "seal/seal.h"
#include "service/call.h"

/*
 * The one life of every process: configure, confine, check the schema version, open, filter, serve, drain, close; in
 * that order. A process is a table of what it holds (struct service) and one call of service_main. `--migrate` is a
 * separate run with the owner's secret, `--help` lists the keys.
 */
struct call;
struct context;

typedef enum err (*handler_fn)(struct call *call, const void *request, void *reply);
/*
 * Set-based form: decides each item of a batch, filling errs_out[i]; returns an error only when the batch as a whole
 * failed and nothing was committed, upon which the skeleton redoes it item by item with the single handler.
 */
typedef enum err (*handler_many_fn)(
	struct call **calls, const void *const *requests, void **replies, enum err *errs_out, size_t count);

struct handler {
	enum operation_id operation;
	handler_fn handle;
	handler_many_fn handle_many; /* NULL: one by one */
};

/* What one blocking worker owns. */
struct worker {
	struct context *context;
	struct db *db;     /* app role; NULL when the process has no database */
	struct seal *seal; /* NULL when the process has no database */
	struct arena *arena;
	void *state; /* of the process, by service.worker_open */
};

/* A periodic or long-running thread of the process (relay, sweep). Returns when context_stopping says so. */
struct job {
	const char *name;
	void (*run)(struct context *context);
};

/* A gauge or counter of the process itself for /metrics; appended as Prometheus text. */
typedef void (*metrics_fn)(struct context *context, struct buf *out);

struct command {
	const char *flag; /* "--bootstrap" */
	const char *help;
	int (*run)(struct context *context, int argc, char **argv); /* configured and opened, but serving nothing */
};

struct tool {
	const char *flag; /* "--build-password-filter" */
	const char *help;
	int (*run)(int argc, char **argv); /* nothing is configured; touches files alone */
};

struct service {
	enum peer self;
	const char *schema;                   /* NULL: no database */
	const struct config_key *config_keys; /* beyond the common ones; may be NULL */
	size_t config_size;                   /* of the process's own config struct */
	const struct handler *handlers;       /* ends with handle == NULL and handle_many == NULL */
	const struct handler
		*handlers_many; /* set-based forms of some of them (handle is NULL); ends with both NULL; may be NULL */
	const struct db_migration *migrations; /* common ones are applied first by the skeleton */
	size_t migration_count;
	const struct job *jobs;                    /* ends with run == NULL; may be NULL */
	const struct command *commands;            /* ends with flag == NULL; may be NULL */
	const struct tool *tools;                  /* ends with flag == NULL; may be NULL */
	enum err (*open)(struct context *context); /* state shared by the workers; may be NULL */
	void (*close)(struct context *context);
	enum err (*worker_open)(struct worker *worker);
	void (*worker_close)(struct worker *worker);
	/* Readiness beyond the common rows: the name of what is missing, or NULL. */
	const char *(*missing)(struct context *context);
	/* What is missing and can be done without for now: told in the detail, the process stays ready. */
	const char *(*degraded)(struct context *context);
	metrics_fn metrics;
	/* authsvc has the keys itself; NULL: asked of it over the link. */
	enum err (*fetch_keys)(struct context *context, struct buf *jwks_out);
	bool outbox; /* run the relay to auditsvc */
	/*
	 * A process that serves by itself (the gateway): called instead of workers; returns after context_stopping and
	 * the drain.
	 */
	enum err (*serve)(struct context *context);
	size_t workers_fast, workers_slow; /* threads per listener of that lane */
};

int service_main(const struct service *service, int argc, char **argv);

/* The running process. Accessors rather than members: only the skeleton writes it. */
void *context_config(struct context *context); /* struct of service.config_keys */
void *context_state(struct context *context);
void context_set_state(struct context *context, void *state);
const char *context_environment(const struct context *context);
const char *context_public_url(const struct context *context);
enum err context_seal(
	struct context *context, struct seal **seal_out); /* one of one's own (a seal belongs to one thread); gives */
struct outbox_relay *context_relay(struct context *context); /* NULL without one */
struct keyring *context_keyring(struct context *context);    /* verification keys of access tokens */
const struct token_rules *context_token_rules(const struct context *context);
enum err context_db_app(struct context *context, struct db **db_out); /* a connection of one's own; gives */
enum err context_db_jobs(struct context *context, struct db **db_out);
/*
 * Connects before the first request comes, which would have to wait for it, or be refused when the machine is busy.
 * After three seconds without PostgreSQL it is tried again when it is needed. For whoever opens a connection in
 * worker_open.
 */
void worker_connect(struct context *context, struct db *db);
bool context_stopping(const struct context *context);
/* Waits until poked, stopping or the time is over; the only sleep that jobs use. */
void context_wait(struct context *context, uint64_t timeout_ms);
void context_poke(struct context *context);

/*
 * A new process takes the place of a running one without a gap (handover.h). A process that serves by itself inherits
 * its listening sockets, "127.0.0.1:8443" at a time (-1: none is left for that address), offers those it has (borrows;
 * before it serves), and yields as soon as it is told to stop.
 */
int context_inherit(struct context *context, const char *address);
void context_offer(struct context *context, int fd);
void context_yield(struct context *context);
bool context_is_succeeded(const struct context *context); /* it stops because another takes its place */

/*
 * Calls another process: encodes, waits at most until the deadline, decodes into reply_out (in `arena`). The end user's
 * token and request id travel from `call` when it is not NULL. ERR_UNAVAILABLE at once with no live peer. Arrow and
 * operation must be declared.
 */
enum err context_call(struct context *context, const struct call *call, enum operation_id operation,
	const void *request, uint64_t timeout_ms, struct arena *arena, void *reply_out);

/*
 * A dialer of one's own for a declared arrow of this process, by its configured URLs (the gateway has one for each
 * loop). `ready` as in link.h; NULL: none. Gives.
 */
struct link_dialer;
struct link_ready;
enum err context_dialer(struct context *context, enum peer callee, enum lane lane, const struct link_ready *ready,
	struct link_dialer **dialer_out);

#endif
