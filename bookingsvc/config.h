/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_BOOKINGSVC_CONFIG_H
#define BERTH_BOOKINGSVC_CONFIG_H

#include "base/config.h"

struct config {
	int64_t retention_days; /* stays are made anonymous so many days after they ended */
};

extern const struct config_key config_keys[];

#endif
