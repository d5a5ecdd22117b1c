/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_DIRECTORY_H
#define BERTH_AUTHSVC_DIRECTORY_H

#include "base/id.h"

/*
 * Which tenant a client_id belongs to, remembered: the answer never changes while the client lives, and everything
 * else about it is read in that tenant each time. Fixed memory, newest wins. Thread-safe.
 */
struct directory;

struct directory *directory_new(void); /* NULL without memory */
void directory_free(struct directory **directory);
bool directory_find(struct directory *directory, const struct uuid *client_id, struct uuid *tenant_id_out);
void directory_put(struct directory *directory, const struct uuid *client_id, const struct uuid *tenant_id);

#endif
