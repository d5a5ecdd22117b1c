/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_MAILED_H
#define BERTH_AUTHSVC_MAILED_H

#include "desk.h"
#include "pages.h"
#include "store_person.h"
#include "ticket.h"
#include "vault.h"

/* A mailed link by which somebody chooses a password: an invitation, or what replaces a forgotten password. */
struct mailed {
	enum vault_purpose purpose; /* of the ticket */
	const char *form;           /* of the page's CSRF token */
	const char *crash;          /* names the points around the commit (CRASH_COMMIT) */
	bool password_first;        /* a bad password is told whatever the link is */
	enum text gone_help;        /* beside the word that the link is gone */
	void (*page)(const struct page *page, const struct link_form *form);
	/* Whose link it is, locked; with `take` it is spent. ERR_GONE: used, expired or none, all alike. */
	enum err (*find)(struct store *store, const struct ticket *ticket, bool take, struct person_record *person_out);
	/* All that the new password changes, with its event. */
	enum err (*write)(
		struct call *call, struct store *store, struct person_record *person, const struct hash *hash);
};

/* The page that the link leads to, or the word that it is gone. */
MUST_USE enum err mailed_show(struct call *call, const struct mailed *mailed, const struct link_page_request *request,
	struct web_reply *reply);
/* ERR_GONE, ERR_BAD_FIELD with the reason, or done. The hash, which costs most, is made for a good link only. */
MUST_USE enum err mailed_set(struct call *call, const struct mailed *mailed, struct str token, struct str password,
	struct ticket *ticket_out);
/* The page's form. Nobody is signed in by it: whoever has a second factor shows it as ever. */
MUST_USE enum err mailed_submit(struct call *call, const struct mailed *mailed,
	const struct invitation_submit_request *request, struct web_reply *reply);

#endif
