/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/log.h"
#include "link/link_dialer_private.h"

bool link_call_is_live(const struct replica *replica)
{
	return replica->up && !replica->stats.draining && !replica->stats.ejected;
}

void link_call_gauge(struct link_dialer *dialer)
{
	size_t room = 0, live = 0;

	for (size_t i = 0; i < dialer->replica_count; i++) {
		const struct replica *replica = dialer->replicas[i];

		if (!link_call_is_live(replica))
			continue;
		live++;
		room += dialer->in_flight_max - replica->stats.in_flight;
	}
	atomic_store(&dialer->room, room);
	atomic_store(&dialer->live, live);
	pthread_cond_broadcast(&dialer->freed);
}

struct call *link_call_of(struct replica *replica, const struct link_conn *conn, uint32_t id)
{
	struct call *call = &replica->calls[id % LINK_IN_FLIGHT_MAX];

	return call->busy && call->id == id && call->conn == conn ? call : NULL;
}

void link_call_finish(struct replica *replica, struct call *call, enum err err, uint64_t *counter, struct str reply)
{
	struct link_dialer *dialer = replica->dialer;
	link_done_fn *done = call->done;
	void *user = call->user;

	(*counter)++;
	if (err == OK) {
		uint64_t took = clock_monotonic_us() - call->begun_us;

		replica->stats.latency_us += (took >> 4) - (replica->stats.latency_us >> 4);
	}
	/* Free before `done`, so that whoever is told finds the room. */
	call->busy = false;
	call->conn = NULL;
	call->next_free = replica->free;
	replica->free = call;
	replica->stats.in_flight--;
	link_call_gauge(dialer);
	/* A draining callee waits for its callers to go. */
	if (replica->stats.draining && replica->stats.in_flight == 0 && replica->conn)
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
	while ((err = link_send(dialer, message, deadline_us, wake, &wait)) == ERR_OVERLOADED) {
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
