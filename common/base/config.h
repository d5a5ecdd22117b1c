/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_BASE_CONFIG_H
#define BERTH_BASE_CONFIG_H

#include "base/arena.h"

/*
 * Configuration comes from the environment (keys BERTH_*), secrets from files that keys ending in _FILE name.
 * A process declares its keys in one table; reading them all at start names every key at fault on stderr, never a
 * value.
 */
enum config_kind { CONFIG_STR, CONFIG_I64, CONFIG_FILE /* readable path */, CONFIG_SECRET /* read from the file */ };

struct secret; /* locked memory (sodium_malloc), wiped on free */

struct config_key {
	const char *key;
	enum config_kind kind;
	bool required;
	const char *help;     /* one line for --help: meaning, unit, default */
	int64_t min, max;     /* CONFIG_I64; for CONFIG_SECRET max is the largest file size in bytes */
	const char *fallback; /* used when the key is absent and not required; NULL: stays absent */
	/* of `const char *` (STR, FILE), `int64_t` (I64) or `struct secret *` (SECRET) in the config struct */
	size_t offset;
};

/*
 * Fills `config` by the table (ends with key == NULL). On failure every fault was printed. Gives: strings live for
 * ever.
 */
MUST_USE enum err config_read(const struct config_key *keys, void *config);
/* Frees the secrets of a config struct. */
void config_release(const struct config_key *keys, void *config);
/* For a value that its use shows to be wrong: logs `bad_config` with the key, never the value; gives `err` back. */
enum err config_refuse(const char *key, enum err err);
void config_help(const struct config_key *keys); /* prints the table for --help */
/* BERTH_<rest>, or NULL: for keys whose names are derived (links). */
const char *config_get(const char *key);

/* Reads a whole file of at most max_len bytes into locked memory; one trailing newline is cut. Gives. */
MUST_USE enum err secret_read_file(const char *path, size_t max_len, struct secret **secret_out);
struct secret *secret_new(const void *bytes, size_t len); /* copies; NULL without memory */
struct str secret_str(const struct secret *secret);       /* borrows; NUL-terminated */
void secret_free(struct secret **secret);
/* Decodes lines "epoch hex64" (newest first) or one bare "hex64" (epoch 0) to 32-byte keys. At most `cap`. */
struct key_epoch {
	int64_t epoch;
	uint8_t key[32];
};
MUST_USE enum err secret_to_keys(
	const struct secret *secret, struct key_epoch *keys_out, size_t cap, size_t *count_out);

#endif
