/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_GRANTS_H
#define BERTH_AUTHSVC_GRANTS_H

#include "desk.h"
#include "store_role_grant.h"

/* What the operations on granted roles share. */

const char *grants_status(const struct role_grant_record *record); /* as it is now: one that is over has "ended" */
MUST_USE enum err grants_view(struct call *call, const struct role_grant_record *record, struct role_grant *view_out);
/* The event of a change; fills the reply and the version with what there is now. */
MUST_USE enum err grants_put_event(struct call *call, struct store *store, const char *action,
	const struct role_grant_record *record, struct str before, struct role_grant *reply);
/* What the role grants there, built in or not. */
MUST_USE enum err grants_rights(struct store *store, const struct role_grant_record *record, struct rights *rights_out);
/* Nobody takes, or decides on, what they could not give. */
MUST_USE enum err grants_check_rank(struct call *call, struct store *store, const struct role_grant_record *record);
/* Ends a locked one, here and at the edge, with its event. */
MUST_USE enum err grants_revoke(
	struct call *call, struct store *store, struct role_grant_record *record, struct role_grant *reply);

#endif
