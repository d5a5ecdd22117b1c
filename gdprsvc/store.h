/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GDPRSVC_STORE_H
#define BERTH_GDPRSVC_STORE_H

#include "outbox/outbox.h"
#include "rules.h"

/*
 * The ledger of erasures and the runs of the retention sweep. Each function is one transaction; what changes the ledger
 * commits its audit event with it. Events name the person by number only and hold no document of theirs.
 */
struct store {
	struct db *db;     /* app role */
	struct seal *seal; /* the tenant's key seals the events' documents */
};

/* Who asks, for the events. */
struct store_origin {
	struct uuid request_id, actor_id, client_id;
	instant_us now;
};

/*
 * Begins an erasure, or finds the person's one. `accepted`: authsvc itself asks for it, so it has agreed (event
 * erasure.request). Otherwise the row is an intention until store_erasure_accept.
 */
MUST_USE enum err store_erasure_begin(const struct store *store, const struct store_origin *origin,
	const struct uuid *tenant_id, const struct uuid *person_id, bool accepted, struct erasure_record *erasure_out);
/* authsvc has agreed; from now on the row stays (event erasure.request, once). */
MUST_USE enum err store_erasure_accept(
	const struct store *store, const struct store_origin *origin, struct erasure_record *erasure);
/*
 * A service has confirmed. The erasure's `pending` is read back; who takes the last bit away completes it (event
 * erasure.complete).
 */
MUST_USE enum err store_erasure_confirm(const struct store *store, const struct store_origin *origin,
	enum erasure_step step, struct erasure_record *erasure);
/* Nothing anywhere has changed: the row goes, without an event, as after any refusal. One that was accepted stays. */
MUST_USE enum err store_erasure_withdraw(const struct store *store, const struct erasure_record *erasure);
MUST_USE enum err store_erasure_read(const struct store *store, const struct uuid *tenant_id, const struct uuid *id,
	struct erasure_record *erasure_out); /* ERR_NOT_FOUND */
/* Newest first, behind `before_key`. At most `cap`. */
MUST_USE enum err store_erasure_page(const struct store *store, const struct uuid *tenant_id, int64_t before_key,
	struct erasure_record *erasures_out, size_t cap, size_t *count_out);
/* An export leaves nothing but its event (person.export). */
MUST_USE enum err store_export_event(const struct store *store, const struct store_origin *origin,
	const struct uuid *tenant_id, const struct uuid *person_id);

/* -- for the jobs role, across tenants -- */
/* Erasures to be tried again, each delayed by a back-off that grows with its tries. */
MUST_USE enum err store_erasures_due(
	struct db *jobs, instant_us now, struct erasure_record *erasures_out, size_t cap, size_t *count_out);
MUST_USE enum err store_erasures_waiting(struct db *jobs, int64_t *count_out, instant_us *oldest_out);

struct retention_record {
	char service[24];
	instant_us last_run_at; /* 0: never */
	int64_t rows;
};
#define RETENTION_SERVICES 3
/* True in *claimed_out: due, and this process sweeps it. */
MUST_USE enum err store_retention_claim(
	struct db *jobs, const char *service, instant_us now, int64_t interval_s, bool *claimed_out);
MUST_USE enum err store_retention_finish(struct db *jobs, const char *service, instant_us now, int64_t rows);
MUST_USE enum err store_retention_release(struct db *jobs, const char *service, instant_us retry_at);
/* By either role: tenant_id NULL with the jobs role's. */
MUST_USE enum err store_retention_list(struct db *db, const struct uuid *tenant_id,
	struct retention_record *records_out, size_t cap, size_t *count_out);

#endif
