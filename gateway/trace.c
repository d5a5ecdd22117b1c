/* SPDX-License-Identifier: Apache-2.0 */
#include "trace.h"

#include <string.h>

static const char digits[] = "0123456789abcdef";

static void put_hex(char *out, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
}

static bool is_lower_hex(struct str text, bool *zero_out)
{
	*zero_out = true;
	for (size_t i = 0; i < text.len; i++) {
		if (!((text.p[i] >= '0' && text.p[i] <= '9') || (text.p[i] >= 'a' && text.p[i] <= 'f')))
			return false;
		if (text.p[i] != '0')
			*zero_out = false;
	}
	return true;
}

static bool traceparent_ok(struct str value)
{
	bool zero;

	if (value.len != TRACEPARENT_LEN || !str_starts(value, "00-") || value.p[35] != '-' || value.p[52] != '-')
		return false;
	if (!is_lower_hex((struct str){value.p + 3, 32}, &zero) || zero)
		return false;
	if (!is_lower_hex((struct str){value.p + 36, 16}, &zero) || zero)
		return false;
	return is_lower_hex((struct str){value.p + 53, 2}, &zero);
}

void trace_accept(struct exchange *exchange, const struct http_parser *parser)
{
	struct str given = STR_NONE;

	/* A request id is random enough for a trace: its last half has no time in it. */
	if (http_find(parser, "traceparent", &given) == 1 && traceparent_ok(given)) {
		memcpy(exchange->traceparent, given.p, TRACEPARENT_LEN);
	} else {
		memcpy(exchange->traceparent, "00-", 3);
		put_hex(exchange->traceparent + 3, exchange->request_id.b, 16);
		memcpy(exchange->traceparent + 35, "-0000000000000000-00", 20);
	}
	put_hex(exchange->traceparent + 36, exchange->request_id.b + 8, 8);
	exchange->traceparent[TRACEPARENT_LEN] = '\0';
}
