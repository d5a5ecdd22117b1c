/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "db/db.h"
#include "db/db_conn.h"
#include "db/testpg.h"

/*
 * What a connection that is lost, late or another environment's leaves behind, with a real server that is really
 * killed.
 */

static struct testpg *pg;
static struct db *db;
static struct db_config config;
static const struct uuid tenant_a = {{0xa}};

static const char shop_table[] =
	"create table item (id bigint primary key); grant select, insert on item to :app_role;"
	"create function nap() returns trigger language plpgsql as $$ begin perform pg_sleep(1); return null; end $$;"
	"create table slow (id bigint primary key); grant select, insert on slow to :app_role;"
	"create constraint trigger slow_commit after insert on slow deferrable initially deferred for each row"
	" execute function nap();";
static const struct db_migration migrations[] = {{10, "shop", shop_table, sizeof(shop_table) - 1, {0}}};

#define KILL_SESSIONS(args) "select pg_terminate_backend(" args ") from pg_stat_activity where usename = 'shop_app'"
#define SQL(name, text) static const struct db_statement name = {#name, text, sizeof(text) - 1}

SQL(put, "insert into item (id) values ($1)");
SQL(count_all, "select count(*) from item");
SQL(put_slow, "insert into slow values ($1)");
SQL(count_slow, "select count(*) from slow");
SQL(sleep_long, "select pg_sleep(30)");
SQL(read_settings,
	"select current_setting('statement_timeout'), current_setting('lock_timeout'),"
	" current_setting('idle_in_transaction_session_timeout'), current_setting('TimeZone'),"
	" current_setting('search_path'), current_setting('client_encoding'), current_setting('application_name')");

static int set_up(void **state)
{
	(void)state;
	pg = testpg_start();
	testpg_migrate(pg, "shop", migrations, 1);
	config = testpg_config(pg, "shop", "app");
	return db_open(&config, &db) == OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	db_free(&db);
	testpg_stop(&pg);
	return 0;
}

static int empty(void **state)
{
	(void)state;
	testpg_sql(pg, "truncate shop.item");
	return 0;
}

static struct tx *begin(struct db *on, const struct uuid *tenant)
{
	struct tx *tx = NULL;

	assert_int_equal(tx_begin(on, tenant, &tx), OK);
	return tx;
}

static enum err add(struct tx *tx, int64_t id)
{
	return tx_exec(tx, &put, PARAMS(db_i64(id)), NULL);
}

static int64_t one_number(struct tx *tx, const struct db_statement *statement)
{
	struct rows *rows = NULL;
	int64_t number;

	assert_int_equal(tx_query(tx, statement, NO_PARAMS, &rows), OK);
	assert_true(rows_next(rows));
	number = rows_i64(rows, 0);
	rows_free(&rows);
	return number;
}

static int64_t count_for(struct db *on, const struct uuid *tenant)
{
	struct tx *tx = begin(on, tenant);
	int64_t n = one_number(tx, &count_all);

	tx_free(&tx);
	return n;
}

static void test_lost_before_commit(void **state)
{
	struct tx *tx = begin(db, &tenant_a);
	(void)state;

	assert_int_equal(add(tx, 1), OK);
	testpg_sql(pg, KILL_SESSIONS("pid, 2000"));
	assert_int_equal(add(tx, 2), ERR_UNAVAILABLE);
	assert_true(tx_retryable(tx));
	assert_int_equal(tx_commit(&tx), ERR_UNAVAILABLE); /* known: it cannot have committed */
	tx_free(&tx);
	assert_int_equal(count_for(db, &tenant_a), 0);
	/* lost between two transactions: the next one does not notice */
	testpg_sql(pg, KILL_SESSIONS("pid, 2000"));
	tx = begin(db, &tenant_a);
	assert_int_equal(add(tx, 1), OK);
	tx_free(&tx);
}

/* What becomes of a COMMIT that takes a second, cut off in its middle. */
static void *cut_off(void *arg)
{
	usleep(400000);
	if (arg)
		testpg_server_kill(pg);
	else
		testpg_sql(pg, KILL_SESSIONS("pid"));
	return NULL;
}

static void test_lost_in_commit(void **state)
{
	(void)state;
	for (int with_power_cut = 0; with_power_cut < 2; with_power_cut++) {
		struct tx *tx = begin(db, &tenant_a);
		pthread_t thread;
		int64_t n;

		assert_int_equal(tx_exec(tx, &put_slow, PARAMS(db_i64(with_power_cut)), NULL), OK);
		assert_int_equal(pthread_create(&thread, NULL, cut_off, with_power_cut ? &n : NULL), 0);
		assert_int_equal(tx_commit(&tx), ERR_DEADLINE);
		assert_false(tx_retryable(tx));
		tx_free(&tx);
		pthread_join(thread, NULL);
		if (with_power_cut)
			testpg_server_start(pg);
		tx = begin(db, &tenant_a);
		n = one_number(tx, &count_slow);
		assert_int_equal(n, 0);
		tx_free(&tx);
	}
}

static void test_deadline_in_commit(void **state)
{
	struct tx *tx = begin(db, &tenant_a);
	uint64_t start = clock_monotonic_us();
	(void)state;

	assert_int_equal(tx_queue(tx, &put_slow, PARAMS(db_i64(7))), OK);
	db_set_deadline(db, clock_monotonic_us() + 200 * US_PER_MS);
	assert_int_equal(tx_flush_commit(tx), ERR_DEADLINE);
	assert_true(clock_monotonic_us() - start < 600 * US_PER_MS);
	tx_free(&tx);
	/* too late before COMMIT was sent: known not to have happened */
	db_set_deadline(db, 0);
	tx = begin(db, &tenant_a);
	assert_int_equal(add(tx, 1), OK);
	db_set_deadline(db, clock_monotonic_us() - 1);
	assert_int_equal(tx_commit(&tx), ERR_UNAVAILABLE);
	tx_free(&tx);
	assert_int_equal(tx_begin(db, &tenant_a, &tx), ERR_UNAVAILABLE);
	db_set_deadline(db, 0);
	assert_int_equal(count_for(db, &tenant_a), 0);
}

static void test_settings(void **state)
{
	static const char *const want[] = {"5s", "2s", "10s", "UTC", "shop,pg_temp", "UTF8", "test"};
	struct rows *rows = NULL;
	struct tx *tx = begin(db, &tenant_a);
	(void)state;

	assert_int_equal(tx_query(tx, &read_settings, NO_PARAMS, &rows), OK);
	assert_true(rows_next(rows));
	for (size_t i = 0; i < COUNT_OF(want); i++)
		CHECK(want[i], str_eq_c(rows_str(rows, (int)i), want[i]));
	rows_free(&rows);
	tx_free(&tx);
}

static uint64_t took_ms(uint64_t start_us)
{
	return (clock_monotonic_us() - start_us) / 1000;
}

static void test_away_and_back(void **state)
{
	uint64_t start;
	struct tx *tx = NULL;
	(void)state;

	assert_int_equal(db_ping(db), OK);
	testpg_server_kill(pg);
	for (int i = 0; i < 20; i++) {
		start = clock_monotonic_us();
		assert_int_equal(tx_begin(db, &tenant_a, &tx), ERR_UNAVAILABLE);
		assert_true(took_ms(start) < 600);
		usleep(10000);
	}
	assert_false(db_is_connected(db));
	testpg_server_start(pg);
	start = clock_monotonic_us();
	while (db_ping(db) != OK && took_ms(start) < 5000)
		usleep(10000);
	assert_true(took_ms(start) < 2000); /* by itself, within the longest back-off */
	assert_int_equal(count_for(db, &tenant_a), 0);
}

/* A server that hangs, as behind a cut wire: neither answers nor refuses. */
static void test_hanging(void **state)
{
	struct tx *tx = begin(db, &tenant_a);
	struct db *second = NULL;
	uint64_t start;
	(void)state;

	assert_int_equal(add(tx, 1), OK);
	assert_int_equal(db_open(&config, &second), OK);
	testpg_server_pause(pg, true);
	start = clock_monotonic_us();
	assert_int_equal(db_ping(second), ERR_UNAVAILABLE);
	assert_true(took_ms(start) < 700);
	db_set_deadline(db, clock_monotonic_us() + 150 * US_PER_MS);
	assert_int_equal(add(tx, 2), ERR_UNAVAILABLE);
	assert_true(took_ms(start) < 1200);
	tx_free(&tx);
	assert_true(took_ms(start) < 1200);
	testpg_server_pause(pg, false);
	db_set_deadline(db, 0);
	start = clock_monotonic_us();
	while (db_ping(second) != OK && took_ms(start) < 5000)
		usleep(10000);
	assert_int_equal(count_for(second, &tenant_a), 0);
	db_free(&second);
}

/* The caller's deadline cuts a statement off; the connection is given up, not left in doubt. */
static void test_deadline(void **state)
{
	struct tx *tx = begin(db, &tenant_a);
	uint64_t start = clock_monotonic_us();
	uint64_t generation = db_generation(db);
	(void)state;

	db_set_deadline(db, start + 200 * US_PER_MS);
	assert_int_equal(tx_exec(tx, &sleep_long, NO_PARAMS, NULL), ERR_UNAVAILABLE);
	assert_true(took_ms(start) >= 200 && took_ms(start) < 500);
	tx_free(&tx);
	db_set_deadline(db, 0);
	assert_int_equal(count_for(db, &tenant_a), 0);
	assert_int_equal(db_generation(db), generation + 1);
	testpg_sql(pg, KILL_SESSIONS("pid, 2000"));
}

/* Long before its own time-out, for nobody waits for it any more. */
static void test_what_is_given_up_ends_on_the_server_too(void **state)
{
	static const char running[] = "select count(*) from pg_stat_activity where usename = 'shop_app'"
				      " and state = 'active' and query like '%pg_sleep%'";
	struct db_config patient = config;
	struct db *on = NULL;
	struct tx *tx;
	uint64_t start;
	(void)state;

	patient.statement_timeout_ms = 60000;
	assert_int_equal(db_open(&patient, &on), OK);
	tx = begin(on, &tenant_a);
	db_set_deadline(on, clock_monotonic_us() + 200 * US_PER_MS);
	assert_int_equal(tx_exec(tx, &sleep_long, NO_PARAMS, NULL), ERR_UNAVAILABLE);
	tx_free(&tx);
	start = clock_monotonic_us();
	while (strcmp(testpg_value(pg, running), "0") != 0 && took_ms(start) < 20000)
		usleep(20000);
	assert_string_equal(testpg_value(pg, running), "0");
	db_free(&on);
}

static void test_hosts(void **state)
{
	char hosts[160];
	struct db_config two = config;
	struct db *on = NULL;
	uint64_t start = clock_monotonic_us();
	(void)state;

	snprintf(hosts, sizeof(hosts), "/nonexistent,%s", config.host);
	two.host = hosts;
	assert_int_equal(db_open(&two, &on), OK);
	assert_int_equal(db_ping(on), OK); /* the second answers */
	assert_true(took_ms(start) < 500);
	db_free(&on);
}

static void test_config(void **state)
{
	const struct {
		const char *name;
		struct db_config config;
		enum err err;
	} cases[] = {
		{"a schema with a quote is refused",
			{.host = "/x", .dbname = "d", .user = "u", .env = "e", .schema = "a\"b"}, ERR_BAD_FIELD},
		{"a schema with a space is refused",
			{.host = "/x", .dbname = "d", .user = "u", .env = "e", .schema = "a -c b"}, ERR_BAD_FIELD},
		{"no environment is refused", {.host = "/x", .dbname = "d", .user = "u", .schema = "a"}, ERR_BAD_FIELD},
		{"no host is refused", {.dbname = "d", .user = "u", .env = "e", .schema = "a"}, ERR_BAD_FIELD},
		{"an empty host is refused", {.host = "/x,", .dbname = "d", .user = "u", .env = "e", .schema = "a"},
			ERR_BAD_FIELD},
		{"a port out of range is refused",
			{.host = "/x", .port = 65536, .dbname = "d", .user = "u", .env = "e", .schema = "a"},
			ERR_BAD_FIELD},
		{"the least is enough", {.host = "/x", .dbname = "d", .user = "u", .env = "e", .schema = "a"}, OK},
	};
	(void)state;

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct db *on = NULL;

		CHECK(cases[i].name, db_open(&cases[i].config, &on) == cases[i].err);
		CHECK(cases[i].name, (on != NULL) == (cases[i].err == OK));
		db_free(&on);
	}
}

static void test_wrong_env(void **state)
{
	struct db_config staging = config;
	struct db *on = NULL;
	struct tx *tx = NULL;
	(void)state;

	staging.env = "staging";
	assert_int_equal(db_open(&staging, &on), OK);
	assert_int_equal(db_check(on), ERR_CONFLICT);
	assert_int_equal(tx_begin(on, &tenant_a, &tx), ERR_UNAVAILABLE);
	assert_int_equal(db_check_version(on, 10), ERR_UNAVAILABLE);
	db_free(&on);
	/* a process that runs while its database becomes another's notices when it connects again */
	assert_int_equal(db_check(db), OK);
	testpg_sql(pg, "update shop.deployment set env = 'other'");
	testpg_sql(pg, KILL_SESSIONS("pid, 2000"));
	assert_int_equal(tx_begin(db, &tenant_a, &tx), ERR_UNAVAILABLE);
	testpg_sql(pg, "update shop.deployment set env = '" TESTPG_ENV "'");
	usleep(200000);
	assert_int_equal(db_check(db), OK);
	assert_int_equal(db_check_version(db, 10), OK);
	assert_int_equal(db_check_version(db, 0), OK);
	assert_int_equal(db_check_version(db, 11), ERR_CONFLICT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_settings, empty),
		cmocka_unit_test_setup(test_lost_before_commit, empty),
		cmocka_unit_test_setup(test_lost_in_commit, empty),
		cmocka_unit_test_setup(test_deadline_in_commit, empty),
		cmocka_unit_test_setup(test_deadline, empty),
		cmocka_unit_test_setup(test_what_is_given_up_ends_on_the_server_too, empty),
		cmocka_unit_test_setup(test_away_and_back, empty),
		cmocka_unit_test_setup(test_hanging, empty),
		cmocka_unit_test_setup(test_hosts, empty),
		cmocka_unit_test_setup(test_config, empty),
		cmocka_unit_test_setup(test_wrong_env, empty),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
