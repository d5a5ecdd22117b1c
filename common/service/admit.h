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
/*
 * Takes away what its tenant lets nobody use without a second factor, when it was got without: permissions for staff,
 * which an operation open to all would else widen by. False when there was nothing to take.
 */
bool admit_limit(struct token *token);

#endif
