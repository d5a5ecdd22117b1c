/* SPDX-License-Identifier: Apache-2.0 */
#include "test_h2_drive.h"

#define FRAME_HEAD_LEN 9

/* Whatever came in, what goes out is whole frames no larger than may be, on streams that a client opens. */
static void check_frames(struct str said)
{
	while (said.len > 0) {
		const uint8_t *head = (const uint8_t *)said.p;
		size_t len;

		if (said.len < FRAME_HEAD_LEN)
			abort();
		len = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
		if (len > H2_FRAME_MAX || said.len < FRAME_HEAD_LEN + len)
			abort();
		if ((head[8] & 1) == 0 && (head[5] | head[6] | head[7] | head[8]) != 0)
			abort();
		said.p += FRAME_HEAD_LEN + len;
		said.len -= FRAME_HEAD_LEN + len;
	}
}

static void check_counts(const struct h2 *h2)
{
	if (h2->work > H2_STREAMS_MAX || h2->stream_count > 2 * H2_STREAMS_MAX)
		abort();
	if (h2->stream_count == 0 && (h2->content_held != 0 || h2->answers_held != 0 || h2->work != 0))
		abort();
}

/* The first byte cuts what follows the preface into pieces, between which its low bit lets seconds pass. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct drive *drive;
	size_t piece;

	if (len == 0)
		return 0;
	if (drive == NULL)
		drive = drive_new();
	piece = 1 + (size_t)data[0] * data[0];
	drive_open(drive);
	drive_feed(drive, DRIVE_PREFACE, DRIVE_PREFACE_LEN);
	for (size_t at = 1; at < len && drive->conn->state == CONN_OPEN; at += piece) {
		drive_feed(drive, data + at, len - at < piece ? len - at : piece);
		if (drive->conn->state == CONN_OPEN)
			check_counts(drive->conn->h2);
		if ((data[0] & 1) == 0 || drive->conn->state != CONN_OPEN)
			continue;
		drive->loop.now_us += 3 * US_PER_S;
		h2_look(drive->conn->h2);
		drive_take(drive);
	}
	if (buf_ok(&drive->said))
		check_frames(buf_str(&drive->said));
	drive_close(drive);
	return 0;
}
