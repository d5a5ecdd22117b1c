/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_TOKEN_CLAIMS_H
#define BERTH_TOKEN_CLAIMS_H

#include "base/clock.h"
#include "base/json.h"

/* Claims that every kind of token has. */

/* NumericDate (RFC 7519 section 2), whole seconds; false when it is missing or none. */
bool claims_seconds(const struct json *claims, const char *name, instant_us *at_out);

#endif
