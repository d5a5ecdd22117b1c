/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_ENTRY_H
#define BERTH_AUTHSVC_ENTRY_H

#include "ask.h"
#include "consent.h"

/* What is known of a sign-in before its credentials: for whom it is and what follows. */
struct entry {
	struct tenant_record tenant; /* id nil: the form asks for it */
	struct str resume;
	bool has_request; /* a kept request stands behind `resume` */
	struct request_record request;
	struct ask ask; /* when the request has a client */
};

/* ERR_GONE: the handle stands for nothing any more. */
MUST_USE enum err entry_find(struct call *call, struct store *store, struct str resume, struct entry *entry_out);
/* The language of its pages. */
enum locale entry_locale(const struct call *call, const struct entry *entry, struct str ui_locales);
/* Lets the kept form be answered by a redirect to the client, which browsers hold against form-action. */
void entry_form_action(const struct entry *entry, struct web_reply *reply);
/* The case that its person may have to be asked about. */
struct consent_case entry_case(const struct entry *entry);
/* Whether a sign-in is as recent as the kept request asks. */
bool entry_fresh(const struct entry *entry, const struct session_record *session);
/*
 * The session stands: commits, and sends the browser to the client with a code, which ends the request, or to `home`;
 * or to the page that asks the person first.
 */
MUST_USE enum err entry_settle(struct call *call, struct store *store, const struct entry *entry,
	const struct session_record *session, struct str home, struct web_reply *reply);
/* Sends the browser to a sign-in of its own, whose page knows the tenant already. Opens the store. */
MUST_USE enum err entry_begin(
	struct call *call, struct store *store, const struct uuid *tenant_id, struct web_reply *reply);

#endif
