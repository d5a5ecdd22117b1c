/* SPDX-License-Identifier: Apache-2.0 */
#include "link/wait.h"

#include <time.h>

void wait_init(pthread_cond_t *cond)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &attributes);
	pthread_condattr_destroy(&attributes);
}

bool wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t deadline_us)
{
	struct timespec at = {
		.tv_sec = (time_t)(deadline_us / 1000000),
		.tv_nsec = (long)(deadline_us % 1000000) * 1000,
	};

	return pthread_cond_timedwait(cond, lock, &at) == 0;
}
