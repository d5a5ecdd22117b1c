/* SPDX-License-Identifier: Apache-2.0 */
#include "arrow.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loop.h"
#include "respond.h"

#define MESSAGE_KEPT (256U << 10)     /* a larger message's buffer is given back */
#define PLACES_LEAST 4                /* at the callee, for one of them to be kept */
#define DEADLINE_LEAST_US (2 * 1000U) /* what has less time left is not sent any more */

void inbox_init(struct inbox *inbox, int wake_fd)
{
	pthread_mutex_init(&inbox->lock, NULL);
	inbox->first = NULL;
	inbox->last = &inbox->first;
	inbox->wake_fd = wake_fd;
}

/* Without its exchanges. */
static void flight_free(struct flight **flight)
{
	if (*flight == NULL)
		return;
	free((*flight)->exchanges);
	buf_release(&(*flight)->reply);
	free(*flight);
	*flight = NULL;
}

void inbox_release(struct inbox *inbox)
{
	struct flight *flight = inbox_take_all(inbox);

	while (flight != NULL) {
		struct flight *next = flight->next;

		for (size_t i = 0; i < flight->count; i++)
			exchange_drop(&flight->exchanges[i]);
		flight_free(&flight);
		flight = next;
	}
	pthread_mutex_destroy(&inbox->lock);
}

struct flight *inbox_take_all(struct inbox *inbox)
{
	struct flight *first;

	pthread_mutex_lock(&inbox->lock);
	first = inbox->first;
	inbox->first = NULL;
	inbox->last = &inbox->first;
	pthread_mutex_unlock(&inbox->lock);
	return first;
}

/* This thread is a loop that takes replies, and looks into its inbox when it has them. */
static _Thread_local bool looks;

/* Keeps the reply; on another thread than the loop's rings once for however many end together. */
static void on_link_done(void *ctx, enum err err, struct str reply)
{
	struct flight *flight = ctx;
	struct inbox *inbox = &flight->arrow->loop->inbox;
	const uint64_t one = 1;
	bool ring;

	flight->err = err;
	flight->ended_us = clock_monotonic_us();
	if (err == OK)
		buf_put_str(&flight->reply, reply);
	pthread_mutex_lock(&inbox->lock);
	ring = inbox->first == NULL && !looks;
	*inbox->last = flight;
	inbox->last = &flight->next;
	pthread_mutex_unlock(&inbox->lock);
	if (ring && write(inbox->wake_fd, &one, sizeof one) < 0)
		return; /* the counter is full, so the loop is awake */
}

enum err arrow_init(
	struct arrow *arrow, struct loop *loop, enum peer callee, enum lane lane, const struct link_ready *ready)
{
	arrow->loop = loop;
	fair_queue_init(&arrow->queue);
	buf_init(&arrow->message, BATCH_BYTES_MAX);
	return context_dialer(loop->gateway->context, callee, lane, ready, &arrow->dialer);
}

void arrow_read(struct arrow *arrow)
{
	looks = true;
	link_dialer_read(arrow->dialer);
	looks = false;
}

void arrow_release(struct arrow *arrow)
{
	struct exchange *exchange;

	link_dialer_free(&arrow->dialer);
	while ((exchange = fair_queue_next(&arrow->queue, false)) != NULL) {
		(void)fair_queue_take(&arrow->queue);
		exchange_drop(&exchange);
	}
	while ((exchange = arrow->shed) != NULL) {
		arrow->shed = exchange->next;
		exchange_drop(&exchange);
	}
	buf_release(&arrow->message);
}

bool arrow_waits(const struct arrow *arrow)
{
	return arrow->queue.waiting > 0 || arrow->shed != NULL;
}

/* It is answered at the next flush: its connection may go on with a request that asks for room in turn. */
static bool arrow_shed(struct arrow *arrow, const struct exchange *for_whom)
{
	struct exchange *exchange = fair_queue_shed(&arrow->queue, for_whom->line);

	if (exchange == NULL)
		return false;
	exchange->next = arrow->shed;
	arrow->shed = exchange;
	edge_count(&arrow->loop->counts.refused_full);
	return true;
}

/* How many may wait before this one: no more than are answered in half of the time that it has. */
static size_t arrow_limit(const struct arrow *arrow, const struct exchange *exchange)
{
	const uint64_t now_us = arrow->loop->now_us;
	uint64_t wait_us = exchange->deadline_us > now_us ? (exchange->deadline_us - now_us) / 2 : 0;
	size_t limit;

	if (wait_us > EDGE_QUEUE_US)
		wait_us = EDGE_QUEUE_US;
	limit = admission_limit(&arrow->admission, wait_us);
	return limit < EDGE_QUEUE_MAX ? limit : EDGE_QUEUE_MAX;
}

enum err arrow_enqueue(struct arrow *arrow, struct exchange *exchange)
{
	if (arrow->dialer == NULL || (link_live(arrow->dialer) == 0 && !link_returns(arrow->dialer)))
		return ERR_UNAVAILABLE;
	if (arrow->queue.waiting >= arrow_limit(arrow, exchange) && !arrow_shed(arrow, exchange))
		return ERR_OVERLOADED;
	fair_queue_put(&arrow->queue, exchange);
	return OK;
}

static struct flight *flight_new(struct arrow *arrow, size_t room)
{
	struct flight *flight = calloc(1, sizeof *flight);

	if (flight == NULL)
		return NULL;
	flight->exchanges = calloc(room, sizeof(struct exchange *));
	if (flight->exchanges == NULL) {
		free(flight);
		return NULL;
	}
	flight->arrow = arrow;
	buf_init(&flight->reply, LINK_BYTES_MAX);
	return flight;
}

/* What a message that did not get its answer means for one of its items. */
static void exchange_fail(struct exchange *exchange, enum err err)
{
	const struct reply_item item = {.err = err, .retry_after_s = EDGE_RETRY_AFTER_S};

	respond_awaited(exchange, &item);
}

/*
 * The next item of the batch, or NULL: none is left that goes with it. Those whose time is over or that can be sent by
 * no message are answered on the way, so that nobody suffers for another's item.
 */
static struct exchange *arrow_next(struct arrow *arrow, size_t count, bool idle_only)
{
	/* What stands before it at the callee comes first: with less time left than that the answer would be late. */
	const uint64_t least_us =
		DEADLINE_LEAST_US + admission_wait_us(&arrow->admission, arrow->admission.under_way + count);
	struct exchange *exchange;

	while ((exchange = fair_queue_next(&arrow->queue, idle_only)) != NULL) {
		const uint64_t now_us = arrow->loop->now_us;

		if (exchange->deadline_us < now_us + least_us) {
			exchange_fail(fair_queue_take(&arrow->queue), ERR_OVERLOADED);
			continue;
		}
		/* What may be sent only once more travels alone: if it kills its peer, it takes nobody with it. */
		if (exchange->retried && count > 0)
			return NULL;
		exchange->item.deadline_ms = (uint32_t)((exchange->deadline_us - now_us) / 1000);
		request_batch_add(&arrow->message, &exchange->item);
		if (buf_ok(&arrow->message))
			return fair_queue_take(&arrow->queue);
		arrow->message.failed = false;
		if (count > 0)
			return NULL;
		exchange_fail(fair_queue_take(&arrow->queue), ERR_TOO_LARGE);
	}
	return NULL;
}

/* At most `share` items, each tenant's in the order in which they came. */
static void flight_fill(struct flight *flight, size_t share, bool idle_only)
{
	struct arrow *arrow = flight->arrow;
	struct exchange *exchange;

	request_batch_begin(&arrow->message);
	while (flight->count < share && (exchange = arrow_next(arrow, flight->count, idle_only)) != NULL) {
		flight->exchanges[flight->count++] = exchange;
		if (exchange->retried)
			break;
	}
}

/* On an error answers the items with it. */
static void flight_send(struct flight **flight)
{
	struct arrow *arrow = (*flight)->arrow;
	const size_t count = (*flight)->count;
	const uint64_t sent_us = clock_monotonic_us(); /* the tick may have begun much earlier */
	uint64_t deadline_us = 0;
	enum err err;

	for (size_t i = 0; i < count; i++) {
		fair_queue_sent(&arrow->queue, (*flight)->exchanges[i]);
		if ((*flight)->exchanges[i]->deadline_us > deadline_us)
			deadline_us = (*flight)->exchanges[i]->deadline_us;
	}
	err = link_send(arrow->dialer, buf_str(&arrow->message), deadline_us, on_link_done, *flight);
	if (err == OK) {
		edge_counts_batch(&arrow->loop->counts, count);
		admission_sent(&arrow->admission, count, sent_us);
		*flight = NULL; /* the link has it, and tells its end to this very thread */
		arrow->flights++;
		arrow->shared = count;
	} else {
		for (size_t i = 0; i < count; i++) {
			fair_queue_ended(&arrow->queue, (*flight)->exchanges[i]);
			exchange_fail((*flight)->exchanges[i], err);
		}
		flight_free(flight);
	}
	/* The link has its own copy, encrypted. */
	buf_reset(&arrow->message);
	if (arrow->message.room > MESSAGE_KEPT)
		buf_release(&arrow->message);
}

/*
 * A tick's items spread over the free places at the callee, but not so thin that a batch is none; nor more than it
 * should have before it, but for who has nothing under way.
 */
static size_t arrow_share(const struct arrow *arrow, size_t room, bool idle_only)
{
	const size_t ahead = idle_only ? SIZE_MAX : admission_room(&arrow->admission);
	size_t share = (arrow->queue.waiting + room - 1) / room;

	if (share < EDGE_BATCH_SPREAD)
		share = EDGE_BATCH_SPREAD;
	if (share > ahead)
		share = ahead;
	return share < BATCH_ITEMS_MAX ? share : BATCH_ITEMS_MAX;
}

/*
 * A callee that has work enough, or one place left of several, is for tenants that have nothing under way: they wait
 * behind little of others' work then. With few places at the callee each counts.
 */
static bool arrow_keeps_place(const struct arrow *arrow, size_t room)
{
	return (room == 1 && arrow->flights >= PLACES_LEAST - 1) || admission_room(&arrow->admission) == 0;
}

/*
 * A message costs both ends about as much as ten items. So while there is company to be had, because a message is under
 * way or the last one was shared, a further one waits for it, but not for long.
 */
static bool arrow_holds(struct arrow *arrow)
{
	const uint64_t now_us = arrow->loop->now_us;
	const size_t wanted = arrow->flights > 0 ? arrow->flights * EDGE_HOLD_ITEMS : EDGE_HOLD_ITEMS;

	if (arrow->queue.waiting >= wanted || (arrow->flights == 0 && arrow->shared < EDGE_HOLD_SHARED)) {
		arrow->held_since_us = 0;
		return false;
	}
	if (arrow->held_since_us == 0)
		arrow->held_since_us = now_us;
	if (now_us < arrow->held_since_us + EDGE_HOLD_US)
		return true;
	arrow->held_since_us = 0;
	return false;
}

/* False when there is nothing that can be sent now. */
static bool arrow_send_one(struct arrow *arrow)
{
	const size_t room = link_room(arrow->dialer);
	const bool idle_only = arrow_keeps_place(arrow, room);
	struct flight *flight;
	size_t share;

	if ((room == 0 && (link_live(arrow->dialer) > 0 || link_returns(arrow->dialer))) ||
		fair_queue_next(&arrow->queue, idle_only) == NULL) {
		arrow->held_since_us = 0; /* whatever frees a place rings */
		return false;
	}
	if (room == 0) {
		exchange_fail(fair_queue_take(&arrow->queue), ERR_UNAVAILABLE);
		return true;
	}
	if (arrow_holds(arrow))
		return false;
	share = arrow_share(arrow, room, idle_only);
	flight = flight_new(arrow, share);
	if (flight == NULL) {
		exchange_fail(fair_queue_take(&arrow->queue), ERR_OVERLOADED);
		return true;
	}
	flight_fill(flight, share, idle_only);
	if (flight->count > 0)
		flight_send(&flight);
	flight_free(&flight);
	return true;
}

static void arrow_answer_shed(struct arrow *arrow)
{
	struct exchange *shed = arrow->shed;

	/* Those that are shed meanwhile are answered at the next flush, or one client could keep the loop here. */
	arrow->shed = NULL;
	while (shed != NULL) {
		struct exchange *exchange = shed;

		shed = exchange->next;
		exchange_fail(exchange, ERR_OVERLOADED);
	}
}

void arrow_flush(struct arrow *arrow)
{
	struct exchange *expired;
	bool more = true;

	arrow_answer_shed(arrow);
	while (more)
		more = arrow_send_one(arrow);
	/* With no room the first of each line waits longest, and its time runs out first. */
	while ((expired = fair_queue_expired(&arrow->queue, arrow->loop->now_us + DEADLINE_LEAST_US)) != NULL)
		exchange_fail(expired, ERR_OVERLOADED);
}

/*
 * `draining` and `undelivered` prove that nothing was executed; after a lost peer only what may run twice is sent
 * again.
 */
static bool exchange_may_retry(const struct exchange *exchange, enum err err)
{
	const unsigned flags = exchange->operation->flags;

	if (exchange->retried || exchange->deadline_us <= exchange->loop->now_us + 10000)
		return false;
	if (err == ERR_UNAVAILABLE || err == ERR_DRAINING)
		return true;
	return err == ERR_DEADLINE && ((flags & (OP_SAFE | OP_IDEMPOTENT)) != 0 ||
					      ((flags & OP_KEYED) != 0 && exchange->item.idempotency_key.p != NULL));
}

static void exchange_end(struct arrow *arrow, struct exchange *exchange, const struct reply_item *item, bool from_link)
{
	if ((item->err == ERR_DRAINING || from_link) && exchange_may_retry(exchange, item->err)) {
		enum err err;

		exchange->retried = true;
		edge_count(&arrow->loop->counts.retries);
		if ((err = arrow_enqueue(arrow, exchange)) == OK)
			return;
		/* Nobody is there to ask again; what changes nothing has no outcome to be unsure of. */
		if ((exchange->operation->flags & OP_SAFE) != 0) {
			exchange_fail(exchange, err);
			return;
		}
	}
	if (!even_is_meant(exchange))
		respond_awaited(exchange, item);
	else if (!even_keep(exchange, item))
		exchange_fail(exchange, ERR_OVERLOADED);
}

void flight_finish(struct flight **flight)
{
	struct arrow *arrow = (*flight)->arrow;
	struct arena *arena = NULL;
	struct reply_item *items = NULL;
	size_t count = 0;
	enum err err = (*flight)->err;

	if (err == OK) {
		arena = (*flight)->exchanges[0]->arena;
		err = reply_batch_decode(arena, buf_str(&(*flight)->reply), &items, &count);
		if (err == OK && count != (*flight)->count)
			err = ERR_BAD_GATEWAY;
		if (err != OK)
			edge_counts_malformed(&arrow->loop->counts);
	}
	arrow->flights--;
	admission_ended(&arrow->admission, (*flight)->count, (*flight)->ended_us);
	for (size_t i = 0; i < (*flight)->count; i++)
		fair_queue_ended(&arrow->queue, (*flight)->exchanges[i]);
	/* The first exchange's arena holds the items, so it ends last. */
	for (size_t i = (*flight)->count; i-- > 0;) {
		const struct reply_item failed = {.err = err, .retry_after_s = EDGE_RETRY_AFTER_S};
		const struct reply_item item = err == OK ? items[i] : failed;

		exchange_end(arrow, (*flight)->exchanges[i], &item, err != OK);
	}
	flight_free(flight);
}

void inbox_finish(struct inbox *inbox)
{
	struct flight *flight = inbox_take_all(inbox);

	while (flight != NULL) {
		struct flight *next = flight->next;

		flight_finish(&flight);
		flight = next;
	}
}
