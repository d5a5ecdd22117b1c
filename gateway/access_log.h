/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GATEWAY_ACCESS_LOG_H
#define BERTH_GATEWAY_ACCESS_LOG_H

#include <pthread.h>

#include "exchange.h"
#include "head.h"

/*
 * One JSON line a request: when, its id, operation, method, status, code, time and size. No path, query, address, token
 * or body: nothing that is personal, and the operation's name says more than a path.
 *
 * A loop only puts lines into memory; one thread writes those of all loops ten times a second, so that a reader who
 * stands still costs log lines, which are counted, and never an answer.
 */
#define ACCESS_LOG_CAP (1U << 20)
#define ACCESS_LOG_EVERY_MS 100

/* The lines of one loop. */
struct access_log {
	pthread_mutex_t lock;
	struct buf lines;
	uint64_t dropped; /* lines that had no room; atomic */
};

void access_log_init(struct access_log *log);
void access_log_release(struct access_log *log);
void access_log_put(struct access_log *log, const struct exchange *exchange, const struct head *head, size_t body_len,
	uint64_t duration_us);

struct access_writer;

/* Writes the lines of these logs to `fd`; borrows them. ERR_OVERLOADED without memory or thread. Gives. */
MUST_USE enum err access_writer_start(
	struct access_log **logs, size_t count, int fd, struct access_writer **writer_out);
/* Writes what is left, unless nobody takes it, and ends the thread. */
void access_writer_free(struct access_writer **writer);

#endif
