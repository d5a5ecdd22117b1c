/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "link/link_dialer_private.h"

/* With the jitter, what comes back is found within 200 ms and a handshake. */
#define BACKOFF_MIN_US (20 * 1000U)
#define BACKOFF_MAX_US (160 * 1000U)
#define GREETING_US (5 * US_PER_S)
#define OUT_MAX (64U << 20)
/* After the end of a connection nng has this long to end what it had under way. */
#define UNENDED_US (5 * US_PER_S)
#define ENDING_STEP_US (20 * US_PER_MS)

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
		replica->succeeded = false;
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

/* Under the lock. The callee has closed its port and goes when all is answered: another may have taken its place. */
static void retire(struct replica *replica)
{
	replica->stats.draining = true;
	replica->stats.connected = false;
	replica->retired = replica->conn;
	replica->conn = NULL;
	replica->up = false;
	replica->pinged_us = 0;
	replica->backoff_us = BACKOFF_MIN_US;
	replica->dial_at_us = 0;
	link_call_gauge(replica->dialer);
	if (link_call_count(replica, replica->retired) == 0)
		link_conn_close(replica->retired, true);
	log_event(LOG_INFO, "link_draining", LOG_C("callee", peer_name(replica->dialer->callee)),
		LOG_C("lane", lane_name(replica->dialer->lane)), LOG_I("replica", replica->index));
}

/* Under the lock. */
static void drain(struct replica *replica, const struct link_conn *conn, bool succeeded)
{
	if (conn != replica->conn)
		return;
	replica->succeeded = succeeded;
	if (!replica->retired) {
		retire(replica);
		return;
	}
	replica->stats.draining = true;
	link_call_gauge(replica->dialer);
	if (link_call_count(replica, conn) == 0)
		link_conn_close(replica->conn, true);
}

/* Under the lock. A message that has its answer, or was refused by the empty one. */
static void take_reply(struct replica *replica, const struct link_conn *conn, uint32_t id, struct str payload)
{
	struct call *call = link_call_of(replica, conn, id);

	if (!call)
		return;
	if (payload.len > 0) {
		link_call_finish(replica, call, OK, &replica->stats.answered, payload);
		return;
	}
	if (conn == replica->conn)
		replica->stats.draining = true;
	link_call_finish(replica, call, ERR_DRAINING, &replica->stats.refused, STR_NONE);
}

static enum link_conn_next on_message(void *owner, struct link_conn *conn, uint32_t id, struct str payload)
{
	struct replica *replica = owner;
	struct link_dialer *dialer = replica->dialer;

	pthread_mutex_lock(&dialer->lock);
	if (replica->conn != conn && replica->retired != conn) {
		pthread_mutex_unlock(&dialer->lock);
		return LINK_CONN_BAD;
	}
	if (replica->conn == conn)
		replica->pinged_us = 0;
	if (id != LINK_CONN_NOTE)
		take_reply(replica, conn, id, payload);
	else if (payload.len == 0 || str_eq(payload, LINK_CONN_NEXT))
		drain(replica, conn, payload.len > 0);
	pthread_mutex_unlock(&dialer->lock);
	link_keeper_poke(&dialer->kept, id == LINK_CONN_NOTE ? 0 : LINK_KEEPER_NEVER);
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
		.kept = &dialer->kept,
		.ready = dialer->is_read ? &dialer->ready : NULL};
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

/* Three quarters to five quarters, so that all who lost a callee do not come back at once. */
static uint64_t with_jitter(uint64_t us)
{
	uint8_t jitter;

	random_bytes(&jitter, sizeof(jitter));
	return us * (384 + jitter) / 512;
}

static void dial(struct replica *replica, uint64_t now_us)
{
	replica->dialing = true;
	replica->dial_at_us = now_us + with_jitter(replica->backoff_us);
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

/* Ends the calls of a connection that has ended: what was wholly given to the kernel may have been executed. */
static void end_calls(struct replica *replica, const struct link_conn *conn, uint64_t given)
{
	for (size_t i = 0; i < LINK_IN_FLIGHT_MAX; i++) {
		struct call *call = &replica->calls[i];

		if (!call->busy || call->conn != conn)
			continue;
		if (call->end > given)
			link_call_finish(replica, call, ERR_UNAVAILABLE, &replica->stats.undelivered, STR_NONE);
		else
			link_call_finish(replica, call, ERR_DEADLINE, &replica->stats.lost, STR_NONE);
	}
}

static void bury(struct replica *replica, struct link_conn **place, uint64_t now_us)
{
	struct link_conn *conn = *place;
	uint64_t lost = replica->stats.lost;

	if (place == &replica->conn) {
		tell_end(replica, link_conn_fault(conn));
		replica->up = false;
		replica->stats.connected = false;
		replica->pinged_us = 0;
		replica->dial_at_us = now_us + with_jitter(BACKOFF_MIN_US);
	}
	*place = NULL;
	link_call_gauge(replica->dialer);
	end_calls(replica, conn, link_conn_given(conn));
	if (replica->stats.lost != lost)
		link_call_blame(replica, "lost", now_us);
	if (link_conn_is_over(conn)) {
		link_conn_free(&conn);
		return;
	}
	/* nng owes the end of a read or write. Better to lose this memory than the callee. */
	replica->dialer->leaky = true;
	log_event(LOG_ERROR, "link_stuck", LOG_C("callee", peer_name(replica->dialer->callee)),
		LOG_I("replica", replica->index));
}

/* Whether a connection can be buried, and if not yet, when to ask again. */
static bool has_ended(const struct replica *replica, struct link_conn *conn, uint64_t now_us, uint64_t *again_us_out)
{
	uint64_t ended_us = link_conn_ended_us(conn);

	*again_us_out = LINK_KEEPER_NEVER;
	if (ended_us == 0 || replica->users > 0)
		return false;
	*again_us_out = now_us + ENDING_STEP_US;
	return link_conn_is_over(conn) || ended_us + UNENDED_US <= now_us;
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
	uint64_t next_us, then_us;

	if (!replica->up) {
		uint64_t until_us = link_conn_made_us(replica->conn) + GREETING_US;

		if (until_us <= now_us)
			link_conn_close(replica->conn, false);
		return until_us > now_us ? until_us : LINK_KEEPER_NEVER;
	}
	next_us = link_watch_silence(replica, now_us);
	then_us = link_watch_owing(replica, now_us);
	return next_us < then_us ? next_us : then_us;
}

static uint64_t watch_retired(struct replica *replica, uint64_t now_us)
{
	uint64_t again_us = LINK_KEEPER_NEVER;

	if (replica->retired && has_ended(replica, replica->retired, now_us, &again_us)) {
		bury(replica, &replica->retired, now_us);
		return LINK_KEEPER_NEVER;
	}
	return again_us;
}

static uint64_t watch_conn(struct replica *replica, uint64_t now_us)
{
	uint64_t then_us = LINK_KEEPER_NEVER;

	if (replica->conn && has_ended(replica, replica->conn, now_us, &then_us)) {
		bury(replica, &replica->conn, now_us);
		then_us = LINK_KEEPER_NEVER;
	}
	if (replica->conn)
		return then_us == LINK_KEEPER_NEVER ? watch(replica, now_us) : then_us;
	if (replica->dialing || replica->dialer->closing)
		return LINK_KEEPER_NEVER;
	if (replica->dial_at_us > now_us)
		return replica->dial_at_us;
	dial(replica, now_us);
	return LINK_KEEPER_NEVER;
}

uint64_t link_replica_tick(struct replica *replica, uint64_t now_us)
{
	uint64_t next_us = expire(replica, now_us);
	const uint64_t others_us[] = {
		watch_retired(replica, now_us), watch_conn(replica, now_us), link_watch_health(replica, now_us)};

	for (size_t i = 0; i < sizeof(others_us) / sizeof(others_us[0]); i++)
		next_us = others_us[i] < next_us ? others_us[i] : next_us;
	return next_us;
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
	if (replica->retired)
		link_conn_close(replica->retired, false);
	return !replica->conn && !replica->retired && !replica->dialing;
}

void link_replica_free(struct replica *replica)
{
	if (replica->dial)
		nng_aio_free(replica->dial);
	if (replica->end)
		nng_stream_dialer_free(replica->end);
	free(replica);
}
