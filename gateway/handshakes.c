/* SPDX-License-Identifier: Apache-2.0 */
#include "handshakes.h"

void handshakes_add(struct handshakes *queue, struct handshake *one)
{
	if (one->waits)
		return;
	*one = (struct handshake){.prev = queue->last, .waits = true};
	if (queue->last != NULL)
		queue->last->next = one;
	else
		queue->first = one;
	queue->last = one;
	queue->count++;
}

void handshakes_remove(struct handshakes *queue, struct handshake *one)
{
	if (!one->waits)
		return;
	if (one->prev != NULL)
		one->prev->next = one->next;
	else
		queue->first = one->next;
	if (one->next != NULL)
		one->next->prev = one->prev;
	else
		queue->last = one->prev;
	queue->count--;
	*one = (struct handshake){.waits = false};
}

struct handshake *handshakes_take(struct handshakes *queue)
{
	struct handshake *one = queue->first;

	if (one != NULL)
		handshakes_remove(queue, one);
	return one;
}
