/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crash.h"
#include "handle.h"
#include "store_stay.h"

#define SERVICE_DEF "contract/bookingsvc.def"
#include "service/handlers.h"

static enum err find_due(
	struct call *call, instant_us ended_before, size_t limit, struct uuid **tenants_out, size_t *count_out)
{
	struct state *state = call->worker->state;
	struct tx *tx = NULL;
	enum err err = OK;

	*count_out = 0;
	if (!state->jobs)
		err = context_db_jobs(call->worker->context, &state->jobs);
	if (err == OK)
		err = tx_begin_jobs(state->jobs, &tx);
	if (err == OK)
		err = store_stay_retain_due(tx, ended_before, limit, call->arena, tenants_out, count_out);
	tx_free(&tx);
	return err;
}

static enum err retain(
	struct call *call, const struct uuid *tenant_id, instant_us ended_before, size_t limit, uint64_t *rows_out)
{
	struct tx *tx = NULL;
	enum err err = tx_begin(call->worker->db, tenant_id, &tx);

	*rows_out = 0;
	if (err == OK)
		err = store_stay_retain(tx, ended_before, limit, rows_out);
	CRASH_POINT("booking_retain.before_commit");
	if (err == OK)
		err = tx_commit(&tx);
	tx_free(&tx);
	return err;
}

/* Which tenants have something due the jobs role finds; each one's is done as that tenant. */
enum err handle_booking_retain(
	struct call *call, const struct retention_request *request, struct retention_reply *reply)
{
	const struct state *state = call->worker->state;
	const instant_us ended_before = clock_now_us() - state->config->retention_days * US_PER_DAY;
	const size_t limit = (size_t)request->limit;
	struct uuid *tenants = NULL;
	size_t count = 0, i = 0;
	uint64_t total = 0, rows;
	enum err err = find_due(call, ended_before, limit, &tenants, &count);

	for (; i < count && total < limit && err == OK; i++) {
		err = retain(call, &tenants[i], ended_before, limit - total, &rows);
		total += rows;
	}
	*reply = (struct retention_reply){
		.rows = (int64_t)total, .has_rows = true, .more = total >= limit || i < count, .has_more = true};
	return err;
}
