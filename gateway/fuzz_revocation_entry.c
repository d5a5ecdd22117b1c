/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/log.h"
#include "revocation_entry.h"

/* An id, or lines of a name, a blank and a value. What is taken names something, for a time that can be told. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct revocation_entry entry = {.broken = false};
	struct str rest = {(const char *)data, size}, line, name;
	const struct revocation *made = &entry.revocation;
	struct revocation_place place;
	bool more;

	if (revocation_entry_place(rest, &place)) {
		INVARIANT(memchr(data, '-', size) != NULL && size <= 41);
		INVARIANT(!revocation_entry_is_behind(place, place));
	}
	do {
		more = str_cut(&rest, '\n', &line);
		(void)str_cut(&line, ' ', &name);
		revocation_entry_field(&entry, name, line);
	} while (more);
	if (!revocation_entry_whole(&entry))
		return 0;
	INVARIANT(made->until > 0 && made->until <= INSTANT_MAX);
	INVARIANT(made->issued_before >= 0 && made->issued_before <= INSTANT_MAX);
	INVARIANT(made->kind <= REVOCATION_TENANT);
	INVARIANT(made->kind != REVOCATION_CLIENT || made->client_id.len > 0);
	return 0;
}
