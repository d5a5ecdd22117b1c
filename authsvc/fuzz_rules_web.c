/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "rules_web.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str text = {(const char *)data, len};
	struct str cookie = rules_cookie_get(text, "__Host-berth_session");
	enum locale locale = rules_locale_choose(text, text, LOCALE_NL);

	if (cookie.p != NULL && (cookie.p < text.p || cookie.p + cookie.len > text.p + text.len || cookie.len == 0))
		abort();
	if (locale < LOCALE_EN || locale >= LOCALE_COUNT)
		abort();
	(void)rules_password_check(text, text);
	return 0;
}
