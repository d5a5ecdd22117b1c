/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "auth.h"
#include "base/log.h"
#include "browser.h"
#include "contract/envelope.h"
#include "precondition.h"

/*
 * Values of Authorization, If-Match, If-None-Match, Idempotency-Key and User-Agent: what is found lies within, a
 * version is one that we give, and a list names what stands in it.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct str value = {(const char *)data, size};
	const struct str bearer = auth_bearer(value);
	struct str token;
	int64_t version = -2;
	bool proven;

	token = auth_token(value, &proven);
	INVARIANT(proven ? bearer.p == NULL : token.p == bearer.p && token.len == bearer.len);
	if (token.p != NULL)
		INVARIANT(token.p >= value.p && token.p + token.len <= value.p + value.len);
	if (bearer.p != NULL)
		INVARIANT(bearer.p >= value.p && bearer.p + bearer.len <= value.p + value.len);
	if (precondition_match(value, &version) == OK)
		INVARIANT(version >= -1);
	if (precondition_key(value) == OK)
		for (size_t i = 0; i < size; i++)
			INVARIANT(data[i] > ' ' && data[i] < 0x7f);
	if (precondition_names(value, 7))
		INVARIANT(memchr(value.p, '7', size) != NULL || memchr(value.p, '*', size) != NULL);
	INVARIANT(browser_family(value).len > 0 && browser_family(value).len <= BROWSER_MAX);
	return 0;
}
