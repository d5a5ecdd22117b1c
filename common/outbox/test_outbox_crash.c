/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "db/testpg.h"
#include "outbox/outbox.h"

/*
 * A relay's process killed at each of its named points: another one delivers the rest, and nothing is missing or turned
 * round.
 */

#define EVENTS 40

static struct testpg *pg;
static struct db_config app, jobs;
static int arrivals[2]; /* versions, in the order of their arrival, from both processes */
static const struct uuid tenant = {{0xa}}, ada = {{1}}, object = {{7}};
static const struct key_epoch master = {1, {1}};

static int set_up(void **state)
{
	(void)state;
	log_init("test", LOG_ERROR + 1);
	pg = testpg_start();
	testpg_migrate(pg, "shop", NULL, 0);
	app = testpg_config(pg, "shop", "app");
	jobs = testpg_config(pg, "shop", "jobs");
	return pipe(arrivals);
}

static int tear_down(void **state)
{
	(void)state;
	testpg_stop(&pg);
	return 0;
}

static enum err deliver(void *ctx, const struct outbox_event *events, size_t count)
{
	(void)ctx;
	for (size_t i = 0; i < count; i++)
		if (write(arrivals[1], &events[i].event.object_version, 8) != 8)
			return ERR_UNAVAILABLE;
	return OK;
}

/* Runs a relay for `ms`. */
static void run_relay(int ms)
{
	struct outbox_relay_config config = {.db = &jobs, .deliver = deliver, .batch_max = 8, .poll_ms = 10};
	struct outbox_relay *relay = NULL;

	if (seal_new("shop", &master, 1, &master, &config.seal) != OK || outbox_relay_new(&config, &relay) != OK)
		abort();
	if (outbox_relay_start(relay) != OK)
		abort();
	usleep((useconds_t)ms * 1000);
	outbox_relay_free(&relay);
	seal_free(&config.seal);
}

static void commit_events(void)
{
	struct event events[EVENTS];
	struct seal *seal = NULL;
	struct db *db = NULL;
	struct tx *tx = NULL;

	for (int i = 0; i < EVENTS; i++)
		events[i] = (struct event){.at = 1,
			.subject_id = ada,
			.object_id = object,
			.action = "booking.change",
			.object_type = "booking",
			.after = STR("{}"),
			.object_version = i + 1};
	assert_int_equal(db_open(&app, &db), OK);
	assert_int_equal(seal_new("shop", &master, 1, &master, &seal), OK);
	assert_int_equal(tx_begin(db, &tenant, &tx), OK);
	assert_int_equal(outbox_put(tx, seal, &tenant, events, EVENTS), OK);
	assert_int_equal(tx_commit(&tx), OK);
	seal_free(&seal);
	db_free(&db);
}

static void run_and_be_killed(const char *point)
{
	pid_t pid = fork();
	int status = 0;

	assert_true(pid >= 0);
	if (pid == 0) {
		setenv("BERTH_CRASH_AT", point, 1);
		run_relay(5000);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	CHECK(point, WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* Every version once at least; the first arrivals are in order. Gives how many came again. */
static int judge(const char *point, int64_t total)
{
	int64_t latest = 0, version;
	int again = 0;

	while (latest < total && read(arrivals[0], &version, 8) == 8) {
		CHECK(point, version <= latest + 1);
		again += version <= latest;
		latest = version > latest ? version : latest;
	}
	return again;
}

static void test_crash_points(void **state)
{
	const struct {
		const char *point;
		int again; /* a whole batch, or none */
	} cases[] = {
		{"outbox.before_send", 0},
		{"outbox.before_send:3", 0},
		{"outbox.after_send", 8},
		{"outbox.after_send:4", 8},
		{"outbox.before_mark", 8},
		{"outbox.before_mark:2", 8},
	};
	(void)state;

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		testpg_sql(pg, "truncate shop.outbox");
		commit_events();
		run_and_be_killed(cases[i].point);
		run_relay(500);
		CHECK(cases[i].point, strcmp(testpg_value(pg, "select count(*) from shop.outbox"), "0") == 0);
		CHECK(cases[i].point, judge(cases[i].point, EVENTS) == cases[i].again);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_crash_points),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
