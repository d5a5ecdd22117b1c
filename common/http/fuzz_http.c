/* SPDX-License-Identifier: Apache-2.0 */
#include "http/test_drive.h"

/* The first byte cuts the rest into pieces; all at once, byte by byte and in those pieces must give the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct drive whole, cut;
	struct str bytes;
	size_t pieces[2];

	if (len == 0)
		return 0;
	bytes = (struct str){(const char *)data + 1, len - 1};
	pieces[0] = 1;
	pieces[1] = 1 + data[0];
	drive_run(&whole, &drive_limits, bytes, len);
	for (size_t i = 0; i < 2; i++) {
		drive_run(&cut, &drive_limits, bytes, pieces[i]);
		if (!str_eq(buf_str(&whole.said), buf_str(&cut.said)) || whole.requests != cut.requests ||
			whole.err != cut.err || whole.incomplete != cut.incomplete || whole.closed != cut.closed)
			abort();
		drive_release(&cut);
	}
	drive_release(&whole);
	return 0;
}
