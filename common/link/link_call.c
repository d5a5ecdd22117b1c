/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/log.h"
#include "link/link_dialer_private.h"

/* How long a successor is waited for: it has only its ports to open. */
#define RETURN_US (5 * US_PER_S)
/* A deadline that is nearer says nothing about the callee. */
#define PATIENCE_US (500 * US_PER_MS)

static bool is_standing(const struct replica *replica)
{
	return replica->up && !replica->stats.draining;
}

bool link_call_is_live(const struct replica *replica)
{
	return is_standing(replica) && (!replica->stats.ejected || replica->dialer->alone);
}

size_t link_call_room(const struct replica *replica)
{
	size_t left = replica->dialer->in_flight_max - replica->stats.in_flight;

	if (!link_call_is_live(replica) || left == 0)
		return 0;
	if (replica->dialer->alone || replica->health.state == LINK_HEALTH_CLOSED)
		return left;
	return link_health_takes(&replica->health, replica->stats.in_flight) ? 1 : 0;
}

size_t link_call_count(const struct replica *replica, const struct link_conn *conn)
{
	size_t count = 0;

	for (size_t i = 0; i < LINK_IN_FLIGHT_MAX; i++)
		count += replica->calls[i].busy && replica->calls[i].conn == conn;
	return count;
}

void link_call_gauge(struct link_dialer *dialer)
{
	size_t room = 0, live = 0, standing = 0, well = 0;
	bool succeeded = false;

	for (size_t i = 0; i < dialer->replica_count; i++) {
		const struct replica *replica = dialer->replicas[i];

		standing += is_standing(replica);
		well += is_standing(replica) && !replica->stats.ejected;
		succeeded = succeeded || replica->succeeded;
	}
	dialer->alone = standing > 0 && well == 0;
	for (size_t i = 0; i < dialer->replica_count; i++) {
		live += link_call_is_live(dialer->replicas[i]);
		room += link_call_room(dialer->replicas[i]);
	}
	if (live == 0 && succeeded && atomic_load(&dialer->live) > 0)
		atomic_store(&dialer->return_us, clock_monotonic_us() + RETURN_US);
	atomic_store(&dialer->room, room);
	atomic_store(&dialer->live, live);
	pthread_cond_broadcast(&dialer->freed);
}

/* ---- breakers ---- */

static void tell_health(const struct replica *replica, enum log_level level, const char *event, const char *reason)
{
	log_event(level, event, LOG_C("callee", peer_name(replica->dialer->callee)),
		LOG_C("lane", lane_name(replica->dialer->lane)), LOG_I("replica", replica->index),
		LOG_C("reason", reason));
}

void link_call_eject(struct replica *replica, const char *reason, uint64_t now_us)
{
	const struct link_dialer *dialer = replica->dialer;
	bool replaced = false;

	for (size_t i = 0; i < dialer->replica_count; i++) {
		const struct replica *other = dialer->replicas[i];

		replaced = replaced || (other != replica && is_standing(other) && !other->stats.ejected);
	}
	if (!replaced)
		return;
	link_health_eject(&replica->health, now_us);
	replica->stats.ejected = true;
	replica->stats.ejections++;
	tell_health(replica, LOG_WARN, "link_ejected", reason);
	link_call_gauge(replica->dialer);
	link_keeper_poke(&replica->dialer->kept, replica->health.until_us);
}

void link_call_blame(struct replica *replica, const char *reason, uint64_t now_us)
{
	if (link_health_fault(&replica->health))
		link_call_eject(replica, reason, now_us);
}

uint64_t link_call_others_us(const struct replica *replica)
{
	const struct link_dialer *dialer = replica->dialer;
	uint64_t sum_us = 0, count = 0;

	for (size_t i = 0; i < dialer->replica_count; i++) {
		const struct replica *other = dialer->replicas[i];

		if (other == replica || !is_standing(other) || other->stats.ejected || other->stats.answered == 0)
			continue;
		sum_us += other->stats.latency_us;
		count++;
	}
	return count > 0 ? sum_us / count + 1 : 0;
}

static void note_answer(struct replica *replica, uint64_t begun_us)
{
	uint64_t now_us = clock_monotonic_us(), took_us = now_us - begun_us;
	enum link_health_state before = replica->health.state;

	replica->answered_us = now_us;
	replica->stats.latency_us += (took_us >> 4) - (replica->stats.latency_us >> 4);
	if (link_health_answer(&replica->health, took_us, link_call_others_us(replica), now_us))
		link_call_eject(replica, "slow", now_us);
	else if (before != LINK_HEALTH_CLOSED && replica->health.state == LINK_HEALTH_CLOSED)
		tell_health(replica, LOG_INFO, "link_readmitted", "answers");
}

struct call *link_call_of(struct replica *replica, const struct link_conn *conn, uint32_t id)
{
	struct call *call = &replica->calls[id % LINK_IN_FLIGHT_MAX];

	return call->busy && call->id == id && call->conn == conn ? call : NULL;
}

void link_call_finish(struct replica *replica, struct call *call, enum err err, uint64_t *counter, struct str reply)
{
	struct link_dialer *dialer = replica->dialer;
	struct link_conn *conn = call->conn;
	link_done_fn *done = call->done;
	void *user = call->user;

	(*counter)++;
	if (err == OK)
		note_answer(replica, call->begun_us);
	else if (counter == &replica->stats.late && call->deadline_us - call->begun_us >= PATIENCE_US)
		link_call_blame(replica, "late", clock_monotonic_us());
	/* Free before `done`, so that whoever is told finds the room. */
	call->busy = false;
	call->conn = NULL;
	call->next_free = replica->free;
	replica->free = call;
	replica->stats.in_flight--;
	link_call_gauge(dialer);
	/* A draining callee waits for its callers to go. */
	if (conn == replica->retired && conn && link_call_count(replica, conn) == 0)
		link_conn_close(conn, true);
	else if (replica->stats.draining && replica->stats.in_flight == 0 && replica->conn)
		link_conn_close(replica->conn, true);
	pthread_mutex_unlock(&dialer->lock);
	done(user, err, reply);
	pthread_mutex_lock(&dialer->lock);
	if (--dialer->active == 0 && dialer->closing)
		pthread_cond_broadcast(&dialer->freed);
}

/* ---- the blocking form ---- */

struct wait {
	pthread_mutex_t lock;
	pthread_cond_t ended;
	bool over;
	enum err err;
	struct buf *reply;
};

static void wake(void *ctx, enum err err, struct str reply)
{
	struct wait *wait = ctx;

	pthread_mutex_lock(&wait->lock);
	wait->err = err;
	if (err == OK) {
		buf_put_str(wait->reply, reply);
		if (!buf_ok(wait->reply))
			wait->err = ERR_TOO_LARGE;
	}
	wait->over = true;
	pthread_cond_signal(&wait->ended);
	/* The waiter may be gone as soon as this returns. */
	pthread_mutex_unlock(&wait->lock);
}

enum err link_call_wait(struct link_dialer *dialer, struct str message, uint64_t deadline_us, struct buf *reply_out)
{
	struct wait wait = {.reply = reply_out};
	enum err err;

	pthread_mutex_init(&wait.lock, NULL);
	wait_init(&wait.ended);
	/* Others may take the room first: ask again as long as there is time. */
	for (;;) {
		err = link_send(dialer, message, deadline_us, wake, &wait);
		if (err != ERR_OVERLOADED && !(err == ERR_UNAVAILABLE && link_returns(dialer)))
			break;
		if (!link_dialer_wait_room(dialer, deadline_us))
			break;
	}
	if (err == OK) {
		/* Without a time-out: link_send promises the end, and until then `wait` belongs to it. */
		pthread_mutex_lock(&wait.lock);
		while (!wait.over)
			pthread_cond_wait(&wait.ended, &wait.lock);
		pthread_mutex_unlock(&wait.lock);
		err = wait.err;
	}
	pthread_cond_destroy(&wait.ended);
	pthread_mutex_destroy(&wait.lock);
	return err;
}
