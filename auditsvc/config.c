/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <stddef.h>

#define AT(member) offsetof(struct audit_config, member)

const struct config_key config_keys[] = {
	{.key = "BERTH_LOG_SIGNING_KEY_FILE",
		.kind = CONFIG_SECRET,
		.required = true,
		.max = 1024,
		.offset = AT(log_signing_key),
		.help = "hex64: Ed25519 seed that signs the log's heads"},
	{.key = "BERTH_LOG_ORIGIN",
		.kind = CONFIG_STR,
		.offset = AT(log_origin),
		.help = "name of the log in its heads, for ever; default: public host and environment"},
	{.key = "BERTH_AUDIT_CONTENT_DAYS",
		.kind = CONFIG_I64,
		.min = 1,
		.max = 36500,
		.fallback = "365",
		.offset = AT(content_days),
		.help = "days that before and after are kept; default 365"},
	{.key = "BERTH_CHECKPOINT_INTERVAL_MS",
		.kind = CONFIG_I64,
		.min = 10,
		.max = 60000,
		.fallback = "250",
		.offset = AT(checkpoint_ms),
		.help = "least time between two signed heads; default 250"},
	{.key = NULL},
};
