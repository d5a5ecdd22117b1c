/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GATEWAY_CONFIG_H
#define BERTH_GATEWAY_CONFIG_H

#include "base/config.h"

/* The gateway's own keys; config.c says what each means. */
struct gateway_config {
	const char *listen;     /* addresses, comma-separated */
	const char *cert_files; /* chains, comma-separated */
	const char *key_files;  /* in the same order */
	const char *redis_socket;
	struct secret *redis_password;
	int64_t loops; /* 0: one per core */
	int64_t connections;
	int64_t limit_address_per_s, limit_address_burst;
	int64_t limit_person_per_s, limit_person_burst;
	int64_t limit_tenant_per_s, limit_tenant_burst;
	int64_t limit_sign_in_per_s, limit_sign_in_burst;
};

extern const struct config_key gateway_config_keys[];

#endif
