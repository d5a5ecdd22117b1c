/* SPDX-License-Identifier: Apache-2.0 */
#include "base/config.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECRET_KEY_DIGITS 64

struct secret {
	char *p; /* sodium_malloc: locked, guarded, left out of core dumps */
	size_t len;
};

static struct secret *secret_take(size_t len)
{
	struct secret *secret;

	if (sodium_init() < 0 || len == SIZE_MAX || (secret = calloc(1, sizeof(*secret))) == NULL)
		return NULL;
	if ((secret->p = sodium_malloc(len + 1)) == NULL) {
		free(secret);
		return NULL;
	}
	secret->len = len;
	secret->p[len] = '\0';
	return secret;
}

struct secret *secret_new(const void *bytes, size_t len)
{
	struct secret *secret = secret_take(len);

	if (secret == NULL)
		return NULL;
	if (len > 0)
		memcpy(secret->p, bytes, len);
	(void)sodium_mprotect_readonly(secret->p);
	return secret;
}

struct str secret_str(const struct secret *secret)
{
	return secret != NULL ? (struct str){secret->p, secret->len} : STR_NONE;
}

void secret_free(struct secret **secret)
{
	if (*secret == NULL)
		return;
	sodium_free((*secret)->p); /* wipes */
	free(*secret);
	*secret = NULL;
}

/* Fills `out` from fd up to `len` bytes or the end of the file. */
static enum err read_all(int fd, char *out, size_t len, size_t *got_out)
{
	size_t got = 0;

	while (got < len) {
		ssize_t step = read(fd, out + got, len - got);

		if (step < 0 && errno == EINTR)
			continue;
		if (step < 0)
			return ERR_INTERNAL;
		if (step == 0)
			break;
		got += (size_t)step;
	}
	*got_out = got;
	return OK;
}

enum err secret_read_file(const char *path, size_t max_len, struct secret **secret_out)
{
	struct secret *raw = NULL;
	size_t len = 0;
	enum err err = ERR_INTERNAL;
	int fd;

	*secret_out = NULL;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return errno == ENOENT ? ERR_NOT_FOUND : ERR_INTERNAL;
	/* One byte more tells a file of max_len from a longer one. */
	if (max_len >= SIZE_MAX - 1 || (raw = secret_take(max_len + 1)) == NULL)
		goto done;
	if ((err = read_all(fd, raw->p, max_len + 1, &len)) != OK)
		goto done;
	if (len > max_len) {
		err = ERR_TOO_LARGE;
		goto done;
	}
	if (len > 0 && raw->p[len - 1] == '\n')
		len--;
	if (len == 0) {
		err = ERR_BAD_FIELD;
		goto done;
	}
	*secret_out = secret_new(raw->p, len);
	err = *secret_out != NULL ? OK : ERR_INTERNAL;
done:
	secret_free(&raw);
	(void)close(fd);
	return err;
}

/* "epoch hex64", or "hex64" alone which is epoch 0 (*bare_out). */
static enum err parse_key_line(struct str line, struct key_epoch *key_out, bool *bare_out)
{
	struct str epoch = STR("0");
	uint64_t number;
	size_t len;

	*bare_out = line.len == SECRET_KEY_DIGITS;
	if (!*bare_out && !str_cut(&line, ' ', &epoch))
		return ERR_BAD_FIELD;
	if (str_to_u64(epoch, INT64_MAX, &number) != OK || line.len != SECRET_KEY_DIGITS)
		return ERR_BAD_FIELD;
	/* libsodium's decoder takes the same time whatever the digits are. */
	if (sodium_hex2bin(key_out->key, sizeof(key_out->key), line.p, line.len, NULL, &len, NULL) != 0 ||
		len != sizeof(key_out->key))
		return ERR_BAD_FIELD;
	key_out->epoch = (int64_t)number;
	return OK;
}

enum err secret_to_keys(const struct secret *secret, struct key_epoch *keys_out, size_t cap, size_t *count_out)
{
	struct str rest = secret_str(secret);
	struct str line;
	size_t count = 0;
	enum err err = ERR_BAD_FIELD;
	bool more, bare;

	*count_out = 0;
	if (rest.len == 0)
		return ERR_BAD_FIELD;
	do {
		more = str_cut(&rest, '\n', &line);
		if (count == cap) {
			err = ERR_TOO_LARGE;
			goto done;
		}
		if ((err = parse_key_line(line, &keys_out[count], &bare)) != OK)
			goto done;
		/* Newest first and none twice; a key without an epoch must be the only one. */
		if ((bare && (count > 0 || more)) ||
			(count > 0 && keys_out[count].epoch >= keys_out[count - 1].epoch)) {
			err = ERR_BAD_FIELD;
			goto done;
		}
		count++;
	} while (more);
	*count_out = count;
done:
	if (err != OK)
		sodium_memzero(keys_out, cap * sizeof(*keys_out));
	return err;
}
