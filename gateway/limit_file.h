/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GATEWAY_LIMIT_FILE_H
#define BERTH_GATEWAY_LIMIT_FILE_H

#include "base/buf.h"
#include "config.h"

/*
 * The rate limits in force: those of the environment, and before them those of a file that may change while the process
 * runs. A file that is not right in every line changes nothing.
 */
#define LIMIT_FILE_BYTES_MAX (16U << 10)
#define LIMIT_FILE_LINES_MAX 200

struct limit_file_fault {
	unsigned line;      /* from 1; 0: the file as a whole */
	const char *key;    /* of the line, when it is one of ours; else NULL */
	const char *reason; /* constant */
};

/*
 * Lines `BERTH_LIMIT_…=number` by the rows of gateway_config_keys; blank lines and those that begin with # say nothing;
 * the last line ends with a line feed, or the file is still being written. Begins from `base`. ERR_BAD_FIELD with the
 * fault; policies_out is then not to be used.
 */
MUST_USE enum err limit_file_parse(struct str doc, const struct rate_policy base[RATE_CLASS_COUNT],
	struct rate_policy policies_out[RATE_CLASS_COUNT], struct limit_file_fault *fault_out);

struct limit_file;

/* Reads the file, if there is one. ERR_BAD_FIELD when it is wrong: the process must not start with it. Gives. */
MUST_USE enum err limit_file_new(const struct gateway_config *config, struct limit_file **file_out);
void limit_file_free(struct limit_file **file);
const struct rate_policy *limit_file_policies(const struct limit_file *file); /* RATE_CLASS_COUNT; borrows */
/* Reads the file again when it changed; true when other limits are in force now. One thread only. */
bool limit_file_reload(struct limit_file *file);
/* Prometheus text; any thread. */
void limit_file_write(const struct limit_file *file, struct buf *out);

#endif
