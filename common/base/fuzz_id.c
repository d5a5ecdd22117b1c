/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/id.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str text = {(const char *)data, len};
	char again[UUID_TEXT_LEN + 1];
	struct uuid id;

	if (uuid_parse(text, &id) != OK)
		return 0;
	uuid_format(&id, again);
	if (!str_eq_nocase(text, str_from(again)))
		abort();
	return 0;
}
