/* SPDX-License-Identifier: Apache-2.0 */
#include "peer.h"

#include <string.h>

#define ASK_MS 1500

static uint64_t time_left_ms(const struct call *call)
{
	uint64_t now_us = clock_monotonic_us();
	uint64_t left_ms = call->deadline_us > now_us ? (call->deadline_us - now_us) / 1000 : 0;

	return left_ms < ASK_MS ? left_ms : ASK_MS;
}

enum err peer_people_active(struct call *call, const struct uuid *people, size_t count, bool *active_out)
{
	struct people_exist_request request = {
		.tenant_id = call->token.tenant_id, .has_tenant_id = true, .has_ids = true};
	struct people_exist_reply reply = {0};
	enum err err;

	memset(active_out, 0, count * sizeof(*active_out));
	if (count > PEER_PEOPLE_MAX)
		return ERR_TOO_LARGE;
	if (!(request.ids.items = arena_take_array(call->arena, count + 1, sizeof(*people))))
		return ERR_OVERLOADED;
	memcpy(request.ids.items, people, count * sizeof(*people));
	request.ids.count = count;
	err = context_call(
		call->worker->context, call, OPID_people_exist, &request, time_left_ms(call), call->arena, &reply);
	if (err != OK)
		return err;
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < reply.ids.count && !active_out[i]; k++)
			active_out[i] = uuid_eq(&people[i], &reply.ids.items[k]);
	return OK;
}

enum err peer_group_members(
	struct call *call, const struct uuid *group_id, const struct uuid **members_out, size_t *count_out)
{
	struct group_members_request request = {
		.tenant_id = call->token.tenant_id, .has_tenant_id = true, .group_id = *group_id, .has_group_id = true};
	struct group_members_reply reply = {0};
	enum err err = context_call(
		call->worker->context, call, OPID_group_members, &request, time_left_ms(call), call->arena, &reply);

	*members_out = reply.member_ids.items;
	*count_out = err == OK ? reply.member_ids.count : 0;
	return err;
}
