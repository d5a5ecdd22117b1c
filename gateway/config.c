/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <stddef.h>

#include "edge_limits.h"

#define AT(member) .offset = offsetof(struct gateway_config, member)
#define LIMIT(name, class, rate, size, who)                                                                           \
	{.key = "BERTH_LIMIT_" name "_PER_S",                                                                         \
		.kind = CONFIG_I64,                                                                                   \
		.max = 1000000,                                                                                       \
		.fallback = rate,                                                                                     \
		AT(limits[class].per_s),                                                                              \
		.help = "requests a second that " who " may make; 0: no limit; default " rate},                       \
	{                                                                                                             \
		.key = "BERTH_LIMIT_" name "_BURST", .kind = CONFIG_I64, .min = 1, .max = 10000000, .fallback = size, \
		AT(limits[class].burst), .help = "requests that " who " may make at once; default " size              \
	}

const struct config_key gateway_config_keys[] = {
	{.key = "BERTH_GATEWAY_LISTEN",
		.kind = CONFIG_STR,
		.required = true,
		AT(listen),
		.help = "addresses of the public port, comma-separated, as 0.0.0.0:443,[::]:443"},
	{.key = "BERTH_GATEWAY_CERT_FILES",
		.kind = CONFIG_STR,
		.required = true,
		AT(cert_files),
		.help = "PEM chains, comma-separated: one ECDSA, one RSA; read again on SIGHUP and when they change"},
	{.key = "BERTH_GATEWAY_KEY_FILES",
		.kind = CONFIG_STR,
		.required = true,
		AT(key_files),
		.help = "PEM private keys in the same order"},
	{.key = "BERTH_GATEWAY_CLIENT_CA_FILE",
		.kind = CONFIG_STR,
		AT(client_ca_file),
		.help = "PEM authorities of client certificates, and their revocation lists; read again on SIGHUP and "
			"when it changes; goes with the next"},
	{.key = "BERTH_GATEWAY_CERTIFIED_OPERATIONS",
		.kind = CONFIG_STR,
		AT(certified_operations),
		.help = "operations that ask for a client certificate: operationId of /openapi.json, comma-separated"},
	{.key = "BERTH_REDIS_SOCKET",
		.kind = CONFIG_STR,
		.required = true,
		AT(redis_socket),
		.help = "Unix socket of Redis, or host:port on the cache network"},
	{.key = "BERTH_REDIS_PASSWORD_FILE",
		.kind = CONFIG_SECRET,
		.required = true,
		.max = 1024,
		AT(redis_password),
		.help = "file with the password of the Redis user `gateway`"},
	{.key = "BERTH_GATEWAY_LOOPS",
		.kind = CONFIG_I64,
		.max = EDGE_LOOPS_MAX,
		.fallback = "0",
		AT(loops),
		.help = "event loops; default 0: one per core"},
	{.key = "BERTH_GATEWAY_CONNECTIONS",
		.kind = CONFIG_I64,
		.min = 64,
		.max = 1000000,
		.fallback = EDGE_CONNECTIONS,
		AT(connections),
		.help = "connections at once; an idle one goes for one beyond it; default " EDGE_CONNECTIONS},
	{.key = "BERTH_TRACE_ONE_IN",
		.kind = CONFIG_I64,
		.max = 1000000000,
		.fallback = "0",
		AT(trace_one_in),
		.help = "of requests that do not ask for a recorded trace, one in so many gets one; default 0: none"},
	{.key = "BERTH_LIMITS_FILE",
		.kind = CONFIG_STR,
		AT(limits_file),
		.help = "file of lines BERTH_LIMIT_...=number that go before the environment's, if it is there; "
			"read again on SIGHUP and when it changes"},
	LIMIT("ADDRESS", RATE_ADDRESS, "2000", "4000", "one network address (IPv6: its /64)"),
	LIMIT("PERSON", RATE_PERSON, "1000", "2000", "one person"),
	LIMIT("CLIENT", RATE_CLIENT, "4000", "8000", "one OAuth 2.0 client, for itself or for people,"),
	LIMIT("TENANT", RATE_TENANT, "4000", "8000", "all people and clients of one tenant"),
	LIMIT("OPERATION", RATE_OPERATION, "1000", "2000",
		"one caller (person, client, else address) of one operation"),
	LIMIT("SIGN_IN", RATE_SIGN_IN, "20", "200", "one network address, where passwords are tried,"),
	LIMIT("BAD_TOKEN", RATE_BAD_TOKEN, "100", "1000", "one network address, with tokens that do not verify,"),
	{0},
};
