/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_PEOPLE_H
#define BERTH_AUTHSVC_PEOPLE_H

#include "desk.h"
#include "store_person.h"
#include "store_tenant.h"
#include "texts.h"

/* What the handlers of people share. */
#define ROLE_ADMIN "Admin"
#define ROLE_OPERATOR "Operator"
#define ROLE_OWNER "Owner"
#define ROLE_USER "User"

void people_view(struct call *call, const struct person_record *record, struct person *view_out);
/* As JSON, for events. p is NULL when the arena is full. */
struct str people_json(struct call *call, const struct person_record *record);

/* The refusals name the field. */
MUST_USE enum err people_check_email(struct call *call, struct str email, struct str *normal_out);
MUST_USE enum err people_check_password(struct call *call, struct str password, struct str normal_email);
/*
 * Known roles, each once, that grant nothing which the caller lacks: into roles and permissions of `record`. The
 * tenant's own stay until the transaction ends.
 */
MUST_USE enum err people_check_roles(
	struct call *call, struct store *store, const struct texts *roles, struct person_record *record);
/* May the caller change rights or status of this person, as they are? */
MUST_USE enum err people_check_outranks(struct call *call, const struct person_record *record);

/*
 * What somebody holds for a time they give for no longer: of what is there in addition, until when (0: for good).
 * ERR_FORBIDDEN, held_for_a_time.
 */
MUST_USE enum err people_check_lasting(struct call *call, struct store *store, const struct rights *before,
	const struct rights *after, instant_us until);

/* Whether the person counts as one with this role: active and verified. */
/*
 * Where the tenant has the two-person rule nobody alone gives a weighty right that was not there before. ERR_FORBIDDEN,
 * second_person_required.
 */
MUST_USE enum err people_check_second(
	struct call *call, struct store *store, const struct rights *before, const struct rights *after);

bool people_counts_as(const struct person_record *record, const char *role);
/*
 * The tenant is locked, and `old` is to become `record` (NULL: erased): it is left neither without an Admin nor, once
 * owned, without an Owner. ERR_CONFLICT, last_admin or last_owner.
 */
MUST_USE enum err people_check_not_last(
	struct call *call, struct store *store, const struct person_record *old, const struct person_record *record);

/* Writes the roles of a locked person as the record has them. */
MUST_USE enum err people_set_roles(struct call *call, struct store *store, const struct person_record *record);
/* What a change takes away is gone everywhere at once. */
MUST_USE enum err people_take_away(
	struct store *store, const struct person_record *old, const struct person_record *record);
/* Tokens of these people end; of more than PEOPLE_REVOKED_MAX, those of the whole tenant. */
#define PEOPLE_REVOKED_MAX 100
MUST_USE enum err people_revoke(struct store *store, const struct uuid *people, size_t count);
/* The event of a change; `before` is people_json of what there was. */
MUST_USE enum err people_put_event(struct call *call, struct store *store, const char *action,
	const struct person_record *record, struct str before);

/* Ends everything that the person has open, here and at the edge, and a change of address that is under way. */
MUST_USE enum err people_lock_out(struct store *store, const struct person_record *record, const char *reason);

/* The same with its event, for its own sake. */
MUST_USE enum err people_sign_out(
	struct call *call, struct store *store, const struct person_record *record, const char *reason);

/* A mail with a fresh link, in the person's language. */
MUST_USE enum err people_mail_invitation(
	struct call *call, struct store *store, const struct person_record *record, const struct tenant_record *tenant);
MUST_USE enum err people_mail_verification(
	struct call *call, struct store *store, const struct person_record *record, const struct tenant_record *tenant);
MUST_USE enum err people_mail_reset(
	struct call *call, struct store *store, const struct person_record *record, const struct tenant_record *tenant);
/* A mail that tells of a change and holds no secret; `subject` is filled with the tenant's name. */
MUST_USE enum err people_tell(
	struct call *call, struct store *store, const struct person_record *record, enum text subject, enum text body);
/* What a page says to the refusal of a password; forgets the refusal. */
enum text people_password_alert(struct call *call);

#endif
