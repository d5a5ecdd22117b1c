/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/crash.h"
#include "base/log.h"
#include "outbox/outbox.h"
#include "outbox/outbox_private.h"
#include "outbox_sql.h"

#define BATCH_DEFAULT 256
#define BATCH_BYTES_DEFAULT (256U << 10)
#define POLL_DEFAULT_MS 200
#define GATHER_DEFAULT_MS 50
#define BACKOFF_FIRST_MS 100
#define BACKOFF_DEFAULT_MS 5000
#define WAITING_MAX 100000
#define LOOK_EVERY_US ((uint64_t)US_PER_S)
#define HELD_FOR_US ((uint64_t)(60 * US_PER_S))
/* One page opened: documents of the largest batch, and what describes them. */
#define ARENA_MAX (OUTBOX_EVENTS_MAX * (OUTBOX_DOC_MAX + 4096U))

enum err outbox_relay_new(const struct outbox_relay_config *config, struct outbox_relay **relay_out)
{
	struct outbox_relay *relay;
	enum err err;

	*relay_out = NULL;
	if (!config->deliver || !config->seal || config->batch_max > OUTBOX_EVENTS_MAX)
		return ERR_BAD_FIELD;
	if (!(relay = calloc(1, sizeof(*relay))))
		return ERR_OVERLOADED;
	relay->config = *config;
	if (!relay->config.batch_max)
		relay->config.batch_max = BATCH_DEFAULT;
	if (!relay->config.batch_bytes_max)
		relay->config.batch_bytes_max = BATCH_BYTES_DEFAULT;
	if (relay->config.poll_ms <= 0)
		relay->config.poll_ms = POLL_DEFAULT_MS;
	if (relay->config.gather_ms <= 0)
		relay->config.gather_ms = GATHER_DEFAULT_MS;
	if (relay->config.backoff_max_ms <= 0)
		relay->config.backoff_max_ms = BACKOFF_DEFAULT_MS;
	relay->backoff_ms = BACKOFF_FIRST_MS;
	wait_stop_init(&relay->stop);
	err = db_open(config->db, &relay->db);
	if (err == OK && !(relay->arena = arena_new(ARENA_MAX)))
		err = ERR_OVERLOADED;
	if (err != OK)
		outbox_relay_free(&relay);
	*relay_out = relay;
	return err;
}

void outbox_relay_free(struct outbox_relay **relay)
{
	struct outbox_relay *r;

	if (!relay || !*relay)
		return;
	r = *relay;
	if (r->started) {
		wait_stop_tell(&r->stop);
		pthread_join(r->thread, NULL);
	}
	db_free(&r->db);
	arena_free(&r->arena);
	wait_stop_release(&r->stop);
	free(r);
	*relay = NULL;
}

void outbox_poke(struct outbox_relay *relay)
{
	if (!relay)
		return;
	pthread_mutex_lock(&relay->stop.lock);
	if (!relay->poked) {
		relay->poked = true;
		pthread_cond_signal(&relay->stop.wake);
	}
	pthread_mutex_unlock(&relay->stop.lock);
}

void outbox_relay_stats(struct outbox_relay *relay, struct outbox_stats *stats_out)
{
	pthread_mutex_lock(&relay->stop.lock);
	*stats_out = relay->stats;
	pthread_mutex_unlock(&relay->stop.lock);
}

/* Until poked (when that matters), stopped, or `ms` have passed. */
static void rest(struct outbox_relay *relay, int64_t ms, bool until_poked)
{
	const uint64_t until_us = clock_monotonic_us() + (uint64_t)(ms * US_PER_MS);
	bool in_time = true;

	pthread_mutex_lock(&relay->stop.lock);
	while (in_time && !relay->stop.told && !(until_poked && relay->poked))
		in_time = wait_until(&relay->stop.wake, &relay->stop.lock, until_us);
	relay->poked = false;
	pthread_mutex_unlock(&relay->stop.lock);
}

/* ---- what auditsvc refuses ---- */

static const struct uuid *held_key(const struct event *event)
{
	return uuid_is_nil(&event->object_id) ? &event->id : &event->object_id;
}

bool outbox_relay_holds(const struct outbox_relay *relay, const struct event *event)
{
	for (size_t i = 0; i < relay->held_count; i++)
		if (uuid_eq(&relay->held[i].object_id, held_key(event)))
			return true;
	return false;
}

/* Tried again every minute. */
static void let_go(struct outbox_relay *relay)
{
	uint64_t now = clock_monotonic_us();
	size_t kept = 0;

	for (size_t i = 0; i < relay->held_count; i++)
		if (relay->held[i].until_us > now)
			relay->held[kept++] = relay->held[i];
	relay->held_count = kept;
}

/* ---- delivery ---- */

static void count_delivered(struct outbox_relay *relay, const struct outbox_event *events, size_t count)
{
	pthread_mutex_lock(&relay->stop.lock);
	relay->stats.delivered_total += count;
	for (size_t i = 0; i < count; i++)
		relay->stats.erased_total += events[i].erased;
	pthread_mutex_unlock(&relay->stop.lock);
}

enum err outbox_relay_begin(struct outbox_relay *relay, struct tx **tx_out)
{
	enum err err = tx_begin_jobs(relay->db, tx_out);

	return err == OK ? tx_queue_quiet(*tx_out, &sql_outbox_by_index, NO_PARAMS) : err;
}

static enum err delete_rows(struct outbox_relay *relay, const struct outbox_event *events, size_t count)
{
	int64_t seqs[OUTBOX_EVENTS_MAX];
	struct tx *tx = NULL;
	enum err err;

	for (size_t i = 0; i < count; i++)
		seqs[i] = events[i].seq;
	if ((err = outbox_relay_begin(relay, &tx)) == OK)
		err = tx_commit_with(&tx, &sql_outbox_done, PARAMS(db_i64s(seqs, count)), NULL, NULL);
	tx_free(&tx);
	return err;
}

static enum err deliver(struct outbox_relay *relay, const struct outbox_event *events, size_t count)
{
	enum err err;

	CRASH_POINT("outbox.before_send");
	if ((err = relay->config.deliver(relay->config.ctx, events, count)) != OK)
		return err;
	CRASH_POINT("outbox.after_send");
	count_delivered(relay, events, count);
	CRASH_POINT("outbox.before_mark");
	/* Failing now means a second delivery, which auditsvc knows by the event's id. */
	return delete_rows(relay, events, count) == OK ? OK : ERR_UNAVAILABLE;
}

static bool is_transient(enum err err)
{
	switch (err) {
	case ERR_UNAVAILABLE:
	case ERR_OVERLOADED:
	case ERR_DRAINING:
	case ERR_DEADLINE:
	case ERR_RATE_LIMITED:
		return true;
	default:
		return false;
	}
}

/* A refused event holds back its object; with too many held, everything waits. */
static enum err hold(struct outbox_relay *relay, const struct outbox_event *e, enum err why)
{
	log_event(LOG_ERROR, "outbox_event_refused", LOG_C("code", err_code(why)), LOG_ID("event", &e->event.id),
		LOG_C("action", e->event.action));
	pthread_mutex_lock(&relay->stop.lock);
	relay->stats.refused_total++;
	pthread_mutex_unlock(&relay->stop.lock);
	if (relay->held_count == OUTBOX_HELD_MAX)
		return ERR_UNAVAILABLE;
	relay->held[relay->held_count++] =
		(struct outbox_held){*held_key(&e->event), clock_monotonic_us() + HELD_FOR_US};
	return OK;
}

static enum err deliver_singly(struct outbox_relay *relay, const struct outbox_event *events, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		enum err err;

		if (outbox_relay_holds(relay, &events[i].event))
			continue;
		err = deliver(relay, &events[i], 1);
		if (err != OK && !is_transient(err))
			err = hold(relay, &events[i], err);
		if (err != OK)
			return err;
	}
	return OK;
}

/* How many of these fit in one message. */
static size_t fitting(const struct outbox_relay *relay, const struct outbox_event *events, size_t count)
{
	size_t bytes = 0, n = 0;

	while (n < count) {
		bytes += events[n].event.before.len + events[n].event.after.len;
		if (n && bytes > relay->config.batch_bytes_max)
			break;
		n++;
	}
	return n;
}

static enum err deliver_page(struct outbox_relay *relay, const struct outbox_page *page)
{
	size_t held_before = relay->held_count;
	enum err err;

	for (size_t at = 0, n; at < page->count; at += n) {
		n = fitting(relay, page->events + at, page->count - at);
		/* Behind a refusal, later events of its object stand in this page too. */
		err = relay->held_count == held_before ? deliver(relay, page->events + at, n) : ERR_CONFLICT;
		if (err != OK && !is_transient(err))
			err = deliver_singly(relay, page->events + at, n);
		if (err != OK)
			return err;
	}
	return OK;
}

/* ---- the thread ---- */

static enum err look(struct outbox_relay *relay)
{
	struct outbox_stats now = {0};
	struct rows *rows = NULL;
	struct tx *tx = NULL;
	enum err err;

	if (relay->looked_us && clock_monotonic_us() - relay->looked_us < LOOK_EVERY_US)
		return OK;
	if ((err = outbox_relay_begin(relay, &tx)) == OK)
		err = tx_commit_with(&tx, &sql_outbox_waiting, PARAMS(db_i64(WAITING_MAX)), &rows, NULL);
	if (err == OK && rows_next(rows)) {
		now.waiting = (uint64_t)rows_i64(rows, 0);
		now.oldest_age_us = rows_is_null(rows, 1) ? 0 : clock_now_us() - rows_time(rows, 1);
		relay->looked_us = clock_monotonic_us();
		pthread_mutex_lock(&relay->stop.lock);
		relay->stats.waiting = now.waiting;
		relay->stats.oldest_age_us = now.oldest_age_us < 0 ? 0 : now.oldest_age_us;
		pthread_mutex_unlock(&relay->stop.lock);
	}
	rows_free(&rows);
	tx_free(&tx);
	return err;
}

/* Before anything is delivered: a long backlog is one round. */
static enum err load_page(struct outbox_relay *relay, struct outbox_page *page, bool *leading_out)
{
	enum err err = outbox_page_load(relay, page->last_seq, page, leading_out);

	pthread_mutex_lock(&relay->stop.lock);
	relay->stats.leading = err == OK && *leading_out && relay->lock_generation != 0;
	pthread_mutex_unlock(&relay->stop.lock);
	return err;
}

/* All that stands there now, page by page. */
static enum err round_over(struct outbox_relay *relay)
{
	struct outbox_page page = {.full = true};
	enum err err = OK;
	bool leading = true;

	let_go(relay);
	while (err == OK && page.full && leading && !wait_stop_told(&relay->stop)) {
		err = load_page(relay, &page, &leading);
		if (err == OK && leading)
			err = deliver_page(relay, &page);
	}
	if (err == OK && leading)
		err = look(relay);
	pthread_mutex_lock(&relay->stop.lock);
	relay->stats.failing = err != OK;
	pthread_mutex_unlock(&relay->stop.lock);
	return err;
}

static void *relay_main(void *arg)
{
	struct outbox_relay *relay = arg;

	while (!wait_stop_told(&relay->stop)) {
		if (round_over(relay) == OK) {
			relay->backoff_ms = BACKOFF_FIRST_MS;
			/* Who does not lead has nothing to do with what its process commits. */
			rest(relay, relay->config.poll_ms, relay->lock_generation != 0);
			rest(relay, relay->config.gather_ms, false);
			continue;
		}
		/* Poking does not help a peer that is away. */
		(void)!look(relay);
		rest(relay, relay->backoff_ms, false);
		relay->backoff_ms *= 2;
		if (relay->backoff_ms > relay->config.backoff_max_ms)
			relay->backoff_ms = relay->config.backoff_max_ms;
	}
	return NULL;
}

enum err outbox_relay_start(struct outbox_relay *relay)
{
	INVARIANT(!relay->started);
	if (pthread_create(&relay->thread, NULL, relay_main, relay) != 0)
		return ERR_OVERLOADED;
	relay->started = true;
	return OK;
}
