/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_BOOKINGSVC_PEER_H
#define BERTH_BOOKINGSVC_PEER_H

#include "service/service.h"

/* What bookingsvc asks of other processes. */

#define PEER_PEOPLE_MAX 200 /* ids in one question */

/*
 * active_out[i]: authsvc knows people[i] as an active person of the caller's tenant. Nobody is active when it
 * cannot be asked.
 */
MUST_USE enum err peer_people_active(struct call *call, const struct uuid *people, size_t count, bool *active_out);
/* Who is in a group of the caller's tenant, over which the caller's token gives something; in the call's arena. */
MUST_USE enum err peer_group_members(
	struct call *call, const struct uuid *group_id, const struct uuid **members_out, size_t *count_out);

#endif
