/* SPDX-License-Identifier: Apache-2.0 */
#include "token/claims.h"

bool claims_seconds(const struct json *claims, const char *name, instant_us *at_out)
{
	const struct json *value = json_get(claims, name);
	int64_t seconds;

	if (value == NULL || value->kind != JSON_NUMBER || json_to_i64(value, &seconds) != OK || seconds < 0 ||
		seconds > INSTANT_MAX / US_PER_S)
		return false;
	*at_out = seconds * US_PER_S;
	return true;
}
