/* SPDX-License-Identifier: Apache-2.0 */
#include "handle.h"

#define PART_MS 5000

static enum err export_part(
	struct call *call, enum operation_id operation, const struct uuid *person_id, struct str *data_out)
{
	const struct subject_request request = {
		.tenant_id = call->token.tenant_id,
		.has_tenant_id = true,
		.person_id = *person_id,
		.has_person_id = true,
		.actor_id = call->token.person_id,
		.has_actor_id = !uuid_is_nil(&call->token.person_id),
	};
	struct subject_export reply = {0};
	enum err err;

	err = context_call(call->worker->context, call, operation, &request, PART_MS, call->arena, &reply);
	*data_out = reply.data;
	return err;
}

/* authsvc is asked first: it knows whether the tenant has such a person. Nothing of the export is kept. */
static enum err export_all(struct call *call, const struct uuid *person_id, struct export_document *reply)
{
	const struct store store = handle_store(call);
	const struct store_origin origin = handle_origin(call);
	enum err err;

	if ((err = export_part(call, OPID_auth_export, person_id, &reply->auth)) != OK)
		return err;
	if ((err = export_part(call, OPID_booking_export, person_id, &reply->booking)) != OK)
		return err;
	if ((err = export_part(call, OPID_audit_export, person_id, &reply->audit)) != OK)
		return err;
	if ((err = store_export_event(&store, &origin, &call->token.tenant_id, person_id)) != OK)
		return err;
	reply->person_id = *person_id;
	reply->made_at = origin.now;
	reply->has_person_id = reply->has_made_at = true;
	reply->has_auth = reply->has_booking = reply->has_audit = true;
	return OK;
}

enum err handle_me_export(struct call *call, const struct empty *request, struct export_document *reply)
{
	struct uuid person_id;
	enum err err;

	(void)request;
	if ((err = handle_self(call, &person_id)) != OK)
		return err;
	return export_all(call, &person_id, reply);
}

enum err handle_person_export(struct call *call, const struct person_ref *request, struct export_document *reply)
{
	return export_all(call, &request->id, reply);
}
