/* SPDX-License-Identifier: Apache-2.0 */
#include "handle.h"

#define SERVICE_DEF "contract/bookingsvc.def"
#include "service/handlers.h"

static enum err put_roles(const struct call *call, struct texts *texts)
{
	if (!(texts->items = arena_take_array(call->arena, (size_t)call->token.role_count + 1, sizeof(*texts->items))))
		return ERR_OVERLOADED;
	for (; texts->count < call->token.role_count; texts->count++)
		texts->items[texts->count] = str_from(call->token.roles[texts->count]);
	return OK;
}

static enum err put_permissions(const struct call *call, struct texts *texts)
{
	if (!(texts->items = arena_take_array(call->arena, PERMISSION_BITS_MAX, sizeof(*texts->items))))
		return ERR_OVERLOADED;
#define PERMISSION(name, bit, text, whose, help)  \
	if (token_has(&call->token, PERM_##name)) \
		texts->items[texts->count++] = STR(text);
#include "contract/permissions.def"
#undef PERMISSION
	return OK;
}

/* From the verified token alone: no database, no other process. */
enum err handle_whoami_read(struct call *call, const struct empty *request, struct whoami *reply)
{
	enum err err;

	(void)request;
	*reply = (struct whoami){.tenant_id = call->token.tenant_id,
		.has_tenant_id = true,
		.person_id = call->token.person_id,
		.has_person_id = true,
		.client_id = handle_client_id(call),
		.has_client_id = true,
		.has_roles = true,
		.has_permissions = true,
		.scope = str_from(call->token.scope),
		.has_scope = true,
		.expires_at = call->token.expires_at,
		.has_expires_at = true};
	if ((err = put_roles(call, &reply->roles)) != OK)
		return err;
	return put_permissions(call, &reply->permissions);
}
