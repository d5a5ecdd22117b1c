/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"

#include <stdio.h>
#include <string.h>

#include "authsvc_sql.h"
#include "base/log.h"
#include "db/testpg.h"

/*
 * What every sign-in, token and job waits for, over tables of some size, planned as the role that asks, under row
 * security: each statement comes by the index that is meant for it.
 */
static struct testpg *pg;

#define TENANT "'0a000000-0000-0000-0000-000000000000'::uuid"
#define HASH "decode(repeat('00', 30) || '0042', 'hex')"
#define ID "'00000000-0000-0000-0000-000000000042'::uuid"
#define NOW "'2026-06-01 12:00Z'::timestamptz"

static int set_up(void **state)
{
	static const char *const fill[] = {
		"create function pg_temp.t(i int) returns uuid return ('0' || substr('abc', i % 3 + 1, 1) || "
		"'000000-0000-0000-0000-000000000000')::uuid",
		"create function pg_temp.u(i int) returns uuid return "
		"('00000000-0000-0000-0000-' || lpad(i::text, 12, '0'))::uuid",
		"create function pg_temp.h(i int) returns bytea return "
		"decode(repeat('00', 28) || lpad(to_hex(i), 8, '0'), 'hex')",
		"create function pg_temp.at(i bigint) returns timestamptz return "
		"timestamptz '2026-01-01Z' + i * interval '1 hour'",
		"insert into auth.tenant select pg_temp.t(i), 'slug-' || i, 'n', 'en', null, 1, now(), now() "
		"from generate_series(0, 2) i",
		"insert into auth.client (tenant_id, public_id, name, kind, redirect_uris, grants, permissions, "
		"id_token_alg, created_at) "
		"select pg_temp.t(i), pg_temp.u(i), 'n', 'public', '', '', '', 'ES256', now() "
		"from generate_series(0, 999) i",
		"insert into auth.person (tenant_id, public_id, email, email_index, locale, status, version, "
		"created_at, updated_at) "
		"select pg_temp.t(i), pg_temp.u(i), 'x', pg_temp.h(i), 'en', 'active', 1, now(), now() "
		"from generate_series(0, 5999) i",
		"analyze",
		"insert into auth.person_role select tenant_id, id, 'User', now(), null from auth.person",
		"insert into auth.credential select tenant_id, id, repeat('x', 90), 1, now(), now() from auth.person",
		"insert into auth.session (tenant_id, public_id, person_id, handle_hash, auth_at, created_at, seen_at, "
		"expires_at) select tenant_id, public_id, id, email_index, now(), now(), now(), pg_temp.at(id) "
		"from auth.person",
		"analyze",
		"insert into auth.grant_family (tenant_id, public_id, person_id, client_id, session_id, scope, "
		"auth_at, created_at, generation, rotated_at, expires_at) "
		"select p.tenant_id, p.public_id, p.id, c.id, s.id, '', now(), now(), 1, now(), pg_temp.at(p.id) "
		"from auth.person p join auth.session s using (tenant_id, public_id) "
		"join (select tenant_id, min(id) as id from auth.client group by 1) c using (tenant_id)",
		"insert into auth.authorization_code (tenant_id, code_hash, client_id, person_id, redirect_uri, "
		"scope, code_challenge, auth_at, created_at, expires_at) "
		"select tenant_id, pg_temp.h(person_id::int), client_id, person_id, '', '', '', now(), now(), "
		"expires_at from auth.grant_family",
		"insert into auth.mail_link (tenant_id, person_id, kind, token_hash, created_at, expires_at) "
		"select tenant_id, id, 'invitation', email_index, now(), pg_temp.at(id) from auth.person",
		"insert into auth.mail (tenant_id, public_id, subject_id, recipient, content, next_at, created_at, "
		"expires_at) select tenant_id, public_id, public_id, 'x', 'x', pg_temp.at(id), now(), now() "
		"from auth.person",
		"insert into auth.logout_notice (tenant_id, client_id, session_id, subject_id, next_at, created_at, "
		"expires_at) select f.tenant_id, c.id, f.public_id, f.public_id, pg_temp.at(f.id), now(), now() "
		"from auth.grant_family f join lateral (select id from auth.client c where c.tenant_id = f.tenant_id "
		"order by id offset f.id % 300 limit 1) c on true",
		"insert into auth.revocation (tenant_id, kind, object_id, before_at, until_at, published_at) "
		"select tenant_id, 'session', public_id, now(), pg_temp.at(id), now() from auth.person",
		"insert into auth.factor (tenant_id, public_id, person_id, kind, data, created_at, confirmed_at) "
		"select tenant_id, public_id, id, 'totp', 'x', pg_temp.at(id), "
		"case when id % 50 > 0 then now() end from auth.person",
		"insert into auth.recovery_code (tenant_id, person_id, code_hash, created_at, used_at) "
		"select tenant_id, id, email_index, now(), case when id % 50 = 0 then pg_temp.at(id) end "
		"from auth.person",
		"insert into auth.role (tenant_id, public_id, name, help, permissions, version, created_at, "
		"updated_at) select pg_temp.t(i), pg_temp.u(i), 'Role-' || i / 3, '', 'site.read', 1, now(), now() "
		"from generate_series(0, 149) i",
		"insert into auth.person_group (tenant_id, public_id, name, version, created_at, updated_at) "
		"select pg_temp.t(i), pg_temp.u(i), 'Group ' || i, 1, now(), now() from generate_series(0, 299) i",
		"insert into auth.person_group_member select p.tenant_id, g.id, p.id, now() from auth.person p "
		"join auth.person_group g on g.tenant_id = p.tenant_id and g.id % 100 = p.id / 3 % 100",
		"insert into auth.role_grant (tenant_id, public_id, person_id, group_id, role, scope, scope_id, "
		"starts_at, over_at, status, subject_id, reason, granted_by, version, created_at) "
		"select p.tenant_id, p.public_id, case when g.id is null then p.id end, g.id, "
		"'Role-' || p.id / 3 % 50, w.scope, case when w.scope <> 'tenant' then p.public_id end, now(), "
		"case when p.id % 2 = 0 then pg_temp.at(p.id) end, "
		"case when p.id % 50 = 0 then 'pending' else 'active' end, p.public_id, 'x', p.public_id, 1, "
		"pg_temp.at(p.id) from auth.person p "
		"join lateral (select (array['tenant', 'site', 'principal', 'group'])[p.id % 4 + 1] as scope) w "
		"on true "
		"left join auth.person_group g on g.tenant_id = p.tenant_id and g.id = p.id",
		"insert into auth.access_review (tenant_id, public_id, opened_by, opened_at, closed_at, version) "
		"select pg_temp.t(i), pg_temp.u(i), pg_temp.u(i), now(), pg_temp.at(i), 1 "
		"from generate_series(0, 299) i",
		"insert into auth.access_review_item (tenant_id, public_id, review_id, person_id, role) "
		"select p.tenant_id, p.public_id, r.id, p.id, 'User' from auth.person p "
		"join auth.access_review r on r.tenant_id = p.tenant_id and r.id % 100 = p.id / 3 % 100",
		"insert into auth.consent (tenant_id, public_id, person_id, client_id, scope, created_at, changed_at) "
		"select p.tenant_id, gen_random_uuid(), p.id, c.id, 'openid', now(), now() from auth.person p "
		"join auth.client c on c.tenant_id = p.tenant_id and c.id / 3 % 300 = p.id / 3 % 300",
		"insert into auth.device_grant (tenant_id, public_id, client_id, device_code_hash, user_code_hash, "
		"scope, resource, created_at, expires_at, interval_s, decided_at, person_id, auth_at, acr, amr) "
		"select p.tenant_id, p.public_id, c.id, p.email_index, p.email_index, '', '', now(), "
		"pg_temp.at(p.id), 5, now(), p.id, now(), '1fa', 'pwd' from auth.person p "
		"join (select tenant_id, min(id) as id from auth.client group by 1) c using (tenant_id)",
		"insert into auth.email_change (tenant_id, public_id, person_id, email, old_token_hash, "
		"new_token_hash, created_at, expires_at) select tenant_id, public_id, id, 'x', email_index, "
		"email_index, now(), pg_temp.at(id) from auth.person",
		"insert into auth.passkey_challenge (tenant_id, challenge_hash, expires_at) "
		"select tenant_id, email_index, pg_temp.at(id) from auth.person",
		"analyze",
		"create temp table plan (line text)",
		"grant insert, select on plan to auth_app, auth_jobs",
	};

	(void)state;
	log_init("test", LOG_ERROR + 1);
	pg = testpg_start();
	testpg_migrate(pg, "auth", authsvc_migrations, authsvc_migrations_count);
	for (size_t i = 0; i < COUNT_OF(fill); i++)
		testpg_sql(pg, fill[i]);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	testpg_stop(&pg);
	return 0;
}

/* The statement's text with $1, $2, … replaced by the literals of the case. */
static void fill_in(const struct db_statement *statement, const char *const *literals, char *out, size_t room)
{
	size_t len = 0;

	for (const char *p = statement->sql; *p != '\0' && len + 1 < room; p++) {
		if (*p == '$' && p[1] >= '1' && p[1] <= '9') {
			len += (size_t)snprintf(out + len, room - len, "%s", literals[p[1] - '1']);
			p++;
			continue;
		}
		out[len++] = *p;
	}
	out[len < room ? len : room - 1] = '\0';
}

static const char *plan_of(const char *role, const struct db_statement *statement, const char *const *literals)
{
	static char sql[4000], block[5000];

	fill_in(statement, literals, sql, sizeof(sql));
	(void)snprintf(block, sizeof(block),
		"truncate plan; do $do$ declare line text; begin perform set_config('berth.tenant', "
		"'0a000000-0000-0000-0000-000000000000', true); perform set_config('search_path', 'auth', true); "
		"set local role auth_%s; for line in execute $sql$explain (costs off) %s$sql$ loop "
		"insert into pg_temp.plan values (line); end loop; end $do$",
		role, sql);
	testpg_sql(pg, block);
	return testpg_value(pg, "select string_agg(line, E'\\n') from plan");
}

static void hot_statements_come_by_their_index(void **state)
{
	static const struct {
		const char *name, *role;
		const struct db_statement *statement;
		const char *literals[9];
		const char *index;
	} cases[] = {
		{"a sign-in finds the person by the blind index", "app", &sql_person_sign_in, {TENANT, HASH},
			"person_email"},
		{"a profile is read by its id", "app", &sql_person_read, {TENANT, ID}, "person_public_id"},
		{"a page of people goes along the ids", "app", &sql_person_list, {TENANT, ID, "50"},
			"person_public_id"},
		{"who is active is asked by id", "app", &sql_person_active,
			{TENANT, "array['00000000-0000-0000-0000-000000000042'::uuid]"}, "person_public_id"},
		{"a cookie finds its session by hash", "app", &sql_session_read, {TENANT, HASH}, "session_handle"},
		{"a code is found by hash", "app", &sql_code_lock, {TENANT, HASH}, "authorization_code_hash"},
		{"a refresh finds its family by sid", "app", &sql_family_lock, {TENANT, ID}, "grant_family_public_id"},
		{"logging out finds the families of the session", "app", &sql_family_revoke_session,
			{TENANT, "42", NOW, "'x'"}, "grant_family_session"},
		{"suspending finds those of the person", "app", &sql_family_revoke_person, {TENANT, "42", NOW, "'x'"},
			"grant_family_person"},
		{"a mailed link is found by hash", "app", &sql_mail_link_take, {TENANT, HASH, "'invitation'", NOW},
			"mail_link_token"},
		{"introspection asks the revocations by object", "app", &sql_revocation_hits,
			{TENANT, ID, ID, ID, ID, NOW, NOW}, "revocation_object"},
		{"a client_id finds its tenant", "jobs", &sql_client_directory, {ID}, "client_directory"},
		{"a slug finds its tenant", "jobs", &sql_tenant_by_slug, {"'slug-1'"}, "tenant"},
		{"what is to be published is a short list", "jobs", &sql_revocation_unpublished, {"256"},
			"revocation_unpublished"},
		{"the next mail is the one due longest", "jobs", &sql_mail_claim, {NOW, NOW}, "mail_next_at"},
		{"the next client to be told is the one due longest", "jobs", &sql_logout_claim, {NOW, NOW},
			"logout_notice_next_at"},
		{"a client that is away waits with all it is to be told", "jobs", &sql_logout_defer_client,
			{TENANT, "1", NOW}, "logout_notice_client"},
		{"who is to be told of a session's end is asked by person", "app", &sql_logout_insert,
			{TENANT, "42", NOW, NOW}, "session_person"},
		{"old codes come by their age", "jobs", &sql_sweep_code, {NOW, "100"}, "authorization_code_expires_at"},
		{"old families too", "jobs", &sql_sweep_family, {NOW, "100"}, "grant_family_expires_at"},
		{"old sessions too", "jobs", &sql_sweep_session, {NOW, "100"}, "session_expires_at"},
		{"old revocations too", "jobs", &sql_sweep_revocation, {NOW, "100"}, "revocation_until_at"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const char *plan = plan_of(cases[i].role, cases[i].statement, cases[i].literals);

		if (strstr(plan, cases[i].index) == NULL)
			fail_msg("%s:\n%s", cases[i].name, plan);
		/* A sweep joins the few it found to the table as the sizes of the two suggest. */
		if (strncmp(cases[i].statement->name, "sweep_", 6) == 0)
			continue;
		if (strstr(plan, "Seq Scan on person") != NULL || strstr(plan, "Seq Scan on grant_family") != NULL ||
			strstr(plan, "Seq Scan on session") != NULL || strstr(plan, "Seq Scan on revocation") != NULL ||
			strstr(plan, "Seq Scan on authorization_code") != NULL)
			fail_msg("%s:\n%s", cases[i].name, plan);
	}
}

/* A whole table is read. */
static bool reads_all(const char *plan, const char *table)
{
	const char *at = plan;
	char text[100];

	(void)snprintf(text, sizeof(text), "Seq Scan on %s", table);
	while ((at = strstr(at, text)) != NULL) {
		at += strlen(text);
		if (*at != '_')
			return true;
	}
	return false;
}

/* Factors, roles, grants, groups, reviews, consents and devices: no statement reads a table that grows with people. */
static void what_came_later_comes_by_an_index_too(void **state)
{
	static const struct {
		const struct db_statement *statement;
		const char *literals[9];
		const char *index;
	} cases[] = {
		{&sql_factor_list, {TENANT, "42", "20"}, "factor_person"},
		{&sql_factor_standing, {TENANT, "42"}, "factor_person"},
		{&sql_factor_use, {TENANT, "42", "7", NOW}, "factor_pkey"},
		{&sql_factor_delete, {TENANT, "42"}, "factor_pkey"},
		{&sql_factor_delete_person, {TENANT, "42"}, "factor_person"},
		{&sql_passkey_use, {TENANT, "42", "7", "true", NOW}, "factor_pkey"},
		{&sql_recovery_use, {TENANT, "42", HASH, NOW}, "recovery_code"},
		{&sql_recovery_list, {TENANT, "42", "20"}, "recovery_code"},
		{&sql_recovery_delete_person, {TENANT, "42"}, "recovery_code_hash"},
		{&sql_session_lower, {TENANT, "42", ID}, "session_person"},
		{&sql_family_lower, {TENANT, "42", ID}, "grant_family_person"},
		{&sql_code_lower, {TENANT, "42", ID}, "authorization_code_person"},
		{&sql_person_standing, {TENANT, "42"}, "role_grant_person"},
		{&sql_person_standing_many, {TENANT, "array[42, 45, 48]"}, "role_grant_person"},
		{&sql_family_lock_many, {TENANT, "array[" ID "]"}, "grant_family_public_id"},
		{&sql_family_rotate_many, {TENANT, "array[42, 45, 48]", NOW}, "grant_family_pkey"},
		{&sql_person_roles_hold, {TENANT, "42"}, "role_grant_person"},
		{&sql_role_grant_held, {TENANT, "42", NOW, "64", NOW}, "role_grant_person"},
		{&sql_role_grant_lasting, {TENANT, "42", NOW, "64", NOW}, "role_grant_person"},
		{&sql_role_grant_open, {TENANT, NOW, "42", "null", "null"}, "role_grant_person"},
		{&sql_role_grant_open, {TENANT, NOW, "null", "42", "null"}, "role_grant_group"},
		{&sql_role_grant_open, {TENANT, NOW, "null", "null", "'Role-7'"}, "role_grant_role"},
		{&sql_role_holders, {TENANT, "'Role-7'", "101"}, "role_grant_role"},
		{&sql_role_mixes, {TENANT, "'Role-7'", "101"}, "person_role_role"},
		{&sql_role_grant_list, {TENANT, ID, "50", "null", "null"}, "role_grant_public_id"},
		{&sql_role_grant_list, {TENANT, ID, "50", ID, "null"}, "role_grant"},
		{&sql_role_grant_read, {TENANT, ID}, "role_grant_public_id"},
		{&sql_role_grant_of_group, {TENANT, "42", NOW, "64"}, "role_grant_group"},
		{&sql_role_grant_over_group, {TENANT, ID, NOW, "64"}, "role_grant_scope_id"},
		{&sql_role_grant_of_principal, {TENANT, ID}, "role_grant_scope_id"},
		{&sql_role_grant_delete_person, {TENANT, "42"}, "role_grant_person"},
		{&sql_role_grant_delete_group, {TENANT, "42"}, "role_grant_group"},
		{&sql_group_members, {TENANT, "42"}, "person_group_member_pkey"},
		{&sql_group_of_person, {TENANT, "42"}, "person_group_member_person"},
		{&sql_group_delete_person, {TENANT, "42"}, "person_group_member_person"},
		{&sql_group_members_hold, {TENANT, "array[" ID "]"}, "person_public_id"},
		{&sql_access_review_items, {TENANT, "42", "500"}, "access_review_item_review"},
		{&sql_access_review_certify, {TENANT, "42", "array[" ID "]", ID, NOW}, "access_review_item"},
		{&sql_access_review_of_person, {TENANT, "42", "100"}, "access_review_item_person"},
		{&sql_access_review_delete_person, {TENANT, "42"}, "access_review_item_person"},
		{&sql_consent_read, {TENANT, "42", "7"}, "consent_pair"},
		{&sql_consent_list, {TENANT, "42", "200"}, "consent_pair"},
		{&sql_consent_delete, {TENANT, ID, "42"}, "consent_p"},
		{&sql_consent_delete_person, {TENANT, "42"}, "consent_pair"},
		{&sql_device_find, {TENANT, HASH, NOW}, "device_grant_directory"},
		{&sql_device_lock, {TENANT, HASH, "42"}, "device_grant_c"},
		{&sql_device_delete_person, {TENANT, "42"}, "device_grant_person"},
		{&sql_device_delete_pair, {TENANT, "42", "7"}, "device_grant_"},
		{&sql_email_change_read, {TENANT, "42"}, "email_change_person"},
		{&sql_email_change_old, {TENANT, HASH, NOW}, "email_change_old_token"},
		{&sql_email_change_new, {TENANT, HASH, NOW}, "email_change_new_token"},
	};
	static const char *const big[] = {"person", "person_role", "session", "grant_family", "authorization_code",
		"factor", "recovery_code", "person_group_member", "role_grant", "access_review_item", "consent",
		"device_grant", "email_change"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const char *plan = plan_of("app", cases[i].statement, cases[i].literals);

		if (strstr(plan, cases[i].index) == NULL)
			fail_msg("%s does not come by %s:\n%s", cases[i].statement->name, cases[i].index, plan);
		for (size_t k = 0; k < COUNT_OF(big); k++) {
			if (reads_all(plan, big[k]))
				fail_msg("%s reads all of %s:\n%s", cases[i].statement->name, big[k], plan);
		}
	}
}

static void what_is_over_comes_by_its_age(void **state)
{
	static const struct {
		const struct db_statement *statement;
		const char *index;
	} cases[] = {
		{&sql_sweep_role_grant, "role_grant_over_at"},
		{&sql_sweep_role_grant_pending, "role_grant_pending"},
		{&sql_sweep_access_review, "access_review_closed_at"},
		{&sql_sweep_device, "device_grant_expires_at"},
		{&sql_sweep_factor, "factor_unconfirmed"},
		{&sql_sweep_recovery, "recovery_code_used_at"},
		{&sql_sweep_challenge, "passkey_challenge_expires_at"},
		{&sql_sweep_email_change, "email_change_expires_at"},
	};
	const char *const literals[] = {NOW, "10"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const char *plan = plan_of("jobs", cases[i].statement, literals);

		if (strstr(plan, cases[i].index) == NULL)
			fail_msg("%s does not come by %s:\n%s", cases[i].statement->name, cases[i].index, plan);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hot_statements_come_by_their_index),
		cmocka_unit_test(what_came_later_comes_by_an_index_too),
		cmocka_unit_test(what_is_over_comes_by_its_age),
	};

	return cmocka_run_group_tests_name("plans", tests, set_up, tear_down);
}
