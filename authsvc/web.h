/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_WEB_H
#define BERTH_AUTHSVC_WEB_H

#include "service/service.h"

/* Answers of pages and of the OAuth endpoints. All give OK, or ERR_OVERLOADED when the arena is full. */
#define COOKIE_SESSION "__Host-berth_session"
#define COOKIE_FACTOR "__Host-berth_factor"
#define COOKIE_LOGIN "__Host-berth_login"
#define COOKIE_DEVICE "__Host-berth_device"

MUST_USE enum err web_body(
	struct call *call, struct web_reply *reply, int status, const char *content_type, const struct buf *body);
MUST_USE enum err web_page(struct call *call, struct web_reply *reply, int status, const struct buf *html);
/* The page loads the script of passkeys. */
void web_script(struct web_reply *reply);
MUST_USE enum err web_json(struct call *call, struct web_reply *reply, int status, const struct buf *json);
/* 303, so that no browser repeats a POST with its credentials (RFC 9700 section 4.12). */
MUST_USE enum err web_see_other(struct web_reply *reply, struct str location);
/* Secure, HttpOnly, SameSite=Lax, for the browser's session. An absent value removes the cookie. */
MUST_USE enum err web_cookie(struct call *call, struct web_reply *reply, const char *name, struct str value);

/* The same, kept for so many seconds. */
MUST_USE enum err web_cookie_kept(
	struct call *call, struct web_reply *reply, const char *name, struct str value, int64_t max_age_s);

/* RFC 6749 section 5.2. `description` is for developers, constant. 401 carries a challenge. */
MUST_USE enum err web_oauth_error(
	struct call *call, struct web_reply *reply, int status, const char *error, const char *description);
/*
 * Where the browser goes back to: `pairs` end with a NULL name; absent values are left out. `iss` is added (RFC
 * 9207).
 */
struct web_pair {
	const char *name;
	struct str value;
};
struct str web_back(struct call *call, struct str redirect_uri, const struct web_pair *pairs);

#endif
