/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "db/testpg.h"
#include "outbox/outbox.h"

/*
 * Every committed event arrives, in order per object, whatever is killed between; what cannot arrive stops nothing
 * else.
 */

#define SEEN_MAX 4096
#define OBJECTS 4

/* The far side: remembers what it got, and refuses as it is told. */
struct sink {
	pthread_mutex_t mutex;
	struct seen {
		struct uuid id, tenant;
		int64_t version;
		uint8_t object;
		bool erased;
		char after[64];
	} seen[SEEN_MAX];
	size_t count; /* first arrivals, by event id */
	size_t again; /* further ones */
	size_t calls, largest;
	bool disordered; /* a version of an object before an earlier one */
	int64_t latest[256];
	enum err answer; /* to everything */
	int64_t refuse;  /* this version of object 1, for good */
	void (*before_ok)(void);
};

static struct testpg *pg;
static struct db *db;
static struct db_config jobs_config;
static struct seal *seal;
static struct sink *sink;
static const struct uuid tenant_a = {{0xa}}, tenant_b = {{0xb}}, ada = {{1}}, bo = {{2}};
static const struct key_epoch master = {1, {1}};

#define KILL_JOBS "select pg_terminate_backend(pid, 2000) from pg_stat_activity where usename = 'shop_jobs'"

static int set_up(void **state)
{
	struct db_config config;

	(void)state;
	log_init("test", LOG_ERROR + 1);
	pg = testpg_start();
	testpg_migrate(pg, "shop", NULL, 0);
	config = testpg_config(pg, "shop", "app");
	jobs_config = testpg_config(pg, "shop", "jobs");
	if (db_open(&config, &db) != OK)
		return -1;
	return seal_new("shop", &master, 1, &master, &seal) == OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	seal_free(&seal);
	db_free(&db);
	testpg_stop(&pg);
	return 0;
}

static int fresh(void **state)
{
	(void)state;
	testpg_sql(pg, "truncate shop.outbox, shop.person_keys");
	sink = calloc(1, sizeof(*sink));
	if (!sink)
		return -1;
	pthread_mutex_init(&sink->mutex, NULL);
	return 0;
}

static int done(void **state)
{
	(void)state;
	pthread_mutex_destroy(&sink->mutex);
	free(sink);
	sink = NULL;
	return 0;
}

static void take(const struct outbox_event *e)
{
	uint8_t object = e->event.object_id.b[0];
	struct seen *seen;

	for (size_t i = 0; i < sink->count; i++) {
		if (uuid_eq(&sink->seen[i].id, &e->event.id)) {
			sink->again++;
			return;
		}
	}
	assert_true(sink->count < SEEN_MAX);
	assert_string_equal(e->event.action, "booking.change");
	assert_string_equal(e->event.object_type, "booking");
	sink->disordered |= e->event.object_version <= sink->latest[object];
	sink->latest[object] = e->event.object_version;
	seen = &sink->seen[sink->count++];
	*seen = (struct seen){.id = e->event.id,
		.tenant = e->tenant_id,
		.version = e->event.object_version,
		.object = object,
		.erased = e->erased};
	snprintf(seen->after, sizeof(seen->after), "%.*s", STR_ARG(e->event.after));
}

static enum err deliver(void *ctx, const struct outbox_event *events, size_t count)
{
	enum err err;

	(void)ctx;
	pthread_mutex_lock(&sink->mutex);
	sink->calls++;
	err = sink->answer;
	for (size_t i = 0; i < count && err == OK; i++)
		if (sink->refuse && events[i].event.object_id.b[0] == 1 &&
			events[i].event.object_version == sink->refuse)
			err = ERR_BAD_FIELD;
	for (size_t i = 0; i < count && err == OK; i++)
		take(&events[i]);
	if (err == OK && count > sink->largest)
		sink->largest = count;
	if (err == OK && sink->before_ok)
		sink->before_ok();
	pthread_mutex_unlock(&sink->mutex);
	return err;
}

static size_t seen_count(void)
{
	size_t n;

	pthread_mutex_lock(&sink->mutex);
	n = sink->count;
	pthread_mutex_unlock(&sink->mutex);
	return n;
}

static bool wait_for(size_t count, int limit_ms)
{
	for (int i = 0; i < limit_ms && seen_count() < count; i++)
		usleep(1000);
	return seen_count() >= count;
}

static struct outbox_relay *relay_that_gathers(struct seal *with, int64_t poll_ms, size_t bytes_max, int64_t gather_ms)
{
	struct outbox_relay_config config = {.db = &jobs_config,
		.seal = with,
		.deliver = deliver,
		.poll_ms = poll_ms,
		.gather_ms = gather_ms,
		.batch_bytes_max = bytes_max,
		.backoff_max_ms = 200};
	struct outbox_relay *relay = NULL;

	assert_int_equal(outbox_relay_new(&config, &relay), OK);
	assert_int_equal(outbox_relay_start(relay), OK);
	return relay;
}

static struct outbox_relay *relay_of(struct seal *with, int64_t poll_ms, size_t bytes_max)
{
	return relay_that_gathers(with, poll_ms, bytes_max, 0);
}

static struct seal *new_seal(void)
{
	struct seal *own = NULL;

	assert_int_equal(seal_new("shop", &master, 1, &master, &own), OK);
	return own;
}

/* `count` events of one tenant, turning over the objects, versions from `first` on. */
static void commit_events(const struct uuid *tenant, const struct uuid *subject, int64_t first, size_t count)
{
	struct event events[64] = {0};
	char docs[64][64];
	struct tx *tx = NULL;

	assert_true(count <= 64);
	for (size_t i = 0; i < count; i++) {
		snprintf(docs[i], sizeof(docs[i]), "{\"version\":%d}", (int)(first + (int64_t)i));
		events[i] = (struct event){.at = clock_now_us(),
			.subject_id = *subject,
			.object_id = {{(uint8_t)(1 + i % OBJECTS)}},
			.action = "booking.change",
			.object_type = "booking",
			.after = str_from(docs[i]),
			.object_version = first + (int64_t)i};
	}
	assert_int_equal(tx_begin(db, tenant, &tx), OK);
	assert_int_equal(outbox_put(tx, seal, tenant, events, count), OK);
	assert_int_equal(tx_commit(&tx), OK);
}

static bool wait_empty(int limit_ms)
{
	for (int i = 0; i < limit_ms / 10; i++) {
		if (strcmp(testpg_value(pg, "select count(*) from shop.outbox"), "0") == 0)
			return true;
		usleep(10000);
	}
	return false;
}

/* What a relay tells of itself is set at the end of a round, behind what the sink and the table show. */
static bool wait_stats(
	struct outbox_relay *relay, bool (*are)(const struct outbox_stats *), struct outbox_stats *stats_out)
{
	for (int i = 0; i < 1000; i++) {
		outbox_relay_stats(relay, stats_out);
		if (are(stats_out))
			return true;
		usleep(10000);
	}
	return false;
}

static bool are_at_rest(const struct outbox_stats *stats)
{
	return stats->leading && !stats->failing && stats->waiting == 0 && stats->oldest_age_us == 0;
}

static bool are_waiting(const struct outbox_stats *stats)
{
	return stats->failing && stats->waiting == 30 && stats->oldest_age_us > US_PER_S / 5;
}

static void test_delivers(void **state)
{
	struct seal *own = new_seal();
	struct outbox_relay *relay = relay_of(own, 0, 0);
	struct outbox_stats stats;
	(void)state;

	commit_events(&tenant_a, &ada, 1, 10);
	commit_events(&tenant_b, &UUID_NIL, 11, 10);
	assert_true(wait_for(20, 3000) && wait_empty(2000));
	assert_false(sink->disordered);
	assert_int_equal(sink->again, 0);
	for (size_t i = 0; i < 20; i++) {
		char want[64];

		snprintf(want, sizeof(want), "{\"version\":%d}", (int)sink->seen[i].version);
		assert_string_equal(sink->seen[i].after, want);
		assert_true(uuid_eq(&sink->seen[i].tenant, i < 10 ? &tenant_a : &tenant_b) && !sink->seen[i].erased);
	}
	usleep(1300000); /* the gauges are a second old at most */
	assert_true(wait_stats(relay, are_at_rest, &stats));
	assert_int_equal(stats.delivered_total, 20);
	outbox_relay_free(&relay);
	seal_free(&own);
}

static void test_poke(void **state)
{
	struct seal *own = new_seal();
	struct outbox_relay *relay = relay_of(own, 60000, 0);
	(void)state;

	commit_events(&tenant_a, &ada, 1, 1);
	outbox_poke(relay);
	outbox_poke(NULL);
	assert_true(wait_for(1, 3000));
	usleep(100000); /* it rests again, for a minute */
	commit_events(&tenant_a, &ada, 2, 1);
	outbox_poke(relay);
	assert_true(wait_for(2, 1000));
	outbox_relay_free(&relay); /* and does not wait the minute */
	seal_free(&own);
}

static void test_peer_away(void **state)
{
	struct seal *own = new_seal();
	struct outbox_relay *relay;
	struct outbox_stats stats;
	uint64_t begun_us = clock_monotonic_us(), gone_ms;
	size_t calls;
	(void)state;

	sink->answer = ERR_UNAVAILABLE;
	relay = relay_of(own, 20, 0);
	commit_events(&tenant_a, &ada, 1, 30);
	usleep(1000000);
	assert_true(wait_stats(relay, are_waiting, &stats));
	assert_int_equal(seen_count(), 0);
	pthread_mutex_lock(&sink->mutex);
	calls = sink->calls;
	sink->answer = OK;
	pthread_mutex_unlock(&sink->mutex);
	gone_ms = (clock_monotonic_us() - begun_us) / US_PER_MS;
	assert_true(calls >= 3 && calls <= 2 + gone_ms / 100); /* it backs off */
	assert_true(wait_for(30, 3000) && wait_empty(1000));
	assert_false(sink->disordered);
	outbox_relay_free(&relay);
	seal_free(&own);
}

static void test_refused(void **state)
{
	struct seal *own = new_seal();
	struct outbox_relay *relay;
	struct outbox_stats stats;
	(void)state;

	sink->refuse = 5; /* object 1's second version of: 1, 5, 9, … */
	relay = relay_of(own, 20, 0);
	commit_events(&tenant_a, &ada, 1, 20);
	assert_true(wait_for(16, 3000)); /* 1 of object 1, all 15 of the others */
	usleep(300000);
	commit_events(&tenant_a, &ada, 21, 4);
	assert_true(wait_for(19, 3000));
	usleep(200000);
	assert_int_equal(seen_count(), 19);
	outbox_relay_stats(relay, &stats);
	assert_int_equal(stats.refused_total, 1);
	assert_false(stats.failing);
	assert_string_equal(testpg_value(pg, "select count(*) from shop.outbox"), "5");
	outbox_relay_free(&relay);
	/* accepted at last (a new start looks again): nothing of the object was lost or turned round */
	sink->refuse = 0;
	relay = relay_of(own, 20, 0);
	assert_true(wait_for(24, 3000) && wait_empty(1000));
	assert_false(sink->disordered);
	outbox_relay_free(&relay);
	seal_free(&own);
}

static void test_key_destroyed(void **state)
{
	struct seal *own = new_seal();
	struct outbox_relay *relay;
	struct outbox_stats stats;
	struct tx *tx = NULL;
	(void)state;

	commit_events(&tenant_a, &ada, 1, 2);
	commit_events(&tenant_a, &bo, 3, 2);
	testpg_sql(pg, "update shop.outbox set payload = '\\x0102' where object_version = 4");
	assert_int_equal(tx_begin(db, &tenant_a, &tx), OK);
	assert_int_equal(seal_erase(tx, &tenant_a, &ada), OK);
	assert_int_equal(tx_commit(&tx), OK);
	relay = relay_of(own, 20, 0);
	assert_true(wait_for(4, 3000) && wait_empty(1000));
	for (size_t i = 0; i < 4; i++) {
		assert_true(sink->seen[i].erased == (i != 2));
		assert_true((sink->seen[i].after[0] == '\0') == (i != 2));
	}
	outbox_relay_stats(relay, &stats);
	assert_int_equal(stats.erased_total, 3);
	outbox_relay_free(&relay);
	seal_free(&own);
}

static void test_batches(void **state)
{
	struct seal *own = new_seal();
	struct outbox_relay *relay;
	(void)state;

	for (int i = 0; i < 6; i++)
		commit_events(&tenant_a, &ada, 1 + i * 64, 64);
	relay = relay_of(own, 20, 100); /* some six documents a message */
	assert_true(wait_for(384, 10000) && wait_empty(1000));
	assert_true(sink->largest > 1 && sink->largest < 10 && !sink->disordered);
	outbox_relay_free(&relay);
	seal_free(&own);
}

static size_t call_count(void)
{
	size_t n;

	pthread_mutex_lock(&sink->mutex);
	n = sink->calls;
	pthread_mutex_unlock(&sink->mutex);
	return n;
}

/* What is committed shortly after a poke goes along with it; how much that is, a busy machine decides. */
static void test_gathers(void **state)
{
	struct seal *own = new_seal();
	struct outbox_relay *relay = relay_that_gathers(own, 60000, 0, 300);
	size_t before = 0, count = 0;
	(void)state;

	for (int round = 0; round < 10 && (count == 0 || call_count() - before >= 5); round++) {
		before = call_count();
		for (int i = 0; i < 5; i++) {
			commit_events(&tenant_a, &ada, (int64_t)++count, 1);
			outbox_poke(relay);
		}
		assert_true(wait_for(count, 10000));
	}
	assert_true(call_count() - before < 5);
	outbox_relay_free(&relay);
	seal_free(&own);
}

/* However empty the table was when statistics were taken. */
static void test_reads_by_index(void **state)
{
	struct seal *own = new_seal();
	struct outbox_relay *relay;
	int64_t before;
	(void)state;

	testpg_sql(pg, "vacuum analyze shop.outbox");
	for (int i = 0; i < 6; i++)
		commit_events(&tenant_a, &ada, 1 + i * 64, 64);
	testpg_sql(pg, "select pg_stat_force_next_flush()");
	before = strtoll(
		testpg_value(pg, "select seq_scan from pg_stat_user_tables where relname = 'outbox'"), NULL, 10);
	relay = relay_of(own, 20, 0);
	assert_true(wait_for(384, 10000));
	outbox_relay_free(&relay); /* its session ends, and its figures are there to be read */
	for (int i = 0;
		i < 1000 &&
		strcmp(testpg_value(pg, "select count(*) from pg_stat_activity where usename = 'shop_jobs'"), "0") != 0;
		i++)
		usleep(10000);
	assert_int_equal(
		before, strtoll(testpg_value(pg, "select seq_scan from pg_stat_user_tables where relname = 'outbox'"),
				NULL, 10));
	seal_free(&own);
}

static void kill_connection(void)
{
	if (sink->calls % 3 == 1)
		testpg_sql(pg, KILL_JOBS);
}

static void fail_to_mark(void)
{
	if (sink->calls == 1)
		testpg_sql(pg, "revoke delete on shop.outbox from shop_jobs");
	if (sink->calls == 3)
		testpg_sql(pg, "grant delete on shop.outbox to shop_jobs");
}

/* Between delivery and deletion something goes wrong: what is delivered again is known by its id. */
static void test_cut_before_mark(void **state)
{
	struct seal *own = new_seal();
	(void)state;

	for (int round = 0; round < 2; round++) {
		struct outbox_relay *relay;
		size_t before = seen_count();

		for (int i = 0; i < 4; i++)
			commit_events(&tenant_a, &ada, 1 + round * 32 + i * 8, 8);
		sink->before_ok = round ? fail_to_mark : kill_connection;
		sink->calls = 0;
		sink->again = 0;
		relay = relay_of(own, 20, 100);
		assert_true(wait_for(before + 32, 10000) && wait_empty(5000));
		outbox_relay_free(&relay);
		assert_int_equal(sink->count, before + 32);
		assert_true(round == 0 || sink->again > 0);
		assert_false(sink->disordered);
	}
	seal_free(&own);
}

static bool one_leads(struct outbox_relay *const relays[2], struct outbox_stats stats_out[2])
{
	for (int i = 0; i < 1000; i++) {
		outbox_relay_stats(relays[0], &stats_out[0]);
		outbox_relay_stats(relays[1], &stats_out[1]);
		if (stats_out[0].leading != stats_out[1].leading)
			return true;
		usleep(10000);
	}
	return false;
}

/* Two replicas: one leads; when it stops, the other does. */
static void test_two_replicas(void **state)
{
	struct seal *seals[2] = {new_seal(), new_seal()};
	struct outbox_relay *relays[2];
	struct outbox_stats stats[2];
	int leader;
	(void)state;

	relays[0] = relay_of(seals[0], 20, 0);
	relays[1] = relay_of(seals[1], 20, 0);
	for (int i = 0; i < 10; i++)
		commit_events(&tenant_a, &ada, 1 + i * 4, 4);
	assert_true(wait_for(40, 10000) && wait_empty(5000));
	assert_true(one_leads(relays, stats));
	leader = stats[0].leading ? 0 : 1;
	assert_int_equal(stats[leader].delivered_total, 40);
	outbox_relay_free(&relays[leader]);
	commit_events(&tenant_a, &ada, 41, 4);
	assert_true(wait_for(44, 10000));
	assert_int_equal(sink->again, 0);
	assert_false(sink->disordered);
	outbox_relay_free(&relays[1 - leader]);
	seal_free(&seals[0]);
	seal_free(&seals[1]);
}

/* Power cuts of the whole cluster while events come in: all that was committed arrives, in order. */
static void test_power_cut(void **state)
{
	struct seal *own = new_seal();
	struct outbox_relay *relay = relay_of(own, 20, 0);
	(void)state;

	for (int i = 0; i < 3; i++) {
		commit_events(&tenant_a, &ada, 1 + i * 16, 16);
		testpg_server_kill(pg);
		usleep(100000);
		testpg_server_start(pg);
		for (int k = 0; k < 300 && db_ping(db) != OK; k++)
			usleep(10000);
	}
	assert_true(wait_for(48, 10000) && wait_empty(3000));
	assert_int_equal(sink->count, 48);
	assert_false(sink->disordered);
	outbox_relay_free(&relay);
	seal_free(&own);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_delivers, fresh, done),
		cmocka_unit_test_setup_teardown(test_poke, fresh, done),
		cmocka_unit_test_setup_teardown(test_peer_away, fresh, done),
		cmocka_unit_test_setup_teardown(test_gathers, fresh, done),
		cmocka_unit_test_setup_teardown(test_reads_by_index, fresh, done),
		cmocka_unit_test_setup_teardown(test_refused, fresh, done),
		cmocka_unit_test_setup_teardown(test_key_destroyed, fresh, done),
		cmocka_unit_test_setup_teardown(test_batches, fresh, done),
		cmocka_unit_test_setup_teardown(test_cut_before_mark, fresh, done),
		cmocka_unit_test_setup_teardown(test_two_replicas, fresh, done),
		cmocka_unit_test_setup_teardown(test_power_cut, fresh, done),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
