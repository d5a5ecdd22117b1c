/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/log.h"
#include "db/db_conn.h"

/* The client gives up this much after the server should have. */
#define GRACE_MS 500

uint64_t db_pipeline_until(const struct db *db)
{
	uint64_t until_us = clock_monotonic_us() + (uint64_t)((db->config.statement_timeout_ms + GRACE_MS) * US_PER_MS);

	return db->deadline_us && db->deadline_us < until_us ? db->deadline_us : until_us;
}

void db_pipeline_reset(struct db *db)
{
	for (size_t i = 0; i < db->item_count; i++) {
		PQclear(db->items[i].result);
		db->items[i].result = NULL;
	}
	db->item_count = 0;
	db->item_next = 0;
	db->item_runs = 0;
	db->flushed = false;
}

static void push(struct db *db, enum item_kind kind, struct prepared *prepared)
{
	db->items[db->item_count++] = (struct item){.kind = kind, .prepared = prepared};
}

/* Parameters in their binary form; the pointers hold until the scratch buffer is used again. */
struct wire {
	const char *values[DB_PARAMS_MAX];
	int lens[DB_PARAMS_MAX];
	int formats[DB_PARAMS_MAX];
};

static enum err encode_all(struct db *db, const struct db_param *params, size_t count, struct wire *wire_out)
{
	size_t offsets[DB_PARAMS_MAX];
	enum err err;

	buf_reset(&db->scratch);
	for (size_t i = 0; i < count; i++) {
		offsets[i] = db->scratch.len;
		if ((err = db_param_encode(&db->scratch, &params[i], &wire_out->lens[i])) != OK)
			return err;
		wire_out->formats[i] = 1;
	}
	for (size_t i = 0; i < count; i++) {
		/* An empty value still needs a pointer: NULL means SQL's NULL. */
		wire_out->values[i] = wire_out->lens[i] > 0 ? db->scratch.p + offsets[i] : "";
		if (wire_out->lens[i] < 0)
			wire_out->values[i] = NULL;
	}
	return OK;
}

enum err db_pipeline_queue(struct db *db, enum item_kind kind, const struct db_statement *statement,
	const struct db_param *params, size_t count)
{
	struct prepared *prepared;
	struct wire wire;
	enum err err;

	INVARIANT(count <= DB_PARAMS_MAX);
	if (db->flushed)
		db_pipeline_reset(db);
	if (!db->pg)
		return ERR_UNAVAILABLE;
	if (db->item_count + 2 > ITEMS_MAX)
		return ERR_TOO_LARGE;
	if ((err = encode_all(db, params, count, &wire)) != OK)
		return err;
	prepared = db_prepared_for(db, statement, params, count);
	if (!prepared)
		return ERR_INTERNAL;
	if (prepared->state == PREPARED_NONE) {
		if (!PQsendPrepare(db->pg, prepared->name, statement->sql, (int)count, prepared->types))
			return ERR_UNAVAILABLE;
		prepared->state = PREPARED_QUEUED;
		push(db, ITEM_PREPARE, prepared);
	}
	if (!PQsendQueryPrepared(db->pg, prepared->name, (int)count, wire.values, wire.lens, wire.formats, 1))
		return ERR_UNAVAILABLE;
	push(db, kind, prepared);
	return OK;
}

/* The one result of an item, and the NULL that ends it. */
static enum err take_result(struct db *db, uint64_t until_us, PGresult **result_out)
{
	PGresult *result = NULL;
	PGresult *next;
	enum err err;

	*result_out = NULL;
	if ((err = db_conn_wait(db, until_us)) != OK)
		return err;
	result = PQgetResult(db->pg);
	if (!result)
		return ERR_UNAVAILABLE;
	*result_out = result;
	if (PQresultStatus(result) == PGRES_PIPELINE_SYNC)
		return OK;
	for (int i = 0; i < 2; i++) {
		if ((err = db_conn_wait(db, until_us)) != OK)
			return err;
		if (!(next = PQgetResult(db->pg)))
			return OK;
		PQclear(next);
	}
	return ERR_UNAVAILABLE; /* COPY, or several results: not ours */
}

/* What the answer means; false when it is the first fault. */
static bool judge(struct item *item, size_t i, struct db_fault *fault)
{
	ExecStatusType status = PQresultStatus(item->result);

	if (item->kind == ITEM_PREPARE)
		item->prepared->state = status == PGRES_COMMAND_OK ? PREPARED_READY : PREPARED_NONE;
	if (fault->err != OK)
		return true;
	fault->item = i;
	if (status == PGRES_FATAL_ERROR) {
		db_fault_read(fault, item->result, item);
		return false;
	}
	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
		db_fault_lost(fault, ERR_UNAVAILABLE);
		return false;
	}
	/* COMMIT of a transaction that had failed answers ROLLBACK, and no error. */
	if (item->kind == ITEM_COMMIT && strcmp(PQcmdStatus(item->result), "COMMIT") != 0) {
		fault->err = ERR_INTERNAL;
		return false;
	}
	return true;
}

/* Whether COMMIT took place cannot be told: not to be retried as if it had not. */
static void set_unknown(struct db_fault *fault)
{
	fault->err = ERR_DEADLINE;
	fault->retryable = false;
}

static bool is_commit(const struct db *db, size_t i)
{
	return i < db->item_count && db->items[i].kind == ITEM_COMMIT;
}

static void read_all(struct db *db, uint64_t until_us, struct db_fault *fault)
{
	enum err err;

	for (size_t i = 0; i < db->item_count; i++) {
		err = take_result(db, until_us, &db->items[i].result);
		if (err != OK && fault->err == OK) {
			fault->item = i;
			db_fault_lost(fault, err);
			/* COMMIT is on its way, and nothing before it is known to have failed. */
			if (is_commit(db, db->item_count - 1))
				set_unknown(fault);
		}
		if (err != OK) {
			fault->lost = true;
			return;
		}
		if (!judge(&db->items[i], i, fault) && fault->lost) {
			/* A server that goes down while it commits may have committed. */
			if (is_commit(db, i) || (!fault->sqlstate[0] && is_commit(db, db->item_count - 1)))
				set_unknown(fault);
			return;
		}
	}
}

static void read_sync(struct db *db, uint64_t until_us, struct db_fault *fault)
{
	PGresult *result = NULL;
	enum err err = take_result(db, until_us, &result);
	bool synced = err == OK && PQresultStatus(result) == PGRES_PIPELINE_SYNC;

	PQclear(result);
	if (synced)
		return;
	/* Committed is committed; anything else went with the connection. */
	if (fault->err == OK && !is_commit(db, db->item_count - 1))
		db_fault_lost(fault, err);
	fault->lost = true;
}

bool db_pipeline_flush(struct db *db, uint64_t until_us, struct db_fault *fault_out)
{
	struct db_fault fault = {0};

	db->round_trips++;
	if (!db->pg || !PQpipelineSync(db->pg)) {
		db_fault_lost(&fault, ERR_UNAVAILABLE);
	} else {
		read_all(db, until_us, &fault);
		if (!fault.lost)
			read_sync(db, until_us, &fault);
	}
	db->flushed = true;
	if (fault.lost) {
		PQfinish(db->pg);
		db->pg = NULL;
	}
	*fault_out = fault;
	return fault.err == OK;
}
