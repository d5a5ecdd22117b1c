/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "contract/router.h"

/* "METHOD /path": what is found is a public operation of that method, and its values lie in the path. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str path = {(const char *)data, size};
	char allow[ALLOW_TEXT_MAX];
	static bool ready;
	struct route route;
	struct str method;

	if (!ready) {
		router_init();
		ready = true;
	}
	if (!str_cut(&path, ' ', &method))
		return 0;
	if (router_find(method, path, &route, allow) != OK) {
		if (route.operation != NULL || memchr(allow, '\0', sizeof(allow)) == NULL)
			abort();
		return 0;
	}
	if (!str_eq_c(method, route.operation->method) && !str_eq_c(method, "HEAD"))
		abort();
	if (route.param_count > ROUTE_PARAMS_MAX)
		abort();
	for (size_t i = 0; i < route.param_count; i++) {
		struct str value = route.params[i].value;

		if (value.len == 0 || value.p < path.p || value.p + value.len > path.p + path.len ||
			memchr(value.p, '/', value.len) != NULL ||
			shape_field(route.operation->request(), route.params[i].name) == NULL)
			abort();
	}
	return 0;
}
