/* SPDX-License-Identifier: Apache-2.0 */
#include "link/link_keeper.h"

#include <pthread.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/wait.h"

#if defined(__SANITIZE_THREAD__)
/* nng is not built with the sanitizer, which so misses the atomic counts that order what nng frees. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
	return "race:libnng.so\n";
}
#endif

/* `list_lock` is held while owners tick, and they take their own locks below it; `due_lock` comes last of all. */
static struct {
	pthread_once_t once;
	bool running;
	pthread_mutex_t list_lock;
	struct link_kept *first;
	pthread_mutex_t due_lock;
	pthread_cond_t due;
	uint64_t wake_us; /* when the thread will look again by itself */
} keeper = {.once = PTHREAD_ONCE_INIT, .list_lock = PTHREAD_MUTEX_INITIALIZER, .due_lock = PTHREAD_MUTEX_INITIALIZER};

static bool take_due(struct link_kept *kept, uint64_t now_us)
{
	bool due;

	pthread_mutex_lock(&keeper.due_lock);
	due = kept->due_us <= now_us;
	/* What is poked while the owner ticks counts for the next round. */
	if (due)
		kept->due_us = LINK_KEEPER_NEVER;
	pthread_mutex_unlock(&keeper.due_lock);
	return due;
}

static void round_once(void)
{
	uint64_t now_us = clock_monotonic_us();

	pthread_mutex_lock(&keeper.list_lock);
	for (struct link_kept *kept = keeper.first; kept; kept = kept->next) {
		if (take_due(kept, now_us))
			link_keeper_poke(kept, kept->tick(kept->owner, now_us));
	}
	pthread_mutex_unlock(&keeper.list_lock);
}

static void sleep_until_due(void)
{
	uint64_t next_us = LINK_KEEPER_NEVER;

	pthread_mutex_lock(&keeper.list_lock);
	pthread_mutex_lock(&keeper.due_lock);
	for (const struct link_kept *kept = keeper.first; kept; kept = kept->next)
		next_us = kept->due_us < next_us ? kept->due_us : next_us;
	keeper.wake_us = next_us;
	pthread_mutex_unlock(&keeper.list_lock);
	while (keeper.wake_us > clock_monotonic_us()) {
		if (keeper.wake_us == LINK_KEEPER_NEVER)
			pthread_cond_wait(&keeper.due, &keeper.due_lock);
		else
			(void)wait_until(&keeper.due, &keeper.due_lock, keeper.wake_us);
	}
	keeper.wake_us = 0;
	pthread_mutex_unlock(&keeper.due_lock);
}

static void *keep(void *arg)
{
	(void)arg;
	for (;;) {
		sleep_until_due();
		round_once();
	}
	return NULL;
}

static void start(void)
{
	pthread_t thread;

	wait_init(&keeper.due);
	keeper.running = pthread_create(&thread, NULL, keep, NULL) == 0;
	if (!keeper.running) {
		log_event(LOG_ERROR, "link_keeper_failed");
		return;
	}
	(void)pthread_setname_np(thread, "link:keeper");
	(void)pthread_detach(thread);
}

bool link_keeper_add(struct link_kept *kept)
{
	(void)pthread_once(&keeper.once, start);
	if (!keeper.running)
		return false;
	kept->due_us = LINK_KEEPER_NEVER;
	pthread_mutex_lock(&keeper.list_lock);
	kept->next = keeper.first;
	keeper.first = kept;
	pthread_mutex_unlock(&keeper.list_lock);
	return true;
}

void link_keeper_remove(struct link_kept *kept)
{
	struct link_kept **place = &keeper.first;

	pthread_mutex_lock(&keeper.list_lock);
	while (*place && *place != kept)
		place = &(*place)->next;
	if (*place)
		*place = kept->next;
	pthread_mutex_unlock(&keeper.list_lock);
}

void link_keeper_poke(struct link_kept *kept, uint64_t due_us)
{
	if (due_us == LINK_KEEPER_NEVER)
		return;
	pthread_mutex_lock(&keeper.due_lock);
	if (due_us < kept->due_us)
		kept->due_us = due_us;
	if (due_us < keeper.wake_us) {
		keeper.wake_us = due_us;
		pthread_cond_signal(&keeper.due);
	}
	pthread_mutex_unlock(&keeper.due_lock);
}
