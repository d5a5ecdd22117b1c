/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/log.h"
#include "link/link_frame.h"

/* What is taken lies within the bytes and reads the same when written again; from fewer bytes nothing is taken. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = {(const char *)data, size};

	for (;;) {
		uint8_t header[LINK_HEADER_LEN];
		struct str payload = STR_NONE;
		size_t used = 0;
		uint32_t id = 0;

		if (link_frame_take(rest, &id, &payload, &used) != LINK_FRAME_WHOLE)
			break;
		INVARIANT(used <= rest.len && used == LINK_HEADER_LEN + payload.len);
		INVARIANT(payload.p == rest.p + LINK_HEADER_LEN);
		link_frame_header(id, payload.len, header);
		INVARIANT(memcmp(header, rest.p, sizeof(header)) == 0);
		for (size_t len = 0; len < used; len += 1 + len / 2)
			INVARIANT(link_frame_take((struct str){rest.p, len}, &id, &payload, &used) == LINK_FRAME_MORE);
		rest = (struct str){rest.p + used, rest.len - used};
	}
	(void)link_frame_greeted(true, rest);
	return 0;
}
