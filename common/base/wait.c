/* SPDX-License-Identifier: Apache-2.0 */
#include "base/wait.h"

#include <time.h>

#include "base/clock.h"

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

void wait_stop_init(struct wait_stop *stop)
{
	pthread_mutex_init(&stop->lock, NULL);
	wait_init(&stop->wake);
	stop->told = false;
}

void wait_stop_release(struct wait_stop *stop)
{
	pthread_cond_destroy(&stop->wake);
	pthread_mutex_destroy(&stop->lock);
}

void wait_stop_tell(struct wait_stop *stop)
{
	pthread_mutex_lock(&stop->lock);
	stop->told = true;
	pthread_cond_broadcast(&stop->wake);
	pthread_mutex_unlock(&stop->lock);
}

bool wait_stop_told(struct wait_stop *stop)
{
	bool told;

	pthread_mutex_lock(&stop->lock);
	told = stop->told;
	pthread_mutex_unlock(&stop->lock);
	return told;
}

bool wait_stop_for(struct wait_stop *stop, uint64_t us)
{
	bool told;

	pthread_mutex_lock(&stop->lock);
	if (!stop->told)
		(void)wait_until(&stop->wake, &stop->lock, clock_monotonic_us() + us);
	told = stop->told;
	pthread_mutex_unlock(&stop->lock);
	return told;
}
