/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <stddef.h>

const struct config_key gdprsvc_config_keys[] = {
	{.key = "BERTH_RETENTION_INTERVAL_S",
		.kind = CONFIG_I64,
		.min = 1,
		.max = 7 * 86400,
		.fallback = "3600",
		.offset = offsetof(struct gdprsvc_config, retention_interval_s),
		.help = "seconds between two retention sweeps of a service; default 3600"},
	{0},
};
