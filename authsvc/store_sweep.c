/* SPDX-License-Identifier: Apache-2.0 */
#include "store_sweep.h"

#include "authsvc_sql.h"
#include "db/idempotency.h"
#include "rules.h"
#include "rules_factor.h"

/*
 * Each `at` column says when a row is over; `keep_us` is how long it then stays. Families go before sessions and
 * clients.
 */
static const struct {
	const struct db_statement *statement;
	int64_t keep_us;
} sweeps[] = {
	{&sql_sweep_request, 0},
	{&sql_sweep_assertion, 0},
	{&sql_sweep_device, DEVICE_KEEP_US},
	{&sql_sweep_code, CODE_KEEP_US},
	{&sql_sweep_mail_link, US_PER_DAY},
	{&sql_sweep_email_change, US_PER_DAY},
	{&sql_sweep_mail, 0},
	{&sql_sweep_logout, US_PER_DAY},
	{&sql_sweep_family, US_PER_DAY},
	{&sql_sweep_session, FAMILY_LIFE_US}, /* as long as a grant that came of it may go on */
	{&sql_sweep_client, US_PER_DAY},
	{&sql_sweep_revocation, 0},
	{&sql_sweep_factor, US_PER_DAY},
	{&sql_sweep_recovery, RECOVERY_KEEP_US},
	{&sql_sweep_challenge, 0},
	{&sql_sweep_role_grant, GRANT_KEEP_US},
	{&sql_sweep_role_grant_pending, GRANT_WAITS_US + GRANT_KEEP_US},
	{&sql_sweep_access_review, 400 * US_PER_DAY},
};

enum err store_sweep(struct db *jobs, instant_us now, int64_t limit, int64_t *rows_out)
{
	struct tx *tx = NULL;
	uint64_t deleted = 0;
	enum err err;

	*rows_out = 0;
	if ((err = tx_begin_jobs(jobs, &tx)) != OK)
		goto done;
	for (size_t i = 0; i < sizeof(sweeps) / sizeof(sweeps[0]) && *rows_out < limit; i++) {
		err = tx_exec(tx, sweeps[i].statement,
			PARAMS(db_time(now - sweeps[i].keep_us), db_i64(limit - *rows_out)), &deleted);
		if (err != OK)
			goto done;
		*rows_out += (int64_t)deleted;
	}
	if (*rows_out < limit) {
		if ((err = idempotency_sweep(tx, now, (size_t)(limit - *rows_out), &deleted)) != OK)
			goto done;
		*rows_out += (int64_t)deleted;
	}
	err = tx_commit(&tx);
done:
	tx_free(&tx);
	return err;
}
