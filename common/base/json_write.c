/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <string.h>

struct json_writer json_writer_over(struct buf *buf)
{
	return (struct json_writer){.buf = buf};
}

static void put_comma(struct json_writer *w)
{
	if (w->comma)
		buf_put_byte(w->buf, ',');
	w->comma = true;
}

static void put_value(struct json_writer *w)
{
	put_comma(w);
	w->values++;
}

static void begin(struct json_writer *w, uint8_t open)
{
	put_value(w);
	buf_put_byte(w->buf, open);
	w->comma = false;
}

static void end(struct json_writer *w, uint8_t close)
{
	buf_put_byte(w->buf, close);
	w->comma = true;
}

void json_begin_object(struct json_writer *w)
{
	begin(w, '{');
}

void json_end_object(struct json_writer *w)
{
	end(w, '}');
}

void json_begin_array(struct json_writer *w)
{
	begin(w, '[');
}

void json_end_array(struct json_writer *w)
{
	end(w, ']');
}

/* Whether all eight bytes go out as they are: printable ASCII but quote and backslash. */
static bool word_is_plain(const unsigned char *p)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	const uint64_t highs = UINT64_C(0x8080808080808080);
	uint64_t word, quote, slash, del;

	memcpy(&word, p, sizeof(word));
	quote = word ^ ones * '"';
	slash = word ^ ones * '\\';
	del = word ^ ones * 0x7f;
	return ((word | ((quote - ones) & ~quote) | ((slash - ones) & ~slash) | ((del - ones) & ~del) |
			(word - ones * 0x20)) &
		       highs) == 0;
}

/* Bytes from p on that go out as they are. Eight at a time; the last eight may overlap those before. */
static size_t plain_len(const unsigned char *p, size_t len)
{
	size_t at = 0;

	while (len - at >= sizeof(uint64_t) && word_is_plain(p + at))
		at += sizeof(uint64_t);
	if (len >= sizeof(uint64_t) && len - at < sizeof(uint64_t) && word_is_plain(p + len - sizeof(uint64_t)))
		return len;
	while (at < len && p[at] >= 0x20 && p[at] < 0x7f && p[at] != '"' && p[at] != '\\')
		at++;
	return at;
}

static void put_u_escape(struct buf *buf, unsigned byte)
{
	static const char digits[] = "0123456789abcdef";
	char text[6] = {'\\', 'u', '0', '0', digits[byte >> 4 & 15], digits[byte & 15]};

	buf_put(buf, text, sizeof(text));
}

static void put_ascii_escape(struct buf *buf, unsigned char c)
{
	static const char from[] = "\"\\\b\f\n\r\t";
	static const char to[] = "\"\\bfnrt";
	const char *at = c == '\0' ? NULL : strchr(from, c);

	if (at == NULL) {
		put_u_escape(buf, c);
		return;
	}
	buf_put_byte(buf, '\\');
	buf_put_byte(buf, (uint8_t)to[at - from]);
}

/* One character above ASCII; a byte that begins none becomes U+FFFD. Gives the number of bytes eaten. */
static size_t put_high(struct buf *buf, const unsigned char *p, size_t len)
{
	size_t step = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;

	if (len < step || str_utf8_len((struct str){(const char *)p, step}) != step) {
		buf_put_str(buf, STR("\xef\xbf\xbd"));
		return 1;
	}
	/* C1 controls steer terminals as the C0 ones do. */
	if (p[0] == 0xc2 && p[1] < 0xa0)
		put_u_escape(buf, p[1]);
	else
		buf_put(buf, p, step);
	return step;
}

static void put_escaped(struct buf *buf, struct str s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	size_t at = 0;

	buf_put_byte(buf, '"');
	while (at < s.len) {
		size_t len = plain_len(p + at, s.len - at);

		buf_put(buf, p + at, len);
		at += len;
		if (at == s.len)
			break;
		if (p[at] < 0x80)
			put_ascii_escape(buf, p[at++]);
		else
			at += put_high(buf, p + at, s.len - at);
	}
	buf_put_byte(buf, '"');
}

/* What needs no escape, as nearly all does, is written at one go with its comma and quotes. */
static void put_quoted(struct json_writer *w, struct str s)
{
	size_t at = 0;
	char *p;

	if (plain_len((const unsigned char *)s.p, s.len) < s.len) {
		put_comma(w);
		put_escaped(w->buf, s);
		return;
	}
	if ((p = buf_reserve(w->buf, s.len + (w->comma ? 3 : 2))) != NULL) {
		if (w->comma)
			p[at++] = ',';
		p[at++] = '"';
		if (s.len > 0)
			memcpy(p + at, s.p, s.len);
		at += s.len;
		p[at++] = '"';
		buf_commit(w->buf, at);
	}
	w->comma = true;
}

void json_key(struct json_writer *w, const char *key)
{
	put_quoted(w, str_from(key));
	buf_put_byte(w->buf, ':');
	w->comma = false;
}

void json_put_str(struct json_writer *w, struct str s)
{
	w->values++;
	put_quoted(w, s);
}

void json_put_c(struct json_writer *w, const char *cstr)
{
	json_put_str(w, str_from(cstr));
}

void json_put_i64(struct json_writer *w, int64_t value)
{
	uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	char text[20];
	size_t at = sizeof(text);

	do {
		text[--at] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest > 0);
	if (value < 0)
		text[--at] = '-';
	put_value(w);
	buf_put(w->buf, text + at, sizeof(text) - at);
}

void json_put_bool(struct json_writer *w, bool value)
{
	put_value(w);
	buf_put_str(w->buf, value ? STR("true") : STR("false"));
}

void json_put_null(struct json_writer *w)
{
	put_value(w);
	buf_put_str(w->buf, STR("null"));
}

/* Never fewer than there are: each but the first stands behind a comma or an opening. Those in strings count too. */
static size_t values_of(struct str json)
{
	size_t count = 0;

	for (size_t i = 0; i < json.len; i++)
		count += json.p[i] == ',' || json.p[i] == '[' || json.p[i] == '{';
	return count;
}

void json_put_raw(struct json_writer *w, struct str json)
{
	put_value(w);
	w->values += values_of(json);
	buf_put_str(w->buf, json);
}
