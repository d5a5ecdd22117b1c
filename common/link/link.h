/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_LINK_LINK_H
#define BERTH_LINK_LINK_H

#include "base/buf.h"
#include "contract/operation.h"

/*
 * Messages between two processes over mutual TLS, and the only place that calls nng. A message is opaque here (one
 * batch, see contract/envelope.h); each gets one reply or an error, and is delivered at most once, whatever dies.
 * Identity is which listener: one per arrow, trusting only the caller role's own authority.
 */
#define LINK_BYTES_MAX (4U << 20) /* one message or reply */
#define LINK_REPLICAS_MAX 16
#define LINK_IN_FLIGHT_MAX 64 /* messages under way to one replica */
#define LINK_IN_FLIGHT_USUAL 8
#define LINK_URL_MAX 120
#define LINK_PEERS_MAX 64 /* connections that one listener takes */

/* Who this process is on every link: its leaf, its key, and the folder that holds <role>-ca.pem of each role. */
struct link_identity;

/* Reads the files. ERR_BAD_FIELD (logged, never a value) when one is missing or too large. Gives. */
MUST_USE enum err link_identity_new(enum peer self, const char *cert_file, const char *key_file, const char *ca_dir,
	struct link_identity **identity_out);
void link_identity_free(struct link_identity **identity);

/* ---- the caller's side ---- */

/*
 * All replicas of one (callee, lane). Thread-safe: loops may share one or have one each. A live replica is one whose
 * connection stands and which is neither draining nor ejected. Connections are made, and made again, in the
 * background.
 */
struct link_dialer;

/*
 * Where a thread with an epoll instance of its own hears that something came. It must live as long as the dialer; its
 * events are EPOLLIN with `data`.
 */
struct link_ready {
	int epoll_fd;
	uint64_t data;
};

struct link_dialer_config {
	const struct link_identity *identity; /* borrows until _new returns */
	enum peer callee;
	enum lane lane;
	const char *urls;     /* tls+tcp://host:port, comma-separated: one per replica */
	size_t in_flight_max; /* messages under way to one replica; 0: LINK_IN_FLIGHT_USUAL */
	/* Replies wait for link_dialer_read, and their `done` runs inside it. NULL: threads of nng's read them. */
	const struct link_ready *ready; /* copies */
};

/*
 * How a message ended. Runs on a thread of nng's or the link's, in link_dialer_read or in link_dialer_free, must not
 * block and must not free the dialer; may call link_send. `reply` borrows until it returns.
 *
 *   OK               reply is the peer's
 *   ERR_UNAVAILABLE  the connection broke before the message was handed to it: not delivered, may be sent again
 *   ERR_DRAINING     the peer is stopping and did not execute it: may be sent again
 *   ERR_DEADLINE     the deadline passed, or the peer was lost with the message: the outcome is unknown. Also when it
 *                    provably was not sent in time
 *   ERR_BAD_GATEWAY  the reply could not be taken (over LINK_BYTES_MAX ends the connection: ERR_DEADLINE)
 */
typedef void link_done_fn(void *ctx, enum err err, struct str reply);

/* ERR_BAD_FIELD (logged) for a URL that is not tls+tcp or an authority that cannot be read. Gives. */
MUST_USE enum err link_dialer_new(const struct link_dialer_config *config, struct link_dialer **dialer_out);
/* Ends what is under way (ERR_DEADLINE or ERR_UNAVAILABLE) and waits for the last `done`. */
void link_dialer_free(struct link_dialer **dialer);

/*
 * Sends to the live replica with the least under way, in turn among equals. Copies `message`. On OK `done` is called
 * exactly once, perhaps before this returns; otherwise never, and nothing was sent: ERR_UNAVAILABLE no live replica,
 * ERR_OVERLOADED no room, ERR_DEADLINE already passed, ERR_TOO_LARGE over LINK_BYTES_MAX. Never blocks.
 */
MUST_USE enum err link_send(
	struct link_dialer *dialer, struct str message, uint64_t deadline_us, link_done_fn *done, void *ctx);
/* Takes the replies that have come, for a dialer with `ready`; never waits. One thread at a time, never in a `done`. */
void link_dialer_read(struct link_dialer *dialer);
/* As link_send, waiting for room and for the end. The reply is appended. Never on an event loop or in a `done`. */
MUST_USE enum err link_call_wait(
	struct link_dialer *dialer, struct str message, uint64_t deadline_us, struct buf *reply_out);

size_t link_room(const struct link_dialer *dialer); /* messages that live replicas would take now; no lock */
size_t link_live(const struct link_dialer *dialer); /* live replicas; no lock */
/*
 * No replica is live, but one that drains said that another process takes its place: for a few seconds that one is
 * awaited, so what can wait should. No lock.
 */
bool link_returns(const struct link_dialer *dialer);
size_t link_replicas(const struct link_dialer *dialer);
enum peer link_callee(const struct link_dialer *dialer);
enum lane link_lane(const struct link_dialer *dialer);

/* Of one replica, since the start. */
struct link_replica_stats {
	bool connected, draining, ejected;
	uint64_t ejections;
	size_t in_flight;
	uint64_t connects; /* connections made */
	uint64_t sent;     /* messages handed to a connection */
	uint64_t answered;
	uint64_t undelivered; /* ended ERR_UNAVAILABLE */
	uint64_t refused;     /* ended ERR_DRAINING */
	uint64_t lost;        /* the peer was lost with the message */
	uint64_t late;        /* the deadline passed */
	uint64_t latency_us;  /* moving average over answers, weight 1/16 */
};
struct link_replica_stats link_stats(const struct link_dialer *dialer, size_t replica);
/*
 * An ejected replica keeps its connection and gets no messages, unless all others that stand are ejected too. The link
 * ejects by itself for a while: for late answers, connections that break again and again, answers far slower than the
 * others', and silence (link_health.h).
 */
void link_eject(struct link_dialer *dialer, size_t replica, bool ejected);

/* ---- the callee's side ---- */

/* One (caller, lane). */
struct link_listener;
/* One thread's place at a listener: receives one message at a time and answers it. Not thread-safe. */
struct link_worker;

struct link_listener_config {
	const struct link_identity *identity; /* borrows until _new returns */
	enum peer caller;
	enum lane lane;
	const char *url; /* tls+tcp://address:port */
};

struct link_listener_stats {
	size_t connected;
	uint64_t connects;
	uint64_t turned_away; /* connections over LINK_PEERS_MAX */
	uint64_t received, replied, refused, dropped;
	uint64_t faults; /* connections ended for what they are or sent: a foreign certificate, a bad frame */
};

/* Listens at once; messages wait (few per connection) until a worker receives. Errors as link_dialer_new. Gives. */
MUST_USE enum err link_listener_new(const struct link_listener_config *config, struct link_listener **listener_out);
/*
 * Stops listening, so that another process may take the address; refuses what waits and what comes, and tells every
 * caller, which goes when its last message is answered. Workers go on answering what they have received. `succeeded`:
 * another process takes the address at once, and callers should wait for it.
 */
void link_listener_drain(struct link_listener *listener, bool succeeded);
/* Whether every connection has gone before the deadline. */
MUST_USE bool link_listener_wait_gone(struct link_listener *listener, uint64_t deadline_us);
/* Closes every connection. Free its workers first. */
void link_listener_free(struct link_listener **listener);
/* Ends every wait in link_worker_receive that has begun. */
void link_listener_wake(struct link_listener *listener);
struct link_listener_stats link_listener_stats(const struct link_listener *listener);
enum peer link_listener_caller(const struct link_listener *listener);
enum lane link_listener_lane(const struct link_listener *listener);

MUST_USE enum err link_worker_new(struct link_listener *listener, struct link_worker **worker_out);
void link_worker_free(struct link_worker **worker);
/*
 * Waits for a message: it borrows until it is replied to, refused, dropped or the next is received. ERR_DEADLINE:
 * none came in time, or the listener's workers were woken. ERR_DRAINING: the listener was closed.
 */
MUST_USE enum err link_worker_receive(struct link_worker *worker, uint64_t timeout_ms, struct str *message_out);
/*
 * As link_worker_receive, but never waits, and leaves to idle workers what they are about to take: for one who has a
 * message already and makes a batch of what has piled up. ERR_DEADLINE: nothing is left over.
 */
MUST_USE enum err link_worker_gather(struct link_worker *worker, struct str *message_out);
/* When the message received last came in: what it waited for a worker counts against its deadline. */
uint64_t link_worker_came_us(const struct link_worker *worker);
/*
 * Answers the message received last; a peer that went away is no error. Copies. A reply that is empty or over
 * LINK_BYTES_MAX is a broken invariant.
 */
void link_worker_reply(struct link_worker *worker, struct str reply);
/* Answers "draining, not executed": the peer's call ends with ERR_DRAINING, and it sends this process no more. */
void link_worker_refuse(struct link_worker *worker);
/* No answer: for a message that no honest peer sends. */
void link_worker_drop(struct link_worker *worker);

#endif
