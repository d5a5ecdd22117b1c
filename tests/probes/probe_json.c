/* SPDX-License-Identifier: Apache-2.0 */
#include "probe.h"

int probe_json(struct probe *probe)
{
	const struct json *root = NULL;
	const char *reason = NULL;
	enum err err = json_parse(probe->arena, probe->input, &root, &reason);

	return probe_verdict(err == OK, reason);
}
