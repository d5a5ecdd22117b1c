/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"

/* PIPE_BUF on Linux: a write of at most this many bytes to a pipe is not torn apart by another's. */
#define LOG_LINE_MAX 4096
/* Kept free for the note that a field was left out and for the end of the line. */
#define LOG_TAIL_LEN 32

static const char *log_service = "";
static enum log_level log_least = LOG_INFO;

static _Thread_local struct uuid log_request;

void log_init(const char *service, enum log_level least)
{
	log_service = service;
	log_least = least;
}

void log_set_request(const struct uuid *request_id)
{
	log_request = request_id != NULL ? *request_id : UUID_NIL;
}

static void put_uuid(struct json_writer *w, const struct uuid *id)
{
	char text[UUID_TEXT_LEN + 1];

	if (id == NULL) {
		json_put_null(w);
		return;
	}
	uuid_format(id, text);
	json_put_str(w, (struct str){text, UUID_TEXT_LEN});
}

static void put_cut(struct json_writer *w, struct str s)
{
	if (s.p == NULL) {
		json_put_null(w);
		return;
	}
	if (s.len > LOG_VALUE_MAX) {
		s.len = LOG_VALUE_MAX;
		/* Not in the middle of a character. */
		while (s.len > LOG_VALUE_MAX - 3 && ((unsigned char)s.p[s.len] & 0xc0) == 0x80)
			s.len--;
	}
	json_put_str(w, s);
}

static void put_field(struct json_writer *w, const struct log_field *field)
{
	json_key(w, field->key);
	switch (field->kind) {
	case LOG_FIELD_C:
		put_cut(w, str_from(field->c));
		break;
	case LOG_FIELD_STR:
		put_cut(w, field->s);
		break;
	case LOG_FIELD_I64:
		json_put_i64(w, field->i);
		break;
	case LOG_FIELD_UUID:
		put_uuid(w, field->id);
		break;
	}
}

/* A field that does not fit is left out whole and the line says so: half a line would not be JSON. */
static void put_fields(struct json_writer *w, const struct log_field *fields)
{
	struct buf *buf = w->buf;

	for (; fields != NULL && fields->key != NULL; fields++) {
		struct json_writer mark = *w;
		size_t len = buf->len;

		put_field(w, fields);
		if (buf_ok(buf) && buf->room - buf->len >= LOG_TAIL_LEN)
			continue;
		buf->len = len;
		buf->failed = false;
		*w = mark;
		json_key(w, "cut");
		json_put_bool(w, true);
		return;
	}
}

static void write_line(const char *p, size_t len)
{
	int saved = errno;

	while (len > 0) {
		ssize_t written = write(STDERR_FILENO, p, len);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			break; /* nowhere left to report it */
		p += written;
		len -= (size_t)written;
	}
	errno = saved;
}

void log_write(enum log_level level, const char *event, const struct log_field *fields)
{
	static const char *const levels[] = {"debug", "info", "warn", "error"};
	char line[LOG_LINE_MAX];
	char at[INSTANT_TEXT_MAX];
	/* Room equals cap, so the buffer never reallocates: logging needs no heap. */
	struct buf buf = {.p = line, .room = sizeof(line), .cap = sizeof(line)};
	struct json_writer w = json_writer_over(&buf);

	if (level < log_least)
		return;
	instant_format(clock_now_us(), at);
	json_begin_object(&w);
	json_key(&w, "at");
	json_put_c(&w, at);
	json_key(&w, "level");
	json_put_c(&w, levels[level & 3]);
	json_key(&w, "service");
	put_cut(&w, str_from(log_service));
	json_key(&w, "event");
	put_cut(&w, str_from(event));
	if (!uuid_is_nil(&log_request)) {
		json_key(&w, "request_id");
		put_uuid(&w, &log_request);
	}
	put_fields(&w, fields);
	json_end_object(&w);
	buf_put_byte(&buf, '\n');
	write_line(line, buf.len);
}

void log_abort(const char *invariant, const char *file, int line)
{
	log_event(
		LOG_ERROR, "invariant_broken", LOG_C("invariant", invariant), LOG_C("file", file), LOG_I("line", line));
	abort();
}
