/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/log.h"
#include "base/trace.h"

/* A traceparent that is taken reads the same when written again; neither of its ids is none. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct trace_place place, again;
	char text[TRACE_TEXT_LEN + 1];

	if (!trace_parse((struct str){(const char *)data, size}, &place))
		return 0;
	INVARIANT(place.span_id != 0);
	trace_format(&place, text);
	INVARIANT(strlen(text) == TRACE_TEXT_LEN && trace_parse(str_from(text), &again));
	INVARIANT(memcmp(place.trace_id, again.trace_id, sizeof(place.trace_id)) == 0);
	INVARIANT(place.span_id == again.span_id && place.sampled == again.sampled);
	return 0;
}
