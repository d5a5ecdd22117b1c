/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_BREACHED_H
#define BERTH_AUTHSVC_BREACHED_H

#include "base/err.h"
#include "base/str.h"

/*
 * A list of passwords that others know, as a Bloom filter over their SHA-1, which is what the large lists hold: it
 * misses none that is listed, and takes one in a hundred thousand others for one that is. The file is a head of
 * BREACHED_HEAD bytes (magic, bits, entries, hashes, a BLAKE2b-256 over that and the rest), then the bits. Once open
 * it never changes; any thread may ask.
 */
#define BREACHED_HEAD 64
#define BREACHED_SUMMED 32 /* of the head, before its sum */
#define BREACHED_SUM 32
#define BREACHED_BITS_MAX (1ULL << 37) /* 16 GiB */
#define BREACHED_HASHES_MAX 32
#define BREACHED_SHA1 20

struct breached {
	const uint8_t *bits; /* NULL: holds nothing */
	uint64_t bit_count, entries;
	unsigned hashes;
	void *map; /* of a file */
	size_t map_len;
};

/* Borrows the bytes. *reason_out says why not: ERR_BAD_FIELD. */
MUST_USE enum err breached_over(struct str bytes, struct breached *breached_out, const char **reason_out);
/* Maps the file, read-only. Gives: breached_release. */
MUST_USE enum err breached_open(const char *path, struct breached *breached_out, const char **reason_out);
void breached_release(struct breached *breached);
/*
 * Whether the password is listed as it is, in lower case, or with nothing left of it but letters and digits, with and
 * without digits at its end.
 */
bool breached_has(const struct breached *breached, struct str password);
bool breached_has_sha1(const struct breached *breached, const uint8_t sha1[BREACHED_SHA1]);

/* What the head says, and where the i-th bit of an entry is: for who writes the file. */
void breached_head_put(const struct breached *breached, uint8_t head_out[BREACHED_HEAD]);
uint64_t breached_bit(const struct breached *breached, const uint8_t sha1[BREACHED_SHA1], unsigned i);

#endif
