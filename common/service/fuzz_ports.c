/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "service/confine_ports.h"

/* Addresses and URLs of the configuration, from which the sandbox takes its ports: each once. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct confine_ports set = {.count = 0};

	confine_ports_add_text(&set, (struct str){(const char *)data, size});
	INVARIANT(set.count <= CONFINE_PORTS_MAX);
	for (size_t i = 0; i < set.count; i++)
		for (size_t j = 0; j < i; j++)
			INVARIANT(set.ports[i] != set.ports[j]);
	return 0;
}
