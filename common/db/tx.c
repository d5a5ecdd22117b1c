/* SPDX-License-Identifier: Apache-2.0 */
#include "db/tx.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "db/db_conn.h"

#define ROLLBACK_MIN_US (500 * US_PER_MS)

#define STATEMENT(name, text) static const struct db_statement name = {"tx_" #name, text, sizeof(text) - 1}

STATEMENT(begin, "begin isolation level read committed read write");
STATEMENT(commit, "commit");
STATEMENT(rollback, "rollback");
STATEMENT(set_tenant, "select set_config('berth.tenant', $1, true)");
STATEMENT(set_tenants, "select set_config('berth.tenants', $1, true)");
STATEMENT(savepoint, "savepoint tx");
STATEMENT(release, "release savepoint tx");
STATEMENT(rollback_to, "rollback to savepoint tx");

static bool is_late(const struct db *db)
{
	return db->deadline_us && clock_monotonic_us() >= db->deadline_us;
}

static enum err begin_common(struct db *db, const struct uuid *tenant_id, struct tx **tx_out)
{
	struct trace_place below;
	enum err err;

	*tx_out = NULL;
	INVARIANT(!db->in_tx);
	if (is_late(db))
		return ERR_UNAVAILABLE;
	/* Another environment's database is as good as none. */
	if ((err = db_conn_ready(db)) != OK)
		return err == ERR_CONFLICT ? ERR_UNAVAILABLE : err;
	db->tx = (struct tx){.db = db, .scoped = tenant_id != NULL};
	if (tenant_id)
		db->tx.tenant_id = *tenant_id;
	db_pipeline_reset(db);
	db->in_tx = true;
	db->tx.span = trace_begin(trace_current(), TRACE_CLIENT, "postgresql", &below);
	*tx_out = &db->tx;
	return OK;
}

enum err tx_begin(struct db *db, const struct uuid *tenant_id, struct tx **tx_out)
{
	INVARIANT(tenant_id && !uuid_is_nil(tenant_id));
	return begin_common(db, tenant_id, tx_out);
}

enum err tx_begin_jobs(struct db *db, struct tx **tx_out)
{
	return begin_common(db, NULL, tx_out);
}

/* A failure on this side of the wire: the transaction can only be rolled back. */
static enum err fail(struct tx *tx, enum err err)
{
	if (err != OK && tx->fault.err == OK)
		tx->fault = (struct db_fault){.err = err, .retryable = err == ERR_UNAVAILABLE};
	return err;
}

static enum err queue_tenant(struct tx *tx)
{
	char text[UUID_TEXT_LEN + 1];

	uuid_format(&tx->tenant_id, text);
	return db_pipeline_queue(tx->db, ITEM_QUIET, &set_tenant, PARAMS(db_c(text)));
}

static enum err queue_begin(struct tx *tx)
{
	enum err err;

	if (tx->begun)
		return OK;
	if ((err = db_pipeline_queue(tx->db, ITEM_QUIET, &begin, NO_PARAMS)) != OK)
		return err;
	tx->begun = true;
	return tx->scoped ? queue_tenant(tx) : OK;
}

static enum err queue(struct tx *tx, enum item_kind kind, const struct db_statement *statement,
	const struct db_param *params, size_t count)
{
	enum err err;

	INVARIANT(!tx->committed);
	if (tx->fault.err != OK)
		return tx->fault.err;
	if (tx->db->flushed)
		db_pipeline_reset(tx->db);
	if (kind == ITEM_RUN && ++tx->db->item_runs > TX_QUEUE_MAX)
		return fail(tx, ERR_TOO_LARGE);
	if ((err = queue_begin(tx)) != OK)
		return fail(tx, err);
	return fail(tx, db_pipeline_queue(tx->db, kind, statement, params, count));
}

enum err tx_queue(struct tx *tx, const struct db_statement *statement, const struct db_param *params, size_t count)
{
	return queue(tx, ITEM_RUN, statement, params, count);
}

enum err tx_queue_quiet(
	struct tx *tx, const struct db_statement *statement, const struct db_param *params, size_t count)
{
	return queue(tx, ITEM_QUIET, statement, params, count);
}

enum err tx_set_tenant(struct tx *tx, const struct uuid *tenant_id)
{
	enum err err;

	INVARIANT(tenant_id && !uuid_is_nil(tenant_id));
	if (tx->fault.err != OK)
		return tx->fault.err;
	if (tx->scoped && uuid_eq(&tx->tenant_id, tenant_id))
		return OK;
	tx->tenant_id = *tenant_id;
	tx->scoped = true;
	if (!tx->begun)
		return OK;
	if (tx->db->flushed)
		db_pipeline_reset(tx->db);
	err = queue_tenant(tx);
	return fail(tx, err);
}

/* As PostgreSQL writes an array: {a,b}. */
enum err tx_set_tenants(struct tx *tx, const struct uuid *tenants, size_t count)
{
	char text[TX_TENANTS_MAX * (UUID_TEXT_LEN + 1) + 2];
	size_t len = 0;

	INVARIANT(count > 0 && count <= TX_TENANTS_MAX);
	for (size_t i = 0; i < count; i++) {
		INVARIANT(!uuid_is_nil(&tenants[i]));
		text[len++] = i ? ',' : '{';
		uuid_format(&tenants[i], text + len);
		len += UUID_TEXT_LEN;
	}
	text[len++] = '}';
	return queue(tx, ITEM_QUIET, &set_tenants, PARAMS(db_str((struct str){text, len})));
}

static enum err flush(struct tx *tx, uint64_t until_us)
{
	struct db *db = tx->db;
	bool ok;

	if (db->flushed || db->item_count == 0)
		return OK;
	ok = db_pipeline_flush(db, until_us, &tx->fault);
	/* A savepoint behind the fault was never made, and an earlier one may or may not stand. */
	if (!ok && tx->fault.item < tx->savepoint_item)
		tx->savepoint = false;
	tx->savepoint_item = 0;
	return tx->fault.err;
}

enum err tx_flush(struct tx *tx)
{
	if (tx->fault.err != OK)
		return tx->fault.err;
	if (is_late(tx->db))
		return fail(tx, ERR_UNAVAILABLE);
	return flush(tx, db_pipeline_until(tx->db));
}

static uint64_t affected_by(PGresult *result)
{
	/* libpq gives decimal digits or "". */
	return strtoull(PQcmdTuples(result), NULL, 10);
}

static enum err take(struct item *item, struct rows **rows_out, uint64_t *affected_out)
{
	if (affected_out)
		*affected_out = affected_by(item->result);
	if (!rows_out)
		return OK;
	*rows_out = rows_over(&item->result);
	return *rows_out ? OK : ERR_OVERLOADED;
}

enum err tx_next(struct tx *tx, struct rows **rows_out, uint64_t *affected_out)
{
	struct db *db = tx->db;

	if (rows_out)
		*rows_out = NULL;
	if (affected_out)
		*affected_out = 0;
	INVARIANT(db->flushed || db->item_count == 0);
	while (db->item_next < db->item_count && db->items[db->item_next].kind != ITEM_RUN)
		db->item_next++;
	if (db->item_next == db->item_count)
		return tx->fault.err != OK ? tx->fault.err : ERR_NOT_FOUND;
	if (tx->fault.err != OK && (tx->fault.lost || db->item_next >= tx->fault.item))
		return tx->fault.err;
	return take(&db->items[db->item_next++], rows_out, affected_out);
}

/* The last statement's answer. */
static enum err take_last(struct tx *tx, struct rows **rows_out, uint64_t *affected_out)
{
	struct db *db = tx->db;
	size_t i = db->item_count;

	while (i > 0 && db->items[i - 1].kind != ITEM_RUN)
		i--;
	INVARIANT(i > 0);
	db->item_next = i;
	return take(&db->items[i - 1], rows_out, affected_out);
}

static enum err run(struct tx *tx, const struct db_statement *statement, const struct db_param *params, size_t count,
	struct rows **rows_out, uint64_t *affected_out)
{
	enum err err;

	if (rows_out)
		*rows_out = NULL;
	if (affected_out)
		*affected_out = 0;
	if ((err = queue(tx, ITEM_RUN, statement, params, count)) != OK)
		return err;
	if ((err = tx_flush(tx)) != OK)
		return err;
	return take_last(tx, rows_out, affected_out);
}

enum err tx_query(struct tx *tx, const struct db_statement *statement, const struct db_param *params, size_t count,
	struct rows **rows_out)
{
	return run(tx, statement, params, count, rows_out, NULL);
}

enum err tx_exec(struct tx *tx, const struct db_statement *statement, const struct db_param *params, size_t count,
	uint64_t *affected_out)
{
	return run(tx, statement, params, count, NULL, affected_out);
}

enum err tx_savepoint(struct tx *tx)
{
	enum err err;

	/* Savepoints of one name would pile up. */
	if (tx->savepoint && (err = queue(tx, ITEM_QUIET, &release, NO_PARAMS)) != OK)
		return err;
	if ((err = queue(tx, ITEM_QUIET, &savepoint, NO_PARAMS)) != OK)
		return err;
	tx->savepoint = true;
	tx->savepoint_item = tx->db->item_count;
	return OK;
}

enum err tx_rollback_to(struct tx *tx)
{
	struct db *db = tx->db;
	enum err err;

	INVARIANT(!tx->committed);
	if (!db->pg || tx->fault.lost)
		return fail(tx, ERR_UNAVAILABLE);
	/* What stands queued is undone too, but must leave the pipeline: a fault of its own matters no more. */
	if (flush(tx, db_pipeline_until(db)) != OK && tx->fault.lost)
		return tx->fault.err;
	if (!tx->savepoint)
		return fail(tx, ERR_INTERNAL);
	db_pipeline_reset(db);
	tx->fault = (struct db_fault){0};
	if ((err = queue(tx, ITEM_QUIET, &rollback_to, NO_PARAMS)) != OK)
		return err;
	return tx_flush(tx);
}

enum err tx_flush_commit(struct tx *tx)
{
	enum err err;

	if (tx->fault.err != OK)
		return tx->fault.err;
	if (tx->committed)
		return OK;
	if (!tx->begun) {
		tx->committed = true; /* nothing was ever sent */
		return OK;
	}
	/* Asked before COMMIT can be on its way: behind it the outcome would be unknown. */
	if (is_late(tx->db))
		return fail(tx, ERR_UNAVAILABLE);
	if ((err = queue(tx, ITEM_COMMIT, &commit, NO_PARAMS)) != OK)
		return err;
	if ((err = flush(tx, db_pipeline_until(tx->db))) != OK)
		return err;
	tx->committed = true;
	return OK;
}

enum err tx_commit(struct tx **tx)
{
	enum err err = tx_flush_commit(*tx);

	if (err == OK)
		tx_free(tx);
	return err;
}

enum err tx_commit_with(struct tx **tx, const struct db_statement *statement, const struct db_param *params,
	size_t count, struct rows **rows_out, uint64_t *affected_out)
{
	enum err err;

	if (rows_out)
		*rows_out = NULL;
	if (affected_out)
		*affected_out = 0;
	if ((err = queue(*tx, ITEM_RUN, statement, params, count)) != OK)
		return err;
	if ((err = tx_flush_commit(*tx)) != OK)
		return err;
	err = take_last(*tx, rows_out, affected_out);
	tx_free(tx);
	return err;
}

enum err tx_jobs_run(struct db *db, const struct db_statement *statement, const struct db_param *params, size_t count)
{
	struct tx *tx = NULL;
	enum err err;

	if ((err = tx_begin_jobs(db, &tx)) == OK)
		err = tx_commit_with(&tx, statement, params, count, NULL, NULL);
	tx_free(&tx);
	return err;
}

/* A transaction that is over by its caller's deadline still has to leave the server clean. */
static void roll_back(struct tx *tx)
{
	struct db *db = tx->db;

	for (int i = 0; i < 2 && db->pg; i++) {
		uint64_t until_us = clock_monotonic_us() + (uint64_t)ROLLBACK_MIN_US;
		struct db_fault fault;

		/* Behind a queued statement that fails, the first one is skipped. */
		if (db_pipeline_queue(db, ITEM_QUIET, &rollback, NO_PARAMS) != OK)
			break;
		if (db_pipeline_flush(db, until_us, &fault) && PQtransactionStatus(db->pg) == PQTRANS_IDLE)
			return;
	}
	db_conn_drop(db);
}

void tx_free(struct tx **tx)
{
	struct db *db;

	if (!tx || !*tx)
		return;
	db = (*tx)->db;
	if ((*tx)->begun && !(*tx)->committed && db->pg)
		roll_back(*tx);
	trace_end(&(*tx)->span, (*tx)->fault.err != OK ? err_code((*tx)->fault.err) : NULL);
	db_pipeline_reset(db);
	db->in_tx = false;
	*tx = NULL;
}

const char *tx_constraint(const struct tx *tx)
{
	return tx->fault.constraint;
}

const char *tx_sqlstate(const struct tx *tx)
{
	return tx->fault.sqlstate;
}

bool tx_retryable(const struct tx *tx)
{
	return tx->fault.retryable;
}

const struct uuid *tx_tenant(const struct tx *tx)
{
	return &tx->tenant_id;
}
