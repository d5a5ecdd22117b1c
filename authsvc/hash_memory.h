/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_HASH_MEMORY_H
#define BERTH_AUTHSVC_HASH_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Memory for password hashes, kept from one to the next. libsodium maps it anew for each and gives it back, and what
 * the kernel does for that is half of what a hash costs. Between hash_memory_enter and hash_memory_leave a thread's
 * mapping of just the size of a hash is a block that is kept; it is wiped when libsodium gives it back, before anybody
 * else has it. Whatever else is mapped or unmapped, by whomever, goes to the C library. Thread-safe.
 */
#define HASH_MEMORY_BLOCKS_MAX 64
#define HASH_MEMORY_KEPT_US (5 * 1000000ULL) /* without a hash */

void hash_memory_enter(void);
void hash_memory_leave(void);
/* What nobody has used for HASH_MEMORY_KEPT_US, by the monotonic clock, goes back to the system. Call now and then. */
void hash_memory_age(uint64_t now_us);
/* How many blocks there are, and whether those that nobody has hold nothing. */
size_t hash_memory_kept(bool *clean_out);

#endif
