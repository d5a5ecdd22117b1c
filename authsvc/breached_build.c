/* SPDX-License-Identifier: Apache-2.0 */
#include "breached_build.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/encode.h"
#include "breached.h"

/* With 17 hashes over 25 bits for each entry, 8 in a million others seem listed. */
#define BITS_EACH 25
#define HASHES 17
#define LINE_MAX_LEN 1100
#define HEX_LEN (2 * BREACHED_SHA1)
#define PATH_MAX_LEN 4000

enum format { FORMAT_TEXT, FORMAT_SHA1 };

struct list {
	FILE *file;
	enum format format;
	uint64_t line;
	char text[LINE_MAX_LEN];
	size_t len;
};

static int fault(const char *what, uint64_t line)
{
	if (line > 0)
		(void)fprintf(stderr, "line %llu: %s\n", (unsigned long long)line, what);
	else
		(void)fprintf(stderr, "%s\n", what);
	return 1;
}

/* The next line without its end. 0: there is one, 1: none is left, 2: it is too long. */
static int next_line(struct list *list)
{
	int c = getc_unlocked(list->file);

	if (c == EOF)
		return 1;
	list->line++;
	for (list->len = 0; c != EOF && c != '\n'; c = getc_unlocked(list->file)) {
		if (list->len == sizeof(list->text))
			return 2;
		list->text[list->len++] = (char)c;
	}
	if (list->len > 0 && list->text[list->len - 1] == '\r')
		list->len--;
	return 0;
}

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* `<40 hex digits>[:<count>]` */
static bool read_sha1(const struct list *list, uint8_t sha1_out[BREACHED_SHA1])
{
	if (list->len < HEX_LEN || (list->len > HEX_LEN && (list->text[HEX_LEN] != ':' || list->len == HEX_LEN + 1)))
		return false;
	for (size_t i = 0; i < BREACHED_SHA1; i++) {
		int high = nibble(list->text[2 * i]), low = nibble(list->text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		sha1_out[i] = (uint8_t)(high << 4 | low);
	}
	for (size_t i = HEX_LEN + 1; i < list->len; i++) {
		if (list->text[i] < '0' || list->text[i] > '9')
			return false;
	}
	return true;
}

/* The next entry's digest. 0, 1: none is left, 2: told what is wrong. */
static int next_entry(struct list *list, uint8_t sha1_out[BREACHED_SHA1])
{
	static const char comment[] = "#!comment:";
	int end;

	while ((end = next_line(list)) == 0) {
		if (list->len == 0)
			continue;
		if (list->format == FORMAT_SHA1) {
			if (read_sha1(list, sha1_out))
				return 0;
			(void)fault(
				"not a SHA-1 in hexadecimal digits, nor one with a count behind a colon", list->line);
			return 2;
		}
		if (list->len >= sizeof(comment) - 1 && memcmp(list->text, comment, sizeof(comment) - 1) == 0)
			continue;
		if (sha1((struct str){list->text, list->len}, sha1_out))
			return 0;
		(void)fault("no memory", list->line);
		return 2;
	}
	if (end == 2)
		(void)fault("too long", list->line);
	return end;
}

static int count_entries(struct list *list, uint64_t *count_out)
{
	uint8_t digest[BREACHED_SHA1];
	int end;

	*count_out = 0;
	while ((end = next_entry(list, digest)) == 0)
		++*count_out;
	if (end == 2)
		return 1;
	if (*count_out == 0)
		return fault("the list is empty", 0);
	if (*count_out > BREACHED_BITS_MAX / BITS_EACH - 64)
		return fault("the list is too long", 0);
	if (fseek(list->file, 0, SEEK_SET) != 0)
		return fault("the list cannot be read twice: it must be a file", 0);
	list->line = 0;
	return 0;
}

static int fill(struct list *list, struct breached *wanted, uint8_t *map)
{
	uint8_t digest[BREACHED_SHA1];
	uint64_t count = 0;
	int end;

	while ((end = next_entry(list, digest)) == 0 && count < wanted->entries) {
		count++;
		for (unsigned i = 0; i < wanted->hashes; i++) {
			uint64_t bit = breached_bit(wanted, digest, i);

			map[BREACHED_HEAD + bit / 8] |= (uint8_t)(1U << bit % 8);
		}
	}
	if (end == 2)
		return 1;
	if (end == 0 || count < wanted->entries)
		return fault("the list changed while it was read", 0);
	breached_head_put(wanted, map);
	return 0;
}

/* Into the file that stands open, through a map. */
static int write_bits(struct list *list, uint64_t entries, int fd)
{
	struct breached wanted = {.entries = entries, .hashes = HASHES};
	uint8_t *map;
	size_t len;
	int code;

	wanted.bit_count = (entries * BITS_EACH + 63) / 64 * 64;
	len = BREACHED_HEAD + (size_t)(wanted.bit_count / 8);
	if ((code = posix_fallocate(fd, 0, (off_t)len)) != 0)
		return fault(strerror(code), 0);
	map = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return fault(strerror(errno), 0);
	wanted.bits = map + BREACHED_HEAD;
	code = fill(list, &wanted, map);
	if (code == 0 && msync(map, len, MS_SYNC) != 0)
		code = fault(strerror(errno), 0);
	(void)munmap(map, len);
	return code;
}

static int write_file(struct list *list, uint64_t entries, const char *out_path)
{
	char temporary[PATH_MAX_LEN + 16];
	int fd, code;

	if (strlen(out_path) > PATH_MAX_LEN)
		return fault("the path is too long", 0);
	(void)snprintf(temporary, sizeof(temporary), "%s.XXXXXX", out_path);
	if ((fd = mkstemp(temporary)) < 0)
		return fault(strerror(errno), 0);
	code = write_bits(list, entries, fd);
	if (code == 0 && (fchmod(fd, 0644) != 0 || fsync(fd) != 0 || rename(temporary, out_path) != 0))
		code = fault(strerror(errno), 0);
	(void)close(fd);
	if (code != 0)
		(void)unlink(temporary);
	return code;
}

int breached_build(int argc, char **argv)
{
	struct list *list = NULL;
	uint64_t entries;
	int code = 2;

	if (argc != 3 || (strcmp(argv[0], "text") != 0 && strcmp(argv[0], "sha1") != 0)) {
		(void)fprintf(stderr, "wanted: text|sha1 LIST OUT\n");
		return 2;
	}
	if ((list = calloc(1, sizeof(*list))) == NULL)
		return fault("no memory", 0);
	list->format = strcmp(argv[0], "sha1") == 0 ? FORMAT_SHA1 : FORMAT_TEXT;
	if ((list->file = fopen(argv[1], "re")) == NULL) {
		code = fault(strerror(errno), 0);
		goto done;
	}
	if ((code = count_entries(list, &entries)) == 0)
		code = write_file(list, entries, argv[2]);
	(void)fclose(list->file);
done:
	free(list);
	return code;
}
