/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GATEWAY_CONFIG_H
#define BERTH_GATEWAY_CONFIG_H

#include "base/config.h"
#include "rate.h"

/* The gateway's own keys; config.c says what each means. */
struct gateway_config {
	const char *listen;         /* addresses, comma-separated */
	const char *cert_files;     /* chains, comma-separated */
	const char *key_files;      /* in the same order */
	const char *client_ca_file; /* NULL: no client is asked for a certificate */
	const char *certified_operations;
	const char *redis_socket;
	struct secret *redis_password;
	int64_t loops; /* 0: one per core */
	int64_t connections;
	int64_t trace_one_in;
	const char *limits_file; /* NULL: the limits below stand */
	struct rate_policy limits[RATE_CLASS_COUNT];
};

extern const struct config_key gateway_config_keys[];

#endif
