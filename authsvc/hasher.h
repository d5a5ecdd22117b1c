/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_HASHER_H
#define BERTH_AUTHSVC_HASHER_H

#include "base/config.h"

/*
 * Passwords: Argon2id (RFC 9106) over BLAKE2b keyed by a pepper that stands in no database. Memory is bounded: at
 * most `slots` hashes run at once, at most `queue` wait, each until its deadline; beyond that ERR_OVERLOADED at
 * once. Thread-safe.
 */
#define HASHER_OPSLIMIT 2U
#define HASHER_MEMLIMIT (19456U * 1024U) /* bytes: OWASP's m=19456 KiB, t=2, p=1 */
#define HASHER_TEXT_MAX 128
#define HASHER_PEPPERS_MAX 8

struct hasher;

struct hash {
	char text[HASHER_TEXT_MAX + 1]; /* "$argon2id$v=19$m=19456,t=2,p=1$…" */
	int64_t pepper_epoch;
};

struct hasher_counts {
	uint64_t done, refused; /* refused: no room */
	uint64_t running, waiting;
};

/* `peppers` as secret_to_keys reads them, newest first. Makes one hash, of nothing that anybody knows. */
MUST_USE enum err hasher_new(const struct secret *peppers, size_t slots, size_t queue, struct hasher **hasher_out);
void hasher_free(struct hasher **hasher);

/* Under the newest pepper. */
MUST_USE enum err hasher_make(struct hasher *hasher, struct str password, uint64_t deadline_us, struct hash *hash_out);
/*
 * *match_out says whether. `text` absent, or of a pepper that is gone: the same work against the hash that nobody
 * knows, and no match. *stale_out: it matched but should be made anew (older parameters or pepper).
 */
MUST_USE enum err hasher_check(struct hasher *hasher, struct str password, struct str text, int64_t pepper_epoch,
	uint64_t deadline_us, bool *match_out, bool *stale_out);
struct hasher_counts hasher_counts(struct hasher *hasher);

#endif
