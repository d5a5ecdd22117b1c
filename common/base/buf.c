/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUF_FIRST_ROOM 256

void buf_init(struct buf *buf, size_t cap_bytes)
{
	*buf = (struct buf){.cap = cap_bytes};
}

/* What passed through may have been a secret. No byte beyond len has ever held one: see buf_consume and buf_grow. */
static void buf_wipe(struct buf *buf)
{
	if (buf->len > 0)
		sodium_memzero(buf->p, buf->len);
}

void buf_release(struct buf *buf)
{
	buf_wipe(buf);
	free(buf->p);
	*buf = (struct buf){.cap = buf->cap};
}

void buf_reset(struct buf *buf)
{
	buf_wipe(buf);
	buf->len = 0;
	buf->failed = false;
}

bool buf_ok(const struct buf *buf)
{
	return !buf->failed;
}

struct str buf_str(const struct buf *buf)
{
	return (struct str){buf->p != NULL ? buf->p : "", buf->len};
}

static bool buf_grow(struct buf *buf, size_t len)
{
	size_t room = buf->room < BUF_FIRST_ROOM ? BUF_FIRST_ROOM : buf->room;
	char *p;

	if (buf->failed || len > buf->cap - buf->len)
		return false;
	while (room - buf->len < len)
		room = room > buf->cap / 2 ? buf->cap : room * 2;
	if (room > buf->cap)
		room = buf->cap;
	/* Not realloc, which would leave the bytes behind where they stood. */
	if ((p = malloc(room)) == NULL)
		return false;
	if (buf->p != NULL)
		memcpy(p, buf->p, buf->len);
	buf_wipe(buf);
	free(buf->p);
	buf->p = p;
	buf->room = room;
	return true;
}

/* Apart from buf_reserve, which is small enough then to be part of who calls it. */
static __attribute__((noinline, cold)) char *reserve_more(struct buf *buf, size_t len)
{
	if (!buf->failed && !buf_grow(buf, len))
		buf->failed = true;
	return buf->failed ? NULL : buf->p + buf->len;
}

char *buf_reserve(struct buf *buf, size_t len)
{
	/* An empty buffer grows even for nothing: the result must be a pointer. */
	if (buf->failed || buf->p == NULL || buf->room - buf->len < len)
		return reserve_more(buf, len);
	return buf->p + buf->len;
}

void buf_commit(struct buf *buf, size_t len)
{
	if (len > buf->room - buf->len)
		abort(); /* the caller wrote past what it reserved */
	buf->len += len;
}

void buf_put(struct buf *buf, const void *bytes, size_t len)
{
	char *p;

	if (len == 0 || (p = buf_reserve(buf, len)) == NULL)
		return;
	memcpy(p, bytes, len);
	buf->len += len;
}

void buf_put_str(struct buf *buf, struct str s)
{
	buf_put(buf, s.p, s.len);
}

void buf_put_c(struct buf *buf, const char *cstr)
{
	buf_put(buf, cstr, strlen(cstr));
}

void buf_put_byte(struct buf *buf, uint8_t byte)
{
	char *p = buf_reserve(buf, 1);

	if (p == NULL)
		return;
	*p = (char)byte;
	buf->len++;
}

void buf_printf(struct buf *buf, const char *fmt, ...)
{
	char *large = NULL;
	char small[512];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(small, sizeof(small), fmt, args);
	va_end(args);
	if (len >= 0 && (size_t)len < sizeof(small)) {
		buf_put(buf, small, (size_t)len);
		return;
	}
	va_start(args, fmt);
	len = vasprintf(&large, fmt, args);
	va_end(args);
	if (len < 0) {
		buf->failed = true;
		return;
	}
	buf_put(buf, large, (size_t)len);
	sodium_memzero(large, (size_t)len);
	free(large);
}

void buf_consume(struct buf *buf, size_t len)
{
	if (len > buf->len)
		len = buf->len;
	if (len == 0)
		return;
	buf->len -= len;
	if (buf->len > 0)
		memmove(buf->p, buf->p + len, buf->len);
	sodium_memzero(buf->p + buf->len, len);
}

void buf_truncate(struct buf *buf, size_t len)
{
	if (len >= buf->len)
		return;
	sodium_memzero(buf->p + len, buf->len - len);
	buf->len = len;
}

void buf_put_u16(struct buf *buf, uint16_t value)
{
	uint8_t bytes[2] = {(uint8_t)(value >> 8), (uint8_t)value};

	buf_put(buf, bytes, sizeof(bytes));
}

void buf_put_u32(struct buf *buf, uint32_t value)
{
	uint32_t big = __builtin_bswap32(value);

	_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "written for little-endian machines");
	buf_put(buf, &big, sizeof(big));
}

void buf_put_u64(struct buf *buf, uint64_t value)
{
	uint64_t big = __builtin_bswap64(value);

	buf_put(buf, &big, sizeof(big));
}

void buf_put_varint(struct buf *buf, uint64_t value)
{
	uint8_t bytes[10];
	size_t len = 0;

	while (value >= 0x80) {
		bytes[len++] = (uint8_t)(value | 0x80);
		value >>= 7;
	}
	bytes[len++] = (uint8_t)value;
	buf_put(buf, bytes, len);
}

void buf_put_blob(struct buf *buf, struct str s)
{
	buf_put_varint(buf, s.len);
	buf_put(buf, s.p, s.len);
}

struct reader reader_over(struct str s)
{
	return (struct reader){.p = (const uint8_t *)(s.p != NULL ? s.p : ""), .len = s.len};
}

/* The next len bytes, or NULL for good. */
static const uint8_t *reader_next(struct reader *reader, size_t len)
{
	const uint8_t *p = reader->p;

	if (reader->failed || len > reader->len) {
		reader->failed = true;
		return NULL;
	}
	reader->p += len;
	reader->len -= len;
	return p;
}

uint8_t reader_u8(struct reader *reader)
{
	const uint8_t *p = reader_next(reader, 1);

	return p == NULL ? 0 : *p;
}

uint16_t reader_u16(struct reader *reader)
{
	const uint8_t *p = reader_next(reader, 2);

	return (uint16_t)(p == NULL ? 0 : p[0] << 8 | p[1]);
}

uint32_t reader_u32(struct reader *reader)
{
	const uint8_t *p = reader_next(reader, 4);
	uint32_t big;

	if (p == NULL)
		return 0;
	memcpy(&big, p, sizeof(big));
	return __builtin_bswap32(big);
}

uint64_t reader_u64(struct reader *reader)
{
	const uint8_t *p = reader_next(reader, 8);
	uint64_t big;

	if (p == NULL)
		return 0;
	memcpy(&big, p, sizeof(big));
	return __builtin_bswap64(big);
}

uint64_t reader_varint(struct reader *reader)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t byte = reader_u8(reader);

		if (reader->failed)
			return 0;
		/* The tenth byte holds one bit; a last byte of zero would be a longer form of the same number. */
		if ((shift == 63 && byte > 1) || (shift > 0 && byte == 0))
			break;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return value;
	}
	reader->failed = true;
	return 0;
}

struct str reader_bytes(struct reader *reader, size_t len)
{
	const uint8_t *p = reader_next(reader, len);

	return p == NULL ? STR_NONE : (struct str){(const char *)p, len};
}

struct str reader_blob(struct reader *reader, size_t max_len)
{
	uint64_t len = reader_varint(reader);

	if (len > max_len)
		reader->failed = true;
	return reader_bytes(reader, (size_t)len);
}

bool reader_done(const struct reader *reader)
{
	return !reader->failed && reader->len == 0;
}
