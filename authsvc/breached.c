/* SPDX-License-Identifier: Apache-2.0 */
#include "breached.h"

#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/encode.h"

#define FOLDED_MAX 1024 /* as long as a password */

static const uint8_t magic[8] = "BERTHPW1";

static void put_le(uint8_t *out, uint64_t value)
{
	for (size_t i = 0; i < 8; i++)
		out[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t get_le(const uint8_t *in)
{
	uint64_t value = 0;

	for (size_t i = 8; i-- > 0;)
		value = value << 8 | in[i];
	return value;
}

static void sum_of(const struct breached *breached, const uint8_t *head, uint8_t sum_out[BREACHED_SUM])
{
	crypto_generichash_blake2b_state state;

	(void)crypto_generichash_blake2b_init(&state, NULL, 0, BREACHED_SUM);
	(void)crypto_generichash_blake2b_update(&state, head, BREACHED_SUMMED);
	(void)crypto_generichash_blake2b_update(&state, breached->bits, breached->bit_count / 8);
	(void)crypto_generichash_blake2b_final(&state, sum_out, BREACHED_SUM);
}

void breached_head_put(const struct breached *breached, uint8_t head_out[BREACHED_HEAD])
{
	memcpy(head_out, magic, sizeof(magic));
	put_le(head_out + 8, breached->bit_count);
	put_le(head_out + 16, breached->entries);
	put_le(head_out + 24, breached->hashes);
	sum_of(breached, head_out, head_out + BREACHED_SUMMED);
}

enum err breached_over(struct str bytes, struct breached *breached_out, const char **reason_out)
{
	const uint8_t *head = (const uint8_t *)bytes.p;
	uint8_t sum[BREACHED_SUM];
	struct breached found = {0};
	uint64_t hashes;

	*breached_out = (struct breached){0};
	*reason_out = "no list of passwords, or of another version";
	if (bytes.len < BREACHED_HEAD || memcmp(head, magic, sizeof(magic)) != 0)
		return ERR_BAD_FIELD;
	found.bits = head + BREACHED_HEAD;
	found.bit_count = get_le(head + 8);
	found.entries = get_le(head + 16);
	hashes = get_le(head + 24);
	*reason_out = "its head is damaged";
	if (found.bit_count == 0 || found.bit_count % 64 != 0 || found.bit_count > BREACHED_BITS_MAX || hashes == 0 ||
		hashes > BREACHED_HASHES_MAX)
		return ERR_BAD_FIELD;
	*reason_out = "it is cut short, or longer than its head says";
	if (bytes.len - BREACHED_HEAD != found.bit_count / 8)
		return ERR_BAD_FIELD;
	*reason_out = "its sum does not fit: it was damaged";
	sum_of(&found, head, sum);
	if (memcmp(sum, head + BREACHED_SUMMED, sizeof(sum)) != 0)
		return ERR_BAD_FIELD;
	*reason_out = NULL;
	found.hashes = (unsigned)hashes;
	*breached_out = found;
	return OK;
}

enum err breached_open(const char *path, struct breached *breached_out, const char **reason_out)
{
	struct stat about;
	void *map = MAP_FAILED;
	size_t len = 0;
	enum err err;
	int fd;

	*breached_out = (struct breached){0};
	*reason_out = "it cannot be read";
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return ERR_NOT_FOUND;
	if (fstat(fd, &about) == 0 && S_ISREG(about.st_mode) && about.st_size > 0 &&
		(uint64_t)about.st_size <= BREACHED_BITS_MAX / 8 + BREACHED_HEAD) {
		len = (size_t)about.st_size;
		map = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);
	}
	(void)close(fd);
	if (map == MAP_FAILED) {
		*reason_out = "it is no file of a size that a list has";
		return ERR_BAD_FIELD;
	}
	if ((err = breached_over((struct str){map, len}, breached_out, reason_out)) != OK) {
		(void)munmap(map, len);
		return err;
	}
	breached_out->map = map;
	breached_out->map_len = len;
	return OK;
}

void breached_release(struct breached *breached)
{
	if (breached->map != NULL)
		(void)munmap(breached->map, breached->map_len);
	*breached = (struct breached){0};
}

/* Two halves of the digest stand for as many hashes as are wanted (Kirsch and Mitzenmacher, 2006). */
uint64_t breached_bit(const struct breached *breached, const uint8_t sha1_of[BREACHED_SHA1], unsigned i)
{
	return (get_le(sha1_of) + i * (get_le(sha1_of + 8) | 1)) % breached->bit_count;
}

bool breached_has_sha1(const struct breached *breached, const uint8_t sha1_of[BREACHED_SHA1])
{
	for (unsigned i = 0; i < breached->hashes; i++) {
		uint64_t bit = breached_bit(breached, sha1_of, i);

		if ((breached->bits[bit / 8] >> (bit % 8) & 1) == 0)
			return false;
	}
	return true;
}

static bool has_text(const struct breached *breached, const char *p, size_t len)
{
	uint8_t digest[BREACHED_SHA1];
	bool has;

	/* Without memory every password is refused. */
	has = !sha1((struct str){p, len}, digest) || breached_has_sha1(breached, digest);
	sodium_memzero(digest, sizeof(digest));
	return has;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Letters of other scripts stay as they are. */
static bool is_kept(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (unsigned char)c >= 0x80;
}

bool breached_has(const struct breached *breached, struct str password)
{
	char folded[FOLDED_MAX];
	size_t len = 0;
	bool has;

	if (breached->bits == NULL)
		return false;
	if (has_text(breached, password.p, password.len))
		return true;
	if (password.len > sizeof(folded)) /* longer than any password */
		return false;
	for (; len < password.len; len++) {
		char c = password.p[len];

		folded[len] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
	}
	has = has_text(breached, folded, len);
	len = 0;
	for (size_t i = 0; i < password.len; i++) {
		if (is_kept(folded[i]))
			folded[len++] = folded[i];
	}
	has = has || has_text(breached, folded, len);
	while (len > 0 && is_digit(folded[len - 1]))
		len--;
	has = has || (len > 0 && has_text(breached, folded, len));
	sodium_memzero(folded, sizeof(folded));
	return has;
}
