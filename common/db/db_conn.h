/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_DB_DB_CONN_H
#define BERTH_DB_DB_CONN_H

/* Private to common/db: the connection under a `struct db`, and the pipeline over it. */
#include <libpq-fe.h>

#include "base/buf.h"
#include "base/trace.h"
#include "db/db.h"

#define CONN_HOSTS_MAX 4
#define CONN_HOST_LEN_MAX 108 /* a Unix socket path */
#define PREPARED_MAX 512U
#define PREPARED_SLOTS 1024U /* power of two, twice PREPARED_MAX */
#define ITEMS_MAX (2U * TX_QUEUE_MAX + 64U)
#define CONSTRAINT_MAX 64 /* NAMEDATALEN */

/* One statement on the present connection. Types are those that its parameters were first used with. */
struct prepared {
	const struct db_statement *statement;
	uint64_t generation;
	unsigned variant; /* grows when a parameter's type becomes known: another server-side name */
	enum { PREPARED_NONE, PREPARED_QUEUED, PREPARED_READY } state;
	size_t count;
	Oid types[DB_PARAMS_MAX];
	char name[64];
};

enum item_kind { ITEM_PREPARE, ITEM_RUN, ITEM_QUIET, ITEM_COMMIT };

struct item {
	enum item_kind kind;
	struct prepared *prepared;
	PGresult *result;
};

/* The first thing that went wrong in a pipeline. */
struct db_fault {
	enum err err;
	bool retryable;
	bool lost; /* the connection is of no use any more */
	size_t item;
	char sqlstate[6];
	char constraint[CONSTRAINT_MAX];
};

struct tx {
	struct db *db;
	struct uuid tenant_id;
	bool scoped; /* to a tenant */
	bool begun;
	bool committed;
	bool savepoint;
	size_t savepoint_item; /* its place in the pipeline not flushed yet, from 1; 0: not there */
	struct db_fault fault; /* err OK: none */
	struct trace_span span;
};

struct db {
	struct db_config config;
	char hosts[CONN_HOSTS_MAX][CONN_HOST_LEN_MAX];
	size_t host_count, host_next;
	PGconn *pg;
	uint64_t generation;
	uint64_t deadline_us;
	uint64_t retry_at_us;
	int64_t backoff_ms;
	bool complained; /* the present outage has been logged */

	struct prepared *prepared[PREPARED_SLOTS];
	size_t prepared_count;

	struct item items[ITEMS_MAX];
	size_t item_count, item_next;
	size_t item_runs; /* queued by callers since the last flush */
	bool flushed;
	struct buf scratch;
	uint64_t round_trips;

	bool in_tx;
	struct tx tx;
};

/* ---- db_conn.c ---- */

#define CONN_ATTEMPT_MIN_MS 150

/* Checks config and splits its hosts. */
MUST_USE enum err db_conn_init(struct db *db, const struct db_config *config);
void db_conn_release(struct db *db);
/* One attempt at one host, blocking, in no special mode. NULL pg on failure. */
MUST_USE enum err db_conn_dial(struct db *db, const char *host, uint64_t until_us, PGconn **pg_out);
/* Dials over all hosts within the connect time-out; logs an outage once. ERR_CONFLICT: the server is too old. */
MUST_USE enum err db_conn_open(struct db *db, PGconn **pg_out);
/* A live connection of the right environment in pipeline mode; connects when there is none and the back-off allows. */
MUST_USE enum err db_conn_ready(struct db *db);
void db_conn_drop(struct db *db);
/* Until a result can be taken without blocking. ERR_DEADLINE or ERR_UNAVAILABLE (lost); drops nothing. */
MUST_USE enum err db_conn_wait(struct db *db, uint64_t until_us);
bool db_conn_name_ok(const char *name); /* [a-z_][a-z0-9_]*, at most 63: safe between double quotes and in options */

/* ---- db_prepared.c ---- */

/*
 * The entry for this statement with these parameters' types. NULL: the same parameter is used with two types, or too
 * many.
 */
struct prepared *db_prepared_for(
	struct db *db, const struct db_statement *statement, const struct db_param *params, size_t count);
void db_prepared_release(struct db *db);

/* ---- db_param.c ---- */

Oid db_param_oid(const struct db_param *param); /* 0: not said */
/* Appends the binary form; *len_out is -1 for NULL. */
MUST_USE enum err db_param_encode(struct buf *buf, const struct db_param *param, int *len_out);

/* ---- rows.c ---- */

struct rows *rows_over(PGresult **result); /* takes; NULL without memory (then it does not take) */

/* ---- db_fault.c ---- */

/* Classifies a failed result; logs what is ERR_INTERNAL. */
void db_fault_read(struct db_fault *fault, const PGresult *result, const struct item *item);
/* The connection was lost, or the deadline passed, while `item` was awaited. */
void db_fault_lost(struct db_fault *fault, enum err why);

/* ---- db_pipeline.c ---- */

MUST_USE enum err db_pipeline_queue(struct db *db, enum item_kind kind, const struct db_statement *statement,
	const struct db_param *params, size_t count);
/*
 * Sends what is queued, reads all answers into items. false: *fault_out says what came first. A COMMIT without an
 * answer gives ERR_DEADLINE. On fault_out->lost the connection was dropped.
 */
MUST_USE bool db_pipeline_flush(struct db *db, uint64_t until_us, struct db_fault *fault_out);
void db_pipeline_reset(struct db *db);           /* forgets items and their results */
uint64_t db_pipeline_until(const struct db *db); /* when a flush that starts now must have ended */

#endif
