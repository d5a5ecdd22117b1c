/* SPDX-License-Identifier: Apache-2.0 */
#include "job_hashes.h"

#include "base/clock.h"
#include "hash_memory.h"

#define EVERY_MS 1000

void job_hashes_run(struct context *context)
{
	while (!context_stopping(context)) {
		context_wait(context, EVERY_MS);
		hash_memory_age(clock_monotonic_us());
	}
}
