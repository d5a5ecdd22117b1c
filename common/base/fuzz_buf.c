/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/buf.h"

/* The first half of the input drives which getter is called on the second; what is got is written and must be the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	size_t half = len / 2;
	struct str body = {(const char *)data + half, len - half};
	struct reader reader = reader_over(body);
	struct buf buf;
	bool failed = false;

	buf_init(&buf, len + 16);
	for (size_t i = 0; i < half && !reader.failed; i++) {
		size_t before = reader.len;
		struct buf mark = buf;

		switch (data[i] % 7) {
		case 0:
			buf_put_byte(&buf, reader_u8(&reader));
			break;
		case 1:
			buf_put_u16(&buf, reader_u16(&reader));
			break;
		case 2:
			buf_put_u32(&buf, reader_u32(&reader));
			break;
		case 3:
			buf_put_u64(&buf, reader_u64(&reader));
			break;
		case 4:
			buf_put_varint(&buf, reader_varint(&reader));
			break;
		case 5:
			buf_put_str(&buf, reader_bytes(&reader, data[i] / 7));
			break;
		default:
			buf_put_blob(&buf, reader_blob(&reader, data[i]));
			break;
		}
		failed = reader.failed;
		if (failed)
			buf.len = mark.len;
		else if (buf.len - mark.len != before - reader.len)
			abort();
	}
	if (!buf_ok(&buf) || (!failed && !str_eq(buf_str(&buf), (struct str){body.p, body.len - reader.len})))
		abort();
	if (failed && (reader_u8(&reader) != 0 || reader_varint(&reader) != 0 || reader_done(&reader)))
		abort();
	buf_release(&buf);
	return 0;
}
