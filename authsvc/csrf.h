/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_CSRF_H
#define BERTH_AUTHSVC_CSRF_H

#include "web.h"

/*
 * A form carries a keyed hash of a cookie that only this origin can set, of the form's purpose and of what it is
 * about; so neither a form of another site nor one of another purpose is taken. `seed` is the cookie's value.
 */
/* The browser's seed: what it sent, else a new one that the reply sets. */
MUST_USE enum err csrf_seed(struct call *call, struct web_reply *reply, struct str *seed_out);
/* p is NULL when the arena is full. */
struct str csrf_token(struct call *call, struct str seed, const char *purpose, struct str about);
bool csrf_matches(struct call *call, struct str seed, const char *purpose, struct str about, struct str token);
struct str csrf_sent_seed(const struct call *call); /* STR_NONE without one */

#endif
