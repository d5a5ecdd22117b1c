/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdlib.h>

#include "base/log.h"
#include "link/link_listener_private.h"

static void pipe_changed(nng_pipe pipe, nng_pipe_ev event, void *arg)
{
	struct link_listener *listener = arg;
	bool refuse = false;

	pthread_mutex_lock(&listener->lock);
	switch (event) {
	case NNG_PIPE_EV_ADD_PRE:
		refuse = listener->stats.connected >= LINK_PEERS_MAX;
		if (refuse)
			listener->stats.turned_away++;
		break;
	case NNG_PIPE_EV_ADD_POST:
		listener->stats.connected++;
		listener->stats.connects++;
		break;
	case NNG_PIPE_EV_REM_POST:
		listener->stats.connected--;
		break;
	default:
		break;
	}
	pthread_mutex_unlock(&listener->lock);
	if (!refuse)
		return;
	log_event(LOG_WARN, "link_turned_away", LOG_C("caller", peer_name(listener->caller)));
	(void)nng_pipe_close(pipe);
}

static int listener_start(struct link_listener *listener, nng_tls_config *tls, const char *url)
{
	nng_listener end;
	int rv;

	if ((rv = nng_rep0_open(&listener->socket)) != 0)
		return rv;
	listener->open = true;
	if ((rv = nng_socket_set_size(listener->socket, NNG_OPT_RECVMAXSZ, LINK_BYTES_MAX + LINK_HEADER_MAX)) != 0)
		return rv;
	for (int event = NNG_PIPE_EV_ADD_PRE; event < NNG_PIPE_EV_NUM; event++) {
		rv = nng_pipe_notify(listener->socket, (nng_pipe_ev)event, pipe_changed, listener);
		if (rv != 0)
			return rv;
	}
	if ((rv = nng_listener_create(&end, listener->socket, url)) != 0)
		return rv;
	if ((rv = nng_listener_set_ptr(end, NNG_OPT_TLS_CONFIG, tls)) != 0)
		return rv;
	return nng_listener_start(end, 0);
}

enum err link_listener_new(const struct link_listener_config *config, struct link_listener **listener_out)
{
	struct link_listener *listener = NULL;
	nng_tls_config *tls = NULL;
	enum err err;
	int rv;

	if (!link_identity_url_ok(config->caller, config->url))
		return ERR_BAD_FIELD;
	if (!(listener = calloc(1, sizeof(*listener))))
		return ERR_OVERLOADED;
	pthread_mutex_init(&listener->lock, NULL);
	listener->caller = config->caller;
	listener->lane = config->lane;
	if ((err = link_identity_tls(config->identity, config->caller, NNG_TLS_MODE_SERVER, &tls)) != OK)
		goto done;
	if ((rv = listener_start(listener, tls, config->url)) != 0) {
		err = link_identity_fault(config->caller, "cannot listen for it", rv);
		goto done;
	}
	*listener_out = listener;
	listener = NULL;
done:
	if (tls)
		nng_tls_config_free(tls);
	link_listener_free(&listener);
	return err;
}

void link_listener_free(struct link_listener **listener)
{
	struct link_listener *gone = *listener;

	if (!gone)
		return;
	*listener = NULL;
	if (gone->open)
		(void)nng_close(gone->socket);
	pthread_mutex_destroy(&gone->lock);
	free(gone);
}

void link_listener_wake(struct link_listener *listener)
{
	pthread_mutex_lock(&listener->lock);
	for (struct link_worker *worker = listener->workers; worker; worker = worker->next) {
		if (worker->waiting)
			nng_aio_cancel(worker->aio);
	}
	pthread_mutex_unlock(&listener->lock);
}

struct link_listener_stats link_listener_stats(const struct link_listener *listener)
{
	/* The lock is no part of what the caller sees as constant. */
	pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&listener->lock;
	struct link_listener_stats stats;

	pthread_mutex_lock(lock);
	stats = listener->stats;
	pthread_mutex_unlock(lock);
	return stats;
}

enum peer link_listener_caller(const struct link_listener *listener)
{
	return listener->caller;
}

enum lane link_listener_lane(const struct link_listener *listener)
{
	return listener->lane;
}
