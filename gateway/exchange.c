/* SPDX-License-Identifier: Apache-2.0 */
#include "exchange.h"

#include <stdlib.h>

#include "h2_stream.h"
#include "loop.h"

#define SPARE_MAX 256

static struct exchange *exchange_make(void)
{
	struct exchange *exchange = calloc(1, sizeof *exchange);

	if (exchange == NULL)
		return NULL;
	exchange->arena = arena_new(EDGE_ARENA_MAX);
	if (exchange->arena == NULL) {
		free(exchange);
		return NULL;
	}
	return exchange;
}

struct exchange *exchange_new(struct loop *loop, struct conn *conn)
{
	struct exchange *exchange = loop->spare;
	struct arena *arena;

	if (exchange != NULL) {
		loop->spare = exchange->next;
		loop->spare_count--;
	} else if ((exchange = exchange_make()) == NULL) {
		return NULL;
	}
	edge_count_add(&loop->counts.exchanges, 1);
	arena = exchange->arena;
	*exchange = (struct exchange){.loop = loop,
		.conn = conn,
		.held = conn,
		.arena = arena,
		.request_id = uuid_new(),
		.started_us = loop->now_us,
		.rate = rate_answer_init()};
	return exchange;
}

void exchange_free(struct exchange **exchange)
{
	struct loop *loop;

	if (*exchange == NULL)
		return;
	loop = (*exchange)->loop;
	edge_count_add(&loop->counts.exchanges, (uint64_t)-1);
	if (loop->spare_count >= SPARE_MAX) {
		arena_free(&(*exchange)->arena);
		free(*exchange);
	} else {
		arena_reset((*exchange)->arena);
		(*exchange)->next = loop->spare;
		loop->spare = *exchange;
		loop->spare_count++;
	}
	*exchange = NULL;
}

struct buf *exchange_input(const struct exchange *exchange)
{
	return exchange->stream != NULL ? &exchange->stream->in : &exchange->held->in;
}

void exchange_drop(struct exchange **exchange)
{
	struct conn *held = (*exchange)->held;

	if ((*exchange)->stream != NULL)
		h2_stream_forget((*exchange)->stream);
	else if ((*exchange)->conn == NULL)
		conn_forget(held);
	else
		held->exchange = NULL;
	exchange_free(exchange);
}
