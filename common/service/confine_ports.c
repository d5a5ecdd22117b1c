/* SPDX-License-Identifier: Apache-2.0 */
#include "service/confine_ports.h"

#include <stdio.h>

void confine_ports_add(struct confine_ports *set, uint16_t port)
{
	for (size_t i = 0; i < set->count; i++) {
		if (set->ports[i] == port)
			return;
	}
	if (set->count < CONFINE_PORTS_MAX)
		set->ports[set->count++] = port;
}

static void add_scheme(struct confine_ports *set, struct str url)
{
	static const struct {
		const char *scheme;
		uint16_t port;
	} schemes[] = {{"https://", 443}, {"http://", 80}, {"smtp://", 25}, {"smtps://", 465}, {"tcp://", 0}};

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		if (str_starts(url, schemes[i].scheme) && schemes[i].port != 0)
			confine_ports_add(set, schemes[i].port);
	}
}

static void add_one(struct confine_ports *set, struct str text)
{
	struct str rest = text, digits;
	uint64_t port;

	for (size_t i = 0; i + 2 < rest.len; i++) {
		if (rest.p[i] == ':' && rest.p[i + 1] == '/' && rest.p[i + 2] == '/') {
			rest = (struct str){rest.p + i + 3, rest.len - i - 3};
			break;
		}
	}
	(void)str_cut(&rest, '/', &digits);
	/* Behind the last colon, unless that belongs to an IPv6 address. */
	for (size_t i = digits.len; i > 0; i--) {
		if (digits.p[i - 1] == ']')
			break;
		if (digits.p[i - 1] != ':')
			continue;
		if (str_to_u64((struct str){digits.p + i, digits.len - i}, 65535, &port) == OK)
			confine_ports_add(set, (uint16_t)port);
		return;
	}
	add_scheme(set, text);
}

void confine_ports_add_text(struct confine_ports *set, struct str text)
{
	struct str item;
	bool more = true;

	while (more && text.p) {
		more = str_cut(&text, ',', &item);
		add_one(set, str_trim(item));
	}
}

void confine_ports_add_file(struct confine_ports *set, const char *path)
{
	FILE *file = fopen(path, "re");
	char line[512];

	if (!file)
		return;
	while (fgets(line, sizeof(line), file)) {
		struct str rest = str_trim(str_from(line)), word;

		(void)str_cut(&rest, ' ', &word);
		(void)str_cut(&word, '\n', &rest);
		if (rest.len > 0 && rest.p[0] != '#')
			add_one(set, rest);
	}
	(void)fclose(file);
}
