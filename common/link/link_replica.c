/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "link/link_dialer_private.h"

#define BACKOFF_MIN_US (50 * 1000U)
#define BACKOFF_MAX_US (1000 * 1000U)
#define GREETING_US (5 * US_PER_S)
/* A callee that says nothing is asked, and given up when it does not answer: a machine that is gone closes nothing. */
#define PING_AFTER_US (2 * US_PER_S)
#define SILENCE_MAX_US (5 * US_PER_S)
#define OUT_MAX (64U << 20)
/* After the end of a connection nng has this long to end what it had under way. */
#define STUCK_US (5 * US_PER_S)

/* ---- events of the connection ---- */

static void on_opened(void *owner, struct link_conn *conn)
{
	struct replica *replica = owner;
	struct link_dialer *dialer = replica->dialer;
	bool ours;

	pthread_mutex_lock(&dialer->lock);
	ours = replica->conn == conn;
	if (ours) {
		replica->up = true;
		replica->backoff_us = BACKOFF_MIN_US;
		replica->stats.draining = false;
		replica->stats.connected = true;
		replica->stats.connects++;
		link_call_gauge(dialer);
	}
	pthread_mutex_unlock(&dialer->lock);
	link_keeper_poke(&dialer->kept, 0);
	if (ours)
		log_event(LOG_INFO, "link_up", LOG_C("callee", peer_name(dialer->callee)),
			LOG_C("lane", lane_name(dialer->lane)), LOG_I("replica", replica->index));
}

/* Under the lock. */
static void drain(struct replica *replica)
{
	replica->stats.draining = true;
	link_call_gauge(replica->dialer);
	if (replica->stats.in_flight == 0)
		link_conn_close(replica->conn, true);
}

static enum link_conn_next on_message(void *owner, struct link_conn *conn, uint32_t id, struct str payload)
{
	struct replica *replica = owner;
	struct link_dialer *dialer = replica->dialer;
	struct call *call;

	pthread_mutex_lock(&dialer->lock);
	if (replica->conn != conn) {
		pthread_mutex_unlock(&dialer->lock);
		return LINK_CONN_BAD;
	}
	replica->pinged_us = 0;
	if (id == LINK_CONN_NOTE) {
		if (payload.len == 0)
			drain(replica);
	} else if ((call = link_call_of(replica, conn, id)) != NULL) {
		/* The empty reply is link_worker_refuse's. */
		if (payload.len == 0) {
			replica->stats.draining = true;
			link_call_finish(replica, call, ERR_DRAINING, &replica->stats.refused, STR_NONE);
		} else {
			link_call_finish(replica, call, OK, &replica->stats.answered, payload);
		}
	}
	pthread_mutex_unlock(&dialer->lock);
	return LINK_CONN_GO;
}

static const struct link_conn_events events = {.opened = on_opened, .message = on_message};

/* ---- dialing ---- */

static void dialed(void *arg)
{
	struct replica *replica = arg;
	struct link_dialer *dialer = replica->dialer;
	struct link_conn_config config = {.tls = dialer->tls,
		.peer = dialer->callee,
		.out_max = OUT_MAX,
		.events = &events,
		.owner = replica,
		.kept = &dialer->kept};
	int rv = nng_aio_result(replica->dial);

	pthread_mutex_lock(&dialer->lock);
	replica->dialing = false;
	if (rv == 0) {
		config.stream = nng_aio_get_output(replica->dial, 0);
		if (dialer->closing)
			nng_stream_free(config.stream);
		else if (link_conn_new(&config, &replica->conn) != OK)
			log_event(LOG_ERROR, "link_no_memory", LOG_C("callee", peer_name(dialer->callee)));
	}
	pthread_mutex_unlock(&dialer->lock);
	link_keeper_poke(&dialer->kept, 0);
}

static void dial(struct replica *replica, uint64_t now_us)
{
	replica->dialing = true;
	replica->dial_at_us = now_us + replica->backoff_us;
	replica->backoff_us = replica->backoff_us * 2 < BACKOFF_MAX_US ? replica->backoff_us * 2 : BACKOFF_MAX_US;
	nng_aio_set_timeout(replica->dial, (nng_duration)(GREETING_US / US_PER_MS));
	nng_stream_dialer_dial(replica->end, replica->dial);
}

/* ---- what time brings; all under the lock ---- */

static void tell_end(struct replica *replica, const char *fault)
{
	const struct link_dialer *dialer = replica->dialer;

	if (fault)
		log_event(LOG_WARN, "link_broken", LOG_C("callee", peer_name(dialer->callee)),
			LOG_C("lane", lane_name(dialer->lane)), LOG_I("replica", replica->index),
			LOG_C("reason", fault));
	else if (replica->stats.connected)
		log_event(LOG_INFO, "link_down", LOG_C("callee", peer_name(dialer->callee)),
			LOG_C("lane", lane_name(dialer->lane)), LOG_I("replica", replica->index));
}

/* The connection has ended: what was wholly given to the kernel may have been executed, what was not has not. */
static void bury(struct replica *replica)
{
	struct link_conn *conn = replica->conn;
	uint64_t given = link_conn_given(conn);

	tell_end(replica, link_conn_fault(conn));
	replica->conn = NULL;
	replica->up = false;
	replica->stats.connected = false;
	replica->pinged_us = 0;
	link_call_gauge(replica->dialer);
	for (size_t i = 0; i < LINK_IN_FLIGHT_MAX; i++) {
		struct call *call = &replica->calls[i];

		if (!call->busy || call->conn != conn)
			continue;
		if (call->end > given)
			link_call_finish(replica, call, ERR_UNAVAILABLE, &replica->stats.undelivered, STR_NONE);
		else
			link_call_finish(replica, call, ERR_DEADLINE, &replica->stats.lost, STR_NONE);
	}
	if (link_conn_is_over(conn)) {
		link_conn_free(&conn);
		return;
	}
	/* nng owes the end of a read or write. Better to lose this memory than the callee. */
	replica->dialer->leaky = true;
	log_event(LOG_ERROR, "link_stuck", LOG_C("callee", peer_name(replica->dialer->callee)),
		LOG_I("replica", replica->index));
}

/* Whether the connection can be buried, and if not yet, when to ask again. */
static bool has_ended(struct replica *replica, uint64_t now_us, uint64_t *again_us_out)
{
	uint64_t ended_us = link_conn_ended_us(replica->conn);

	*again_us_out = LINK_KEEPER_NEVER;
	if (ended_us == 0 || replica->users > 0)
		return false;
	*again_us_out = ended_us + STUCK_US;
	return link_conn_is_over(replica->conn) || *again_us_out <= now_us;
}

static uint64_t expire(struct replica *replica, uint64_t now_us)
{
	uint64_t next_us = LINK_KEEPER_NEVER;

	for (size_t i = 0; i < LINK_IN_FLIGHT_MAX; i++) {
		struct call *call = &replica->calls[i];

		if (!call->busy)
			continue;
		if (call->deadline_us <= now_us && call->end != 0)
			link_call_finish(replica, call, ERR_DEADLINE, &replica->stats.late, STR_NONE);
		else if (call->deadline_us < next_us)
			next_us = call->deadline_us;
	}
	return next_us;
}

static uint64_t watch(struct replica *replica, uint64_t now_us)
{
	uint64_t heard_us = link_conn_heard_us(replica->conn);

	if (!replica->up) {
		uint64_t until_us = link_conn_made_us(replica->conn) + GREETING_US;

		if (until_us <= now_us)
			link_conn_close(replica->conn, false);
		return until_us > now_us ? until_us : LINK_KEEPER_NEVER;
	}
	if (replica->pinged_us != 0 && now_us - heard_us >= SILENCE_MAX_US &&
		now_us - replica->pinged_us >= SILENCE_MAX_US / 2) {
		log_event(LOG_WARN, "link_silent", LOG_C("callee", peer_name(replica->dialer->callee)),
			LOG_I("replica", replica->index));
		link_conn_close(replica->conn, false);
		return LINK_KEEPER_NEVER;
	}
	if (replica->pinged_us == 0 && now_us - heard_us >= PING_AFTER_US) {
		replica->pinged_us = now_us;
		(void)link_conn_send(replica->conn, LINK_CONN_NOTE, LINK_CONN_PING, NULL);
	}
	return replica->pinged_us != 0 ? now_us + PING_AFTER_US / 4 : heard_us + PING_AFTER_US;
}

uint64_t link_replica_tick(struct replica *replica, uint64_t now_us)
{
	uint64_t next_us = expire(replica, now_us), then_us = LINK_KEEPER_NEVER;

	if (replica->conn && has_ended(replica, now_us, &then_us)) {
		bury(replica);
		replica->dial_at_us = now_us + BACKOFF_MIN_US;
		then_us = LINK_KEEPER_NEVER;
	}
	if (replica->conn && then_us == LINK_KEEPER_NEVER)
		then_us = watch(replica, now_us);
	else if (!replica->conn && !replica->dialing && !replica->dialer->closing) {
		if (replica->dial_at_us <= now_us)
			dial(replica, now_us);
		else
			then_us = replica->dial_at_us;
	}
	return then_us < next_us ? then_us : next_us;
}

/* ---- life ---- */

enum err link_replica_new(struct link_dialer *dialer, struct str url)
{
	struct replica *replica = NULL;
	char inner[LINK_URL_MAX];
	enum err err;
	int rv;

	if (dialer->replica_count == LINK_REPLICAS_MAX)
		return link_identity_fault(dialer->callee, "URL", "there are too many");
	if ((err = link_identity_url(dialer->callee, url, inner)) != OK)
		return err;
	if (!(replica = calloc(1, sizeof(*replica))))
		return ERR_OVERLOADED;
	replica->dialer = dialer;
	replica->index = dialer->replica_count;
	replica->backoff_us = BACKOFF_MIN_US;
	for (size_t i = dialer->in_flight_max; i-- > 0;) {
		replica->calls[i].next_free = replica->free;
		replica->free = &replica->calls[i];
	}
	if ((rv = nng_stream_dialer_alloc(&replica->end, inner)) != 0 ||
		(rv = nng_aio_alloc(&replica->dial, dialed, replica)) != 0) {
		link_replica_free(replica);
		return link_identity_fault(dialer->callee, "URL", nng_strerror(rv));
	}
	(void)nng_stream_dialer_set_bool(replica->end, NNG_OPT_TCP_KEEPALIVE, true);
	dialer->replicas[dialer->replica_count++] = replica;
	return OK;
}

bool link_replica_close(struct replica *replica)
{
	if (replica->dialing)
		nng_stream_dialer_close(replica->end);
	if (replica->conn)
		link_conn_close(replica->conn, false);
	return !replica->conn && !replica->dialing;
}

void link_replica_free(struct replica *replica)
{
	if (replica->dial)
		nng_aio_free(replica->dial);
	if (replica->end)
		nng_stream_dialer_free(replica->end);
	free(replica);
}
