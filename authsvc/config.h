/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_CONFIG_H
#define BERTH_AUTHSVC_CONFIG_H

#include "base/config.h"

/* What authsvc is told beyond what every process is. */
struct auth_config {
	struct secret *peppers;           /* lines "epoch hex64", newest first */
	struct secret *client_secret_key; /* hex64: key of every hash of a handle or secret */
	const char *redis_socket;
	struct secret *redis_password;
	const char *smtp_url, *smtp_user, *smtp_ca_file;
	struct secret *smtp_password;
	const char *mail_from, *mail_from_name;
	const char *egress_allow_file, *egress_proxy;
	const char *trace_url;     /* NULL: spans go nowhere */
	const char *breached_file; /* NULL: only the list of one's own */
	int64_t argon2_parallel, argon2_queue;
};

extern const struct config_key config_keys[];

#endif
