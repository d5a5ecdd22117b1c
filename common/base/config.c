/* SPDX-License-Identifier: Apache-2.0 */
#include "base/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

const char *config_get(const char *key)
{
	const char *value = getenv(key);

	/* Compose files write an unset variable as an empty one. */
	return value != NULL && value[0] != '\0' ? value : NULL;
}

/* The key and what is wrong with it, never its value: a value may be a secret set by mistake. */
static void fault(const char *key, const char *what)
{
	(void)fprintf(stderr, "config: %s %s\n", key, what);
}

static enum err parse_i64(const char *text, int64_t *value_out)
{
	struct str digits = str_from(text);
	bool negative = str_starts(digits, "-");
	uint64_t value;
	enum err err;

	if (negative) {
		digits.p++;
		digits.len--;
	}
	if ((err = str_to_u64(digits, INT64_MAX, &value)) != OK)
		return err;
	*value_out = negative ? -(int64_t)value : (int64_t)value;
	return OK;
}

static enum err read_i64(const struct config_key *key, const char *text, int64_t *value_out)
{
	int64_t value = 0;

	if (parse_i64(text, &value) != OK) {
		fault(key->key, "is not a whole number");
		return ERR_BAD_FIELD;
	}
	if (value < key->min || value > key->max) {
		(void)fprintf(stderr, "config: %s is outside %lld to %lld\n", key->key, (long long)key->min,
			(long long)key->max);
		return ERR_BAD_FIELD;
	}
	*value_out = value;
	return OK;
}

static enum err read_path(const struct config_key *key, const char *path, const char **path_out)
{
	if (access(path, R_OK) != 0) {
		fault(key->key,
			errno == ENOENT ? "names a file that does not exist" : "names a file that cannot be read");
		return ERR_BAD_FIELD;
	}
	*path_out = path;
	return OK;
}

static enum err read_secret(const struct config_key *key, const char *path, struct secret **secret_out)
{
	enum err err = secret_read_file(path, key->max > 0 ? (size_t)key->max : 0, secret_out);

	if (err == ERR_NOT_FOUND)
		fault(key->key, "names a file that does not exist");
	else if (err == ERR_TOO_LARGE)
		fault(key->key, "names a file that is too large");
	else if (err == ERR_BAD_FIELD)
		fault(key->key, "names an empty file");
	else if (err != OK)
		fault(key->key, "names a file that cannot be read");
	return err;
}

static enum err read_key(const struct config_key *key, void *config)
{
	const char *value = config_get(key->key);
	void *place = (char *)config + key->offset;

	if (value == NULL && key->required) {
		(void)fprintf(stderr, "config: %s is required: %s\n", key->key, key->help != NULL ? key->help : "");
		return ERR_BAD_FIELD;
	}
	if (value == NULL && (value = key->fallback) == NULL)
		return OK;
	switch (key->kind) {
	case CONFIG_STR:
		*(const char **)place = value;
		return OK;
	case CONFIG_I64:
		return read_i64(key, value, place);
	case CONFIG_FILE:
		return read_path(key, value, place);
	case CONFIG_SECRET:
		return read_secret(key, value, place);
	}
	return ERR_INTERNAL;
}

enum err config_read(const struct config_key *keys, void *config)
{
	enum err err = OK;

	for (; keys->key != NULL; keys++) {
		if (read_key(keys, config) != OK)
			err = ERR_BAD_FIELD;
	}
	return err;
}

enum err config_refuse(const char *key, enum err err)
{
	log_event(LOG_ERROR, "bad_config", LOG_C("key", key), LOG_C("code", err_code(err)));
	return err;
}

void config_help(const struct config_key *keys)
{
	static const char *const kinds[] = {"text", "number", "path", "path of a secret"};

	for (; keys->key != NULL; keys++) {
		(void)printf("  %-36s %s%s", keys->key, kinds[keys->kind], keys->required ? ", required" : "");
		if (keys->fallback != NULL)
			(void)printf(", default %s", keys->fallback);
		(void)printf("\n      %s\n", keys->help != NULL ? keys->help : "");
	}
}

void config_release(const struct config_key *keys, void *config)
{
	for (const struct config_key *key = keys; key->key != NULL; key++) {
		if (key->kind == CONFIG_SECRET)
			secret_free((struct secret **)(void *)((char *)config + key->offset));
	}
}
