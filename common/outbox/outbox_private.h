/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_OUTBOX_OUTBOX_PRIVATE_H
#define BERTH_OUTBOX_OUTBOX_PRIVATE_H

/* Private to common/outbox: the form of a row's payload, and what the relay's two files share. */
#include <pthread.h>

#include "base/buf.h"
#include "base/wait.h"
#include "outbox/outbox.h"

/* What is sealed: which documents are there, each with its length. */
void outbox_payload_encode(struct buf *buf, struct str before, struct str after);
/* Borrows from `plain`. ERR_INTERNAL: not such a payload. */
MUST_USE enum err outbox_payload_decode(struct str plain, struct str *before_out, struct str *after_out);
struct seal_place outbox_place(const struct uuid *tenant_id, const struct uuid *event_id);

#define OUTBOX_HELD_MAX 64

/* An object with an event that auditsvc refuses: its later ones wait behind it. */
struct outbox_held {
	struct uuid object_id;
	uint64_t until_us;
};

struct outbox_relay {
	struct outbox_relay_config config;
	struct db *db;
	struct arena *arena;
	uint64_t lock_generation; /* the connection that holds the lock; 0: none */
	uint64_t looked_us;
	struct outbox_held held[OUTBOX_HELD_MAX];
	size_t held_count;
	int64_t backoff_ms;

	pthread_t thread;
	bool started;
	struct wait_stop stop; /* its lock guards the rest */
	bool poked;
	struct outbox_stats stats;
};

struct outbox_page {
	struct outbox_event *events;
	struct str *sealed; /* payloads, borrowed from rows */
	size_t count;       /* those to be delivered now */
	int64_t last_seq;
	bool full;
};

/* Whether an earlier event of the same object has been refused. */
bool outbox_relay_holds(const struct outbox_relay *relay, const struct event *event);

/* A transaction of the relay's role whose statements go by the order of the rows. */
MUST_USE enum err outbox_relay_begin(struct outbox_relay *relay, struct tx **tx_out);

/* ---- outbox_page.c ---- */

/*
 * The rows behind after_seq, opened into the relay's arena, less those that are held. Nothing when another process
 * leads.
 */
MUST_USE enum err outbox_page_load(
	struct outbox_relay *relay, int64_t after_seq, struct outbox_page *page, bool *leading_out);

#endif
