/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/log.h"
#include "link/link_dialer_private.h"

/* A callee that says nothing is asked, and given up when it does not answer: a machine that is gone closes nothing. */
#define PING_AFTER_US (2 * US_PER_S)
#define SILENCE_MAX_US (5 * US_PER_S)
/*
 * With messages under way and another replica to take them, silence is not borne for as long: then all are asked for a
 * sign of life, and who gives none while another does is stopped or out of reach.
 */
#define STALL_ASK_US (400 * US_PER_MS)
#define STALL_US (600 * US_PER_MS)
/* One that lives, and answers nothing for so long while others answer far sooner. */
#define STUCK_US (1500 * US_PER_MS)
#define STUCK_TIMES 10

/* Since when it owes an answer: the oldest message's beginning. 0: it owes none. */
static uint64_t owes_since_us(const struct replica *replica)
{
	uint64_t since_us = 0;

	for (size_t i = 0; i < LINK_IN_FLIGHT_MAX; i++) {
		const struct call *call = &replica->calls[i];

		if (call->busy && call->conn == replica->conn && (since_us == 0 || call->begun_us < since_us))
			since_us = call->begun_us;
	}
	return since_us;
}

static void ask(struct replica *replica, uint64_t now_us)
{
	if (replica->pinged_us == 0)
		replica->pinged_us = now_us;
	(void)link_conn_send(replica->conn, LINK_CONN_NOTE, LINK_CONN_PING, NULL);
}

static uint64_t ask_all(struct link_dialer *dialer, uint64_t now_us)
{
	dialer->asked_us = now_us;
	for (size_t i = 0; i < dialer->replica_count; i++)
		if (dialer->replicas[i]->up)
			ask(dialer->replicas[i], now_us);
	return now_us + STALL_US;
}

/* Whether another live replica has said something since then, or has answered when `answered`. */
static bool another_spoke(const struct replica *replica, uint64_t since_us, bool answered)
{
	const struct link_dialer *dialer = replica->dialer;

	for (size_t i = 0; i < dialer->replica_count; i++) {
		const struct replica *other = dialer->replicas[i];

		if (other == replica || !link_call_is_live(other))
			continue;
		if ((answered ? other->answered_us : link_conn_heard_us(other->conn)) >= since_us)
			return true;
	}
	return false;
}

static uint64_t watch_stalled(struct replica *replica, uint64_t now_us, uint64_t since_us)
{
	struct link_dialer *dialer = replica->dialer;
	uint64_t heard_us = link_conn_heard_us(replica->conn);

	since_us = heard_us > since_us ? heard_us : since_us;
	if (now_us < since_us + STALL_ASK_US)
		return since_us + STALL_ASK_US;
	if (dialer->asked_us <= since_us)
		return ask_all(dialer, now_us);
	if (now_us < dialer->asked_us + STALL_US)
		return dialer->asked_us + STALL_US;
	/* That all are silent says something about this machine rather than about one of them. */
	if (!another_spoke(replica, dialer->asked_us, false))
		return ask_all(dialer, now_us);
	log_event(LOG_WARN, "link_stalled", LOG_C("callee", peer_name(dialer->callee)),
		LOG_C("lane", lane_name(dialer->lane)), LOG_I("replica", replica->index));
	link_conn_close(replica->conn, false);
	return LINK_KEEPER_NEVER;
}

static uint64_t watch_stuck(struct replica *replica, uint64_t now_us, uint64_t since_us)
{
	uint64_t others_us = link_call_others_us(replica);

	since_us = replica->answered_us > since_us ? replica->answered_us : since_us;
	if (replica->stats.ejected || others_us == 0)
		return LINK_KEEPER_NEVER;
	if (now_us < since_us + STUCK_US)
		return since_us + STUCK_US;
	if ((now_us - since_us) / STUCK_TIMES > others_us && another_spoke(replica, since_us, true))
		link_call_eject(replica, "stuck", now_us);
	return now_us + STUCK_US;
}

uint64_t link_watch_owing(struct replica *replica, uint64_t now_us)
{
	uint64_t since_us = owes_since_us(replica), next_us, then_us;

	if (since_us == 0 || replica->dialer->replica_count < 2)
		return LINK_KEEPER_NEVER;
	next_us = watch_stalled(replica, now_us, since_us);
	then_us = watch_stuck(replica, now_us, since_us);
	return next_us < then_us ? next_us : then_us;
}

uint64_t link_watch_silence(struct replica *replica, uint64_t now_us)
{
	uint64_t heard_us = link_conn_heard_us(replica->conn);

	if (replica->pinged_us != 0 && now_us - heard_us >= SILENCE_MAX_US &&
		now_us - replica->pinged_us >= SILENCE_MAX_US / 2) {
		log_event(LOG_WARN, "link_silent", LOG_C("callee", peer_name(replica->dialer->callee)),
			LOG_I("replica", replica->index));
		link_conn_close(replica->conn, false);
		return LINK_KEEPER_NEVER;
	}
	if (replica->pinged_us == 0 && now_us - heard_us >= PING_AFTER_US)
		ask(replica, now_us);
	return replica->pinged_us != 0 ? now_us + PING_AFTER_US / 4 : heard_us + PING_AFTER_US;
}

uint64_t link_watch_due(const struct replica *replica, uint64_t deadline_us)
{
	uint64_t ask_us = clock_monotonic_us() + STALL_ASK_US;

	return replica->dialer->replica_count > 1 && ask_us < deadline_us ? ask_us : deadline_us;
}

uint64_t link_watch_health(struct replica *replica, uint64_t now_us)
{
	const struct link_dialer *dialer = replica->dialer;

	if (replica->health.state != LINK_HEALTH_OPEN)
		return LINK_KEEPER_NEVER;
	if (!link_health_try(&replica->health, now_us))
		return replica->health.until_us;
	replica->stats.ejected = false;
	link_call_gauge(replica->dialer);
	log_event(LOG_INFO, "link_probed", LOG_C("callee", peer_name(dialer->callee)),
		LOG_C("lane", lane_name(dialer->lane)), LOG_I("replica", replica->index));
	return LINK_KEEPER_NEVER;
}
