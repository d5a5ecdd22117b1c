/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_OUTBOX_OUTBOX_H
#define BERTH_OUTBOX_OUTBOX_H

#include "db/db.h"
#include "seal/seal.h"

/*
 * Audit events, committed with the change they tell of, and delivered to auditsvc at least once (there exactly once,
 * by event id) in the order of their commit per object. Put events after the statement that locks or writes their
 * object.
 */
struct event {
	struct uuid id; /* nil: outbox_put makes one */
	instant_us at;
	struct uuid actor_id;     /* who did it; nil: a client acting for itself, or the system */
	struct uuid client_id;    /* through which client; nil: none */
	struct uuid on_behalf_id; /* for whom, when acting for another; nil: none */
	struct uuid subject_id;   /* whose data before and after are: sealed to them; nil: nobody's, the tenant's key */
	struct uuid object_id;
	const char *action;       /* "booking.create" */
	const char *object_type;  /* "booking" */
	struct str before, after; /* JSON documents, or absent */
	struct uuid request_id;
	int64_t object_version;
};

#define OUTBOX_EVENTS_MAX 256      /* in one outbox_put */
#define OUTBOX_DOC_MAX (64U << 10) /* before and after together, bytes; the contract lets each alone be so large */
#define OUTBOX_NAME_MAX 40         /* action, object_type: the least that the contract lets pass */

/*
 * Queues ONE statement for all events: it travels with the next flush or COMMIT. The transaction must be scoped to
 * `tenant_id`. Costs one round trip for the subjects' keys, none when no event has documents or `keys` brings them
 * (keys[i] for events[i]; NULL pointer: loaded here). A subject already erased: the event is stored without
 * documents, marked. ERR_BAD_FIELD, ERR_TOO_LARGE: over the caps.
 */
MUST_USE enum err outbox_put(
	struct tx *tx, struct seal *seal, const struct uuid *tenant_id, const struct event *events, size_t count);
MUST_USE enum err outbox_put_with(struct tx *tx, struct seal *seal, const struct uuid *tenant_id,
	const struct event *events, const struct seal_key *const *keys, size_t count);

/*
 * The same for events of several tenants, tenants[i] for events[i], whose keys have all been loaded: without one an
 * event is stored as of somebody erased. The transaction must have named these tenants (tx_set_tenants).
 */
MUST_USE enum err outbox_put_across(struct tx *tx, const struct uuid *tenants, const struct event *events,
	const struct seal_key *const *keys, size_t count);

/* Rows of this person not delivered yet. Their key may be destroyed when it is 0. */
MUST_USE enum err outbox_pending_for(
	struct tx *tx, const struct uuid *tenant_id, const struct uuid *subject_id, uint64_t *count_out);

/* ---- the relay: one thread with a connection of its own ---- */

struct outbox_event {
	struct uuid tenant_id;
	int64_t seq;
	bool erased;        /* the documents cannot be opened any more: before and after are absent */
	struct event event; /* strings borrow until deliver returns */
};

/*
 * OK: all are safely with auditsvc; the rows are deleted. A transient error (UNAVAILABLE, OVERLOADED, DRAINING,
 * DEADLINE, RATE_LIMITED): all are tried again later. Any other: the batch is tried one by one; an event refused
 * alone is counted, logged and held back with all later ones of its object, and others pass.
 */
typedef enum err outbox_deliver(void *ctx, const struct outbox_event *events, size_t count);

struct outbox_relay_config {
	const struct db_config *db; /* with the jobs role; borrows for the relay's life */
	struct seal *seal;          /* borrows; nobody else may use it while the relay lives */
	outbox_deliver *deliver;    /* called on the relay's thread */
	void *ctx;
	size_t batch_max;       /* events for one deliver; 0: 256, at most OUTBOX_EVENTS_MAX */
	size_t batch_bytes_max; /* sum of their documents; 0: 256 KiB; one event alone may exceed it */
	int64_t poll_ms;        /* 0: 200 */
	int64_t gather_ms;      /* after a poke, so that what is committed next goes along; 0: 50 */
	int64_t backoff_max_ms; /* 0: 5000 */
};

struct outbox_stats {
	uint64_t waiting;      /* rows, counted up to 100000 at most once a second */
	int64_t oldest_age_us; /* 0 when none wait */
	uint64_t delivered_total;
	uint64_t erased_total; /* delivered without documents */
	uint64_t refused_total;
	bool leading; /* this process holds the relay's lock */
	bool failing; /* the last attempt at PostgreSQL or auditsvc failed */
};

struct outbox_relay;

/* Makes it, without thread or I/O. */
MUST_USE enum err outbox_relay_new(const struct outbox_relay_config *config, struct outbox_relay **relay_out);
MUST_USE enum err outbox_relay_start(struct outbox_relay *relay);
/* Something was committed: look now. Any thread; cheap. NULL is fine. */
void outbox_poke(struct outbox_relay *relay);
void outbox_relay_stats(struct outbox_relay *relay, struct outbox_stats *stats_out); /* any thread */
/* Lets a running deliver end, joins the thread. NULL is fine. */
void outbox_relay_free(struct outbox_relay **relay);

#endif
