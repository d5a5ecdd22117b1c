/* SPDX-License-Identifier: Apache-2.0 */
#include "fair_queue.h"

#include <pthread.h>
#include <sodium.h>

#include "base/arena.h"
#include "exchange.h"

static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static uint8_t key[crypto_shorthash_KEYBYTES];

static void key_make(void)
{
	randombytes_buf(key, sizeof key);
}

uint8_t fair_queue_line_of(const void *who, size_t who_len)
{
	uint8_t hash[crypto_shorthash_BYTES];

	(void)pthread_once(&key_once, key_make);
	(void)crypto_shorthash(hash, who, who_len, key);
	return hash[0] % FAIR_LINES;
}

void fair_queue_init(struct fair_queue *queue)
{
	*queue = (struct fair_queue){.waiting = 0};
	queue->turn_last = &queue->turn;
	for (size_t i = 0; i < FAIR_LINES; i++)
		queue->lines[i].last = &queue->lines[i].first;
}

/* Behind the others. */
static void line_list(struct fair_queue *queue, struct fair_line *line)
{
	line->next = NULL;
	*queue->turn_last = line;
	queue->turn_last = &line->next;
	queue->listed++;
}

static struct fair_line *line_unlist_first(struct fair_queue *queue)
{
	struct fair_line *line = queue->turn;

	queue->turn = line->next;
	if (queue->turn == NULL)
		queue->turn_last = &queue->turn;
	queue->listed--;
	return line;
}

static struct exchange *line_pop(struct fair_queue *queue, struct fair_line *line)
{
	struct exchange *exchange = line->first;

	line->first = exchange->next;
	if (line->first == NULL)
		line->last = &line->first;
	exchange->next = NULL;
	line->waiting--;
	queue->waiting--;
	return exchange;
}

/* Brings the line to the head of the round; who stood before it goes behind, in order. */
static void turn_to(struct fair_queue *queue, const struct fair_line *line)
{
	while (queue->turn != line)
		line_list(queue, line_unlist_first(queue));
}

void fair_queue_put(struct fair_queue *queue, struct exchange *exchange)
{
	struct fair_line *line = &queue->lines[exchange->line % FAIR_LINES];

	exchange->next = NULL;
	*line->last = exchange;
	line->last = &exchange->next;
	queue->waiting++;
	if (line->waiting++ == 0)
		line_list(queue, line);
}

struct exchange *fair_queue_next(struct fair_queue *queue, bool idle_only)
{
	const struct fair_line *line = queue->turn;

	while (idle_only && line != NULL && line->under_way > 0)
		line = line->next;
	if (line == NULL)
		return NULL;
	turn_to(queue, line);
	return queue->turn->first;
}

/* The line at the head of the round loses its first. */
static struct exchange *turn_pop(struct fair_queue *queue)
{
	struct fair_line *line = line_unlist_first(queue);
	struct exchange *exchange = line_pop(queue, line);

	if (line->waiting > 0)
		line_list(queue, line);
	return exchange;
}

struct exchange *fair_queue_take(struct fair_queue *queue)
{
	return queue->turn != NULL ? turn_pop(queue) : NULL;
}

struct exchange *fair_queue_shed(struct fair_queue *queue, uint8_t line)
{
	const struct fair_line *longest = queue->turn;

	for (const struct fair_line *other = longest; other != NULL; other = other->next)
		if (other->waiting > longest->waiting)
			longest = other;
	if (longest == NULL || longest->waiting < queue->lines[line % FAIR_LINES].waiting + 2)
		return NULL;
	turn_to(queue, longest);
	return turn_pop(queue);
}

struct exchange *fair_queue_expired(struct fair_queue *queue, uint64_t until_us)
{
	for (const struct fair_line *line = queue->turn; line != NULL; line = line->next) {
		if (line->first->deadline_us >= until_us)
			continue;
		turn_to(queue, line);
		return turn_pop(queue);
	}
	return NULL;
}

void fair_queue_sent(struct fair_queue *queue, const struct exchange *exchange)
{
	queue->lines[exchange->line % FAIR_LINES].under_way++;
}

void fair_queue_ended(struct fair_queue *queue, const struct exchange *exchange)
{
	queue->lines[exchange->line % FAIR_LINES].under_way--;
}
