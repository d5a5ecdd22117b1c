/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <stddef.h>

#include "edge_limits.h"

#define AT(member) .offset = offsetof(struct gateway_config, member)
#define LIMIT(name, text, rate, size, who)                                                                            \
	{.key = "BERTH_LIMIT_" name "_PER_S",                                                                         \
		.kind = CONFIG_I64,                                                                                   \
		.max = 1000000,                                                                                       \
		.fallback = rate,                                                                                     \
		AT(limit_##text##_per_s),                                                                             \
		.help = "requests a second that " who " may make; 0: no limit; default " rate},                       \
	{                                                                                                             \
		.key = "BERTH_LIMIT_" name "_BURST", .kind = CONFIG_I64, .min = 1, .max = 10000000, .fallback = size, \
		AT(limit_##text##_burst), .help = "requests that " who " may make at once; default " size             \
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
	LIMIT("ADDRESS", address, "2000", "4000", "one network address"),
	LIMIT("PERSON", person, "1000", "2000", "one person or client"),
	LIMIT("TENANT", tenant, "4000", "8000", "all people of one tenant"),
	LIMIT("SIGN_IN", sign_in, "20", "200", "one network address, where passwords are tried,"),
	{0},
};
