/* SPDX-License-Identifier: Apache-2.0 */
#include "handle.h"

enum err handle_retention_read(struct call *call, const struct empty *request, struct retention_page *reply)
{
	struct retention_record *found = arena_take_array(call->arena, RETENTION_SERVICES, sizeof *found);
	size_t count = 0;
	enum err err;

	(void)request;
	if (found == NULL)
		return ERR_OVERLOADED;
	err = store_retention_list(call->worker->db, &call->token.tenant_id, found, RETENTION_SERVICES, &count);
	if (err != OK)
		return err;
	reply->items.items = arena_take_array(call->arena, count, sizeof *reply->items.items);
	if (reply->items.items == NULL)
		return ERR_OVERLOADED;
	for (size_t i = 0; i < count; i++)
		reply->items.items[i] = (struct retention_status){
			.service = str_from(found[i].service),
			.has_service = true,
			.last_run_at = found[i].last_run_at,
			.has_last_run_at = true,
			.rows = found[i].rows,
			.has_rows = true,
		};
	reply->items.count = count;
	reply->has_items = reply->has_next_cursor = true;
	return OK;
}
