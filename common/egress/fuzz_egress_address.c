/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "egress/egress_address.h"

/* Mail addresses, domains and hosts: what is taken has no byte that ends a line, a header or a command. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct str text = {(const char *)data, size};

	if (egress_address_ok(text) || egress_address_domain_ok(text) || egress_address_host_ok(text)) {
		INVARIANT(size > 0);
		for (size_t i = 0; i < size; i++)
			INVARIANT(data[i] > ' ' && data[i] != 0x7f && data[i] != '<' && data[i] != '>');
	}
	return 0;
}
