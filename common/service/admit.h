/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_SERVICE_ADMIT_H
#define BERTH_SERVICE_ADMIT_H

#include "contract/operation.h"
#include "token/token.h"

/*
 * What a verified token may ask for: one judgment, at the edge and again in the service. ERR_EMAIL_UNVERIFIED;
 * ERR_FORBIDDEN, ERR_SECOND_FACTOR and ERR_STEP_UP with the permission's name in *reason_out. Not for PERM_PUBLIC and
 * PERM_PEER.
 */
MUST_USE enum err admit_token(
	const struct operation *operation, const struct token *token, instant_us now, struct str *reason_out);
/* What a person's sign-in must have shown to use a permission, in an operation that is dangerous (`step_up`) or not. */
enum admit_factor { ADMIT_NO_FACTOR, ADMIT_FACTOR_SHOWN, ADMIT_FACTOR_FRESH };
enum admit_factor admit_factor(enum permission permission, bool step_up, enum demand demand);
/* Recent enough for what is dangerous, with a leeway for clocks that differ. */
bool admit_is_fresh(instant_us auth_at, instant_us now);
/*
 * Takes away what its tenant lets nobody use without a second factor, when it was got without: permissions for staff,
 * which an operation open to all would else widen by. False when there was nothing to take.
 */
bool admit_limit(struct token *token);

#endif
