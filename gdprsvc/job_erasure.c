/* SPDX-License-Identifier: Apache-2.0 */
#include "job_erasure.h"

#include "base/log.h"
#include "saga.h"

#define LOOK_MS 1000
#define DUE_MAX 16
#define ONE_US (10 * US_PER_S)
#define ARENA_MAX (8U << 20)

static int64_t waiting;      /* atomic */
static instant_us oldest_at; /* atomic; 0: none waits */

static void look(struct context *context, struct db *jobs, const struct store *store, struct arena *arena)
{
	struct erasure_record due[DUE_MAX];
	instant_us oldest = 0;
	int64_t count = 0;
	size_t found = 0;

	if (store_erasures_waiting(jobs, &count, &oldest) != OK)
		return;
	__atomic_store_n(&waiting, count, __ATOMIC_RELAXED);
	__atomic_store_n(&oldest_at, count > 0 ? oldest : 0, __ATOMIC_RELAXED);
	if (count == 0 || store_erasures_due(jobs, clock_now_us(), due, DUE_MAX, &found) != OK)
		return;
	for (size_t i = 0; i < found && !context_stopping(context); i++) {
		const struct store_origin origin = {
			.request_id = uuid_new(), .actor_id = due[i].actor_id, .now = clock_now_us()};
		bool withdrawn = false;
		const enum err err = saga_run(
			context, store, &origin, clock_monotonic_us() + (uint64_t)ONE_US, arena, &due[i], &withdrawn);

		log_event(err == OK ? LOG_INFO : LOG_WARN, "erasure_resumed", LOG_ID("erasure_id", &due[i].id),
			LOG_C("code", err_code(err)), LOG_I("pending", due[i].pending), LOG_I("withdrawn", withdrawn));
		arena_reset(arena);
	}
}

void job_erasure_run(struct context *context)
{
	struct arena *arena = arena_new(ARENA_MAX);
	struct db *jobs = NULL;
	struct store store = {0};

	if (arena == NULL || context_db_jobs(context, &jobs) != OK || context_db_app(context, &store.db) != OK ||
		context_seal(context, &store.seal) != OK) {
		log_event(LOG_ERROR, "job_failed", LOG_C("job", "erasure"));
		goto done;
	}
	while (!context_stopping(context)) {
		look(context, jobs, &store, arena);
		context_wait(context, LOOK_MS);
	}
done:
	seal_free(&store.seal);
	db_free(&store.db);
	db_free(&jobs);
	arena_free(&arena);
}

void job_erasure_metrics(struct buf *out)
{
	const instant_us oldest = __atomic_load_n(&oldest_at, __ATOMIC_RELAXED);

	buf_printf(out,
		"# TYPE berth_erasures_waiting gauge\nberth_erasures_waiting %lld\n"
		"# TYPE berth_erasure_oldest_seconds gauge\nberth_erasure_oldest_seconds %.3f\n",
		(long long)__atomic_load_n(&waiting, __ATOMIC_RELAXED),
		oldest == 0 ? 0.0 : (double)(clock_now_us() - oldest) / 1e6);
}
