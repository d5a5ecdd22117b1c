/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_LINK_WAIT_H
#define BERTH_LINK_WAIT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Condition variables that count time as clock_monotonic_us does, so that setting the clock wakes nobody. */
void wait_init(pthread_cond_t *cond);
/* False when the time is over. Spurious wakes happen: ask again for what was waited for. */
bool wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t deadline_us);

#endif
