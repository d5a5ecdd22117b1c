/* SPDX-License-Identifier: Apache-2.0 */
#include "handle.h"
#include "saga.h"

#define REPLY_SPARE_US ((uint64_t)(500 * US_PER_MS))
#define INLINE_US ((uint64_t)(8 * US_PER_S)) /* then the job goes on, and the worker serves others */
#define PAGE_DEFAULT 50
#define PAGE_MAX 200

struct store handle_store(const struct call *call)
{
	return (struct store){.db = call->worker->db, .seal = call->worker->seal};
}

struct store_origin handle_origin(const struct call *call)
{
	return (struct store_origin){.request_id = call->request_id,
		.actor_id = call->has_token ? call->token.person_id : UUID_NIL,
		.client_id = call_client(call),
		.now = clock_now_us()};
}

enum err handle_self(struct call *call, struct uuid *person_id_out)
{
	*person_id_out = call->token.person_id;
	if (!uuid_is_nil(person_id_out))
		return OK;
	return call_refuse(call, ERR_FORBIDDEN, NULL, "person_required", "A client acting for itself has no profile.");
}

static enum err erasure_view(struct call *call, const struct erasure_record *from, struct erasure *to)
{
	struct str *pending = arena_take_array(call->arena, 3, sizeof *pending);
	size_t count = 0;

	if (pending == NULL)
		return ERR_OVERLOADED;
	for (unsigned bit = ERASURE_AUTH; bit <= ERASURE_AUDIT; bit *= 2)
		if ((from->pending & bit) != 0)
			pending[count++] = str_from(erasure_step_service((enum erasure_step)bit));
	*to = (struct erasure){
		.id = from->id,
		.has_id = true,
		.person_id = from->person_id,
		.has_person_id = true,
		.status = from->pending == 0 ? STR("completed") : STR("running"),
		.has_status = true,
		.requested_at = from->requested_at,
		.has_requested_at = true,
		.completed_at = from->completed_at,
		.has_completed_at = true,
		.pending = {.items = pending, .count = count},
		.has_pending = true,
	};
	return OK;
}

static enum err explain(struct call *call, enum err err)
{
	if (err == ERR_CONFLICT)
		return call_refuse(call, err, NULL, "last_admin",
			"This person is the tenant's last Admin or Owner; give the role to somebody else first.");
	if (err == ERR_FORBIDDEN)
		return call_refuse(call, err, NULL, "role_exceeds_own",
			"This person has a permission that you do not have yourself.");
	return err;
}

static uint64_t patience_until(const struct call *call)
{
	const uint64_t latest = call->deadline_us - REPLY_SPARE_US, usual = clock_monotonic_us() + INLINE_US;

	return latest < usual ? latest : usual;
}

/*
 * Once authsvc has agreed, unavailable services do not fail the request: the ledger has it, and the job goes on until
 * each has confirmed.
 */
static enum err erase(
	struct call *call, const struct uuid *tenant_id, const struct uuid *person_id, struct erasure *reply)
{
	const struct store store = handle_store(call);
	const struct store_origin origin = handle_origin(call);
	struct erasure_record erasure;
	bool withdrawn = false;
	enum err err;

	if ((err = store_erasure_begin(&store, &origin, tenant_id, person_id, false, &erasure)) != OK)
		return err;
	err = saga_run(call->worker->context, &store, &origin, patience_until(call), call->arena, &erasure, &withdrawn);
	if (erasure.accepted_at == 0)
		return err == OK ? ERR_DEADLINE : explain(call, err);
	return erasure_view(call, &erasure, reply);
}

enum err handle_person_erase(struct call *call, const struct person_ref *request, struct erasure *reply)
{
	return erase(call, &call->token.tenant_id, &request->id, reply);
}

enum err handle_me_erase(struct call *call, const struct empty *request, struct erasure *reply)
{
	struct uuid person_id;
	enum err err;

	(void)request;
	if ((err = handle_self(call, &person_id)) != OK)
		return err;
	return erase(call, &call->token.tenant_id, &person_id, reply);
}

enum err handle_offboard_start(struct call *call, const struct subject_request *request, struct erasure *reply)
{
	const struct store store = handle_store(call);
	struct store_origin origin = handle_origin(call);
	struct erasure_record erasure;
	enum err err;

	origin.actor_id = request->has_actor_id ? request->actor_id : UUID_NIL;
	err = store_erasure_begin(&store, &origin, &request->tenant_id, &request->person_id, true, &erasure);
	if (err != OK)
		return err;
	context_poke(call->worker->context);
	return erasure_view(call, &erasure, reply);
}

enum err handle_erasure_read(struct call *call, const struct erasure_ref *request, struct erasure *reply)
{
	const struct store store = handle_store(call);
	struct erasure_record erasure;
	enum err err;

	if ((err = store_erasure_read(&store, &call->token.tenant_id, &request->id, &erasure)) != OK)
		return err;
	return erasure_view(call, &erasure, reply);
}

enum err handle_erasure_list(struct call *call, const struct page_request *request, struct erasure_page *reply)
{
	const struct store store = handle_store(call);
	const size_t limit = request->has_limit ? (size_t)request->limit : PAGE_DEFAULT;
	struct erasure_record found[PAGE_MAX + 1];
	int64_t before = INT64_MAX;
	size_t count = 0;
	enum err err;

	if (request->has_cursor && (err = erasure_cursor_read(call->arena, request->cursor, &before)) != OK)
		return call_refuse(call, err, "cursor", "malformed", NULL);
	err = store_erasure_page(&store, &call->token.tenant_id, before, found, limit + 1, &count);
	if (err != OK)
		return err;
	reply->has_items = true;
	reply->has_next_cursor = true;
	reply->items.count = count > limit ? limit : count;
	reply->items.items = arena_take_array(call->arena, reply->items.count, sizeof *reply->items.items);
	if (count > 0 && reply->items.items == NULL)
		return ERR_OVERLOADED;
	for (size_t i = 0; i < reply->items.count; i++)
		if ((err = erasure_view(call, &found[i], &reply->items.items[i])) != OK)
			return err;
	if (count > limit)
		reply->next_cursor = erasure_cursor_make(call->arena, found[limit - 1].key);
	return OK;
}
