/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_DB_TX_H
#define BERTH_DB_TX_H

#include "db/param.h"
#include "db/rows.h"

struct db;

/*
 * One statement: a file sql/<name>.sql, embedded at build time as `sql_<name>` in the generated <service>_sql.h.
 * Prepared once per connection, when first used.
 */
struct db_statement {
	const char *name;
	const char *sql;
	size_t sql_len;
};

/*
 * A transaction, scoped to one tenant by row-level security. BEGIN and the tenant's set_config travel with the first
 * statement: a transaction of one statement costs two round trips, with tx_commit_with one.
 *
 * Errors of every call that talks to the server:
 *   ERR_CONFLICT     a unique, exclusion, foreign-key or check constraint refused; tx_constraint names it
 *   ERR_UNAVAILABLE  no connection, time-out, deadlock, lock not got: nothing was changed; tx_retryable says whether
 *                    an immediate retry of the whole transaction makes sense
 *   ERR_DEADLINE     only from a commit: its outcome is unknown
 *   ERR_INTERNAL     anything else (logged with SQLSTATE, constraint and statement name, never with values)
 *   ERR_BAD_FIELD    a string is not UTF-8 or holds U+0000      ERR_TOO_LARGE   parameters over DB_PARAM_BYTES_MAX
 * After an error the transaction takes nothing but tx_rollback_to (when a savepoint stands) and tx_free.
 */
struct tx;

#define DB_PARAMS_MAX 48
#define DB_PARAM_BYTES_MAX (8U << 20)
#define TX_QUEUE_MAX 512 /* statements between two flushes */

/* Connects if there is no connection. One transaction at a time per db. */
MUST_USE enum err tx_begin(struct db *db, const struct uuid *tenant_id, struct tx **tx_out);
/* Without a tenant: sees only what has a policy for the connection's own role (the jobs role). */
MUST_USE enum err tx_begin_jobs(struct db *db, struct tx **tx_out);
/* Rolls back unless committed. */
void tx_free(struct tx **tx);

/* *rows_out is set on success only (NULL pointer allowed when the rows do not matter). */
MUST_USE enum err tx_query(struct tx *tx, const struct db_statement *statement, const struct db_param *params,
	size_t count, struct rows **rows_out);
/* Rows touched by insert, update, delete; NULL allowed. */
MUST_USE enum err tx_exec(struct tx *tx, const struct db_statement *statement, const struct db_param *params,
	size_t count, uint64_t *affected_out);

/*
 * Pipelines: tx_queue any number, tx_flush (or tx_flush_commit) sends all in one round trip and reads all answers,
 * then tx_next gives them in order. If one failed, flush gives its error, tx_next too from that item on, and the
 * transaction has failed. tx_query, tx_exec and tx_commit flush what is queued before them in the same round trip
 * (answers not taken by tx_next are dropped by the next tx_queue, tx_query or tx_exec).
 */
MUST_USE enum err tx_queue(
	struct tx *tx, const struct db_statement *statement, const struct db_param *params, size_t count);
/* As tx_queue, but tx_next does not give it; when it fails, flush says so. */
MUST_USE enum err tx_queue_quiet(
	struct tx *tx, const struct db_statement *statement, const struct db_param *params, size_t count);
MUST_USE enum err tx_flush(struct tx *tx);
/* Either pointer may be NULL. ERR_NOT_FOUND behind the last. */
MUST_USE enum err tx_next(struct tx *tx, struct rows **rows_out, uint64_t *affected_out);

/* Queued: what follows runs for another tenant. For batches over several tenants in one transaction. */
MUST_USE enum err tx_set_tenant(struct tx *tx, const struct uuid *tenant_id);

#define TX_TENANTS_MAX 256
/*
 * Queued: until the transaction ends, rows of these tenants may be inserted too, into tables whose policy says so
 * (`tenants_put`). What is seen, changed and deleted stays the one tenant's.
 */
MUST_USE enum err tx_set_tenants(struct tx *tx, const struct uuid *tenants, size_t count);

/* Queued. One savepoint stands at a time: a new one replaces it. */
MUST_USE enum err tx_savepoint(struct tx *tx);
/* Undoes all since the savepoint (which stays) and clears the failure; talks to the server. */
MUST_USE enum err tx_rollback_to(struct tx *tx);

/*
 * Sends what is queued and COMMIT in one round trip; on OK the transaction is committed. Answers by tx_next; then
 * tx_free.
 */
MUST_USE enum err tx_flush_commit(struct tx *tx);
/* tx_flush_commit and tx_free in one: takes on success; on failure tx_free (at done:) remains to be called. */
MUST_USE enum err tx_commit(struct tx **tx);
/* One last statement, COMMIT and tx_free in one round trip. Out parameters may be NULL. */
MUST_USE enum err tx_commit_with(struct tx **tx, const struct db_statement *statement, const struct db_param *params,
	size_t count, struct rows **rows_out, uint64_t *affected_out);
/* One statement with the jobs role, in a transaction of its own. */
MUST_USE enum err tx_jobs_run(
	struct db *db, const struct db_statement *statement, const struct db_param *params, size_t count);

/* About the last error; valid until tx_free. Never NULL, "" when not one. */
const char *tx_constraint(const struct tx *tx);
const char *tx_sqlstate(const struct tx *tx);
bool tx_retryable(const struct tx *tx);
/* The tenant given to tx_begin or tx_set_tenant last; nil for jobs. */
const struct uuid *tx_tenant(const struct tx *tx);

#endif
