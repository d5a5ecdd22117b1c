/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_CONSENT_H
#define BERTH_AUTHSVC_CONSENT_H

#include "ask.h"
#include "clients.h"
#include "store_consent.h"

/*
 * What a person agrees to before a client is given anything: one of somebody else's, one that asks for it, or one that
 * would get more of this person than whoever registered it could do (0173).
 */
struct consent_case {
	const struct ask *ask;
	int64_t client_row_id;
	struct uuid client_id;
	bool third_party;
	struct str vouched; /* as its record has it */
};

/* Whether the person has to be asked; if not, what was agreed to stands until the transaction ends. */
MUST_USE enum err consent_needed(
	struct store *store, const struct consent_case *of, const struct session_record *session, bool *needed_out);
/*
 * The bound of what a client of the tenant's own gets of a person who has not agreed to more: bound_out is `reach_out`,
 * which is filled, or NULL without a bound.
 */
MUST_USE enum err consent_bound(struct store *store, const struct client_record *client,
	const struct person_record *person, struct str scope, struct rights *reach_out,
	const struct rights **bound_out);
/* The person agrees, with its event. Not committed. */
MUST_USE enum err consent_give(struct call *call, struct store *store, const struct consent_case *of,
	int64_t person_row_id, const struct uuid *person_id);
/* The person withdraws, with its event; tokens end. ERR_NOT_FOUND. Not committed. */
MUST_USE enum err consent_withdraw(struct call *call, struct store *store, int64_t person_row_id,
	const struct uuid *person_id, const struct uuid *consent_id);

#endif
