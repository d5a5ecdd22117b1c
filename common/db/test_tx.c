/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "db/db.h"
#include "db/db_conn.h"
#include "db/testpg.h"

/* Transactions against a real server: tenants, pipelines, constraints, savepoints and locks. */

static struct testpg *pg;
static struct db *db, *other, *jobs;
static const struct uuid tenant_a = {{0xa}}, tenant_b = {{0xb}};

static const char shop_table[] =
	"create table item (id bigint not null, tenant_id uuid not null, name text not null constraint item_short check"
	" (length(name) < 40), during int8range, primary key (tenant_id, id), parent bigint,"
	" constraint item_parent foreign key (tenant_id, parent) references item,"
	" constraint item_alone exclude using gist (during with &&));"
	"create unique index item_name on item (tenant_id, name);"
	"alter table item enable row level security; alter table item force row level security;"
	"create policy tenant on item to :app_role"
	" using (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid)"
	" with check (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid);"
	"create policy jobs on item for select to :jobs_role using (true);"
	"grant select, insert, update, delete on item to :app_role; grant select on item to :jobs_role;";
static const struct db_migration migrations[] = {{10, "shop", shop_table, sizeof(shop_table) - 1, {0}}};

#define KILL_SESSIONS(args) "select pg_terminate_backend(" args ") from pg_stat_activity where usename = 'shop_app'"
#define SQL(name, text) static const struct db_statement name = {#name, text, sizeof(text) - 1}

SQL(put, "insert into item (id, tenant_id, name) values ($1, $2, $3)");
SQL(rename_one, "update item set name = $2 where id = $1");
SQL(names, "select name from item order by id");
SQL(count_all, "select count(*) from item");
SQL(clear, "delete from item");
SQL(bad_number, "select $1::text::integer");
SQL(setting, "select current_setting('berth.tenant', true)");

static int set_up(void **state)
{
	struct db_config config;
	enum err err = OK;

	(void)state;
	pg = testpg_start();
	testpg_migrate(pg, "shop", migrations, 1);
	config = testpg_config(pg, "shop", "app");
	config.lock_timeout_ms = 300;
	config.statement_timeout_ms = 1500;
	if ((err = db_open(&config, &db)) == OK)
		err = db_open(&config, &other);
	config.user = testpg_config(pg, "shop", "jobs").user;
	if (err == OK)
		err = db_open(&config, &jobs);
	return err == OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	db_free(&db);
	db_free(&other);
	db_free(&jobs);
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

static enum err add(struct tx *tx, int64_t id, const struct uuid *tenant, const char *name)
{
	return tx_exec(tx, &put, PARAMS(db_i64(id), db_uuid(tenant), db_c(name)), NULL);
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
	struct tx *tx = NULL;
	int64_t n;

	assert_int_equal(tenant ? tx_begin(on, tenant, &tx) : tx_begin_jobs(on, &tx), OK);
	n = one_number(tx, &count_all);
	tx_free(&tx);
	return n;
}

static void test_tenants(void **state)
{
	struct tx *tx = begin(db, &tenant_a);
	uint64_t n = 9;
	(void)state;

	assert_int_equal(add(tx, 1, &tenant_a, "one"), OK);
	assert_int_equal(tx_commit(&tx), OK);
	assert_null(tx);
	assert_int_equal(count_for(db, &tenant_a), 1);
	assert_int_equal(count_for(db, &tenant_b), 0); /* the same connection keeps nothing of the tenant before */
	assert_int_equal(count_for(db, NULL), 0);      /* no tenant set, no rows */
	assert_int_equal(count_for(jobs, NULL), 1);    /* a policy of its own */
	/* another tenant's row is neither written, changed nor deleted */
	tx = begin(db, &tenant_b);
	assert_int_equal(tx_exec(tx, &rename_one, PARAMS(db_i64(1), db_c("stolen")), &n), OK);
	assert_int_equal(n, 0);
	assert_int_equal(tx_exec(tx, &clear, NO_PARAMS, &n), OK);
	assert_int_equal(n, 0);
	assert_int_equal(add(tx, 2, &tenant_a, "planted"), ERR_INTERNAL);
	assert_string_equal(tx_sqlstate(tx), "42501");
	tx_free(&tx);
	assert_int_equal(count_for(db, &tenant_a), 1);
}

/* One transaction of a tenant that reads what it can see: its own name, or nothing. */
static void visit(const struct uuid *tenant, int i)
{
	const char *own = uuid_eq(tenant, &tenant_a) ? "a" : "b";
	struct rows *rows = NULL;
	struct tx *tx = NULL;
	enum err err = tx_begin(db, tenant, &tx);

	if (err == OK && i % 57 == 3)
		err = tx_exec(tx, &bad_number, PARAMS(db_c("x")), NULL);
	if (err == OK)
		err = add(tx, i, tenant, own);
	if (err == OK)
		err = tx_query(tx, &names, NO_PARAMS, &rows);
	while (err == OK && rows_next(rows))
		assert_true(str_eq_c(rows_str(rows, 0), own));
	rows_free(&rows);
	if (err == OK && i % 5 == 0)
		err = tx_commit(&tx); /* the first of each tenant; later ones meet the unique name */
	tx_free(&tx);
}

/* Two tenants by turns over one connection, with commits, failures, roll-backs and killed sessions. */
static void test_no_bleed(void **state)
{
	(void)state;
	log_init("test", LOG_ERROR + 1);
	for (int i = 0; i < 10000; i++) {
		visit(i % 2 ? &tenant_a : &tenant_b, i);
		if (i % 500 == 499) /* the second argument waits for the end: the last are gone before the count */
			testpg_sql(pg, i == 9999 ? KILL_SESSIONS("pid, 2000") : KILL_SESSIONS("pid"));
	}
	log_init("test", LOG_INFO);
	assert_int_equal(count_for(db, &tenant_a), 1);
	assert_int_equal(count_for(db, &tenant_b), 1);
}

static void test_two_tenants_in_one(void **state)
{
	struct rows *rows = NULL;
	struct tx *tx = begin(db, &tenant_a);
	uint64_t before = db->round_trips;
	(void)state;

	assert_int_equal(tx_queue(tx, &put, PARAMS(db_i64(1), db_uuid(&tenant_a), db_c("one"))), OK);
	assert_int_equal(tx_set_tenant(tx, &tenant_b), OK);
	assert_true(uuid_eq(tx_tenant(tx), &tenant_b));
	assert_int_equal(tx_queue(tx, &put, PARAMS(db_i64(1), db_uuid(&tenant_b), db_c("one"))), OK);
	assert_int_equal(tx_queue(tx, &names, NO_PARAMS), OK);
	assert_int_equal(tx_flush_commit(tx), OK);
	assert_int_equal(db->round_trips - before, 1);
	assert_int_equal(tx_next(tx, NULL, NULL), OK);
	assert_int_equal(tx_next(tx, NULL, NULL), OK);
	assert_int_equal(tx_next(tx, &rows, NULL), OK);
	assert_int_equal(rows_count(rows), 1);
	assert_int_equal(tx_next(tx, NULL, NULL), ERR_NOT_FOUND);
	rows_free(&rows);
	tx_free(&tx);
	assert_int_equal(count_for(jobs, NULL), 2);
}

static void test_round_trips(void **state)
{
	struct rows *rows = NULL;
	struct tx *tx = begin(db, &tenant_a);
	uint64_t before = db->round_trips;
	uint64_t n = 0;
	(void)state;

	tx_free(&tx); /* nothing asked, nothing sent */
	assert_int_equal(db->round_trips - before, 0);
	tx = begin(db, &tenant_a);
	assert_int_equal(tx_commit(&tx), OK);
	assert_int_equal(db->round_trips - before, 0);
	tx = begin(db, &tenant_a);
	assert_int_equal(add(tx, 1, &tenant_a, "one"), OK);
	assert_int_equal(tx_commit(&tx), OK);
	assert_int_equal(db->round_trips - before, 2);
	tx = begin(db, &tenant_a);
	assert_int_equal(tx_queue_quiet(tx, &put, PARAMS(db_i64(2), db_uuid(&tenant_a), db_c("two"))), OK);
	assert_int_equal(tx_commit_with(&tx, &names, NO_PARAMS, &rows, &n), OK);
	assert_null(tx);
	assert_int_equal(db->round_trips - before, 3);
	assert_int_equal(rows_count(rows), 2);
	assert_int_equal(n, 2);
	rows_free(&rows);
}

static void test_pipeline_order(void **state)
{
	struct tx *tx = begin(db, &tenant_a);
	char name[16];
	(void)state;

	for (int i = 0; i < TX_QUEUE_MAX; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		assert_int_equal(i % 2 ? tx_queue(tx, &count_all, NO_PARAMS)
				       : tx_queue(tx, &put, PARAMS(db_i64(i), db_uuid(&tenant_a), db_c(name))),
			OK);
	}
	assert_int_equal(tx_flush(tx), OK);
	for (int i = 0; i < TX_QUEUE_MAX; i++) {
		struct rows *rows = NULL;
		uint64_t n = 0;

		assert_int_equal(tx_next(tx, i % 2 ? &rows : NULL, &n), OK);
		assert_int_equal(n, 1);
		if (i % 2) {
			assert_true(rows_next(rows));
			assert_int_equal(rows_i64(rows, 0), i / 2 + 1);
		}
		rows_free(&rows);
	}
	assert_int_equal(tx_next(tx, NULL, NULL), ERR_NOT_FOUND);
	for (int i = 0; i < TX_QUEUE_MAX; i++)
		assert_int_equal(tx_queue(tx, &count_all, NO_PARAMS), OK);
	assert_int_equal(tx_queue(tx, &count_all, NO_PARAMS), ERR_TOO_LARGE);
	tx_free(&tx);
	assert_int_equal(count_for(db, &tenant_a), 0);
}

static void test_pipeline_failure(void **state)
{
	struct tx *tx = begin(db, &tenant_a);
	(void)state;

	assert_int_equal(tx_queue(tx, &put, PARAMS(db_i64(1), db_uuid(&tenant_a), db_c("one"))), OK);
	assert_int_equal(tx_queue(tx, &put, PARAMS(db_i64(1), db_uuid(&tenant_a), db_c("again"))), OK);
	assert_int_equal(tx_queue(tx, &names, NO_PARAMS), OK);
	assert_int_equal(tx_flush_commit(tx), ERR_CONFLICT);
	assert_int_equal(tx_next(tx, NULL, NULL), OK);
	assert_int_equal(tx_next(tx, NULL, NULL), ERR_CONFLICT);
	assert_int_equal(tx_next(tx, NULL, NULL), ERR_CONFLICT);
	assert_string_equal(tx_constraint(tx), "item_pkey");
	assert_int_equal(tx_queue(tx, &names, NO_PARAMS), ERR_CONFLICT);
	assert_int_equal(tx_flush(tx), ERR_CONFLICT);
	assert_int_equal(tx_commit(&tx), ERR_CONFLICT);
	assert_non_null(tx);
	tx_free(&tx);
	assert_int_equal(count_for(db, &tenant_a), 0);
	/* queued and never sent: undone too */
	tx = begin(db, &tenant_a);
	assert_int_equal(tx_queue(tx, &put, PARAMS(db_i64(1), db_uuid(&tenant_a), db_c("one"))), OK);
	tx_free(&tx);
	tx = begin(db, &tenant_a);
	assert_int_equal(tx_queue(tx, &bad_number, PARAMS(db_c("x"))), OK);
	tx_free(&tx);
	assert_int_equal(count_for(db, &tenant_a), 0);
}

static void test_savepoints(void **state)
{
	struct tx *tx = begin(db, &tenant_a);
	struct rows *rows = NULL;
	(void)state;

	assert_int_equal(add(tx, 1, &tenant_a, "one"), OK);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(tx_savepoint(tx), OK);
		assert_int_equal(add(tx, 2, &tenant_a, "two"), OK);
		assert_int_equal(add(tx, 2, &tenant_a, "two"), ERR_CONFLICT);
		assert_int_equal(tx_rollback_to(tx), OK);
		assert_string_equal(tx_constraint(tx), "");
	}
	assert_int_equal(tx_queue(tx, &put, PARAMS(db_i64(3), db_uuid(&tenant_a), db_c("three"))), OK);
	assert_int_equal(tx_rollback_to(tx), OK); /* what stood queued as well */
	assert_int_equal(add(tx, 4, &tenant_a, "four"), OK);
	assert_int_equal(tx_commit_with(&tx, &names, NO_PARAMS, &rows, NULL), OK);
	assert_int_equal(rows_count(rows), 2);
	rows_free(&rows);
	/* a savepoint queued behind a failure was never made: rolling back to it must not go further back in silence */
	tx = begin(db, &tenant_a);
	assert_int_equal(tx_savepoint(tx), OK);
	assert_int_equal(add(tx, 5, &tenant_a, "five"), OK);
	assert_int_equal(tx_queue(tx, &put, PARAMS(db_i64(1), db_uuid(&tenant_a), db_c("x"))), OK);
	assert_int_equal(tx_savepoint(tx), OK);
	assert_int_equal(tx_flush(tx), ERR_CONFLICT);
	assert_int_equal(tx_rollback_to(tx), ERR_INTERNAL);
	tx_free(&tx);
	assert_int_equal(count_for(db, &tenant_a), 2);
}

static void test_locks(void **state)
{
	struct tx *tx = begin(db, &tenant_a);
	struct tx *second = NULL;
	(void)state;

	assert_int_equal(add(tx, 1, &tenant_a, "one"), OK);
	assert_int_equal(tx_commit(&tx), OK);
	tx = begin(db, &tenant_a);
	assert_int_equal(tx_exec(tx, &rename_one, PARAMS(db_i64(1), db_c("x")), NULL), OK);
	second = begin(other, &tenant_a);
	assert_int_equal(tx_exec(second, &rename_one, PARAMS(db_i64(1), db_c("y")), NULL), ERR_UNAVAILABLE);
	assert_string_equal(tx_sqlstate(second), "55P03");
	tx_free(&second);
	tx_free(&tx);
}

struct crossing {
	struct db *on;
	int64_t first, then;
	enum err err;
	bool retryable;
};

static pthread_barrier_t barrier;

static void *cross(void *arg)
{
	struct crossing *c = arg;
	struct tx *tx = begin(c->on, &tenant_a);

	c->err = tx_exec(tx, &rename_one, PARAMS(db_i64(c->first), db_c(c->first == 1 ? "x" : "y")), NULL);
	pthread_barrier_wait(&barrier);
	if (c->err == OK)
		c->err = tx_exec(tx, &rename_one, PARAMS(db_i64(c->then), db_c(c->then == 1 ? "u" : "v")), NULL);
	c->retryable = tx_retryable(tx);
	tx_free(&tx);
	return NULL;
}

static void test_deadlock(void **state)
{
	struct crossing a = {.on = db, .first = 1, .then = 2}, b = {.on = other, .first = 2, .then = 1};
	struct tx *tx = begin(db, &tenant_a);
	pthread_t thread;
	(void)state;

	assert_int_equal(add(tx, 1, &tenant_a, "one"), OK);
	assert_int_equal(add(tx, 2, &tenant_a, "two"), OK);
	assert_int_equal(tx_commit(&tx), OK);
	testpg_sql(pg, "alter role shop_app set deadlock_timeout = '50ms'");
	testpg_sql(pg, KILL_SESSIONS("pid, 2000"));
	pthread_barrier_init(&barrier, NULL, 2);
	assert_int_equal(pthread_create(&thread, NULL, cross, &a), 0);
	cross(&b);
	pthread_join(thread, NULL);
	pthread_barrier_destroy(&barrier);
	testpg_sql(pg, "alter role shop_app reset deadlock_timeout");
	assert_true((a.err == ERR_UNAVAILABLE && a.retryable && b.err == OK) ||
		    (b.err == ERR_UNAVAILABLE && b.retryable && a.err == OK));
}

static void test_scope_ends(void **state)
{
	struct rows *rows = NULL;
	struct tx *tx = begin(db, &tenant_a);
	(void)state;

	assert_int_equal(add(tx, 1, &tenant_a, "one"), OK);
	assert_int_equal(tx_commit(&tx), OK);
	assert_int_equal(tx_begin_jobs(db, &tx), OK);
	assert_int_equal(tx_query(tx, &setting, NO_PARAMS, &rows), OK);
	assert_true(rows_next(rows));
	assert_int_equal(rows_str(rows, 0).len, 0);
	rows_free(&rows);
	assert_true(uuid_is_nil(tx_tenant(tx)));
	tx_free(&tx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_tenants, empty),
		cmocka_unit_test_setup(test_no_bleed, empty),
		cmocka_unit_test_setup(test_two_tenants_in_one, empty),
		cmocka_unit_test_setup(test_round_trips, empty),
		cmocka_unit_test_setup(test_pipeline_order, empty),
		cmocka_unit_test_setup(test_pipeline_failure, empty),
		cmocka_unit_test_setup(test_savepoints, empty),
		cmocka_unit_test_setup(test_locks, empty),
		cmocka_unit_test_setup(test_deadlock, empty),
		cmocka_unit_test_setup(test_scope_ends, empty),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
