/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A planted bug, linked into bookingsvc by tests/chaos alone: events are written in a transaction of their own, after
 * the one whose change they tell of. A process that dies between the two leaves a change that nobody tells.
 */
#include <unistd.h>

#include "outbox/outbox.h"

#define PENDING_MAX OUTBOX_EVENTS_MAX
#define APART_US 10000 /* wide enough that a kill soon falls between the two */

const char chaos_plant[] = "berth-chaos-plant outbox_apart";

enum err __real_tx_begin(struct db *db, const struct uuid *tenant_id, struct tx **tx_out);
enum err __real_tx_commit(struct tx **tx);
enum err __real_outbox_put(
	struct tx *tx, struct seal *seal, const struct uuid *tenant_id, const struct event *events, size_t count);
enum err __wrap_tx_begin(struct db *db, const struct uuid *tenant_id, struct tx **tx_out);
enum err __wrap_tx_commit(struct tx **tx);
enum err __wrap_outbox_put(
	struct tx *tx, struct seal *seal, const struct uuid *tenant_id, const struct event *events, size_t count);
enum err __wrap_outbox_put_with(struct tx *tx, struct seal *seal, const struct uuid *tenant_id,
	const struct event *events, const struct seal_key *const *keys, size_t count);

/* Of the transaction that this thread has open. Strings in events live as long as their requests. */
static _Thread_local struct db *opened;
static _Thread_local struct seal *sealing;
static _Thread_local struct uuid tenants[PENDING_MAX];
static _Thread_local struct event pending[PENDING_MAX];
static _Thread_local size_t pending_count;

enum err __wrap_tx_begin(struct db *db, const struct uuid *tenant_id, struct tx **tx_out)
{
	opened = db;
	pending_count = 0;
	return __real_tx_begin(db, tenant_id, tx_out);
}

enum err __wrap_outbox_put(
	struct tx *tx, struct seal *seal, const struct uuid *tenant_id, const struct event *events, size_t count)
{
	(void)tx;
	sealing = seal;
	for (size_t i = 0; i < count && pending_count < PENDING_MAX; i++) {
		tenants[pending_count] = *tenant_id;
		pending[pending_count++] = events[i];
	}
	return OK;
}

enum err __wrap_outbox_put_with(struct tx *tx, struct seal *seal, const struct uuid *tenant_id,
	const struct event *events, const struct seal_key *const *keys, size_t count)
{
	(void)keys;
	return __wrap_outbox_put(tx, seal, tenant_id, events, count);
}

enum err __wrap_tx_commit(struct tx **tx)
{
	const size_t count = pending_count;
	enum err err = __real_tx_commit(tx);

	pending_count = 0;
	if (count > 0)
		usleep(APART_US);
	for (size_t i = 0; i < count && err == OK; i++) {
		struct tx *apart = NULL;

		if (__real_tx_begin(opened, &tenants[i], &apart) == OK &&
			__real_outbox_put(apart, sealing, &tenants[i], &pending[i], 1) == OK)
			(void)!__real_tx_commit(&apart);
		tx_free(&apart);
	}
	return err;
}
