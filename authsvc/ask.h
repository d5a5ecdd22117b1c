/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_ASK_H
#define BERTH_AUTHSVC_ASK_H

#include "desk.h"
#include "rules_oauth.h"
#include "store_session.h"
#include "store_tenant.h"
#include "web.h"

/* An authorization request (RFC 6749 section 4.1.1), from the client to its code or its error. */
struct ask {
	struct str redirect_uri, scope, state, nonce, code_challenge, login_hint, ui_locales;
	struct str resource;                  /* path behind the issuer */
	struct str jkt;                       /* of the key that the code is bound to; absent: none */
	struct str hinted;                    /* the person that id_token_hint names; absent: anybody */
	struct str acr_values;                /* what the sign-in is to be worth */
	struct str prompt_text, max_age_text; /* as asked */
	int64_t max_age_s;                    /* -1: none */
	struct prompt prompt;
	struct str device, user_code; /* of a device that waits, which has no redirect_uri; absent: none */
};

/*
 * Reads what came behind client_id and redirect_uri, which are already known to be good. NULL, or RFC 6749's error
 * with a description.
 */
const char *ask_read(struct call *call, const struct authorize_request *request, const struct client_record *client,
	struct ask *ask_out, const char **description_out);

/* Whether a person is the one whom id_token_hint names, if it names one. */
bool ask_means(const struct ask *ask, const struct uuid *person_id);

/* Whether a sign-in is worth what was asked for. */
bool ask_suits(const struct ask *ask, const struct proof *proof);

/* As kept until the browser comes, and while the person signs in. */
struct str ask_write(struct call *call, const struct ask *ask); /* p is NULL when the arena is full */
MUST_USE enum err ask_restore(struct call *call, struct str document, struct ask *ask_out);

/*
 * Back to the client with an error, or with a code for the session: one that is stored, used once, for a minute. To a
 * client that meant another person: login_required.
 */
struct str ask_error(
	struct call *call, struct str redirect_uri, struct str state, const char *error, const char *description);
MUST_USE enum err ask_grant(struct call *call, struct store *store, const struct ask *ask, int64_t client_row_id,
	const struct session_record *session, struct str *location_out);

#endif
