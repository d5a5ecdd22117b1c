/* SPDX-License-Identifier: Apache-2.0 */
#include "timer_wheel.h"

#include <stddef.h>

static void list_init(struct timer *head)
{
	head->prev = head;
	head->next = head;
}

void timer_wheel_init(struct timer_wheel *wheel, uint64_t now_us)
{
	for (size_t i = 0; i < WHEEL_SLOTS; i++)
		list_init(&wheel->slots[i]);
	wheel->tick = now_us / WHEEL_TICK_US;
}

void timer_clear(struct timer *timer)
{
	if (timer->next == NULL)
		return;
	timer->prev->next = timer->next;
	timer->next->prev = timer->prev;
	timer->next = NULL;
	timer->prev = NULL;
}

/* Into the slot of its time, or the farthest one: from there it is put back until its time has come. */
static void timer_link(struct timer_wheel *wheel, struct timer *timer)
{
	uint64_t tick = timer->due_us / WHEEL_TICK_US + 1;
	struct timer *head;

	if (tick < wheel->tick)
		tick = wheel->tick;
	if (tick >= wheel->tick + WHEEL_SLOTS)
		tick = wheel->tick + WHEEL_SLOTS - 1;
	timer->slot_us = tick * WHEEL_TICK_US;
	head = &wheel->slots[tick % WHEEL_SLOTS];
	timer->prev = head->prev;
	timer->next = head;
	head->prev->next = timer;
	head->prev = timer;
}

void timer_set(struct timer_wheel *wheel, struct timer *timer, uint64_t due_us)
{
	timer->due_us = due_us;
	if (timer->next != NULL && due_us + WHEEL_TICK_US >= timer->slot_us)
		return;
	timer_clear(timer);
	timer_link(wheel, timer);
}

/* Moves the slot's list to `ready`, so that what `due` sets anew is not looked at again in this run. */
static void slot_take(struct timer *slot, struct timer *ready)
{
	list_init(ready);
	if (slot->next == slot)
		return;
	ready->next = slot->next;
	ready->prev = slot->prev;
	ready->next->prev = ready;
	ready->prev->next = ready;
	list_init(slot);
}

void timer_wheel_run(struct timer_wheel *wheel, uint64_t now_us, timer_due_fn *due, void *ctx)
{
	const uint64_t last = now_us / WHEEL_TICK_US;

	while (wheel->tick <= last) {
		struct timer ready;

		slot_take(&wheel->slots[wheel->tick % WHEEL_SLOTS], &ready);
		wheel->tick++;
		while (ready.next != &ready) {
			struct timer *timer = ready.next;

			timer_clear(timer);
			if (timer->due_us <= now_us)
				due(timer, ctx);
			else
				timer_link(wheel, timer);
		}
	}
}
