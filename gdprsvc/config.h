/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GDPRSVC_CONFIG_H
#define BERTH_GDPRSVC_CONFIG_H

#include "base/config.h"

struct gdprsvc_config {
	int64_t retention_interval_s;
};

extern const struct config_key gdprsvc_config_keys[];

#endif
