/* SPDX-License-Identifier: Apache-2.0 */
#include "db/db.h"

#include <stdlib.h>

#include "base/log.h"
#include "db/db_conn.h"
#include "db_sql.h"

static const char version_text[] = "select coalesce(max(number) filter (where number < 10), 0),"
				   " coalesce(max(number) filter (where number >= 10), 0) from schema_version";
static const struct db_statement read_version = {"db_read_version", version_text, sizeof(version_text) - 1};

enum err db_open(const struct db_config *config, struct db **db_out)
{
	struct db *db = calloc(1, sizeof(*db));
	enum err err;

	*db_out = NULL;
	if (!db)
		return ERR_OVERLOADED;
	if ((err = db_conn_init(db, config)) != OK)
		db_free(&db);
	*db_out = db;
	return err;
}

void db_free(struct db **db)
{
	if (!db || !*db)
		return;
	INVARIANT(!(*db)->in_tx);
	db_conn_release(*db);
	free(*db);
	*db = NULL;
}

enum err db_ping(struct db *db)
{
	struct db_fault fault;

	INVARIANT(!db->in_tx);
	if (db_conn_ready(db) != OK)
		return ERR_UNAVAILABLE;
	db_pipeline_reset(db);
	return db_pipeline_flush(db, db_pipeline_until(db), &fault) ? OK : ERR_UNAVAILABLE;
}

enum err db_check(struct db *db)
{
	enum err err;

	INVARIANT(!db->in_tx);
	err = db_conn_ready(db);
	return err == OK || err == ERR_CONFLICT ? err : ERR_UNAVAILABLE;
}

enum err db_check_version(struct db *db, int newest)
{
	int64_t common = db_migrations[db_migrations_count - 1].number;
	struct rows *rows = NULL;
	struct tx *tx = NULL;
	enum err err;

	if ((err = tx_begin_jobs(db, &tx)) != OK)
		goto done;
	if ((err = tx_query(tx, &read_version, NO_PARAMS, &rows)) != OK)
		goto done;
	if (!rows_next(rows) || rows_i64(rows, 0) < common || rows_i64(rows, 1) < newest) {
		log_event(LOG_ERROR, "db_schema_too_old", LOG_C("schema", db->config.schema), LOG_I("needed", newest),
			LOG_C("remedy", "run it once with --migrate"));
		err = ERR_CONFLICT;
	}
done:
	rows_free(&rows);
	tx_free(&tx);
	return err;
}

void db_set_deadline(struct db *db, uint64_t deadline_us)
{
	db->deadline_us = deadline_us;
}

uint64_t db_generation(const struct db *db)
{
	return db->generation;
}

bool db_is_connected(const struct db *db)
{
	return db->pg != NULL;
}
