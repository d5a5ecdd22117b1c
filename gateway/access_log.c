/* SPDX-License-Identifier: Apache-2.0 */
#include "access_log.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/wait.h"
#include "edge_limits.h"
#include "loop.h"

#define LINE_MAX_LEN 512
#define PIPE_STEP 4096 /* what a pipe that is writable takes without blocking: PIPE_BUF */
#define GIVE_UP_MS 200 /* a pipe that takes nothing, when the process ends */

struct access_writer {
	pthread_t thread;
	struct wait_stop stop;
	struct access_log *logs[EDGE_LOOPS_MAX];
	size_t count;
	struct buf taken;
	int fd;
	size_t step; /* bytes a write */
};

void access_log_init(struct access_log *log)
{
	pthread_mutex_init(&log->lock, NULL);
	buf_init(&log->lines, ACCESS_LOG_CAP);
	log->dropped = 0;
}

void access_log_release(struct access_log *log)
{
	buf_release(&log->lines);
	pthread_mutex_destroy(&log->lock);
}

struct line {
	char text[LINE_MAX_LEN];
	size_t len;
};

static void line_put(struct line *line, const char *text, size_t len)
{
	if (len > sizeof line->text - line->len)
		len = sizeof line->text - line->len;
	memcpy(line->text + line->len, text, len);
	line->len += len;
}

static void line_put_c(struct line *line, const char *text)
{
	line_put(line, text, strlen(text));
}

static void line_put_u64(struct line *line, uint64_t value)
{
	char digits[20];
	size_t at = sizeof digits;

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	line_put(line, digits + at, sizeof digits - at);
}

void access_log_put(struct access_log *log, const struct exchange *exchange, const struct head *head, size_t body_len,
	uint64_t duration_us)
{
	char at[INSTANT_TEXT_MAX], id[UUID_TEXT_LEN + 1];
	struct line line = {.len = 0};

	instant_format(exchange->loop->wall_us, at);
	uuid_format(&exchange->request_id, id);
	line_put_c(&line, "{\"at\":\"");
	line_put_c(&line, at);
	line_put_c(&line, "\",\"level\":\"info\",\"service\":\"gateway\",\"event\":\"request\",\"request_id\":\"");
	line_put(&line, id, UUID_TEXT_LEN);
	line_put_c(&line, "\",\"operation\":\"");
	line_put_c(&line, exchange->operation != NULL ? exchange->operation->name : "none");
	line_put_c(&line, "\",\"status\":");
	line_put_u64(&line, (uint64_t)head->status);
	line_put_c(&line, ",\"code\":\"");
	line_put_c(&line, err_code(head->err));
	if (exchange->fault != NULL) {
		line_put_c(&line, "\",\"reason\":\"");
		line_put_c(&line, exchange->fault);
	}
	line_put_c(&line, "\",\"duration_us\":");
	line_put_u64(&line, duration_us);
	line_put_c(&line, ",\"bytes\":");
	line_put_u64(&line, body_len);
	line_put_c(&line, "}\n");
	pthread_mutex_lock(&log->lock);
	buf_put(&log->lines, line.text, line.len);
	if (!buf_ok(&log->lines)) {
		log->lines.failed = false;
		__atomic_store_n(&log->dropped, log->dropped + 1, __ATOMIC_RELAXED);
	}
	pthread_mutex_unlock(&log->lock);
}

/* Waits as long as it takes, but not when the process ends. */
static bool writer_may_write(struct access_writer *writer)
{
	struct pollfd ready = {.fd = writer->fd, .events = POLLOUT};

	do {
		const int count = poll(&ready, 1, GIVE_UP_MS);

		if (count > 0)
			return true;
		if (count < 0 && errno != EINTR)
			return false;
	} while (!wait_stop_told(&writer->stop));
	return false;
}

static void writer_write(struct access_writer *writer, struct str bytes)
{
	while (bytes.len > 0 && writer_may_write(writer)) {
		const size_t step = bytes.len < writer->step ? bytes.len : writer->step;
		const ssize_t put = write(writer->fd, bytes.p, step);

		if (put < 0 && errno != EINTR)
			return; /* nowhere left to report it */
		if (put > 0)
			bytes = (struct str){bytes.p + put, bytes.len - (size_t)put};
	}
}

/* The buffers change places, so that a loop never waits for a write. */
static void writer_round(struct access_writer *writer)
{
	for (size_t i = 0; i < writer->count; i++) {
		struct access_log *log = writer->logs[i];
		struct buf full;

		pthread_mutex_lock(&log->lock);
		full = log->lines;
		log->lines = writer->taken;
		pthread_mutex_unlock(&log->lock);
		writer_write(writer, buf_str(&full));
		buf_reset(&full);
		writer->taken = full;
	}
}

static void *writer_main(void *arg)
{
	struct access_writer *writer = arg;
	bool stopping;

	do {
		stopping = wait_stop_for(&writer->stop, ACCESS_LOG_EVERY_MS * US_PER_MS);
		writer_round(writer);
	} while (!stopping);
	return NULL;
}

enum err access_writer_start(struct access_log **logs, size_t count, int fd, struct access_writer **writer_out)
{
	struct access_writer *writer = calloc(1, sizeof *writer);
	struct stat status;

	if (writer == NULL)
		return ERR_OVERLOADED;
	INVARIANT(count <= EDGE_LOOPS_MAX);
	for (size_t i = 0; i < count; i++)
		writer->logs[i] = logs[i];
	writer->count = count;
	writer->fd = fd;
	writer->step = fstat(fd, &status) == 0 && S_ISREG(status.st_mode) ? ACCESS_LOG_CAP : PIPE_STEP;
	buf_init(&writer->taken, ACCESS_LOG_CAP);
	wait_stop_init(&writer->stop);
	if (pthread_create(&writer->thread, NULL, writer_main, writer) != 0) {
		free(writer);
		return ERR_OVERLOADED;
	}
	*writer_out = writer;
	return OK;
}

void access_writer_free(struct access_writer **writer)
{
	struct access_writer *dying = *writer;

	if (dying == NULL)
		return;
	wait_stop_tell(&dying->stop);
	pthread_join(dying->thread, NULL);
	buf_release(&dying->taken);
	wait_stop_release(&dying->stop);
	free(dying);
	*writer = NULL;
}
