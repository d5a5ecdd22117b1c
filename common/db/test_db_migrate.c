/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "db/db.h"
#include "db/testpg.h"

/* The migration run against a real server, each case in a schema of its own. */

static struct testpg *pg;

static int set_up(void **state)
{
	(void)state;
	pg = testpg_start();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	testpg_stop(&pg);
	return 0;
}

#define M(number, mark, text)                           \
	{                                               \
		number, "step", text, sizeof(text) - 1, \
		{                                       \
			mark                            \
		}                                       \
	}

#define STEP_10                                                                                         \
	M(10, 1,                                                                                        \
		"create table a (t text default 'x'::text);grant select on a to :app_role, :jobs_role;" \
		"comment on table :schema.a is ':app_rolex'")
#define STEP_12 M(12, 2, "create table b (n integer); insert into b values (1)")

static const struct db_migration one[] = {STEP_10};
static const struct db_migration two[] = {STEP_10, STEP_12};
static const struct db_migration three_late[] = {STEP_10, M(11, 3, "create table c (n integer)"), STEP_12};
static const struct db_migration changed[] = {M(10, 9, "create table a (n integer)")};
static const struct db_migration broken[] = {
	STEP_10, M(11, 4, "create table d (n integer); insert into d values (1); select 1/0")};
static const struct db_migration unordered[] = {M(11, 5, "select 1"), M(10, 5, "select 1")};
static const struct db_migration reserved[] = {M(9, 6, "select 1")};
static const struct db_migration missing[] = {STEP_12};

static enum err migrate(const char *schema, const char *env, const struct db_migration *migrations, size_t count)
{
	struct db_config owner = testpg_config(pg, schema, "owner");

	owner.env = env;
	return db_migrate(&owner, NULL, migrations, count);
}

static bool exists(const char *table)
{
	char sql[160];

	snprintf(sql, sizeof(sql), "select to_regclass('%s') is not null", table);
	return strcmp(testpg_value(pg, sql), "t") == 0;
}

static void test_steps(void **state)
{
	(void)state;
	testpg_schema(pg, "shop");
	assert_int_equal(migrate("shop", "test", one, 1), OK);
	assert_true(
		exists("shop.a") && exists("shop.person_keys") && exists("shop.outbox") && exists("shop.idempotency"));
	assert_int_equal(migrate("shop", "test", one, 1), OK);
	assert_int_equal(migrate("shop", "test", two, 2), OK);
	assert_string_equal(testpg_value(pg, "select count(*) from shop.b"), "1"); /* once */
	assert_int_equal(migrate("shop", "test", two, 2), OK);
	assert_string_equal(testpg_value(pg, "select count(*) from shop.b"), "1");
	assert_string_equal(
		testpg_value(pg, "select string_agg(number::text, ' ' order by number) from shop.schema_version"),
		"1 2 3 4 5 10 12");
	assert_string_equal(testpg_value(pg, "select env from shop.deployment"), "test");
	/* an older release's run finds nothing to do */
	assert_int_equal(migrate("shop", "test", one, 1), OK);
}

static void test_words(void **state)
{
	(void)state;
	/* replaced as words: not behind a colon, not as the beginning of a longer one */
	assert_string_equal(testpg_value(pg, "select obj_description('shop.a'::regclass)"), ":app_rolex");
	assert_string_equal(testpg_value(pg, "select has_table_privilege('shop_app', 'shop.a', 'select')"), "t");
	assert_string_equal(testpg_value(pg, "select has_table_privilege('shop_jobs', 'shop.a', 'select')"), "t");
	assert_string_equal(testpg_value(pg, "select has_table_privilege('shop_app', 'shop.a', 'insert')"), "f");
}

/* The standing order of the common tables: forced row security, and no more rights than their use needs. */
static void test_common_tables(void **state)
{
	(void)state;
	assert_string_equal(
		testpg_value(pg, "select count(*) from pg_class c join pg_namespace n on n.oid = relnamespace"
				 " where nspname = 'shop' and relname in ('person_keys', 'outbox', 'idempotency')"
				 " and relrowsecurity and relforcerowsecurity"),
		"3");
	assert_string_equal(testpg_value(pg, "select has_schema_privilege('shop_app', 'shop', 'create')"), "f");
	assert_string_equal(testpg_value(pg, "select has_table_privilege('shop_app', 'shop.outbox', 'delete')"), "f");
	assert_string_equal(
		testpg_value(pg, "select has_table_privilege('shop_app', 'shop.person_keys', 'delete')"), "f");
	assert_string_equal(testpg_value(pg, "select has_table_privilege('shop_jobs', 'shop.outbox', 'insert')"), "f");
	assert_string_equal(
		testpg_value(pg, "select has_column_privilege('shop_app', 'shop.outbox', 'payload', 'select')"), "f");
	assert_string_equal(
		testpg_value(pg, "select has_table_privilege('shop_app', 'shop.deployment', 'update')"), "f");
	assert_string_equal(
		testpg_value(pg, "select has_table_privilege('shop_app', 'shop.schema_version', 'insert')"), "f");
}

static void test_refusals(void **state)
{
	const struct {
		const char *name, *env;
		const struct db_migration *migrations;
		size_t count;
		enum err err;
	} cases[] = {
		{"another environment's run is refused", "staging", two, 2, ERR_CONFLICT},
		{"a changed migration is refused", "test", changed, 1, ERR_CONFLICT},
		{"a migration behind a later one is refused", "test", three_late, 3, ERR_CONFLICT},
		{"a migration that went missing is refused", "test", missing, 1, ERR_CONFLICT},
		{"numbers out of order are refused", "test", unordered, 2, ERR_BAD_FIELD},
		{"the common numbers are refused", "test", reserved, 1, ERR_BAD_FIELD},
	};
	(void)state;

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		CHECK(cases[i].name,
			migrate("shop", cases[i].env, cases[i].migrations, cases[i].count) == cases[i].err);
	assert_false(exists("shop.c"));
	assert_string_equal(testpg_value(pg, "select count(*) from shop.schema_version"), "7");
}

static void test_broken(void **state)
{
	(void)state;
	testpg_schema(pg, "cafe");
	assert_int_equal(migrate("cafe", "test", broken, 2), ERR_INTERNAL);
	assert_true(exists("cafe.a"));
	assert_false(exists("cafe.d")); /* all of a migration or nothing */
	assert_int_equal(migrate("cafe", "test", one, 1), OK);
}

static void *run_two(void *arg)
{
	enum err *err = arg;

	*err = migrate("race", "test", two, 2);
	return NULL;
}

static void test_race(void **state)
{
	enum err errs[4];
	pthread_t threads[4];
	(void)state;

	testpg_schema(pg, "race");
	(void)testpg_config(pg, "race", "owner"); /* its names are made before the threads share them */
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, run_two, &errs[i]), 0);
	for (size_t i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(errs[i], OK);
	}
	assert_string_equal(testpg_value(pg, "select count(*) from race.b"), "1");
}

static void test_not_migrated(void **state)
{
	struct db_config config;
	struct db *db = NULL;
	(void)state;

	testpg_schema(pg, "bare");
	config = testpg_config(pg, "bare", "app");
	assert_int_equal(db_open(&config, &db), OK);
	assert_int_equal(db_check(db), ERR_UNAVAILABLE); /* asked again until the run has been */
	db_free(&db);
	assert_int_equal(migrate("bare", "test", one, 1), OK);
	assert_int_equal(db_open(&config, &db), OK);
	assert_int_equal(db_check(db), OK);
	assert_int_equal(db_check_version(db, 12), ERR_CONFLICT);
	assert_int_equal(migrate("bare", "test", two, 2), OK);
	assert_int_equal(db_check_version(db, 12), OK);
	assert_int_equal(db_check_version(db, 10), OK); /* an older build on a newer schema goes on */
	/* the app role cannot migrate */
	config.env = "test";
	assert_int_equal(db_migrate(&config, NULL, two, 2), ERR_INTERNAL);
	db_free(&db);
}

static void test_missing_schema(void **state)
{
	struct db_config owner;
	(void)state;

	testpg_sql(pg, "create role mint_owner login; create role mint_app; create role mint_jobs");
	owner = testpg_config(pg, "mint", "owner");
	assert_int_equal(db_migrate(&owner, NULL, one, 1), ERR_INTERNAL);
	testpg_sql(pg, "grant create on database postgres to mint_owner");
	assert_int_equal(db_migrate(&owner, NULL, one, 1), OK);
	assert_true(exists("mint.a"));
	assert_int_equal(db_migrate(&owner, &(struct db_roles){.app = "bad\"role"}, one, 1), ERR_BAD_FIELD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_common_tables),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_race),
		cmocka_unit_test(test_not_migrated),
		cmocka_unit_test(test_missing_schema),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
