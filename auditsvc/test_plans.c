/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auditsvc_sql.h"
#include "base/log.h"
#include "db/testpg.h"

/*
 * The statements that readers and appends wait for, over a log of some size, planned as the app role under row
 * security: each comes by the index that is meant for it. Parameters stand as literals, which is how custom plans see
 * them.
 */
static struct testpg *pg;

#define TENANT "'0a000000-0000-0000-0000-000000000000'::uuid"

static int set_up(void **state)
{
	(void)state;
	log_init("test", LOG_ERROR + 1);
	pg = testpg_start();
	testpg_migrate(pg, "audit", auditsvc_migrations, auditsvc_migrations_count);
	testpg_sql(pg,
		"insert into audit.event (leaf_index, tenant_id, id, appended_at, at, service, action, object_type, "
		"object_id, object_version, actor_id, subject_id, erased, leaf_hash) "
		"select i, ('0' || substr('abc', i % 3 + 1, 1) || '000000-0000-0000-0000-000000000000')::uuid, "
		"gen_random_uuid(), t, t,'bookingsvc', 'booking.create', 'booking', gen_random_uuid(), 1, p, p, false, "
		"decode(repeat('ab', 32), 'hex') "
		"from generate_series(0, 59999) i, "
		"lateral (select timestamptz '2026-01-01Z' + i * interval '1 second' as t, "
		"('00000000-0000-0000-0000-' || lpad((i % 500)::text, 12, '0'))::uuid as p) l");
	testpg_sql(pg, "insert into audit.content (tenant_id, leaf_index, appended_at, after) "
		       "select tenant_id, leaf_index, appended_at, 'x' from audit.event");
	testpg_sql(pg, "insert into audit.log_nodes "
		       "select i * 2, decode(repeat('ab', 64), 'hex') from generate_series(0, 59999) i");
	testpg_sql(pg, "analyze audit.event, audit.content, audit.log_nodes");
	testpg_sql(pg, "create temp table plan (line text)");
	testpg_sql(pg, "grant insert, select on plan to audit_app, audit_jobs");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	testpg_stop(&pg);
	return 0;
}

/* The statement's text with $1, $2, … replaced; literals are those of the case. */
static void fill(const struct db_statement *statement, const char *const *literals, char *out, size_t room)
{
	size_t len = 0;

	for (const char *p = statement->sql; *p && len + 1 < room; p++) {
		const char *literal = NULL;

		if (*p == '$' && p[1] >= '1' && p[1] <= '9')
			literal = literals[p[1] - '1'];
		if (!literal) {
			out[len++] = *p;
			continue;
		}
		len += (size_t)snprintf(out + len, room - len, "%s", literal);
		p++;
	}
	out[len < room ? len : room - 1] = '\0';
}

static const char *plan_of(const char *role, const struct db_statement *statement, const char *const *literals)
{
	char sql[4000], block[5000];

	fill(statement, literals, sql, sizeof(sql));
	(void)snprintf(block, sizeof(block),
		"truncate plan; do $do$ declare line text; begin perform set_config('berth.tenant', "
		"'0a000000-0000-0000-0000-000000000000', true); perform set_config('search_path', 'audit', true); "
		"set local role audit_%s; for line in execute $sql$explain (costs off) %s$sql$ loop "
		"insert into pg_temp.plan values (line); end loop; end $do$",
		role, sql);
	testpg_sql(pg, block);
	return testpg_value(pg, "select string_agg(line, E'\\n') from plan");
}

#define NONE_U "null::uuid"
#define NONE_S "null::text"
#define ALL "9223372036854775807"

static void test_plans(void **state)
{
	const struct {
		const char *name, *role;
		const struct db_statement *statement;
		const char *literals[9];
		const char *index;
	} cases[] = {
		{"the newest page comes from the tenant's end of the log", "app", &sql_event_list,
			{TENANT, ALL, "50", NONE_U, NONE_U, NONE_S, NONE_S}, "event_pkey"},
		{"a later page too", "app", &sql_event_list, {TENANT, "30000", "50", NONE_U, NONE_U, NONE_S, NONE_S},
			"event_pkey"},
		{"an object's events come by the object", "app", &sql_event_list,
			{TENANT, ALL, "50", NONE_U, "'0a000000-0000-0000-0000-000000000009'::uuid", NONE_S, NONE_S},
			"event_object"},
		{"a person's deeds come by the actor", "app", &sql_event_list,
			{TENANT, ALL, "50", "'00000000-0000-0000-0000-000000000042'::uuid", NONE_U, NONE_S, NONE_S},
			"event_actor"},
		{"a short time long ago comes by the time", "app", &sql_event_list_time,
			{TENANT, "-1", "50", NONE_U, NONE_U, NONE_S, NONE_S, "'2026-01-01 00:20Z'::timestamptz",
				"'2026-01-01 00:10Z'::timestamptz"},
			"event_at"},
		{"all that is older than some time does too", "app", &sql_event_list_time,
			{TENANT, "-1", "50", NONE_U, NONE_U, NONE_S, NONE_S, "'2026-01-01 04:00Z'::timestamptz",
				"'1970-01-01Z'::timestamptz"},
			"event_at"},
		{"one event comes by its id", "app", &sql_event_read,
			{TENANT, "'0a000000-0000-0000-0000-000000000009'::uuid"}, "event_id"},
		{"what is known is looked up by id", "app", &sql_event_known,
			{TENANT, "array['0a000000-0000-0000-0000-000000000009'::uuid]"}, "event_id"},
		{"a person's export comes by subject", "app", &sql_event_of_person,
			{TENANT, "'00000000-0000-0000-0000-000000000042'::uuid", ALL, "200"}, "event_subject"},
		{"a proof's nodes come by their places", "app", &sql_nodes_read, {"array[1::bigint, 3, 77777]"},
			"log_nodes_pkey"},
		{"old documents come by their age", "jobs", &sql_content_retain,
			{"'2026-01-01 01:00Z'::timestamptz", "100"}, "content_appended_at"},
	};
	(void)state;

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const char *plan = plan_of(cases[i].role, cases[i].statement, cases[i].literals);

		if (!strstr(plan, cases[i].index) || strstr(plan, "Seq Scan on event") ||
			strstr(plan, "Seq Scan on content"))
			fail_msg("%s:\n%s", cases[i].name, plan);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_plans)};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
