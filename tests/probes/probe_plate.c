/* SPDX-License-Identifier: Apache-2.0 */
#include "probe.h"
#include "rules_plate.h"

static int print_plate(const char *reason, struct str normal)
{
	struct buf line;
	struct json_writer w = probe_verdict_begin(&line, reason);

	json_key(&w, "normal");
	if (reason)
		json_put_null(&w);
	else
		json_put_str(&w, normal);
	return probe_verdict_end(&w);
}

int probe_plate_refuse(const char *reason)
{
	return print_plate(reason, STR_NONE);
}

int probe_plate(struct probe *probe)
{
	const char *name = probe->options[0], *reason;
	struct str normal = STR_NONE;
	char country[3];

	if (!name)
		return probe_fail("--country is needed", NULL);
	if (!rules_plate_country(str_from(name), country))
		return print_plate("unknown_country", normal);
	reason = rules_plate_normalise(probe->arena, probe->input, country, &normal);
	if (!reason && !normal.p)
		return probe_fail("no memory", NULL);
	return print_plate(reason, normal);
}
