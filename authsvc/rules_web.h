/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_RULES_WEB_H
#define BERTH_AUTHSVC_RULES_WEB_H

#include "rules.h"

/* What a browser sends along. Pure. */

/*
 * The value of a cookie (RFC 6265 section 4.2). Absent, empty, given twice or of other characters than handles are
 * made of: STR_NONE. A second one of the same name is somebody else's.
 */
struct str rules_cookie_get(struct str header, const char *name);

/*
 * The language of a page: ui_locales (blanks between, best first), then Accept-Language by its weights, then
 * `fallback`.
 */
enum locale rules_locale_choose(struct str ui_locales, struct str accept_language, enum locale fallback);

#endif
