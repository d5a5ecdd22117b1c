/* SPDX-License-Identifier: Apache-2.0 */
#include "link/link.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "link/link_dialer_private.h"

#define RECONNECT_MIN_MS 50
#define RECONNECT_MAX_MS 1000
#define SEND_MS_MAX (10 * 60 * 1000)
#define QUIESCE_STEP_US 2000

static bool is_live(const struct replica *replica)
{
	return replica->pipes > 0 && !replica->stats.draining && !replica->stats.ejected;
}

/* Under the lock, after every change. */
static void gauge(struct link_dialer *dialer)
{
	size_t room = 0, live = 0;

	for (size_t i = 0; i < dialer->replica_count; i++) {
		const struct replica *replica = dialer->replicas[i];

		if (!is_live(replica))
			continue;
		live++;
		room += dialer->in_flight_max - replica->stats.in_flight;
	}
	atomic_store(&dialer->room, room);
	atomic_store(&dialer->live, live);
	pthread_cond_broadcast(&dialer->freed);
}

/* Under the lock. They end with NNG_ECANCELED. */
static void cancel_calls(struct replica *replica, bool unsent_only)
{
	for (size_t i = 0; i < replica->dialer->in_flight_max; i++) {
		struct call *call = &replica->calls[i];

		if (call->state == CALL_SENDING || (call->state == CALL_WAITING && !unsent_only))
			nng_aio_cancel(call->aio);
	}
}

static void pipe_changed(nng_pipe pipe, nng_pipe_ev event, void *arg)
{
	struct replica *replica = arg;
	struct link_dialer *dialer = replica->dialer;
	bool up = event == NNG_PIPE_EV_ADD_POST;

	(void)pipe;
	pthread_mutex_lock(&dialer->lock);
	if (up) {
		replica->pipes++;
		replica->stats.connects++;
		replica->stats.draining = false;
	} else if (replica->pipes > 0 && --replica->pipes == 0) {
		/* Messages that still wait for a connection would wait in vain. */
		cancel_calls(replica, true);
	}
	replica->stats.connected = replica->pipes > 0;
	gauge(dialer);
	pthread_mutex_unlock(&dialer->lock);
	log_event(LOG_INFO, up ? "link_up" : "link_down", LOG_C("callee", peer_name(dialer->callee)),
		LOG_C("lane", lane_name(dialer->lane)), LOG_I("replica", replica->index));
}

/* Counts how the call ended, frees it and tells its owner; then the message. */
static void finish(struct call *call, enum err err, uint64_t *counter, nng_msg *message)
{
	struct replica *replica = call->replica;
	struct link_dialer *dialer = replica->dialer;
	link_done_fn *done = call->done;
	void *user = call->user;
	struct str reply = STR_NONE;

	if (message)
		reply = (struct str){nng_msg_body(message), nng_msg_len(message)};
	pthread_mutex_lock(&dialer->lock);
	(*counter)++;
	if (err == ERR_DRAINING)
		replica->stats.draining = true;
	if (err == OK) {
		uint64_t took = clock_monotonic_us() - call->begun_us;

		replica->stats.latency_us += (took >> 4) - (replica->stats.latency_us >> 4);
	}
	/* Free before `done`, so that whoever is told finds the room. */
	call->state = CALL_FREE;
	call->next_free = replica->free;
	replica->free = call;
	replica->stats.in_flight--;
	gauge(dialer);
	pthread_mutex_unlock(&dialer->lock);

	done(user, err, reply);
	if (message)
		nng_msg_free(message);
	pthread_mutex_lock(&dialer->lock);
	if (--dialer->active == 0 && dialer->closing)
		pthread_cond_broadcast(&dialer->freed);
	pthread_mutex_unlock(&dialer->lock);
}

/* Rounded up: a call never gives up before its deadline; at least 1, for 0 means "at once" to nng. */
static nng_duration ms_left(uint64_t deadline_us)
{
	uint64_t now = clock_monotonic_us();
	uint64_t ms = deadline_us > now ? (deadline_us - now + 999) / 1000 : 1;

	return ms < SEND_MS_MAX ? (nng_duration)ms : SEND_MS_MAX;
}

static void call_sent(struct call *call)
{
	struct link_replica_stats *stats = &call->replica->stats;
	int rv = nng_aio_result(call->aio);
	nng_msg *message;

	if (rv == 0) {
		pthread_mutex_lock(&call->replica->dialer->lock);
		call->state = CALL_WAITING;
		stats->sent++;
		pthread_mutex_unlock(&call->replica->dialer->lock);
		nng_aio_set_timeout(call->aio, ms_left(call->deadline_us));
		nng_ctx_recv(call->ctx, call->aio);
		return;
	}
	message = nng_aio_get_msg(call->aio);
	nng_aio_set_msg(call->aio, NULL);
	if (message)
		nng_msg_free(message);
	if (rv == NNG_ETIMEDOUT)
		finish(call, ERR_DEADLINE, &stats->late, NULL);
	else
		finish(call, ERR_UNAVAILABLE, &stats->undelivered, NULL);
}

static void call_answered(struct call *call)
{
	struct link_replica_stats *stats = &call->replica->stats;
	int rv = nng_aio_result(call->aio);
	nng_msg *message;

	if (rv == NNG_ETIMEDOUT) {
		finish(call, ERR_DEADLINE, &stats->late, NULL);
		return;
	}
	if (rv != 0) {
		finish(call, ERR_DEADLINE, &stats->lost, NULL);
		return;
	}
	message = nng_aio_get_msg(call->aio);
	nng_aio_set_msg(call->aio, NULL);
	/* The empty reply is link_worker_refuse's. */
	if (nng_msg_len(message) == 0)
		finish(call, ERR_DRAINING, &stats->refused, message);
	else
		finish(call, OK, &stats->answered, message);
}

/* On a thread of nng's, at the end of a send and of a receive. */
static void call_step(void *arg)
{
	struct call *call = arg;
	bool sending;

	pthread_mutex_lock(&call->replica->dialer->lock);
	sending = call->state == CALL_SENDING;
	pthread_mutex_unlock(&call->replica->dialer->lock);
	if (sending)
		call_sent(call);
	else
		call_answered(call);
}

static int replica_dial(struct replica *replica, nng_tls_config *tls, const char *url)
{
	nng_dialer end;
	int rv;

	if ((rv = nng_req0_open(&replica->socket)) != 0)
		return rv;
	replica->open = true;
	/* nng's own resend would deliver twice. Contexts copy it, so it comes before them. */
	if ((rv = nng_socket_set_ms(replica->socket, NNG_OPT_REQ_RESENDTIME, NNG_DURATION_INFINITE)) != 0)
		return rv;
	if ((rv = nng_socket_set_size(replica->socket, NNG_OPT_RECVMAXSZ, LINK_BYTES_MAX + LINK_HEADER_MAX)) != 0)
		return rv;
	if ((rv = nng_pipe_notify(replica->socket, NNG_PIPE_EV_ADD_POST, pipe_changed, replica)) != 0 ||
		(rv = nng_pipe_notify(replica->socket, NNG_PIPE_EV_REM_POST, pipe_changed, replica)) != 0)
		return rv;
	for (size_t i = 0; i < replica->dialer->in_flight_max; i++) {
		struct call *call = &replica->calls[i];

		if ((rv = nng_ctx_open(&call->ctx, replica->socket)) != 0)
			return rv;
		call->open = true;
		if ((rv = nng_aio_alloc(&call->aio, call_step, call)) != 0)
			return rv;
		call->replica = replica;
		call->next_free = replica->free;
		replica->free = call;
	}
	if ((rv = nng_dialer_create(&end, replica->socket, url)) != 0)
		return rv;
	if ((rv = nng_dialer_set_ms(end, NNG_OPT_RECONNMINT, RECONNECT_MIN_MS)) != 0 ||
		(rv = nng_dialer_set_ms(end, NNG_OPT_RECONNMAXT, RECONNECT_MAX_MS)) != 0 ||
		(rv = nng_dialer_set_ptr(end, NNG_OPT_TLS_CONFIG, tls)) != 0 ||
		(rv = nng_dialer_set_bool(end, NNG_OPT_TCP_KEEPALIVE, true)) != 0)
		return rv;
	return nng_dialer_start(end, NNG_FLAG_NONBLOCK);
}

static enum err replica_add(struct link_dialer *dialer, const struct link_identity *identity, struct str url)
{
	struct replica *replica = NULL;
	nng_tls_config *tls = NULL;
	char text[LINK_URL_MAX];
	enum err err;
	int rv;

	if (url.len >= sizeof(text) || dialer->replica_count == LINK_REPLICAS_MAX)
		return link_identity_fault(dialer->callee, "a URL is too long, or there are too many", 0);
	memcpy(text, url.p, url.len);
	text[url.len] = '\0';
	if (!link_identity_url_ok(dialer->callee, text))
		return ERR_BAD_FIELD;
	if ((err = link_identity_tls(identity, dialer->callee, NNG_TLS_MODE_CLIENT, &tls)) != OK)
		return err;
	if (!(replica = calloc(1, sizeof(*replica)))) {
		err = ERR_OVERLOADED;
		goto done;
	}
	replica->dialer = dialer;
	replica->index = dialer->replica_count;
	/* Known to the dialer before it dials, for it may connect before this returns; link_dialer_free finds it too. */
	pthread_mutex_lock(&dialer->lock);
	dialer->replicas[dialer->replica_count++] = replica;
	pthread_mutex_unlock(&dialer->lock);
	if ((rv = replica_dial(replica, tls, text)) != 0)
		err = link_identity_fault(dialer->callee, "cannot dial it", rv);
done:
	nng_tls_config_free(tls);
	return err;
}

enum err link_dialer_new(const struct link_dialer_config *config, struct link_dialer **dialer_out)
{
	size_t wanted = config->in_flight_max ? config->in_flight_max : LINK_IN_FLIGHT_USUAL;
	struct str rest = str_from(config->urls);
	struct link_dialer *dialer;
	enum err err = OK;
	bool more = true;

	if (!(dialer = calloc(1, sizeof(*dialer))))
		return ERR_OVERLOADED;
	dialer->callee = config->callee;
	dialer->lane = config->lane;
	dialer->in_flight_max = wanted < LINK_IN_FLIGHT_MAX ? wanted : LINK_IN_FLIGHT_MAX;
	pthread_mutex_init(&dialer->lock, NULL);
	wait_init(&dialer->freed);
	while (more && err == OK) {
		struct str url;

		more = str_cut(&rest, ',', &url);
		err = replica_add(dialer, config->identity, str_trim(url));
	}
	if (err == OK)
		*dialer_out = dialer;
	else
		link_dialer_free(&dialer);
	return err;
}

static void replica_free(struct link_dialer *dialer, struct replica *replica)
{
	for (size_t i = 0; i < dialer->in_flight_max; i++) {
		if (replica->calls[i].aio)
			nng_aio_free(replica->calls[i].aio);
	}
	free(replica);
}

/*
 * Ends every call before the sockets close: a send that nng 1.5.2 begins while its endpoint closes never ends, and then
 * neither does nng_close. A cancel that comes between a call's send and its receive finds nothing, so it is repeated.
 */
static void quiesce(struct link_dialer *dialer)
{
	pthread_mutex_lock(&dialer->lock);
	dialer->closing = true;
	while (dialer->active > 0) {
		for (size_t i = 0; i < dialer->replica_count; i++)
			cancel_calls(dialer->replicas[i], false);
		(void)wait_until(&dialer->freed, &dialer->lock, clock_monotonic_us() + QUIESCE_STEP_US);
	}
	pthread_mutex_unlock(&dialer->lock);
}

void link_dialer_free(struct link_dialer **dialer)
{
	struct link_dialer *gone = *dialer;

	if (!gone)
		return;
	*dialer = NULL;
	quiesce(gone);
	for (size_t i = 0; i < gone->replica_count; i++) {
		if (gone->replicas[i]->open)
			(void)nng_close(gone->replicas[i]->socket);
	}
	for (size_t i = 0; i < gone->replica_count; i++)
		replica_free(gone, gone->replicas[i]);
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

		if (!is_live(replica))
			continue;
		*live_out = true;
		if (replica->free && (!best || replica->stats.in_flight < best->stats.in_flight))
			best = replica;
	}
	if (best)
		dialer->turn = best->index + 1;
	return best;
}

/* A free call of a live replica, made to wait for `done`. */
static enum err take(
	struct link_dialer *dialer, uint64_t deadline_us, link_done_fn *done, void *user, struct call **call_out)
{
	struct replica *replica;
	struct call *call;
	bool live = false;

	pthread_mutex_lock(&dialer->lock);
	replica = dialer->closing ? NULL : choose(dialer, &live);
	if (!replica) {
		live = live && !dialer->closing;
		pthread_mutex_unlock(&dialer->lock);
		return live ? ERR_OVERLOADED : ERR_UNAVAILABLE;
	}
	call = replica->free;
	replica->free = call->next_free;
	replica->stats.in_flight++;
	dialer->active++;
	call->state = CALL_SENDING;
	call->turn++;
	call->deadline_us = deadline_us;
	call->begun_us = clock_monotonic_us();
	call->done = done;
	call->user = user;
	gauge(dialer);
	pthread_mutex_unlock(&dialer->lock);
	*call_out = call;
	return OK;
}

enum err link_send(struct link_dialer *dialer, struct str message, uint64_t deadline_us, link_done_fn *done, void *ctx)
{
	struct replica *replica;
	nng_msg *copy = NULL;
	struct call *call;
	uint64_t turn;
	enum err err;

	if (message.len > LINK_BYTES_MAX)
		return ERR_TOO_LARGE;
	if (deadline_us <= clock_monotonic_us())
		return ERR_DEADLINE;
	if (nng_msg_alloc(&copy, message.len) != 0)
		return ERR_OVERLOADED;
	if (message.len > 0)
		memcpy(nng_msg_body(copy), message.p, message.len);
	if ((err = take(dialer, deadline_us, done, ctx, &call)) != OK) {
		nng_msg_free(copy);
		return err;
	}
	replica = call->replica;
	turn = call->turn;
	nng_aio_set_msg(call->aio, copy);
	nng_aio_set_timeout(call->aio, ms_left(deadline_us));
	nng_ctx_send(call->ctx, call->aio);

	/* The connection may have gone between the choice and the send, and the cancel above come too early. */
	pthread_mutex_lock(&dialer->lock);
	if (replica->pipes == 0 && call->turn == turn && call->state == CALL_SENDING)
		nng_aio_cancel(call->aio);
	pthread_mutex_unlock(&dialer->lock);
	return OK;
}

bool link_dialer_wait_room(struct link_dialer *dialer, uint64_t deadline_us)
{
	bool in_time = true;

	pthread_mutex_lock(&dialer->lock);
	while (in_time && atomic_load(&dialer->live) > 0 && atomic_load(&dialer->room) == 0)
		in_time = wait_until(&dialer->freed, &dialer->lock, deadline_us);
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
	gauge(dialer);
	pthread_mutex_unlock(&dialer->lock);
}
