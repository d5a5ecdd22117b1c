/* SPDX-License-Identifier: Apache-2.0 */
#include "probe.h"
#include "rules_plate.h"

static int print_plate(const char *reason, struct str normal)
{
	struct json_writer w;
	struct buf line;
	int code;

	buf_init(&line, PROBE_INPUT_MAX);
	w = json_writer_over(&line);
	json_begin_object(&w);
	json_key(&w, "verdict");
	json_put_c(&w, reason ? "refuse" : "accept");
	json_key(&w, "reason");
	if (reason)
		json_put_c(&w, reason);
	else
		json_put_null(&w);
	json_key(&w, "normal");
	if (reason)
		json_put_null(&w);
	else
		json_put_str(&w, normal);
	json_end_object(&w);
	code = probe_print(&line);
	buf_release(&line);
	return code;
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
