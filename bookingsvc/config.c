/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

const struct config_key config_keys[] = {
	{.key = "BERTH_BOOKING_RETENTION_DAYS",
		.kind = CONFIG_I64,
		.help = "days after its end until a stay is made anonymous (default 180)",
		.min = 1,
		.max = 3650,
		.fallback = "180",
		.offset = offsetof(struct config, retention_days)},
	{0},
};
