/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/clock.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char text[INSTANT_TEXT_MAX];
	instant_us at, again;

	if (instant_parse((struct str){(const char *)data, len}, &at) != OK)
		return 0;
	if (at < INSTANT_MIN || at > INSTANT_MAX)
		abort();
	instant_format(at, text);
	if (instant_parse(str_from(text), &again) != OK || again != at)
		abort();
	return 0;
}
