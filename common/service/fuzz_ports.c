/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "service/confine_ports.h"

/* Addresses and URLs of the configuration, from which the sandbox takes its ports: each once, none that is no port. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct confine_ports set = {.count = 0};

	confine_ports_add_text(&set, (struct str){(const char *)data, size});
	INVARIANT(set.count <= CONFINE_PORTS_MAX);
	for (size_t i = 0; i < set.count; i++)
		INVARIANT(set.ports[i] != 0);
	return 0;
}
