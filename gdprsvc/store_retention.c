/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "gdprsvc_sql.h"
#include "store.h"

enum err store_retention_claim(
	struct db *jobs, const char *service, instant_us now, int64_t interval_s, bool *claimed_out)
{
	struct tx *tx = NULL;
	struct rows *rows = NULL;
	enum err err;

	*claimed_out = false;
	if ((err = tx_begin_jobs(jobs, &tx)) != OK)
		goto done;
	err = tx_commit_with(
		&tx, &sql_retention_claim, PARAMS(db_c(service), db_time(now), db_i64(interval_s)), &rows, NULL);
	if (err == OK)
		*claimed_out = rows_count(rows) > 0;
done:
	rows_free(&rows);
	tx_free(&tx);
	return err;
}

enum err store_retention_finish(struct db *jobs, const char *service, instant_us now, int64_t rows)
{
	return tx_jobs_run(jobs, &sql_retention_finish, PARAMS(db_c(service), db_time(now), db_i64(rows)));
}

enum err store_retention_release(struct db *jobs, const char *service, instant_us retry_at)
{
	return tx_jobs_run(jobs, &sql_retention_release, PARAMS(db_c(service), db_time(retry_at)));
}

enum err store_retention_list(struct db *db, const struct uuid *tenant_id, struct retention_record *records_out,
	size_t cap, size_t *count_out)
{
	struct tx *tx = NULL;
	struct rows *rows = NULL;
	enum err err;

	*count_out = 0;
	if ((err = tenant_id ? tx_begin(db, tenant_id, &tx) : tx_begin_jobs(db, &tx)) != OK)
		goto done;
	if ((err = tx_commit_with(&tx, &sql_retention_list, NO_PARAMS, &rows, NULL)) != OK)
		goto done;
	while (*count_out < cap && rows_next(rows)) {
		struct retention_record *record = &records_out[(*count_out)++];
		const struct str service = rows_str(rows, 0);

		*record = (struct retention_record){.last_run_at = rows_time(rows, 1), .rows = rows_i64(rows, 2)};
		memcpy(record->service, service.p,
			service.len < sizeof record->service ? service.len : sizeof record->service - 1);
	}
done:
	rows_free(&rows);
	tx_free(&tx);
	return err;
}
