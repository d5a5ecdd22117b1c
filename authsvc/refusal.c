/* SPDX-License-Identifier: Apache-2.0 */
#include "refusal.h"

#include "base/log.h"
#include "guard.h"

static enum err put_event(struct call *call, const struct uuid *tenant_id, const struct client_record *client,
	const char *error, const char *reason)
{
	struct trail trail = {.action = "client.refuse",
		.object_type = "client",
		.object_id = client->id,
		.version = client->version};
	struct store store = {0};
	enum err err;

	trail.after = arena_printf(call->arena, "{\"error\":\"%s\",\"operation\":\"%s\",\"reason\":\"%s\"}", error,
		call->operation->name, reason);
	if (trail.after.p == NULL)
		return ERR_OVERLOADED;
	if ((err = desk_begin_in(call, tenant_id, &store)) != OK)
		goto done;
	if ((err = desk_put_event(call, &store, &trail)) != OK)
		goto done;
	err = desk_commit(call, &store);
done:
	store_release(&store);
	return err;
}

enum err refusal_tell(struct call *call, const struct uuid *tenant_id, const struct client_record *client,
	const char *error, const char *reason)
{
	log_event(LOG_INFO, "client_refused", LOG_C("operation", call->operation->name), LOG_C("error", error),
		LOG_C("reason", reason), LOG_ID("client_id", &client->id));
	if (!guard_tells_refusal(call, tenant_id, &client->id, reason))
		return OK;
	return put_event(call, tenant_id, client, error, reason);
}

enum err refusal_answer(struct call *call, struct store *store, const struct client_record *client,
	struct web_reply *reply, int status, const char *error, const char *reason)
{
	const struct uuid tenant_id = store->tenant_id;
	enum err err;

	store_release(store);
	if ((err = web_oauth_error(call, reply, status, error, reason)) != OK)
		return err;
	return refusal_tell(call, &tenant_id, client, error, reason);
}
