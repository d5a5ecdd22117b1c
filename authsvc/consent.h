/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_CONSENT_H
#define BERTH_AUTHSVC_CONSENT_H

#include "ask.h"
#include "store_consent.h"

/* What a person agrees to before a client of somebody else's, or one that asks for it, is given anything. */
struct consent_case {
	const struct ask *ask;
	int64_t client_row_id;
	struct uuid client_id;
	bool third_party;
};

/* Whether the person has to be asked; if not, what was agreed to stands until the transaction ends. */
MUST_USE enum err consent_needed(
	struct store *store, const struct consent_case *of, int64_t person_row_id, bool *needed_out);
/* The person agrees, with its event. Not committed. */
MUST_USE enum err consent_give(struct call *call, struct store *store, const struct consent_case *of,
	int64_t person_row_id, const struct uuid *person_id);
/* The person withdraws, with its event; tokens end. ERR_NOT_FOUND. Not committed. */
MUST_USE enum err consent_withdraw(struct call *call, struct store *store, int64_t person_row_id,
	const struct uuid *person_id, const struct uuid *consent_id);

#endif
