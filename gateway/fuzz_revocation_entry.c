/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "revocation_entry.h"

/* Lines of a field's name, a blank and its value. What is taken names something, for a time that can be told. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct revocation_entry entry = {.broken = false};
	struct str rest = {(const char *)data, size}, line, name;
	const struct revocation *made = &entry.revocation;
	bool more;

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
