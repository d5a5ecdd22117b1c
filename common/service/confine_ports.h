/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_SERVICE_CONFINE_PORTS_H
#define BERTH_SERVICE_CONFINE_PORTS_H

#include "base/str.h"

#define CONFINE_PORTS_MAX 256

/* A set of TCP ports. */
struct confine_ports {
	uint16_t ports[CONFINE_PORTS_MAX];
	size_t count;
};

void confine_ports_add(struct confine_ports *set, uint16_t port);
/* The ports of "host:port", "[::1]:port" or URLs, comma-separated; a URL without one has its scheme's. */
void confine_ports_add_text(struct confine_ports *set, struct str text);
/* The first word of each line of an allow-list, "host:port purpose". */
void confine_ports_add_file(struct confine_ports *set, const char *path);

#endif
