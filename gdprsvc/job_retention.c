/* SPDX-License-Identifier: Apache-2.0 */
#include "job_retention.h"

#include <string.h>

#include "base/log.h"
#include "config.h"
#include "store.h"

#define LOOK_MS 2000
#define BATCH_ROWS 1000
#define BATCHES_MAX 1000
#define SWEEP_MS 10000
#define RETRY_US (60 * US_PER_S)
#define ARENA_MAX (1U << 20)

static const struct {
	const char *service;
	enum operation_id operation;
} sweeps[RETENTION_SERVICES] = {
	{"authsvc", OPID_auth_retain}, {"bookingsvc", OPID_booking_retain}, {"auditsvc", OPID_audit_retain}};

static instant_us last_success[RETENTION_SERVICES]; /* atomic; by whichever replica; 0: never, or not known yet */

static enum err sweep(struct context *context, enum operation_id operation, struct arena *arena, int64_t *rows_out)
{
	const struct retention_request request = {.limit = BATCH_ROWS, .has_limit = true};

	*rows_out = 0;
	for (size_t i = 0; i < BATCHES_MAX && !context_stopping(context); i++) {
		struct retention_reply reply = {0};
		const enum err err = context_call(context, NULL, operation, &request, SWEEP_MS, arena, &reply);

		arena_reset(arena);
		if (err != OK)
			return err;
		*rows_out += reply.rows;
		if (!reply.more)
			return OK;
	}
	return ERR_DEADLINE;
}

static void sweep_if_due(struct context *context, struct db *jobs, size_t index, struct arena *arena)
{
	const struct gdprsvc_config *config = context_config(context);
	const char *service = sweeps[index].service;
	bool claimed = false;
	int64_t rows = 0;
	enum err err;

	err = store_retention_claim(jobs, service, clock_now_us(), config->retention_interval_s, &claimed);
	if (err != OK || !claimed)
		return;
	err = sweep(context, sweeps[index].operation, arena, &rows);
	if (err == OK)
		err = store_retention_finish(jobs, service, clock_now_us(), rows);
	else if (store_retention_release(jobs, service, clock_now_us() + RETRY_US) != OK)
		log_event(LOG_WARN, "retention_claim_stands", LOG_C("service", service));
	log_event(err == OK ? LOG_INFO : LOG_WARN, "retention_swept", LOG_C("swept", service),
		LOG_C("code", err_code(err)), LOG_I("rows", rows));
}

/* The heartbeat is the table's: every replica tells the same, and a restart forgets nothing. */
static void heartbeat(struct db *jobs)
{
	struct retention_record found[RETENTION_SERVICES];
	size_t count = 0;

	if (store_retention_list(jobs, NULL, found, RETENTION_SERVICES, &count) != OK)
		return;
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < RETENTION_SERVICES; k++)
			if (strcmp(found[i].service, sweeps[k].service) == 0)
				__atomic_store_n(&last_success[k], found[i].last_run_at, __ATOMIC_RELAXED);
}

void job_retention_run(struct context *context)
{
	struct arena *arena = arena_new(ARENA_MAX);
	struct db *jobs = NULL;

	if (arena == NULL || context_db_jobs(context, &jobs) != OK) {
		log_event(LOG_ERROR, "job_failed", LOG_C("job", "retention"));
		goto done;
	}
	while (!context_stopping(context)) {
		for (size_t i = 0; i < RETENTION_SERVICES && !context_stopping(context); i++)
			sweep_if_due(context, jobs, i, arena);
		heartbeat(jobs);
		context_wait(context, LOOK_MS);
	}
done:
	db_free(&jobs);
	arena_free(&arena);
}

void job_retention_metrics(struct buf *out)
{
	buf_put_c(out, "# TYPE berth_retention_last_success_timestamp_seconds gauge\n");
	for (size_t i = 0; i < RETENTION_SERVICES; i++)
		buf_printf(out, "berth_retention_last_success_timestamp_seconds{service=\"%s\"} %.3f\n",
			sweeps[i].service, (double)__atomic_load_n(&last_success[i], __ATOMIC_RELAXED) / 1e6);
}
