/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_CLIENTS_H
#define BERTH_AUTHSVC_CLIENTS_H

#include "desk.h"
#include "store_person.h"
#include "store_tenant.h"

/* Making and showing OAuth 2.0 clients. */

/*
 * What was asked for, checked: redirect URIs, grants, permissions within the caller's own. The refusals name the
 * field.
 */
MUST_USE enum err clients_make(
	struct call *call, const struct client_create_request *request, struct client_record *record_out);
/*
 * What whoever registered it may come to have: its own permissions, and all of an Admin's if people sign in to it
 * without being asked what it gets.
 */
struct rights clients_rights(const struct client_record *record);
/* What somebody with these rights vouches for: those that an Admin lacks, as the record has them. p NULL: no memory. */
struct str clients_vouch(struct arena *arena, const struct rights *rights);
/*
 * Whether the person may more than the client gets unasked, as far as it is of the tenant's own. Then reach_out is that
 * bound.
 */
bool clients_is_exceeded(
	bool third_party, struct str vouched, const struct person_record *person, struct rights *reach_out);
/* Whether a change gives the client into other hands: by another key, address or grant, or by being asked no more. */
bool clients_hands_over(const struct client_update_request *request);
/*
 * What a client becomes: `old` with what the request names, checked as if it were made anew by this caller, who may
 * have no less than it.
 */
MUST_USE enum err clients_change(struct call *call, const struct client_update_request *request,
	const struct client_record *old, struct client_record *record_out);
/* Whether one of its redirect URIs is no more. */
bool clients_loses_address(const struct client_record *old, const struct client_record *record);
/* Whether it may do less than before, or must do more for it. */
bool clients_is_narrower(const struct client_record *old, const struct client_record *record);
/* Web origins as they are stored, checked. The refusal names the field. */
MUST_USE enum err clients_origins(struct call *call, const struct texts *origins, struct str *words_out);
/*
 * A fresh secret for a confidential client without keys, given away once; its hash goes to the record. Absent
 * otherwise.
 */
MUST_USE enum err clients_secret(struct call *call, struct client_record *record, struct str *secret_out);
struct vault_hash clients_secret_hash(const struct vault *vault, const struct uuid *client_id, struct str secret);
void clients_view(struct call *call, const struct client_record *record, struct client_view *view_out);

#endif
