/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_GATEWAY_HANDSHAKES_H
#define BERTH_GATEWAY_HANDSHAKES_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Whose handshake may go on, in the order in which they came. Each step of one costs a key and a signature, so a loop
 * makes a few milliseconds of them in a tick: who is connected already does not wait for all who want to be.
 */
struct handshake {
	struct handshake *prev, *next;
	bool waits;
};

struct handshakes {
	struct handshake *first, *last;
	size_t count;
};

void handshakes_add(struct handshakes *queue, struct handshake *one); /* borrows it until it is taken or removed */
void handshakes_remove(struct handshakes *queue, struct handshake *one);
struct handshake *handshakes_take(struct handshakes *queue); /* NULL: nobody waits */

#endif
