/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_FACTOR_H
#define BERTH_AUTHSVC_FACTOR_H

#include "desk.h"
#include "signin.h"
#include "store_factor.h"
#include "store_person.h"
#include "texts.h"
#include "web.h"

/*
 * Second factors: who is asked for one, whether it is right, what is told of a change. The password comes first; then
 * a cookie, computed and nowhere stored, stands for "this person, by this password, a moment ago" until the factor is
 * shown. It is worthless without the factor, after ten minutes, and once the password is another.
 */
struct suspect {
	struct person_record person;
	struct factor_standing standing;
	struct str seed; /* of its forms: the cookie by which it was found */
	bool signed_in;  /* by a session, which may rise; else by that cookie */
	struct session_record session;
};

/* Sets the cookie after the password. */
MUST_USE enum err factor_ask(struct call *call, struct web_reply *reply, const struct uuid *tenant_id,
	const struct uuid *person_id, const struct factor_standing *standing);
/* Whom this browser has to show a factor for; opens the store in the tenant. ERR_NOT_FOUND: nobody. */
MUST_USE enum err factor_suspect(struct call *call, struct store *store, struct suspect *suspect_out);
/* The same, only from a live session. */
MUST_USE enum err factor_owner(struct call *call, struct store *store, struct suspect *suspect_out);
/*
 * Before anything is made of the session: whoever ends it waits until the transaction ends, or was waited for; what is
 * there of person and factors is read again. ERR_NOT_FOUND: it has ended.
 */
MUST_USE enum err factor_owner_hold(struct store *store, struct suspect *owner);

/* Uses what was typed, a code of an app or a recovery code. ERR_UNAUTHENTICATED: it is neither, or was used before. */
MUST_USE enum err factor_prove(struct call *call, struct store *store, const struct person_record *person,
	struct str typed, struct proof *proof_out);

/* Whether the session may change factors now: fresh, and proved by one when there is any. */
bool factor_may_change(const struct suspect *suspect);
/* Ten new codes, as shown: codes_out has room for RECOVERY_CODES. */
MUST_USE enum err factor_codes_make(
	struct call *call, struct store *store, int64_t person_row_id, struct str *codes_out);
/*
 * Removes one factor, and lowers what it proved; with the last confirmed one the recovery codes go. ERR_NOT_FOUND.
 */
MUST_USE enum err factor_remove(
	struct call *call, struct store *store, const struct person_record *person, const struct uuid *factor_id);
/* An event, and a mail in the person's language that holds no secret. `id` nil: of the person as a whole. */
MUST_USE enum err factor_told(struct call *call, struct store *store, const struct person_record *person,
	const char *action, const struct uuid *id, enum text mail);

#endif
