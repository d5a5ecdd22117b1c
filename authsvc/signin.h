/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_SIGNIN_H
#define BERTH_AUTHSVC_SIGNIN_H

#include "desk.h"
#include "store_session.h"
#include "web.h"

/* A browser's sign-in: found by its cookie, begun, ended. */

/* Which tenant the session cookie names; nil without a cookie. Only a hint until the session is found. */
struct uuid signin_tenant(const struct call *call);
/* The live session of an active person in the store's tenant: ERR_NOT_FOUND otherwise. */
MUST_USE enum err signin_current(struct call *call, struct store *store, struct session_record *session_out);
/*
 * The session of the browser's cookie that nobody ended, though it may have run out: grants that came of it go on, and
 * end with it (0174). ERR_NOT_FOUND.
 */
MUST_USE enum err signin_known(struct call *call, struct store *store, struct session_record *session_out);
bool signin_is_live(const struct session_record *session);
/*
 * Signs the person in, as proved, and sets the cookie, always under a new handle. Whoever was signed in on this browser
 * in this tenant, be it long ago, is signed out first, unless it is the same person, whose session and grants go on.
 */
MUST_USE enum err signin_begin(struct call *call, struct store *store, struct web_reply *reply, int64_t person_row_id,
	const struct uuid *person_id, const struct proof *proof, struct session_record *session_out);
/* Ends the session and all that clients were granted by it. */
MUST_USE enum err signin_end(
	struct call *call, struct store *store, const struct session_record *session, const char *reason);
/* A browser has one cookie: a session that it held in another tenant ends, in a transaction of its own. */
void signin_leave_elsewhere(struct call *call, const struct uuid *tenant_id);

#endif
