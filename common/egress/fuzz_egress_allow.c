/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "egress/egress_allow.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Any allow-list: each entry that was read is found again by what it says. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct egress_allow allow;
	unsigned line;

	if (egress_allow_parse((struct str){(const char *)data, len}, &allow, &line) != OK)
		return 0;
	for (size_t i = 0; i < allow.count; i++) {
		const struct egress_allow_entry *entry = &allow.entries[i];
		const struct egress_allow_entry *found =
			egress_allow_find(&allow, str_from(entry->host), entry->port, entry->purpose);

		if (entry->port == 0 || entry->host[0] == '\0' || entry->purpose[0] == '\0' || found == NULL ||
			strcmp(found->host, entry->host) != 0)
			abort();
	}
	return 0;
}
