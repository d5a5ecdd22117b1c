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

static bool is_refusal(enum err err)
{
	return err == ERR_NOT_FOUND || err == ERR_CONFLICT;
}

enum err saga_run(struct context *context, const struct store *store, const struct store_origin *origin,
	uint64_t deadline_us, struct arena *arena, struct erasure_record *erasure)
{
	enum erasure_step step;
	enum err err;

	while ((step = erasure_next(erasure->pending)) != 0) {
		bool done = false;

		err = step_run(context, step, erasure, arena, &done);
		CRASH_POINT("erasure.after_step");
		if (is_refusal(err) && step == ERASURE_AUTH && erasure_may_withdraw(erasure->pending)) {
			const enum err withdrawn = store_erasure_withdraw(store, origin, erasure);

			return withdrawn != OK ? withdrawn : err;
		}
		if (err != OK) {
			log_event(LOG_WARN, "erasure_step_failed", LOG_C("service", erasure_step_service(step)),
				LOG_C("code", err_code(err)), LOG_ID("erasure_id", &erasure->id));
			return err;
		}
		if (done && (err = store_erasure_confirm(store, origin, step, erasure)) != OK)
			return err;
		if (context_stopping(context) || clock_monotonic_us() + (uint64_t)DRAIN_WAIT_MS * 1000 >= deadline_us)
			return OK;
		/* Its last events are on their way to the log: ask again soon. */
		if (!done)
			context_wait(context, DRAIN_WAIT_MS);
	}
	return OK;
}
