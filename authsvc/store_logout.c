/* SPDX-License-Identifier: Apache-2.0 */
#include "store_logout.h"

#include "authsvc_sql.h"

enum err store_logout_put(struct store *store, int64_t person_row_id, instant_us ended_at)
{
	uint64_t count = 0;
	enum err err;

	err = tx_exec(store->tx, &sql_logout_insert,
		PARAMS(db_uuid(&store->tenant_id), db_i64(person_row_id), db_time(ended_at),
			db_time(ended_at + LOGOUT_NOTICE_LIFE_US)),
		&count);
	store->wakes = store->wakes || count > 0;
	return err;
}

enum err store_logout_list(struct store *store, const struct uuid *person_id, size_t limit,
	struct logout_view *notices_out, size_t *count_out)
{
	struct rows *rows = NULL;
	enum err err;

	*count_out = 0;
	err = tx_query(store->tx, &sql_logout_list,
		PARAMS(db_uuid(&store->tenant_id), db_uuid(person_id), db_i64((int64_t)limit)), &rows);
	while (err == OK && *count_out < limit && rows_next(rows))
		notices_out[(*count_out)++] =
			(struct logout_view){rows_uuid(rows, 0), rows_uuid(rows, 1), rows_time(rows, 2)};
	rows_free(&rows);
	return err;
}

static enum err read_notice(const struct rows *rows, struct arena *arena, struct logout_record *notice_out)
{
	*notice_out = (struct logout_record){
		.row_id = rows_i64(rows, 0),
		.tenant_id = rows_uuid(rows, 1),
		.client_row_id = rows_i64(rows, 2),
		.session_id = rows_uuid(rows, 3),
		.person_id = rows_uuid(rows, 4),
		.attempts = rows_i64(rows, 5),
		.expires_at = rows_time(rows, 6),
	};
	if (rows_is_null(rows, 8))
		return OK;
	notice_out->client_id = rows_uuid(rows, 7);
	notice_out->uri = rows_copy(rows, 8, arena);
	notice_out->id_token_alg = rows_copy(rows, 9, arena);
	return notice_out->uri.p != NULL && notice_out->id_token_alg.p != NULL ? OK : ERR_TOO_LARGE;
}

enum err store_logout_claim(
	struct db *jobs, struct arena *arena, instant_us now, int64_t lease_us, struct logout_record *notice_out)
{
	struct rows *rows = NULL;
	struct tx *tx = NULL;
	enum err err;

	*notice_out = (struct logout_record){0};
	if ((err = tx_begin_jobs(jobs, &tx)) != OK)
		goto done;
	if ((err = store_one(tx, &sql_logout_claim, PARAMS(db_time(now), db_time(now + lease_us)), &rows)) != OK)
		goto done;
	if ((err = read_notice(rows, arena, notice_out)) != OK)
		goto done;
	err = tx_commit(&tx);
done:
	rows_free(&rows);
	tx_free(&tx);
	return err;
}

enum err store_logout_delete(struct db *jobs, int64_t row_id)
{
	return tx_jobs_run(jobs, &sql_logout_delete, PARAMS(db_i64(row_id)));
}

enum err store_logout_defer(struct db *jobs, const struct logout_record *notice, bool all, instant_us next_at)
{
	enum err err = tx_jobs_run(jobs, &sql_logout_defer, PARAMS(db_i64(notice->row_id), db_time(next_at)));

	if (err != OK || !all)
		return err;
	return tx_jobs_run(jobs, &sql_logout_defer_client,
		PARAMS(db_uuid(&notice->tenant_id), db_i64(notice->client_row_id), db_time(next_at)));
}

enum err store_logout_give_up(struct store *store, int64_t row_id)
{
	struct rows *rows = NULL;
	enum err err;

	err = store_one(store->tx, &sql_logout_give_up, PARAMS(db_uuid(&store->tenant_id), db_i64(row_id)), &rows);
	rows_free(&rows);
	return err;
}
