/* SPDX-License-Identifier: Apache-2.0 */
#include "saga.h"

#include "base/crash.h"
#include "base/log.h"

#define STEP_MS 5000
#define DRAIN_WAIT_MS 50

static enum operation_id step_operation(enum erasure_step step)
{
	switch (step) {
	case ERASURE_AUTH:
		return OPID_auth_erase;
	case ERASURE_BOOKING:
		return OPID_booking_erase;
	case ERASURE_AUDIT:
	default:
		return OPID_audit_erase;
	}
}

static enum err step_run(struct context *context, enum erasure_step step, const struct erasure_record *erasure,
	struct arena *arena, bool *done_out)
{
	const struct subject_request request = {
		.tenant_id = erasure->tenant_id,
		.has_tenant_id = true,
		.person_id = erasure->person_id,
		.has_person_id = true,
		.erasure_id = erasure->id,
		.has_erasure_id = true,
		.actor_id = erasure->actor_id,
		.has_actor_id = !uuid_is_nil(&erasure->actor_id),
	};
	struct subject_erased reply = {0};
	enum err err;

	err = context_call(context, NULL, step_operation(step), &request, STEP_MS, arena, &reply);
	*done_out = err == OK && reply.done;
	return err;
}

/* One question and what its answer changes. *done_out: ask the next. */
static enum err step_take(struct context *context, const struct store *store, const struct store_origin *origin,
	enum erasure_step step, struct arena *arena, struct erasure_record *erasure, bool *done_out)
{
	struct store_origin present = *origin;
	enum err err = step_run(context, step, erasure, arena, done_out);

	present.now = clock_now_us();
	CRASH_POINT("erasure.after_step");
	/* Once the erasure runs, a service that knows nothing of the person has nothing left to do. */
	if (err == ERR_NOT_FOUND && erasure->accepted_at != 0) {
		*done_out = true;
		err = OK;
	}
	if (err != OK)
		return err;
	if (erasure->accepted_at == 0 && (err = store_erasure_accept(store, &present, erasure)) != OK)
		return err;
	return *done_out ? store_erasure_confirm(store, &present, step, erasure) : OK;
}

enum err saga_run(struct context *context, const struct store *store, const struct store_origin *origin,
	uint64_t deadline_us, struct arena *arena, struct erasure_record *erasure, bool *withdrawn_out)
{
	enum erasure_step step;
	enum err err;

	*withdrawn_out = false;
	while ((step = erasure_next(erasure->pending)) != 0) {
		bool done = false;

		err = step_take(context, store, origin, step, arena, erasure, &done);
		if (err != OK)
			log_event(LOG_WARN, "erasure_step_failed", LOG_C("asked", erasure_step_service(step)),
				LOG_C("code", err_code(err)), LOG_ID("erasure_id", &erasure->id));
		if (err != OK && erasure_fate(erasure, step, err) == ERASURE_WITHDRAWN) {
			*withdrawn_out = store_erasure_withdraw(store, erasure) == OK;
			return err;
		}
		if (err != OK)
			return err;
		if (context_stopping(context) || clock_monotonic_us() + (uint64_t)DRAIN_WAIT_MS * 1000 >= deadline_us)
			return OK;
		/* Its last events are on their way to the log: ask again soon. */
		if (!done)
			context_wait(context, DRAIN_WAIT_MS);
	}
	return OK;
}
