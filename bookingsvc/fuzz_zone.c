/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/log.h"
#include "rules.h"

/* The name of a zone, which PostgreSQL gets to see: no path, no sign that it reads otherwise. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct str name = {(const char *)data, size};

	if (!rules_zone_grammar(name))
		return 0;
	INVARIANT(size <= 64 && name.p[0] >= 'A' && name.p[0] <= 'Z' && name.p[size - 1] != '/');
	for (size_t i = 0; i < size; i++)
		INVARIANT((name.p[i] >= 'A' && name.p[i] <= 'Z') || (name.p[i] >= 'a' && name.p[i] <= 'z') ||
			  (name.p[i] >= '0' && name.p[i] <= '9') || strchr("/_-+", name.p[i]) != NULL);
	return 0;
}
