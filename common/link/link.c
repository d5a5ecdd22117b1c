/* SPDX-License-Identifier: Apache-2.0 */
#include "link/link.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "link/link_dialer_private.h"

#define CLOSE_STEP_US 20000

static uint64_t tick(void *owner, uint64_t now_us)
{
	struct link_dialer *dialer = owner;
	uint64_t next_us = LINK_KEEPER_NEVER;

	pthread_mutex_lock(&dialer->lock);
	for (size_t i = 0; i < dialer->replica_count; i++) {
		uint64_t due_us = link_replica_tick(dialer->replicas[i], now_us);

		next_us = due_us < next_us ? due_us : next_us;
	}
	if (dialer->closing)
		pthread_cond_broadcast(&dialer->freed);
	pthread_mutex_unlock(&dialer->lock);
	return next_us;
}

enum err link_dialer_new(const struct link_dialer_config *config, struct link_dialer **dialer_out)
{
	size_t wanted = config->in_flight_max ? config->in_flight_max : LINK_IN_FLIGHT_USUAL;
	struct str rest = str_from(config->urls), url;
	struct link_dialer *dialer = calloc(1, sizeof(*dialer));
	bool more = true;
	enum err err;

	if (!dialer)
		return ERR_OVERLOADED;
	dialer->callee = config->callee;
	dialer->lane = config->lane;
	dialer->is_read = config->ready != NULL;
	if (config->ready)
		dialer->ready = *config->ready;
	dialer->in_flight_max = wanted < LINK_IN_FLIGHT_MAX ? wanted : LINK_IN_FLIGHT_MAX;
	dialer->kept = (struct link_kept){.tick = tick, .owner = dialer};
	pthread_mutex_init(&dialer->lock, NULL);
	wait_init(&dialer->freed);
	err = link_identity_tls(config->identity, config->callee, &dialer->tls);
	while (more && err == OK) {
		more = str_cut(&rest, ',', &url);
		err = link_replica_new(dialer, str_trim(url));
	}
	if (err == OK) {
		dialer->is_kept = link_keeper_add(&dialer->kept);
		err = dialer->is_kept ? OK : ERR_OVERLOADED;
	}
	if (err != OK) {
		link_dialer_free(&dialer);
		return err;
	}
	link_keeper_poke(&dialer->kept, 0);
	*dialer_out = dialer;
	return OK;
}

/* Every call ends with its connection, in the keeper's hands. */
static void close_all(struct link_dialer *dialer)
{
	bool over = false;

	pthread_mutex_lock(&dialer->lock);
	dialer->closing = true;
	while (!over || dialer->active > 0) {
		over = true;
		for (size_t i = 0; i < dialer->replica_count; i++)
			over = link_replica_close(dialer->replicas[i]) && over;
		if (over && dialer->active == 0)
			break;
		link_keeper_poke(&dialer->kept, 0);
		(void)wait_until(&dialer->freed, &dialer->lock, clock_monotonic_us() + CLOSE_STEP_US);
	}
	pthread_mutex_unlock(&dialer->lock);
}

void link_dialer_free(struct link_dialer **dialer)
{
	struct link_dialer *gone = *dialer;

	if (!gone)
		return;
	*dialer = NULL;
	if (gone->is_kept) {
		close_all(gone);
		link_keeper_remove(&gone->kept);
	}
	if (gone->leaky)
		return;
	for (size_t i = 0; i < gone->replica_count; i++)
		link_replica_free(gone->replicas[i]);
	SSL_CTX_free(gone->tls);
	pthread_cond_destroy(&gone->freed);
	pthread_mutex_destroy(&gone->lock);
	free(gone);
}

/* Under the lock. The least under way; in turn among equals. Sets *live_out when any is live. */
static struct replica *choose(struct link_dialer *dialer, bool *live_out)
{
	struct replica *best = NULL;

	for (size_t i = 0; i < dialer->replica_count; i++) {
		struct replica *replica = dialer->replicas[(dialer->turn + i) % dialer->replica_count];

		if (!link_call_is_live(replica))
			continue;
		*live_out = true;
		if (link_call_room(replica) > 0 && replica->free &&
			(!best || replica->stats.in_flight < best->stats.in_flight))
			best = replica;
	}
	if (best)
		dialer->turn = best->index + 1;
	return best;
}

/* Under the lock. A free call of `replica`, made to wait for `done`. */
static struct call *take(struct replica *replica, uint64_t deadline_us, link_done_fn *done, void *user)
{
	struct call *call = replica->free;
	uint32_t index = (uint32_t)(call - replica->calls);

	replica->free = call->next_free;
	/* Turn 0 of place 0 would be LINK_CONN_NOTE. */
	call->turn = call->turn < LINK_CONN_NOTE / LINK_IN_FLIGHT_MAX - 1 ? call->turn + 1 : 1;
	call->id = LINK_CONN_NOTE | (call->turn * LINK_IN_FLIGHT_MAX + index);
	call->busy = true;
	call->conn = replica->conn;
	call->end = 0;
	call->deadline_us = deadline_us;
	call->begun_us = clock_monotonic_us();
	call->done = done;
	call->user = user;
	replica->users++;
	replica->stats.in_flight++;
	replica->dialer->active++;
	link_call_gauge(replica->dialer);
	return call;
}

/* Under the lock. The call was never sent; nobody is told. */
static void give_back(struct replica *replica, struct call *call)
{
	if (replica->conn == call->conn)
		replica->up = false;
	call->busy = false;
	call->conn = NULL;
	call->next_free = replica->free;
	replica->free = call;
	replica->stats.in_flight--;
	replica->dialer->active--;
	link_call_gauge(replica->dialer);
}

/* Under the lock. While `users` counts somebody, neither the connection nor an unanswered call is given up. */
static void let_go(struct replica *replica, struct link_conn *conn)
{
	if (--replica->users == 0 && !link_conn_is_open(conn))
		link_keeper_poke(&replica->dialer->kept, 0);
}

/* Under the lock, which it lets go while it writes. False: that connection had just ended; try another. */
static bool send_on(struct replica *replica, struct call *call, struct str message)
{
	struct link_dialer *dialer = replica->dialer;
	struct link_conn *conn = replica->conn;
	uint32_t id = call->id;
	uint64_t end = 0;
	bool sent;

	pthread_mutex_unlock(&dialer->lock);
	sent = link_conn_send(conn, id, message, &end);
	pthread_mutex_lock(&dialer->lock);
	let_go(replica, conn);
	if (!sent) {
		give_back(replica, call);
		return false;
	}
	replica->stats.sent++;
	/* cppcheck-suppress knownConditionTrueFalse ; the lock was given back meanwhile */
	if (call->busy && call->id == id)
		call->end = end;
	return true;
}

enum err link_send(struct link_dialer *dialer, struct str message, uint64_t deadline_us, link_done_fn *done, void *ctx)
{
	enum err err = ERR_UNAVAILABLE;
	bool sent = false;

	if (message.len > LINK_BYTES_MAX)
		return ERR_TOO_LARGE;
	if (deadline_us <= clock_monotonic_us())
		return ERR_DEADLINE;
	pthread_mutex_lock(&dialer->lock);
	while (!sent) {
		bool live = false;
		struct replica *replica = dialer->closing ? NULL : choose(dialer, &live);

		if (!replica) {
			err = live ? ERR_OVERLOADED : ERR_UNAVAILABLE;
			break;
		}
		sent = send_on(replica, take(replica, deadline_us, done, ctx), message);
		link_keeper_poke(&dialer->kept, sent ? link_watch_due(replica, deadline_us) : 0);
	}
	pthread_mutex_unlock(&dialer->lock);
	return sent ? OK : err;
}

void link_dialer_read(struct link_dialer *dialer)
{
	INVARIANT(dialer->is_read);
	pthread_mutex_lock(&dialer->lock);
	for (size_t i = 0; i < dialer->replica_count; i++) {
		struct replica *replica = dialer->replicas[i];
		struct link_conn *const conns[] = {replica->retired, replica->conn};

		for (size_t k = 0; k < sizeof(conns) / sizeof(conns[0]); k++) {
			/* The second may have gone while the lock was given up for the first. */
			if (!conns[k] || (conns[k] != replica->retired && conns[k] != replica->conn))
				continue;
			replica->users++;
			pthread_mutex_unlock(&dialer->lock);
			link_conn_read(conns[k]);
			pthread_mutex_lock(&dialer->lock);
			let_go(replica, conns[k]);
		}
	}
	pthread_mutex_unlock(&dialer->lock);
}

bool link_dialer_wait_room(struct link_dialer *dialer, uint64_t deadline_us)
{
	bool in_time = true;

	pthread_mutex_lock(&dialer->lock);
	while (in_time && atomic_load(&dialer->room) == 0) {
		uint64_t until_us = deadline_us, return_us = atomic_load(&dialer->return_us);

		if (atomic_load(&dialer->live) == 0) {
			if (!link_returns(dialer))
				break;
			until_us = return_us < deadline_us ? return_us : deadline_us;
		}
		in_time = wait_until(&dialer->freed, &dialer->lock, until_us) || until_us < deadline_us;
	}
	pthread_mutex_unlock(&dialer->lock);
	return in_time;
}

size_t link_room(const struct link_dialer *dialer)
{
	return atomic_load(&dialer->room);
}

size_t link_live(const struct link_dialer *dialer)
{
	return atomic_load(&dialer->live);
}

bool link_returns(const struct link_dialer *dialer)
{
	return link_live(dialer) == 0 && clock_monotonic_us() < atomic_load(&dialer->return_us);
}

size_t link_replicas(const struct link_dialer *dialer)
{
	return dialer->replica_count;
}

enum peer link_callee(const struct link_dialer *dialer)
{
	return dialer->callee;
}

enum lane link_lane(const struct link_dialer *dialer)
{
	return dialer->lane;
}

struct link_replica_stats link_stats(const struct link_dialer *dialer, size_t replica)
{
	/* The lock is no part of what the caller sees as constant. */
	pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&dialer->lock;
	struct link_replica_stats stats;

	INVARIANT(replica < dialer->replica_count);
	pthread_mutex_lock(lock);
	stats = dialer->replicas[replica]->stats;
	pthread_mutex_unlock(lock);
	return stats;
}

void link_eject(struct link_dialer *dialer, size_t replica, bool ejected)
{
	INVARIANT(replica < dialer->replica_count);
	pthread_mutex_lock(&dialer->lock);
	dialer->replicas[replica]->stats.ejected = ejected;
	dialer->replicas[replica]->health = (struct link_health){0};
	link_call_gauge(dialer);
	pthread_mutex_unlock(&dialer->lock);
}
