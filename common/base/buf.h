/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_BASE_BUF_H
#define BERTH_BASE_BUF_H

#include "base/str.h"

/*
 * A growing byte buffer with a cap. Appending past the cap, or without memory, sets `failed` and drops the bytes: write
 * everything, then check once with buf_ok. *Owns* its heap storage, and wipes what it lets go.
 */
struct buf {
	char *p;
	size_t len;
	size_t room;
	size_t cap;
	bool failed;
};

void buf_init(struct buf *buf, size_t cap_bytes);
void buf_release(struct buf *buf);
void buf_reset(struct buf *buf); /* empties, keeps storage, clears failed */
bool buf_ok(const struct buf *buf);
struct str buf_str(const struct buf *buf); /* borrows until the next append */
void buf_put(struct buf *buf, const void *bytes, size_t len);
void buf_put_str(struct buf *buf, struct str s);
void buf_put_c(struct buf *buf, const char *cstr);
void buf_put_byte(struct buf *buf, uint8_t byte);
void buf_printf(struct buf *buf, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_consume(struct buf *buf, size_t len);  /* drops the first len bytes */
void buf_truncate(struct buf *buf, size_t len); /* keeps the first len bytes */
/*
 * At least `len` writable bytes at buf->p + buf->len, or NULL (failed is set); buf_commit says how many were written.
 */
char *buf_reserve(struct buf *buf, size_t len);
void buf_commit(struct buf *buf, size_t len);

/* Big-endian fixed integers and LEB128 varints, for the binary codecs. */
void buf_put_u16(struct buf *buf, uint16_t value);
void buf_put_u32(struct buf *buf, uint32_t value);
void buf_put_u64(struct buf *buf, uint64_t value);
void buf_put_varint(struct buf *buf, uint64_t value);
void buf_put_blob(struct buf *buf, struct str s); /* varint length, bytes */

/* Reads hostile bytes: every getter checks; after the first failure all give zero and `failed` stays. */
struct reader {
	const uint8_t *p;
	size_t len;
	bool failed;
};

struct reader reader_over(struct str s);
uint8_t reader_u8(struct reader *reader);
uint16_t reader_u16(struct reader *reader);
uint32_t reader_u32(struct reader *reader);
uint64_t reader_u64(struct reader *reader);
uint64_t reader_varint(struct reader *reader);                 /* shortest form only */
struct str reader_bytes(struct reader *reader, size_t len);    /* borrows */
struct str reader_blob(struct reader *reader, size_t max_len); /* borrows */
bool reader_done(const struct reader *reader);                 /* all consumed and nothing failed */

#endif
