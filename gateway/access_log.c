/* SPDX-License-Identifier: Apache-2.0 */
#include "access_log.h"

#include <errno.h>
#include <unistd.h>

#include "loop.h"

void access_log_put(struct buf *log, const struct exchange *exchange, const struct head *head, size_t body_len,
	uint64_t duration_us)
{
	char at[INSTANT_TEXT_MAX], id[UUID_TEXT_LEN + 1];

	instant_format(exchange->loop->wall_us, at);
	uuid_format(&exchange->request_id, id);
	buf_put_c(log, "{\"at\":\"");
	buf_put_c(log, at);
	buf_put_c(log, "\",\"level\":\"info\",\"service\":\"gateway\",\"event\":\"request\",\"request_id\":\"");
	buf_put(log, id, UUID_TEXT_LEN);
	buf_put_c(log, "\",\"operation\":\"");
	buf_put_c(log, exchange->operation != NULL ? exchange->operation->name : "none");
	buf_printf(log, "\",\"status\":%d,\"code\":\"%s\",\"duration_us\":%llu,\"bytes\":%zu}\n", head->status,
		err_code(head->err), (unsigned long long)duration_us, body_len);
}

/* A log that cannot be written must not stop the edge; what does not fit a full pipe is dropped, whole lines first. */
void access_log_flush(struct buf *log)
{
	size_t written = 0;

	while (written < log->len) {
		const ssize_t got = write(STDERR_FILENO, log->p + written, log->len - written);

		if (got > 0)
			written += (size_t)got;
		else if (got < 0 && errno != EINTR)
			break;
	}
	buf_reset(log);
}
