/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_OWNER_H
#define BERTH_AUTHSVC_OWNER_H

#include "factor.h"
#include "guard.h"

/* Who changes what an account hangs on: by a session that showed a factor where there is one, and by the password. */
struct owner {
	struct suspect suspect;
	struct uuid tenant_id;
	struct sign_in_record record; /* the password so far */
	struct str normal_email;
};

/* ERR_NOT_FOUND: the browser has been sent elsewhere, in `reply`. No transaction stays open. */
MUST_USE enum err owner_find(struct call *call, struct owner *owner_out, struct web_reply *reply);
/* Counts like a sign-in. *wait_s_out > 0: too often, nothing was tried. A wrong password leaves an event. */
MUST_USE enum err owner_check(struct call *call, const struct owner *owner, struct str password,
	struct guard *guard_out, int64_t *wait_s_out, bool *match_out);
/* Locks the person: the session still stands and the password is the one that was checked. ERR_NOT_FOUND: not. */
MUST_USE enum err owner_lock(struct call *call, struct store *store, const struct owner *owner);

#endif
