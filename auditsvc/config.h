/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUDITSVC_CONFIG_H
#define BERTH_AUDITSVC_CONFIG_H

#include "base/config.h"

/* What auditsvc is told beyond what every process is. */
struct audit_config {
	struct secret *log_signing_key;
	const char *log_origin;
	int64_t content_days;
	int64_t checkpoint_ms;
};

extern const struct config_key config_keys[];

#endif
