/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/buf.h"

/* Gets one value as `how` says and writes it again. */
static void copy_one(struct reader *reader, struct buf *buf, uint8_t how)
{
	switch (how % 7) {
	case 0:
		buf_put_byte(buf, reader_u8(reader));
		break;
	case 1:
		buf_put_u16(buf, reader_u16(reader));
		break;
	case 2:
		buf_put_u32(buf, reader_u32(reader));
		break;
	case 3:
		buf_put_u64(buf, reader_u64(reader));
		break;
	case 4:
		buf_put_varint(buf, reader_varint(reader));
		break;
	case 5:
		buf_put_str(buf, reader_bytes(reader, how / 7));
		break;
	default:
		buf_put_blob(buf, reader_blob(reader, how));
		break;
	}
}

/* The first half of the input says which getters are called on the second; what is got and written must be the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	size_t half = len / 2;
	struct str body = {(const char *)data + half, len - half};
	struct reader reader = reader_over(body);
	size_t good_len = 0;
	struct buf buf;

	buf_init(&buf, len + 16);
	for (size_t i = 0; i < half && !reader.failed; i++) {
		copy_one(&reader, &buf, data[i]);
		if (!reader.failed)
			good_len = body.len - reader.len;
	}
	/* What was written for the getter that failed stands behind and does not count. */
	if (!buf_ok(&buf) || buf.len < good_len ||
		!str_eq((struct str){buf_str(&buf).p, good_len}, (struct str){body.p, good_len}))
		abort();
	if (!reader.failed && buf.len != good_len)
		abort();
	if (reader.failed && (reader_u8(&reader) != 0 || reader_varint(&reader) != 0 || reader_done(&reader)))
		abort();
	buf_release(&buf);
	return 0;
}
