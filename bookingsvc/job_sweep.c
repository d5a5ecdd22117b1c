/* SPDX-License-Identifier: Apache-2.0 */
#include "job_sweep.h"

#include "base/log.h"
#include "db/idempotency.h"

#define EVERY_MS (60U * 1000U)
#define STEP 1000

/* *more_out: the step was full. */
static enum err sweep(struct db *db, bool *more_out)
{
	struct tx *tx = NULL;
	uint64_t deleted = 0;
	enum err err = tx_begin_jobs(db, &tx);

	if (err == OK)
		err = idempotency_sweep(tx, clock_now_us(), STEP, &deleted);
	if (err == OK)
		err = tx_commit(&tx);
	tx_free(&tx);
	*more_out = err == OK && deleted == STEP;
	return err;
}

void job_sweep_run(struct context *context)
{
	struct db *db = NULL;
	uint64_t next_us = 0;
	bool more;

	if (context_db_jobs(context, &db) != OK) {
		log_event(LOG_ERROR, "sweep_failed");
		return;
	}
	while (!context_stopping(context)) {
		/* The wait ends at every poke: the time decides. */
		if (clock_monotonic_us() >= next_us) {
			if (sweep(db, &more) != OK)
				log_event(LOG_WARN, "sweep_failed");
			else if (more)
				continue;
			next_us = clock_monotonic_us() + EVERY_MS * 1000;
		}
		context_wait(context, EVERY_MS);
	}
	db_free(&db);
}
