/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_BASE_ID_H
#define BERTH_BASE_ID_H

#include "base/arena.h"

struct uuid {
	uint8_t b[16];
};

#define UUID_TEXT_LEN 36
#define UUID_NIL ((struct uuid){{0}})

/* UUIDv7 (RFC 9562 section 5.7): milliseconds of clock_now, then random bits; monotonic within one thread. */
struct uuid uuid_new(void);
bool uuid_is_nil(const struct uuid *id);
bool uuid_eq(const struct uuid *a, const struct uuid *b);
int uuid_cmp(const struct uuid *a, const struct uuid *b);
/* Lower-case text of exactly 36 characters; NUL is written behind. */
void uuid_format(const struct uuid *id, char text_out[UUID_TEXT_LEN + 1]);
struct str uuid_text(struct arena *arena, const struct uuid *id);
/* Exactly 8-4-4-4-12 hexadecimal digits, either case; else ERR_BAD_FIELD. */
MUST_USE enum err uuid_parse(struct str text, struct uuid *id_out);

/* Fills with random bytes from the kernel (libsodium); never fails. */
void random_bytes(void *out, size_t len);

#endif
