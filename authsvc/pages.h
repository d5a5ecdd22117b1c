/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_PAGES_H
#define BERTH_AUTHSVC_PAGES_H

#include "base/buf.h"
#include "store_consent.h"
#include "store_factor.h"
#include "store_session.h"
#include "texts.h"

/*
 * The hosted pages: one style, one column; a script for passkeys alone. Values are escaped here and nowhere else. Each
 * appends a whole document; a full arena or buffer shows in buf_ok.
 */
struct page {
	struct arena *arena;
	struct buf *out;
	enum locale locale;
	struct str resume; /* what the browser is on its way to, beside forms that name it themselves; or absent */
	struct str alert;  /* a sentence in the page's language, or absent */
	const char *fault; /* the field that it is about; NULL: the whole page */
};
/* Tells of `alert` (TEXT_COUNT: nothing), at the field that it is about. One with a hole says the seconds to wait. */
void pages_alert(struct page *page, enum text alert, int64_t wait_s);

/* What the script asks the browser for; options absent: no passkeys on this page. */
struct passkey_view {
	struct str challenge, options, csrf, resume;
	bool other_way; /* the page has another form for the same */
};

struct sign_in_form {
	struct str tenant_name; /* known: in the title; else the form asks for the short name */
	struct str client_name; /* absent: a sign-in for its own sake */
	struct str resume, csrf;
	struct str tenant_slug, email; /* filled in already, or absent */
	struct passkey_view passkey;
};
void pages_sign_in(const struct page *page, const struct sign_in_form *form);
void pages_signed_in(const struct page *page, struct str csrf);

struct link_form {
	struct str token, csrf;
	struct str tenant_name;
	struct str email; /* of the account, for whatever keeps passwords */
};
void pages_invitation(const struct page *page, const struct link_form *form);
void pages_verification(const struct page *page, const struct link_form *form);
void pages_reset(const struct page *page, const struct link_form *form);
/* Asks whose password is forgotten; the form as at the sign-in. */
void pages_forgotten(const struct page *page, const struct sign_in_form *form);
void pages_password(const struct page *page, struct str csrf, struct str email);
void pages_email(const struct page *page, struct str csrf, struct str email);
/* Confirms; with `may_cancel` there is a button for that too. */
void pages_email_confirm(const struct page *page, const struct link_form *form, bool may_cancel);
struct sessions_view {
	struct str csrf;
	const struct session_view *sessions;
	size_t count;
	int64_t current; /* row of this browser's */
};
void pages_sessions(const struct page *page, const struct sessions_view *view);
/* Asks for the second factor: a code, a passkey, or either. */
struct factor_form {
	struct str resume, csrf;
	bool code; /* the person has an app or recovery codes */
	struct passkey_view passkey;
};
void pages_factor(const struct page *page, const struct factor_form *form);

struct factors_view {
	struct str csrf, sign_out;
	const struct factor_record *factors;
	size_t count;
	int64_t codes_left;
	bool may_change;
	bool full;               /* there may be no more of them */
	const struct str *names; /* of each factor, or absent */
	struct passkey_view passkey;
};
void pages_factors(const struct page *page, const struct factors_view *view);
struct enrol_view {
	struct str csrf;
	struct uuid id;
	struct str uri, secret;
};
void pages_enrol(const struct page *page, const struct enrol_view *view);
void pages_codes(const struct page *page, const struct str *codes, size_t count);

struct consent_page {
	struct str resume, csrf;
	struct str client_name, tenant_name, email;
	struct str scope;
	bool lasts; /* it gets a refresh token */
	bool third_party;
	struct str user_code; /* of a device; absent: none */
};
void pages_consent(const struct page *page, const struct consent_page *view);
struct consents_page {
	struct str csrf;
	const struct consent_record *consents;
	size_t count;
};
void pages_consents(const struct page *page, const struct consents_page *view);
/* Takes the code that a device shows. */
void pages_device(const struct page *page, struct str user_code, struct str csrf);
struct end_page {
	struct str csrf, client_id, post_logout_redirect_uri, state; /* absent ones are left out */
	struct str tenant_name;
};
/* Asks whether to sign out. */
void pages_end_session(const struct page *page, const struct end_page *view);
/* A title, a sentence, and where to go on, if anywhere. */
void pages_notice(const struct page *page, enum text title, enum text help);

#endif
