/* SPDX-License-Identifier: Apache-2.0 */
#include "proofs.h"

#include <stddef.h>
#include <string.h>

#include "auth.h"
#include "loop.h"
#include "request.h"
#include "respond.h"

#define CLOCKS_MS 10000 /* by which two gateways' clocks may differ */

static struct exchange *exchange_of(struct proof_ask *ask)
{
	return (struct exchange *)(void *)((char *)ask - offsetof(struct exchange, ask));
}

void proofs_init(struct proofs *proofs)
{
	pthread_mutex_init(&proofs->lock, NULL);
	proofs->first = NULL;
	proofs->last = &proofs->first;
}

static struct proof_ask *take_all(struct proofs *proofs)
{
	struct proof_ask *first;

	pthread_mutex_lock(&proofs->lock);
	first = proofs->first;
	proofs->first = NULL;
	proofs->last = &proofs->first;
	pthread_mutex_unlock(&proofs->lock);
	return first;
}

void proofs_release(struct proofs *proofs)
{
	struct proof_ask *ask = take_all(proofs);

	while (ask != NULL) {
		struct exchange *exchange = exchange_of(ask);

		ask = ask->next;
		exchange_drop(&exchange);
	}
	pthread_mutex_destroy(&proofs->lock);
}

void proofs_note(struct exchange *exchange, const struct dpop_proof *proof)
{
	const instant_us left_us = proof->expires_at - exchange->loop->wall_us;

	_Static_assert(sizeof exchange->ask.use == sizeof proof->use, "a use is a use");
	memcpy(exchange->ask.use, proof->use, sizeof proof->use);
	exchange->ask.keep_ms = (uint64_t)(left_us > 0 ? left_us / US_PER_MS : 0) + CLOCKS_MS;
	exchange->asks = true;
}

enum err proofs_ask(struct exchange *exchange)
{
	if (!exchange->asks)
		return ERR_UNAVAILABLE;
	return store_proofs_ask(exchange->loop->gateway->proofs, &exchange->ask);
}

void proofs_done(struct proof_ask *ask)
{
	struct loop *loop = exchange_of(ask)->loop;
	struct proofs *proofs = &loop->proofs;
	bool ring;

	pthread_mutex_lock(&proofs->lock);
	ring = proofs->first == NULL;
	ask->next = NULL;
	*proofs->last = ask;
	proofs->last = &ask->next;
	pthread_mutex_unlock(&proofs->lock);
	if (ring)
		loop_wake(loop);
}

static void refuse(struct exchange *exchange)
{
	const struct problem problem = {.err = ERR_UNAUTHENTICATED};
	struct conn *conn = exchange->conn;

	auth_count_proof(exchange);
	exchange->challenge = CHALLENGE_PROOF;
	exchange->fault = PROOFS_USED;
	respond_problem(exchange, &problem);
	if (conn != NULL)
		conn_wake(conn);
}

void proofs_finish(struct loop *loop)
{
	struct proof_ask *ask = take_all(&loop->proofs);

	while (ask != NULL) {
		struct exchange *exchange = exchange_of(ask);
		struct conn *conn = exchange->conn;

		ask = ask->next;
		if (exchange->ask.err == ERR_CONFLICT)
			refuse(exchange);
		else if (!request_send(exchange) && conn != NULL)
			conn_wake(conn);
	}
}
