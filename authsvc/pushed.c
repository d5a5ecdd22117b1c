/* SPDX-License-Identifier: Apache-2.0 */
#include "pushed.h"

#include <string.h>

#include "ticket.h"

#define PREFIX "urn:ietf:params:oauth:request_uri:"

bool pushed_is_ours(struct str request_uri)
{
	return str_starts(request_uri, PREFIX);
}

enum err pushed_keep(struct call *call, struct store *store, const struct client_record *client, const struct ask *ask,
	struct str *request_uri_out)
{
	struct request_record record = {.id = uuid_new(),
		.client_row_id = client->row_id,
		.parameters = ask_write(call, ask),
		.life_us = PUSHED_LIFE_US};
	struct ticket ticket;
	struct str handle;

	ticket = ticket_new(desk_state(call)->vault, VAULT_PUSHED, &store->tenant_id, call->arena, &handle);
	if (handle.p == NULL || record.parameters.p == NULL)
		return ERR_OVERLOADED;
	*request_uri_out = arena_printf(call->arena, PREFIX "%.*s", STR_ARG(handle));
	if (request_uri_out->p == NULL)
		return ERR_OVERLOADED;
	return store_request_insert(store, &record, vault_hash_str(&ticket.hash), clock_now_us());
}

enum err pushed_take(struct call *call, struct store *store, const struct client_record *client, struct str request_uri,
	struct ask *ask_out)
{
	struct str handle = {request_uri.p + strlen(PREFIX), request_uri.len - strlen(PREFIX)};
	struct request_record record;
	struct ticket ticket;
	enum err err;

	if (!pushed_is_ours(request_uri) ||
		!ticket_parse(desk_state(call)->vault, VAULT_PUSHED, call->arena, handle, &ticket) ||
		!uuid_eq(&ticket.tenant_id, &store->tenant_id))
		return ERR_NOT_FOUND;
	err = store_request_take(store, vault_hash_str(&ticket.hash), client->row_id, clock_now_us(), &record);
	return err == OK ? ask_restore(call, record.parameters, ask_out) : err;
}
