/* SPDX-License-Identifier: Apache-2.0 */
#include "limit_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define KEY_PREFIX "BERTH_LIMIT_"

struct limit_file {
	const struct gateway_config *config;
	struct rate_policy policies[RATE_CLASS_COUNT];
	struct buf seen; /* what the file held when it was last looked at, right or wrong */
	bool read;       /* it was looked at */
	/* Atomic. */
	uint64_t reloads, refusals;
	bool refused; /* what the file holds now is not in force */
};

static enum err fault(struct limit_file_fault *fault_out, const char *key, const char *reason)
{
	fault_out->key = key;
	fault_out->reason = reason;
	return ERR_BAD_FIELD;
}

static const struct config_key *key_find(struct str name)
{
	if (!str_starts(name, KEY_PREFIX))
		return NULL;
	for (const struct config_key *key = gateway_config_keys; key->key != NULL; key++)
		if (str_eq_c(name, key->key))
			return key;
	return NULL;
}

static enum err line_parse(struct str line, struct rate_policy policies[RATE_CLASS_COUNT],
	const struct config_key *seen[RATE_CLASS_COUNT * 2], struct limit_file_fault *fault_out)
{
	const struct config_key *key;
	struct str name;
	uint64_t value;
	size_t place;

	if (!str_cut(&line, '=', &name))
		return fault(fault_out, NULL, "is no KEY=VALUE");
	if ((key = key_find(name)) == NULL)
		return fault(fault_out, NULL, "names no limit");
	if (str_to_u64(line, INT64_MAX, &value) != OK)
		return fault(fault_out, key->key, "is not a whole number");
	if ((int64_t)value < key->min || (int64_t)value > key->max)
		return fault(fault_out, key->key, "is out of bounds");
	place = (key->offset - offsetof(struct gateway_config, limits)) / sizeof(int64_t);
	if (seen[place] != NULL)
		return fault(fault_out, key->key, "stands twice");
	seen[place] = key;
	memcpy((char *)policies + place * sizeof(int64_t), &value, sizeof(int64_t));
	return OK;
}

enum err limit_file_parse(struct str doc, const struct rate_policy base[RATE_CLASS_COUNT],
	struct rate_policy policies_out[RATE_CLASS_COUNT], struct limit_file_fault *fault_out)
{
	const struct config_key *seen[RATE_CLASS_COUNT * 2] = {NULL};
	struct str line;

	*fault_out = (struct limit_file_fault){.line = 0};
	memcpy(policies_out, base, RATE_CLASS_COUNT * sizeof *base);
	while (doc.len > 0) {
		if (++fault_out->line > LIMIT_FILE_LINES_MAX)
			return fault(fault_out, NULL, "is one line too many");
		if (!str_cut(&doc, '\n', &line))
			return fault(fault_out, NULL, "has no end");
		line = str_trim(line);
		if (line.len == 0 || line.p[0] == '#')
			continue;
		if (line_parse(line, policies_out, seen, fault_out) != OK)
			return ERR_BAD_FIELD;
	}
	return OK;
}

/* A file that is not there is an empty one. */
static enum err file_read(const char *path, struct buf *out)
{
	FILE *file = fopen(path, "re");
	char chunk[1024];
	size_t len;

	if (file == NULL)
		return errno == ENOENT ? OK : ERR_NOT_FOUND;
	while ((len = fread(chunk, 1, sizeof chunk, file)) > 0)
		buf_put(out, chunk, len);
	if (ferror(file) != 0)
		out->failed = true;
	(void)fclose(file);
	return buf_ok(out) ? OK : ERR_TOO_LARGE;
}

/* Takes what the file holds into force, if all of it is right. */
static enum err limit_file_take(struct limit_file *file, enum err read, struct str doc)
{
	struct rate_policy policies[RATE_CLASS_COUNT];
	struct limit_file_fault why = {.reason = "cannot be read"};

	if (read == OK && limit_file_parse(doc, file->config->limits, policies, &why) == OK) {
		memcpy(file->policies, policies, sizeof policies);
		return OK;
	}
	log_event(LOG_ERROR, "limits_refused", LOG_C("file", "BERTH_LIMITS_FILE"), LOG_I("line", why.line),
		LOG_C("key", why.key != NULL ? why.key : ""), LOG_C("reason", why.reason));
	return ERR_BAD_FIELD;
}

/* False when the file holds what it held the last time. */
static bool limit_file_look(struct limit_file *file, enum err *err_out)
{
	struct buf doc;
	enum err read;

	buf_init(&doc, LIMIT_FILE_BYTES_MAX);
	read = file_read(file->config->limits_file, &doc);
	if (file->read && str_eq(buf_str(&doc), buf_str(&file->seen)) && doc.failed == file->seen.failed) {
		buf_release(&doc);
		return false;
	}
	*err_out = limit_file_take(file, read, buf_str(&doc));
	buf_release(&file->seen);
	file->seen = doc;
	file->read = true;
	return true;
}

enum err limit_file_new(const struct gateway_config *config, struct limit_file **file_out)
{
	struct limit_file *file = calloc(1, sizeof *file);
	enum err err = OK;

	if (file == NULL)
		return ERR_OVERLOADED;
	file->config = config;
	memcpy(file->policies, config->limits, sizeof file->policies);
	buf_init(&file->seen, LIMIT_FILE_BYTES_MAX);
	if (config->limits_file != NULL)
		(void)limit_file_look(file, &err);
	if (err != OK)
		limit_file_free(&file);
	*file_out = file;
	return err;
}

void limit_file_free(struct limit_file **file)
{
	if (*file == NULL)
		return;
	buf_release(&(*file)->seen);
	free(*file);
	*file = NULL;
}

const struct rate_policy *limit_file_policies(const struct limit_file *file)
{
	return file->policies;
}

bool limit_file_reload(struct limit_file *file)
{
	enum err err = OK;

	if (file->config->limits_file == NULL || !limit_file_look(file, &err))
		return false;
	__atomic_store_n(&file->refused, err != OK, __ATOMIC_RELAXED);
	if (err != OK) {
		__atomic_fetch_add(&file->refusals, 1, __ATOMIC_RELAXED);
		return false;
	}
	__atomic_fetch_add(&file->reloads, 1, __ATOMIC_RELAXED);
	log_event(LOG_INFO, "limits_reloaded");
	return true;
}

void limit_file_write(const struct limit_file *file, struct buf *out)
{
	buf_printf(out,
		"# TYPE berth_edge_limits_reloads_total counter\nberth_edge_limits_reloads_total %llu\n"
		"# TYPE berth_edge_limits_refusals_total counter\nberth_edge_limits_refusals_total %llu\n"
		"# TYPE berth_edge_limits_refused gauge\nberth_edge_limits_refused %d\n",
		(unsigned long long)__atomic_load_n(&file->reloads, __ATOMIC_RELAXED),
		(unsigned long long)__atomic_load_n(&file->refusals, __ATOMIC_RELAXED),
		__atomic_load_n(&file->refused, __ATOMIC_RELAXED) ? 1 : 0);
}
