/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "db/testpg.h"
#include "gdprsvc_sql.h"
#include "store.h"

/* The ledger of erasures and the retention sweeps on a real server, as the roles that serve. */

static struct testpg *pg;
static struct db *jobs;
static struct store store;
static const struct uuid tenant_a = {{0xa}}, tenant_b = {{0xb}}, ada = {{1}}, bob = {{2}}, admin = {{3}},
			 client = {{4}};
static const struct key_epoch master = {1, {1}}, index_key = {0, {9}};
static struct store_origin origin;

static int set_up(void **state)
{
	struct db_config config;
	(void)state;

	log_init("test", LOG_ERROR + 1);
	pg = testpg_start();
	testpg_migrate(pg, "gdpr", gdprsvc_migrations, gdprsvc_migrations_count);
	config = testpg_config(pg, "gdpr", "app");
	assert_int_equal(db_open(&config, &store.db), OK);
	config = testpg_config(pg, "gdpr", "jobs");
	assert_int_equal(db_open(&config, &jobs), OK);
	assert_int_equal(seal_new("gdprsvc", &master, 1, &index_key, &store.seal), OK);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	seal_free(&store.seal);
	db_free(&store.db);
	db_free(&jobs);
	testpg_stop(&pg);
	return 0;
}

static int empty(void **state)
{
	(void)state;
	testpg_sql(pg,
		"truncate gdpr.erasure, gdpr.outbox, gdpr.person_keys; "
		"update gdpr.retention_run set last_run_at = null, rows = 0, claimed_until = null, retry_at = null");
	origin = (struct store_origin){
		.request_id = {{0xee}}, .actor_id = admin, .client_id = client, .now = 1700000000 * US_PER_S};
	return 0;
}

static struct erasure_record begin(const struct uuid *tenant, const struct uuid *person, bool accepted)
{
	struct erasure_record erasure;

	assert_int_equal(store_erasure_begin(&store, &origin, tenant, person, accepted, &erasure), OK);
	return erasure;
}

static const char *events(void)
{
	return testpg_value(pg, "select coalesce(string_agg(action, ' ' order by seq), '') from gdpr.outbox");
}

static void test_a_whole_erasure(void **state)
{
	struct erasure_record erasure = begin(&tenant_a, &ada, false), found;
	(void)state;

	assert_int_equal(erasure.pending, ERASURE_ALL);
	assert_int_equal(erasure.accepted_at, 0);
	assert_true(uuid_eq(&erasure.person_id, &ada) && uuid_eq(&erasure.actor_id, &admin));
	assert_string_equal(events(), "");
	assert_int_equal(store_erasure_accept(&store, &origin, &erasure), OK);
	assert_int_equal(erasure.accepted_at, origin.now);
	assert_int_equal(store_erasure_accept(&store, &origin, &erasure), OK);
	assert_string_equal(events(), "erasure.request");
	origin.now += US_PER_S;
	assert_int_equal(store_erasure_confirm(&store, &origin, ERASURE_AUTH, &erasure), OK);
	assert_int_equal(erasure.pending, ERASURE_BOOKING | ERASURE_AUDIT);
	assert_int_equal(store_erasure_confirm(&store, &origin, ERASURE_AUTH, &erasure), OK);
	assert_int_equal(store_erasure_confirm(&store, &origin, ERASURE_BOOKING, &erasure), OK);
	assert_int_equal(erasure.completed_at, 0);
	assert_int_equal(store_erasure_confirm(&store, &origin, ERASURE_AUDIT, &erasure), OK);
	assert_int_equal(erasure.pending, 0);
	assert_int_equal(erasure.completed_at, origin.now);
	/* Whoever confirms again finds it complete, and tells nothing twice. */
	assert_int_equal(store_erasure_confirm(&store, &origin, ERASURE_AUDIT, &erasure), OK);
	assert_string_equal(events(), "erasure.request erasure.complete");
	assert_string_equal(
		testpg_value(pg, "select count(*) from gdpr.outbox where subject_id is null and client_id = "
				 "'04000000-0000-0000-0000-000000000000' and payload is not null"),
		"2");
	found = begin(&tenant_a, &ada, false);
	assert_true(uuid_eq(&found.id, &erasure.id));
	assert_int_equal(found.pending, 0);
}

static void test_intentions_go_and_erasures_stay(void **state)
{
	struct erasure_record erasure = begin(&tenant_a, &ada, false), found;
	(void)state;

	assert_int_equal(store_erasure_withdraw(&store, &erasure), OK);
	assert_int_equal(store_erasure_read(&store, &tenant_a, &erasure.id, &found), ERR_NOT_FOUND);
	assert_string_equal(events(), "");
	erasure = begin(&tenant_a, &ada, false);
	assert_int_equal(store_erasure_accept(&store, &origin, &erasure), OK);
	assert_int_equal(store_erasure_withdraw(&store, &erasure), OK);
	assert_int_equal(store_erasure_read(&store, &tenant_a, &erasure.id, &found), OK);
	/* Off-boarding: authsvc has agreed by asking. */
	erasure = begin(&tenant_a, &bob, true);
	assert_int_equal(erasure.accepted_at, origin.now);
	assert_int_equal(store_erasure_withdraw(&store, &erasure), OK);
	assert_int_equal(store_erasure_read(&store, &tenant_a, &erasure.id, &found), OK);
	assert_string_equal(events(), "erasure.request erasure.request");
}

static void test_tenants(void **state)
{
	struct erasure_record erasure = begin(&tenant_a, &ada, true), found[9];
	size_t count = 0;
	(void)state;

	assert_int_equal(store_erasure_read(&store, &tenant_b, &erasure.id, &found[0]), ERR_NOT_FOUND);
	assert_int_equal(store_erasure_page(&store, &tenant_b, INT64_MAX, found, COUNT_OF(found), &count), OK);
	assert_int_equal(count, 0);
	/* The same number in another tenant is another person. */
	found[0] = begin(&tenant_b, &ada, true);
	assert_false(uuid_eq(&found[0].id, &erasure.id));
	assert_string_equal(
		testpg_value(pg, "select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace "
				 "join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' "
				 "where n.nspname = 'gdpr' and c.relkind = 'r' "
				 "and not (c.relrowsecurity and c.relforcerowsecurity)"),
		"0");
}

static void test_pages(void **state)
{
	struct erasure_record found[3];
	size_t count = 0;
	(void)state;

	for (uint8_t i = 1; i <= 5; i++) {
		const struct uuid person = {{i}};

		(void)begin(&tenant_a, &person, true);
	}
	assert_int_equal(store_erasure_page(&store, &tenant_a, INT64_MAX, found, 3, &count), OK);
	assert_int_equal(count, 3);
	assert_int_equal(found[0].person_id.b[0], 5);
	assert_int_equal(store_erasure_page(&store, &tenant_a, found[2].key, found, 3, &count), OK);
	assert_int_equal(count, 2);
	assert_int_equal(found[1].person_id.b[0], 1);
}

static void test_the_job_finds_what_is_due(void **state)
{
	struct erasure_record due[4], erasure = begin(&tenant_a, &ada, false);
	instant_us oldest = 0, now = origin.now;
	int64_t waiting = 0;
	size_t count = 9;
	(void)state;

	assert_int_equal(store_erasures_due(jobs, now, due, COUNT_OF(due), &count), OK);
	assert_int_equal(count, 0); /* the request itself is still at it */
	now += 6 * US_PER_S;
	assert_int_equal(store_erasures_due(jobs, now, due, COUNT_OF(due), &count), OK);
	assert_int_equal(count, 1);
	assert_true(uuid_eq(&due[0].tenant_id, &tenant_a) && uuid_eq(&due[0].id, &erasure.id));
	assert_int_equal(store_erasures_due(jobs, now, due, COUNT_OF(due), &count), OK);
	assert_int_equal(count, 0);
	now += 400 * US_PER_S;
	assert_int_equal(store_erasures_due(jobs, now, due, COUNT_OF(due), &count), OK);
	assert_int_equal(count, 1);
	assert_int_equal(store_erasures_waiting(jobs, &waiting, &oldest), OK);
	assert_int_equal(waiting, 1);
	assert_int_equal(oldest, origin.now);
}

static void test_exports_are_told(void **state)
{
	(void)state;
	assert_int_equal(store_export_event(&store, &origin, &tenant_a, &ada), OK);
	assert_string_equal(events(), "person.export");
}

static void test_one_sweep_at_a_time(void **state)
{
	struct retention_record found[RETENTION_SERVICES];
	instant_us now = origin.now;
	bool claimed = false;
	size_t count = 0;
	(void)state;

	assert_int_equal(store_retention_claim(jobs, "authsvc", now, 3600, &claimed), OK);
	assert_true(claimed);
	assert_int_equal(store_retention_claim(jobs, "authsvc", now, 3600, &claimed), OK);
	assert_false(claimed);
	assert_int_equal(store_retention_claim(jobs, "bookingsvc", now, 3600, &claimed), OK);
	assert_true(claimed);
	assert_int_equal(store_retention_finish(jobs, "authsvc", now, 42), OK);
	assert_int_equal(store_retention_claim(jobs, "authsvc", now + 3599 * US_PER_S, 3600, &claimed), OK);
	assert_false(claimed);
	assert_int_equal(store_retention_claim(jobs, "authsvc", now + 3600 * US_PER_S, 3600, &claimed), OK);
	assert_true(claimed);
	/* A failed one is tried again later; one whose sweeper died, after its claim. */
	assert_int_equal(store_retention_release(jobs, "bookingsvc", now + 60 * US_PER_S), OK);
	assert_int_equal(store_retention_claim(jobs, "bookingsvc", now + 59 * US_PER_S, 3600, &claimed), OK);
	assert_false(claimed);
	assert_int_equal(store_retention_claim(jobs, "bookingsvc", now + 61 * US_PER_S, 3600, &claimed), OK);
	assert_true(claimed);
	assert_int_equal(store_retention_claim(jobs, "bookingsvc", now + 662 * US_PER_S, 3600, &claimed), OK);
	assert_true(claimed);
	assert_int_equal(store_retention_list(jobs, NULL, found, COUNT_OF(found), &count), OK);
	assert_int_equal(count, RETENTION_SERVICES);
	assert_string_equal(found[1].service, "authsvc");
	assert_int_equal(found[1].rows, 42);
	assert_int_equal(found[1].last_run_at, now);
	assert_int_equal(store_retention_list(store.db, &tenant_a, found, COUNT_OF(found), &count), OK);
	assert_int_equal(count, RETENTION_SERVICES);
}

static void test_roles(void **state)
{
	const struct {
		const char *name, *role, *sql;
	} cases[] = {
		{"a completed erasure cannot be taken back", "app",
			"update erasure set pending = 7, completed_at = null"},
		{"the ledger cannot be emptied", "app", "delete from erasure"},
		{"the person of an erasure cannot be changed", "app", "update erasure set person_id = id"},
		{"the jobs cannot delete from the ledger", "jobs", "delete from erasure"},
		{"the jobs cannot confirm for a service", "jobs", "update erasure set pending = 0"},
	};
	struct erasure_record erasure = begin(&tenant_a, &ada, true);
	(void)state;

	for (unsigned bit = ERASURE_AUTH; bit <= ERASURE_AUDIT; bit *= 2)
		assert_int_equal(store_erasure_confirm(&store, &origin, (enum erasure_step)bit, &erasure), OK);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char sql[600];

		(void)snprintf(sql, sizeof(sql),
			"do $do$ begin perform set_config('berth.tenant', '0a000000-0000-0000-0000-000000000000', true)"
			"; set local role gdpr_%s; set local search_path = gdpr; begin execute $sql$%s$sql$; "
			"exception when others then null; end; reset role; end $do$",
			cases[i].role, cases[i].sql);
		testpg_sql(pg, sql);
		CHECK(cases[i].name,
			strcmp(testpg_value(pg,
				       "select count(*) from gdpr.erasure where pending = 0 and completed_at is not "
				       "null and person_id <> id"),
				"1") == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_a_whole_erasure, empty),
		cmocka_unit_test_setup(test_intentions_go_and_erasures_stay, empty),
		cmocka_unit_test_setup(test_tenants, empty),
		cmocka_unit_test_setup(test_pages, empty),
		cmocka_unit_test_setup(test_the_job_finds_what_is_due, empty),
		cmocka_unit_test_setup(test_exports_are_told, empty),
		cmocka_unit_test_setup(test_one_sweep_at_a_time, empty),
		cmocka_unit_test_setup(test_roles, empty),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
