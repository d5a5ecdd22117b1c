/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bookingsvc_sql.h"
#include "idempotency_sql.h"
#include "seal_sql.h"
#include "test_fixture.h"

/*
 * The plans of the statements that every request runs, as the app role under row security, with 100,000 stays of
 * three tenants: none reads a table from end to end, neither with the values at hand nor with a generic plan. And
 * none of them reads more rows than it should, however long the history is.
 */

static struct desk *desk;
static struct ground ground;
static struct uuid tenant;

static void fill(void)
{
	struct uuid others[] = {fixture_uuid(0x10001), fixture_uuid(0x10002)};

	tenant = fixture_uuid(0x10000);
	ground = fixture_ground(desk, &tenant, 40);
	(void)fixture_pool(desk, &ground, 50);
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		struct ground other = fixture_ground(desk, &others[i], 40);

		(void)fixture_pool(desk, &other, 50);
	}
	testpg_sql(fixture_pg,
		"insert into booking.person (tenant_id, id) select s.tenant_id, gen_random_uuid()"
		" from booking.site s, generate_series(1, 10000);"
		"insert into booking.delegation (tenant_id, id, assistant_id, principal_id, created_at)"
		" select tenant_id, gen_random_uuid(), id, gen_random_uuid(), now() from booking.person;"
		"insert into booking.vehicle (tenant_id, id, person_id, plate_index, country, plate, version,"
		" created_at)"
		" select tenant_id, gen_random_uuid(), id, sha256(id::text::bytea), 'FR', '\\x00', 1, now()"
		" from booking.person;"
		"insert into booking.person_keys select tenant_id, id, 1, '\\x00', now() from booking.person"
		" on conflict do nothing;"
		"insert into booking.idempotency select p.tenant_id, p.id, o, sha256(p.id::text::bytea),"
		" sha256(p.id::text::bytea), now(), 201, '\\x00' from booking.person p, generate_series(1, 2) o");
	/* Many more places, so that small tables are no excuse. */
	testpg_sql(fixture_pg,
		"insert into booking.site (tenant_id, id, name, time_zone, version, created_at)"
		" select tenant_id, gen_random_uuid(), 'x', 'UTC', 1, now() from booking.site,"
		" generate_series(1, 1000);"
		"insert into booking.area (tenant_id, id, site_no, name, inventory, purpose, longest_stay_min,"
		" lookback_min,"
		" window_days, policy_version, version, created_at) select tenant_id, gen_random_uuid(), no,"
		" 'x', 1, 1, 60, 60, 9, 1,"
		" 1, now() from booking.site where name = 'x';"
		"insert into booking.spot (tenant_id, id, area_no, name, accessible, charger, status, version,"
		" created_at)"
		" select tenant_id, gen_random_uuid(), no, i::text, false, false, 1, 1, now()"
		" from booking.area, generate_series(1, 3) i where name = 'x'");
	/*
	 * Without the exclusion constraints, which 100,000 rows would only make slow to build; the plans do not use
	 * them.
	 */
	testpg_sql(fixture_pg,
		"alter table booking.booking drop constraint booking_spot_free, drop constraint booking_person_free;"
		"with p as (select tenant_id, no, row_number() over (partition by tenant_id order by no) - 1 as"
		" n from booking.person),"
		" s as (select tenant_id, area_no, no, row_number() over (partition by area_no order by no) - 1"
		" as n from booking.spot)"
		" insert into booking.booking (tenant_id, id, site_no, area_no, spot_no, person_no,"
		" created_by_no, starts_at,"
		" ends_at, held_until, created_at, policy_version, version, status, cancelled_at)"
		" select a.tenant_id, gen_random_uuid(), a.site_no, a.no, s.no, p.no, case when i % 10 = 0 then"
		" null else p.no end,"
		" h, h + interval '1 hour', h + interval '1 hour', h, 1, 1, case when i % 10 = 1 then 4 else 1 end,"
		" case when i % 10 = 1 then h end"
		" from generate_series(1, 17000) i cross join lateral"
		" (select now() - interval '180 days' + (i / 50) * interval '13 hours' as h) as t"
		" cross join (select * from booking.area where name <> 'x') a join p on p.tenant_id ="
		" a.tenant_id and p.n = i % 1000"
		" left join s on s.area_no = a.no and s.n = i % 40");
}

#define TENANT "'0192a3b4-c5d6-7000-0000-000000010000'::uuid"
#define AREA_NO "(select no from booking.area where tenant_id = " TENANT " and inventory = 1 and name <> 'x')"
#define POOL_NO "(select no from booking.area where tenant_id = " TENANT " and inventory = 2)"
#define ONE(table, column) "(select " column " from booking." table " where tenant_id = " TENANT " limit 1)"
#define ONE_STAY "(select id from booking.booking where tenant_id = " TENANT " and status = 1 limit 1)"

static const struct {
	const char *name;
	const struct db_statement *statement;
	const char *types, *values;
	int64_t rows_max; /* that all of its scans may touch, 0: not looked at */
} cases[] = {
	{"a place by its spot", &sql_place_of_spots, "uuid, uuid[], timestamptz",
		TENANT ", array[" ONE("spot", "id") "], now()", 20},
	{"a place by its area", &sql_place_of_area, "uuid, uuid, timestamptz",
		TENANT ", " ONE("area", "id") ","
					      " now()",
		20},
	{"people's numbers", &sql_person_numbers, "uuid, uuid[]", TENANT ", array[" ONE("person", "id") "]", 20},
	{"a delegation", &sql_delegation_held, "uuid, uuid[], uuid[]",
		TENANT ", array[" ONE("person", "id") "], array[" ONE("person", "id") "]", 20},
	{"what a new stay collides with", &sql_stay_conflicts,
		"uuid, bigint[], bigint[], timestamptz[], timestamptz[], timestamptz[]",
		TENANT ", array[" ONE("spot", "no") "], array[" ONE("person",
			"no") "], array[now()], array[now() + interval '1 hour'], array[now() - interval '31 days']",
		300},
	{"a free spot", &sql_spot_free, "uuid, bigint, timestamptz, timestamptz, timestamptz",
		TENANT ", " AREA_NO ", now(), now() + interval '1 hour', now() - interval '1 day'", 600},
	{"the peak of a pool", &sql_pool_peak, "uuid, bigint, timestamptz, timestamptz, timestamptz, uuid",
		TENANT ", " POOL_NO ", now(), now() + interval '1 hour', now() - interval '1 day', " TENANT, 2000},
	{"the spots of an area", &sql_spots_of_areas,
		"uuid, bigint[], timestamptz, timestamptz, timestamptz[],"
		" bigint",
		TENANT ", array[" AREA_NO "], now(), now() + interval '1 hour', array[now() - interval '1"
		       " day'], 8000",
		800},
	{"a stay", &sql_stay_read, "uuid, uuid, uuid", TENANT ", " ONE_STAY ", " ONE("person", "id"), 60},
	{"the longest stay of a tenant", &sql_lookback, "uuid", TENANT, 10},
	{"locking a stay", &sql_stay_lock, "uuid, uuid", TENANT ", " ONE_STAY, 20},
	{"changing a stay", &sql_stay_change,
		"uuid, uuid, bigint, timestamptz, timestamptz, timestamptz, timestamptz, timestamptz,"
		" timestamptz, bigint, bigint,"
		" text, bytea",
		TENANT ", " ONE_STAY
		       ", null, now(), now() + interval '1 hour', now() + interval '1 hour', null, null, null, 2, 1,"
		       " null, null",
		20},
	{"a page of one person's stays", &sql_stay_list_person,
		"uuid, timestamptz, uuid, bigint, timestamptz, timestamptz, smallint, uuid, bigint",
		TENANT ", '1970-01-01', '00000000-0000-0000-0000-000000000000', 51, '1970-01-01', '9999-01-01', null,"
		       " null, " ONE("person", "no"),
		900},
	{"the tenant's stays of a day", &sql_stay_list,
		"uuid, timestamptz, uuid, bigint, timestamptz, timestamptz, smallint, uuid",
		TENANT ", now() - interval '2 days', '00000000-0000-0000-0000-000000000000', 51, now() - interval '1"
		       " day', now(),"
		       " null, null",
		2000},
	{"totals of a day", &sql_totals, "uuid, bigint, timestamptz, timestamptz",
		TENANT ", " ONE("site", "no") ", now() - interval '1 day', now()", 1000},
	{"stays of a person that are to come", &sql_stay_live, "uuid, bigint, timestamptz, bigint",
		TENANT ", " ONE("person", "no") ", now(), 50", 300},
	{"a plate", &sql_vehicle_find, "uuid, bytea, text, bigint", TENANT ", sha256('x'), null, 50", 20},
	{"a person's vehicles", &sql_vehicle_list, "uuid, uuid, uuid, bigint",
		TENANT ", " ONE("person", "id") ", '00000000-0000-0000-0000-000000000000', 50", 20},
};

/* The values as literals, read as superuser: what the app role may see is what is tested. */
static const char *literals_of(const char *types, const char *values)
{
	static char sql[16384];
	char places[128] = "%L";
	size_t at = 2;
	int len;

	for (const char *p = types; *p; p++)
		if (*p == ',')
			at += (size_t)snprintf(places + at, sizeof(places) - at, ", %%L");
	len = snprintf(sql, sizeof(sql), "select format('%s', %s)", places, values);
	assert_true(len > 0 && (size_t)len < sizeof(sql));
	return testpg_value(fixture_pg, sql);
}

/* The plan as JSON, of the statement prepared and run as the app role. */
static const char *plan(size_t i, const char *mode)
{
	static char sql[16384];
	int len = snprintf(sql, sizeof(sql),
		"begin; set local search_path = booking; set local plan_cache_mode = %s;"
		"select set_config('berth.tenant', '0192a3b4-c5d6-7000-0000-000000010000', true);"
		"set local role booking_app; prepare p (%s) as %.*s; explain (analyze, format json) execute p (%s)",
		mode, cases[i].types, (int)cases[i].statement->sql_len, cases[i].statement->sql,
		literals_of(cases[i].types, cases[i].values));

	assert_true(len > 0 && (size_t)len < sizeof(sql));
	return testpg_value(fixture_pg, sql);
}

/* One line of the plan: `"name": value`. */
static const char *value_of(const char *line, const char *name)
{
	const char *at = line + strspn(line, " ");
	size_t len = strlen(name);

	return *at == '"' && strncmp(at + 1, name, len) == 0 && strncmp(at + 1 + len, "\": ", 3) == 0 ? at + 4 + len
	                                                                                              : NULL;
}

/*
 * Sum of the rows that scans of tables and indexes gave or threw away, over all loops. A node's own members stand
 * before those of the nodes below it, each on a line.
 */
static int64_t rows_of(const char *json)
{
	int64_t sum = 0, rows = 0, removed = 0, loops = 0;
	bool scan = false;
	const char *value;

	for (const char *line = json; line; line = (line = strchr(line, '\n')) ? line + 1 : NULL) {
		if ((value = value_of(line, "Node Type"))) {
			sum += scan ? (rows + removed) * loops : 0;
			rows = removed = loops = 0;
			scan = strstr(value, "Scan\"") < strchr(value, '\n') && strstr(value, "Scan\"") &&
			       strncmp(value, "\"Function", 9) != 0 && strncmp(value, "\"CTE", 4) != 0 &&
			       strncmp(value, "\"Subquery", 9) != 0;
		} else if ((value = value_of(line, "Actual Rows"))) {
			rows = strtoll(value, NULL, 10);
		} else if ((value = value_of(line, "Actual Loops"))) {
			loops = strtoll(value, NULL, 10);
		} else if ((value = value_of(line, "Rows Removed by Filter"))) {
			removed = strtoll(value, NULL, 10);
		}
	}
	return sum + (scan ? (rows + removed) * loops : 0);
}

static void test_no_hot_statement_reads_a_table_from_end_to_end(void **state)
{
	static const char *const modes[] = {"force_custom_plan", "force_generic_plan"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		for (size_t m = 0; m < COUNT_OF(modes); m++) {
			const char *json = plan(i, modes[m]);
			const int64_t rows = rows_of(json);
			const bool bad = strstr(json, "\"Seq Scan\"") || rows > cases[i].rows_max;

			if (bad || getenv("BERTH_MEASURE"))
				fprintf(stderr, "%s, %s: %lld rows\n", cases[i].name, modes[m], (long long)rows);
			if (bad)
				fputs(json, stderr);
			CHECK(cases[i].name, !strstr(json, "\"Seq Scan\""));
			CHECK(cases[i].name, rows <= cases[i].rows_max);
			testpg_sql(fixture_pg, "rollback; deallocate p");
		}
	}
}

/* -- what a batch of bookings looks up -- */

#define BATCH 15
#define SOME(table, column)                                                                                      \
	"(select array_agg(" column ") from (select " column " from booking." table " where tenant_id = " TENANT \
	" limit 15) as t)"
#define KEYS                             \
	SOME("idempotency", "person_id") \
	", " SOME("idempotency", "operation::bigint") ", " SOME("idempotency", "key_hash")

/* A batch of 15 touches no more pages than its rows need, whatever PostgreSQL believes of the tables. */
static const struct {
	const char *name;
	const struct db_statement *statement;
	const char *types, *values;
	int64_t rows, pages_max;
} batches[] = {
	{"places of spots", &sql_place_of_spots, "uuid, uuid[], timestamptz", TENANT ", " SOME("spot", "id") ", now()",
		BATCH, 15 * BATCH},
	{"the place of a spot", &sql_place_of_spot, "uuid, uuid, timestamptz", TENANT ", " ONE("spot", "id") ", now()",
		1, 15},
	{"a person's number", &sql_person_number, "uuid, uuid", TENANT ", " ONE("person", "id"), 1, 5},
	{"a person's key", &sql_person_key_get, "uuid, uuid", TENANT ", " ONE("person_keys", "subject_id"), 1, 5},
	{"people's numbers", &sql_person_numbers, "uuid, uuid[]", TENANT ", " SOME("person", "id"), BATCH, 5 * BATCH},
	{"people held", &sql_person_hold, "uuid, uuid[]", TENANT ", " SOME("person", "id"), BATCH, 7 * BATCH},
	{"people's keys", &sql_person_keys_get, "uuid, uuid[]", TENANT ", " SOME("person_keys", "subject_id"), BATCH,
		5 * BATCH},
	{"delegations", &sql_delegation_held, "uuid, uuid[], uuid[]",
		TENANT ", " SOME("delegation", "assistant_id") ", " SOME("delegation", "principal_id"), BATCH,
		5 * BATCH},
	{"stays that are there", &sql_stay_there, "uuid, uuid[]", TENANT ", " SOME("booking", "id"), BATCH, 5 * BATCH},
	{"answers that stand", &sql_idempotency_read, "uuid, uuid[], bigint[], bytea[]", TENANT ", " KEYS, BATCH,
		6 * BATCH},
	{"answers that are given", &sql_idempotency_answer,
		"uuid, uuid[], bigint[], bytea[], bytea[], bigint[], bytea[], timestamptz",
		TENANT ", " KEYS ", " SOME("idempotency", "key_hash") ", " SOME("idempotency", "201::bigint") ", " SOME(
			"idempotency", "body_hash") ", now()",
		0, 30 * BATCH},
	{"an answer that is dropped", &sql_idempotency_drop, "uuid, uuid, bigint, bytea",
		TENANT ", " ONE("idempotency", "person_id") ", 1, " ONE("idempotency", "key_hash"), 0, 10},
};

static void as_app(bool app)
{
	testpg_sql(fixture_pg,
		app ? "set search_path = booking; set plan_cache_mode = force_generic_plan; set berth.tenant = "
		      "'0192a3b4-c5d6-7000-0000-000000010000'; set role booking_app"
		    : "reset role; reset search_path; reset plan_cache_mode; reset berth.tenant");
}

/* Plans each once: it is kept until the statistics change, however large the tables become. */
static void prepare_batches(void)
{
	static char sql[8192];

	as_app(true);
	for (size_t i = 0; i < COUNT_OF(batches); i++) {
		char nulls[128] = "null";
		size_t at = 4;

		for (const char *p = batches[i].types; *p; p++)
			if (*p == ',')
				at += (size_t)snprintf(nulls + at, sizeof(nulls) - at, ", null");
		snprintf(sql, sizeof(sql), "prepare b%zu (%s) as %.*s; explain execute b%zu (%s)", i, batches[i].types,
			(int)batches[i].statement->sql_len, batches[i].statement->sql, i, nulls);
		testpg_sql(fixture_pg, sql);
	}
	as_app(false);
}

static int64_t first_value(const char *json, const char *name)
{
	const char *at = strstr(json, name);

	assert_non_null(at);
	return strtoll(at + strlen(name), NULL, 10);
}

static void check_batch(size_t i, const char *when)
{
	static char sql[65536];
	const char *json;
	int64_t pages, rows;
	int len = snprintf(sql, sizeof(sql), "begin; explain (analyze, buffers, format json) execute b%zu (%s)", i,
		literals_of(batches[i].types, batches[i].values));

	assert_true(len > 0 && (size_t)len < sizeof(sql));
	as_app(true);
	json = testpg_value(fixture_pg, sql);
	/* The first of each are the whole plan's. */
	pages = first_value(json, "\"Shared Hit Blocks\": ") + first_value(json, "\"Shared Read Blocks\": ");
	rows = first_value(json, "\"Actual Rows\": ");
	if (rows != batches[i].rows || pages > batches[i].pages_max || getenv("BERTH_MEASURE"))
		fprintf(stderr, "%s, %s: %lld pages, %lld rows\n", batches[i].name, when, (long long)pages,
			(long long)rows);
	if (rows != batches[i].rows || pages > batches[i].pages_max)
		fputs(json, stderr);
	CHECK(batches[i].name, rows == batches[i].rows);
	CHECK(batches[i].name, pages <= batches[i].pages_max);
	testpg_sql(fixture_pg, "rollback");
	as_app(false);
}

static void check_batches(const char *when)
{
	for (size_t i = 0; i < COUNT_OF(batches); i++)
		check_batch(i, when);
}

static void test_a_batch_looks_up_its_rows_alone(void **state)
{
	(void)state;
	check_batches("planned after the tables were analysed");
	/* Two rows to a tenant on average. */
	testpg_sql(fixture_pg,
		"create temp table small as select gen_random_uuid() as id from generate_series(1, 20000);"
		"insert into booking.person (tenant_id, id) select id, gen_random_uuid() from small;"
		"insert into booking.person_keys select id, gen_random_uuid(), 1, '\\x00', now() from small;"
		"insert into booking.delegation select id, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(),"
		" now() from small;"
		"insert into booking.idempotency select id, gen_random_uuid(), 1, sha256(id::text::bytea),"
		" sha256(id::text::bytea), now() from small;"
		"insert into booking.site (tenant_id, id, name, time_zone, version, created_at)"
		" select id, gen_random_uuid(), 's', 'UTC', 1, now() from small;"
		"insert into booking.area (tenant_id, id, site_no, name, inventory, purpose, longest_stay_min,"
		" lookback_min, window_days, policy_version, version, created_at) select tenant_id, gen_random_uuid(),"
		" no, 's', 1, 1, 60, 60, 9, 1, 1, now() from booking.site where name = 's';"
		"insert into booking.spot (tenant_id, id, area_no, name, accessible, charger, status, version,"
		" created_at) select tenant_id, gen_random_uuid(), no, 's', false, false, 1, 1, now()"
		" from booking.area where name = 's';"
		"insert into booking.booking (tenant_id, id, site_no, area_no, starts_at, ends_at, held_until,"
		" created_at, policy_version, version, status) select tenant_id, gen_random_uuid(), site_no, no, now(),"
		" now() + interval '1 hour', now() + interval '1 hour', now(), 1, 1, 1 from booking.area"
		" where name = 's'");
	testpg_sql(fixture_pg, "analyze");
	check_batches("planned while tenants are small on average");
}

/* An answer that finds room beside its claim needs no new entry in an index. */
static void test_answers_stay_on_the_pages_of_their_claims(void **state)
{
	int64_t stayed;

	(void)state;
	testpg_sql(fixture_pg, "begin; insert into booking.idempotency select " TENANT
			       ", gen_random_uuid(), 1, sha256(i::text::bytea),"
			       " sha256(i::text::bytea), now() from generate_series(1, 32) i;"
			       "update booking.idempotency set status = 201, reply = repeat('x', 600)::bytea"
			       " where tenant_id = " TENANT " and created_at = now()");
	stayed = strtoll(
		testpg_value(fixture_pg, "select pg_stat_get_xact_tuples_hot_updated('booking.idempotency'::regclass)"),
		NULL, 10);
	if (getenv("BERTH_MEASURE"))
		fprintf(stderr, "%lld of 32 answers stayed\n", (long long)stayed);
	assert_true(stayed >= 20);
	testpg_sql(fixture_pg, "rollback");
}

static int start(void **state)
{
	int failed = fixture_start(state);

	desk = desk_new();
	prepare_batches();
	fill();
	check_batches("planned while the tables were empty");
	testpg_sql(fixture_pg, "vacuum analyze");
	return failed;
}

static int stop(void **state)
{
	desk_free(&desk);
	return fixture_stop(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_hot_statement_reads_a_table_from_end_to_end),
		cmocka_unit_test(test_a_batch_looks_up_its_rows_alone),
		cmocka_unit_test(test_answers_stay_on_the_pages_of_their_claims),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
