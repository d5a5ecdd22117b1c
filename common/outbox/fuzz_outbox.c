/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "outbox/outbox_private.h"

/* A payload is decoded within its bounds, and what decodes is what encoding gives. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str plain = {(const char *)data, size};
	struct str before, after;
	struct buf buf;

	if (outbox_payload_decode(plain, &before, &after) != OK)
		return 0;
	buf_init(&buf, 2 * OUTBOX_DOC_MAX + 64);
	outbox_payload_encode(&buf, before, after);
	if (!buf_ok(&buf) || !str_eq(buf_str(&buf), plain))
		abort();
	buf_release(&buf);
	return 0;
}
