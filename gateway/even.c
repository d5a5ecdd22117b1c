/* SPDX-License-Identifier: Apache-2.0 */
#include "even.h"

#include "loop.h"
#include "respond.h"

bool even_is_meant(const struct exchange *exchange)
{
	return (exchange->operation->flags & OP_EVEN) != 0;
}

static bool text_copy(struct arena *arena, struct str *text)
{
	if (text->len > 0)
		*text = arena_copy(arena, *text);
	return text->p != NULL || text->len == 0;
}

/* Its strings lie in a message that ends before the answer leaves. */
static struct reply_item *item_copy(struct arena *arena, const struct reply_item *item)
{
	struct reply_item *copy = arena_take(arena, sizeof *copy);

	if (copy == NULL)
		return NULL;
	*copy = *item;
	if (!text_copy(arena, &copy->field) || !text_copy(arena, &copy->reason) || !text_copy(arena, &copy->detail) ||
		!text_copy(arena, &copy->body))
		return NULL;
	return copy;
}

/* Most have the latest time of all. */
static void put_in_order(struct even *even, struct exchange *exchange)
{
	struct exchange **at = &even->first;

	if (even->last != NULL && even->last->answer_at_us <= exchange->answer_at_us)
		at = &even->last->next;
	while (*at != NULL && (*at)->answer_at_us <= exchange->answer_at_us)
		at = &(*at)->next;
	exchange->next = *at;
	*at = exchange;
	if (exchange->next == NULL)
		even->last = exchange;
}

bool even_keep(struct exchange *exchange, const struct reply_item *item)
{
	const uint64_t taken_us = clock_monotonic_us() - exchange->started_us;

	if ((exchange->answer = item_copy(exchange->arena, item)) == NULL)
		return false;
	exchange->answer_at_us = exchange->started_us + (taken_us / EDGE_EVEN_US + 1) * EDGE_EVEN_US;
	put_in_order(&exchange->loop->even, exchange);
	return true;
}

static struct exchange *take_first(struct even *even)
{
	struct exchange *exchange = even->first;

	even->first = exchange->next;
	if (even->first == NULL)
		even->last = NULL;
	exchange->next = NULL;
	return exchange;
}

void even_run(struct loop *loop)
{
	while (loop->even.first != NULL && loop->even.first->answer_at_us <= loop->now_us) {
		struct exchange *exchange = take_first(&loop->even);

		respond_awaited(exchange, exchange->answer);
	}
}

uint64_t even_timeout_us(const struct even *even, uint64_t timeout_us)
{
	uint64_t now_us;

	if (even->first == NULL)
		return timeout_us;
	now_us = clock_monotonic_us();
	if (even->first->answer_at_us <= now_us)
		return 0;
	return even->first->answer_at_us - now_us < timeout_us ? even->first->answer_at_us - now_us : timeout_us;
}

void even_release(struct even *even)
{
	while (even->first != NULL) {
		struct exchange *exchange = take_first(even);

		exchange_drop(&exchange);
	}
}
