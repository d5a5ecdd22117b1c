/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_BASE_WAIT_H
#define BERTH_BASE_WAIT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Condition variables that count time as clock_monotonic_us does, so that setting the clock wakes nobody. */
void wait_init(pthread_cond_t *cond);
/* False when the time is over. Spurious wakes happen: ask again for what was waited for. */
bool wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t deadline_us);

/* How threads that wait are told to end. The lock and the condition may serve more of their owner's. */
struct wait_stop {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool told; /* under the lock */
};

void wait_stop_init(struct wait_stop *stop);
void wait_stop_release(struct wait_stop *stop);
void wait_stop_tell(struct wait_stop *stop);
bool wait_stop_told(struct wait_stop *stop);
/* Until told or woken, `us` at most; whether told. */
bool wait_stop_for(struct wait_stop *stop, uint64_t us);

#endif
