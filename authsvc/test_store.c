/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "authsvc_sql.h"
#include "base/log.h"
#include "db/testpg.h"
#include "store_factor.h"
#include "store_grant.h"
#include "store_key.h"
#include "store_mail.h"
#include "store_person.h"
#include "store_role_grant.h"
#include "store_session.h"
#include "store_sweep.h"
#include "store_tenant.h"

/* Statements and sealed fields against a real server, with the roles that serve. */
static struct testpg *pg;
static struct db_config app_config, jobs_config;
static struct db *app, *jobs;
static struct seal *seal;
static struct arena *arena;

static const struct uuid acme = {{0xa1}}, globex = {{0xb2}};
#define NOW (instant_us)(1750000000 * US_PER_S)
#define HASH(letter) ((struct str){letter letter letter letter letter letter letter letter, 32})

static int set_up(void **state)
{
	struct key_epoch master = {.epoch = 1}, index = {.epoch = 0};

	(void)state;
	if (sodium_init() < 0)
		return -1;
	log_init("test", LOG_ERROR + 1);
	memset(master.key, 7, sizeof(master.key));
	memset(index.key, 8, sizeof(index.key));
	pg = testpg_start();
	testpg_migrate(pg, "auth", authsvc_migrations, authsvc_migrations_count);
	app_config = testpg_config(pg, "auth", "app");
	jobs_config = testpg_config(pg, "auth", "jobs");
	arena = arena_new(4U << 20);
	return db_open(&app_config, &app) == OK && db_open(&jobs_config, &jobs) == OK &&
	                       seal_new("authsvc", &master, 1, &index, &seal) == OK
	               ? 0
	               : -1;
}

static int tear_down(void **state)
{
	(void)state;
	seal_free(&seal);
	db_free(&app);
	db_free(&jobs);
	arena_free(&arena);
	testpg_stop(&pg);
	return 0;
}

static struct store begin(const struct uuid *tenant)
{
	struct store store;

	assert_int_equal(store_begin(app, seal, arena, tenant, &store), OK);
	return store;
}

static void commit(struct store *store)
{
	assert_int_equal(store_commit(store), OK);
	store_release(store);
}

static int64_t count(const char *sql)
{
	return strtoll(testpg_value(pg, sql), NULL, 10);
}

static void make_tenant(const struct uuid *id, const char *slug)
{
	struct tenant_record tenant = {.id = *id, .slug = str_from(slug), .name = STR("Name"), .locale = LOCALE_FR};
	struct store store = begin(id);

	assert_int_equal(store_tenant_insert(&store, &tenant, NOW), OK);
	commit(&store);
}

/* An empty schema with the two tenants. */
static int reset(void **state)
{
	(void)state;
	arena_reset(arena);
	testpg_sql(pg,
		"set client_min_messages = warning; truncate auth.tenant, auth.person_keys, auth.outbox, "
		"auth.idempotency, auth.revocation, auth.mail, auth.signing_key, auth.passkey_challenge cascade");
	make_tenant(&acme, "acme");
	make_tenant(&globex, "globex");
	return 0;
}

static struct person_record make_person(struct store *store, const char *email, const char *role)
{
	struct person_record person = {.id = uuid_new(),
		.email = str_from(email),
		.given_name = STR("Zelda"),
		.family_name = STR("Canary"),
		.locale = LOCALE_NL,
		.status = PERSON_ACTIVE,
		.email_verified_at = NOW};
	struct str name = str_from(role);

	assert_int_equal(store_person_insert(store, &person, person.email, NOW), OK);
	assert_int_equal(store_person_set_roles(store, &person, &name, 1, &UUID_NIL, NOW), OK);
	assert_int_equal(
		store_credential_put(store, person.row_id, STR("$argon2id$v=19$m=19456,t=2,p=1$x"), 1, NOW), OK);
	return person;
}

static struct client_record make_client(struct store *store)
{
	struct client_record client = {.id = uuid_new(),
		.name = STR("Client"),
		.confidential = true,
		.secret_hash = HASH("csec"),
		.redirect_uris = STR("https://a.example/cb"),
		.grants = STR("authorization_code refresh_token"),
		.permissions = STR(""),
		.id_token_alg = STR("ES256"),
		.created_at = NOW};

	assert_int_equal(store_client_insert(store, &client), OK);
	return client;
}

static struct session_record make_session(struct store *store, const struct person_record *person, struct str hash)
{
	struct session_record session = {.id = uuid_new(),
		.person_row_id = person->row_id,
		.person_id = person->id,
		.proof = rules_proof_password};

	assert_int_equal(store_session_insert(store, &session, hash, NOW), OK);
	return session;
}

static struct family_record make_family(struct store *store, const struct person_record *person,
	const struct client_record *client, const struct session_record *session)
{
	struct family_record family = {.id = uuid_new(),
		.person_row_id = person->row_id,
		.client_row_id = client->row_id,
		.session_row_id = session->row_id,
		.scope = STR("openid berth"),
		.auth_at = NOW,
		.proof = {ACR_PHR, STR("pop mfa"), UUID_NIL},
		.refresh_salt = HASH("salt")};

	assert_int_equal(store_family_insert(store, &family, NOW), OK);
	return family;
}

static void a_person_comes_back_as_they_were_and_stands_nowhere_in_clear(void **state)
{
	struct store store = begin(&acme);
	struct person_record made, read;

	(void)state;
	made = make_person(&store, "zelda.canary@acme.example", "Admin");
	commit(&store);
	store = begin(&acme);
	assert_int_equal(store_person_by_email(&store, STR("zelda.canary@acme.example"), &read), OK);
	assert_true(uuid_eq(&read.id, &made.id));
	assert_true(str_eq_c(read.email, "zelda.canary@acme.example"));
	assert_true(str_eq_c(read.given_name, "Zelda") && str_eq_c(read.family_name, "Canary"));
	assert_true(str_eq_c(read.roles, "Admin"));
	assert_int_equal(read.locale, LOCALE_NL);
	assert_int_equal(read.status, PERSON_ACTIVE);
	assert_int_equal(store_person_by_email(&store, STR("other@acme.example"), &read), ERR_NOT_FOUND);
	commit(&store);
	assert_int_equal(count("select count(*) from auth.person p where position('Canary' in p::text) > 0 or "
			       "position(encode('Canary', 'hex') in p::text) > 0"),
		0);
}

static void one_address_stands_for_one_person_of_a_tenant(void **state)
{
	struct store store = begin(&acme);
	struct person_record twin = {.id = uuid_new(),
		.email = STR("a@acme.example"),
		.given_name = STR("x"),
		.family_name = STR("y"),
		.status = PERSON_INVITED};

	(void)state;
	(void)make_person(&store, "a@acme.example", "User");
	assert_int_equal(store_person_insert(&store, &twin, twin.email, NOW), ERR_CONFLICT);
	store_release(&store);
	store = begin(&globex);
	(void)make_person(&store, "a@acme.example", "User");
	commit(&store);
}

static void another_tenant_sees_nothing_of_it(void **state)
{
	struct store store = begin(&acme);
	struct person_record person, found;
	struct client_record client, found_client;
	struct session_record session, found_session;
	struct family_record family, found_family;
	struct uuid active;
	size_t n;

	(void)state;
	person = make_person(&store, "a@acme.example", "User");
	client = make_client(&store);
	session = make_session(&store, &person, HASH("sess"));
	family = make_family(&store, &person, &client, &session);
	commit(&store);
	store = begin(&globex);
	assert_int_equal(store_person_read(&store, &person.id, &found), ERR_NOT_FOUND);
	assert_int_equal(store_person_by_email(&store, STR("a@acme.example"), &found), ERR_NOT_FOUND);
	assert_int_equal(store_person_lock_row(&store, person.row_id, &found), ERR_NOT_FOUND);
	assert_int_equal(store_person_active(&store, &person.id, 1, &active, &n), OK);
	assert_int_equal(n, 0);
	assert_int_equal(store_client_read(&store, &client.id, &found_client), ERR_NOT_FOUND);
	assert_int_equal(store_session_read(&store, HASH("sess"), &found_session), ERR_NOT_FOUND);
	assert_int_equal(store_family_lock(&store, &family.id, &found_family), ERR_NOT_FOUND);
	commit(&store);
	assert_int_equal(store_tenant_of_client(jobs, &client.id, &active), OK);
	assert_true(uuid_eq(&active, &acme));
}

static void every_table_of_a_tenant_forces_row_security(void **state)
{
	(void)state;
	assert_int_equal(count("select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace "
			       "where n.nspname = 'auth' "
			       "and c.relkind = 'r' and c.relname not in ('schema_version', 'deployment') "
			       "and not (c.relrowsecurity and c.relforcerowsecurity)"),
		0);
	assert_int_equal(count("select count(*) from pg_policy p join pg_class c on c.oid = p.polrelid "
			       "where c.relname in ('person', 'session', 'credential') and p.polname = 'tenant' "
			       "and (p.polqual is null or p.polwithcheck is null)"),
		0);
}

static void a_code_is_spent_once_and_a_family_rotates_once(void **state)
{
	struct store store = begin(&acme);
	struct person_record person = make_person(&store, "a@acme.example", "User");
	struct client_record client = make_client(&store);
	struct session_record session = make_session(&store, &person, HASH("sess"));
	struct family_record family = make_family(&store, &person, &client, &session), again;
	struct code_record code = {.client_row_id = client.row_id,
		.person_row_id = person.row_id,
		.session_row_id = session.row_id,
		.redirect_uri = STR("https://a.example/cb"),
		.scope = STR("openid"),
		.nonce = STR_NONE,
		.code_challenge = STR("c"),
		.auth_at = NOW,
		.proof = {ACR_2FA, STR("pwd otp mfa"), UUID_NIL}};

	(void)state;
	assert_int_equal(store_code_insert(&store, &code, HASH("code"), NOW), OK);
	assert_int_equal(store_code_lock(&store, HASH("code"), &code), OK);
	assert_false(code.used || code.session_ended);
	assert_int_equal(code.expires_at, NOW + CODE_LIFE_US);
	assert_int_equal(store_code_use(&store, &code, family.row_id, NOW), OK);
	assert_int_equal(store_session_end(&store, &session, NOW), OK);
	assert_int_equal(store_code_lock(&store, HASH("code"), &code), OK);
	assert_true(code.used && code.session_ended && code.family_row_id == family.row_id);
	assert_true(uuid_eq(&code.family_id, &family.id));
	assert_int_equal(store_family_rotate(&store, &family, NOW + 1), OK);
	assert_int_equal(store_family_lock(&store, &family.id, &again), OK);
	assert_int_equal(again.state.generation, 2);
	assert_int_equal(again.state.rotated_at, NOW + 1);
	assert_true(again.proof.acr == ACR_PHR && str_eq_c(again.proof.methods, "pop mfa"));
	assert_true(code.proof.acr == ACR_2FA && str_eq_c(code.proof.methods, "pwd otp mfa"));
	commit(&store);
}

/* One that nobody has and one of another tenant are not there. */
static void families_and_people_come_together_and_rotate_together(void **state)
{
	struct store store = begin(&globex);
	struct person_record stranger = make_person(&store, "a@globex.example", "User");
	struct client_record client = make_client(&store);
	struct session_record session = make_session(&store, &stranger, HASH("sess"));
	struct family_record theirs = make_family(&store, &stranger, &client, &session), found[4];
	struct person_record people[2], stands[3];
	struct uuid ids[4] = {theirs.id, uuid_new()};
	int64_t numbers[3];
	size_t n;

	(void)state;
	commit(&store);
	store = begin(&acme);
	client = make_client(&store);
	people[0] = make_person(&store, "a@acme.example", "User");
	people[1] = make_person(&store, "b@acme.example", "Admin");
	session = make_session(&store, &people[0], HASH("sess"));
	ids[2] = make_family(&store, &people[0], &client, &session).id;
	ids[3] = make_family(&store, &people[0], &client, &session).id;
	assert_int_equal(store_family_lock_many_queue(&store, ids, 4), OK);
	assert_int_equal(tx_flush(store.tx), OK);
	assert_int_equal(store_family_lock_many_next(&store, 4, found, &n), OK);
	assert_int_equal(n, 2);
	assert_true(uuid_cmp(&found[0].id, &found[1].id) < 0);
	for (size_t i = 0; i < 2; i++) {
		assert_true(uuid_eq(&found[i].id, &ids[2]) || uuid_eq(&found[i].id, &ids[3]));
		assert_int_equal(found[i].state.generation, 1);
	}
	/* One by one, and in one statement. */
	for (size_t many = 0; many < 2; many++) {
		struct family_record *rotating[8];

		for (size_t i = 0; i < 8; i++)
			rotating[i] = &found[0];
		assert_int_equal(store_family_rotate_many(&store, rotating, many ? 8 : 1, NOW + 1), OK);
		found[0].state.generation = 2 + (int64_t)many;
		for (size_t i = 0; i < 2; i++) {
			assert_int_equal(store_family_lock(&store, &found[i].id, &found[2]), OK);
			assert_int_equal(found[2].state.generation, i == 0 ? 2 + many : 1);
			assert_int_equal(found[2].state.rotated_at, i == 0 ? NOW + 1 : NOW);
		}
	}
	numbers[0] = numbers[1] = people[0].row_id;
	numbers[2] = stranger.row_id;
	assert_int_equal(store_person_standing_many_queue(&store, numbers, 3), OK);
	assert_int_equal(tx_flush(store.tx), OK);
	assert_int_equal(store_person_standing_many_next(&store, 3, stands, &n), OK);
	assert_int_equal(n, 2);
	assert_true(uuid_eq(&stands[1].id, &people[0].id));
	assert_true(uuid_eq(&stands[0].id, &people[0].id) && str_eq_c(stands[0].roles, "User") && !stands[0].has_more);
	commit(&store);
}

static void what_is_revoked_is_revoked_everywhere_at_once(void **state)
{
	struct store store = begin(&acme);
	struct person_record person = make_person(&store, "a@acme.example", "User");
	struct client_record client = make_client(&store);
	struct session_record session = make_session(&store, &person, HASH("sess"));
	struct family_record family = make_family(&store, &person, &client, &session);
	struct revocation_query query = {family.id, uuid_new(), person.id, client.id, NOW};
	struct revocation_record records[8];
	struct tx *tx;
	size_t n;
	bool hit;

	(void)state;
	assert_int_equal(store_revocation_hit(&store, &query, NOW, &hit), OK);
	assert_false(hit);
	assert_int_equal(store_family_revoke(&store, FAMILY_OF_SESSION, session.row_id, "logout", NOW, &n), OK);
	assert_int_equal(n, 1);
	assert_int_equal(store_family_revoke(&store, FAMILY_OF_SESSION, session.row_id, "logout", NOW, &n), OK);
	assert_int_equal(n, 0);
	assert_int_equal(store_revocation_hit(&store, &query, NOW, &hit), OK);
	assert_true(hit);
	query.session_id = uuid_new();
	assert_int_equal(store_revocation_hit(&store, &query, NOW, &hit), OK);
	assert_false(hit);
	assert_int_equal(store_revocation_add(&store, REVOKED_PERSON, &person.id, 1, NOW), OK);
	assert_int_equal(store_revocation_hit(&store, &query, NOW, &hit), OK);
	assert_true(hit);
	query.issued_at = NOW + 1; /* a token from afterwards */
	assert_int_equal(store_revocation_hit(&store, &query, NOW, &hit), OK);
	assert_false(hit);
	assert_true(store.wakes);
	commit(&store);
	store = begin(&acme);
	/* A client's end is for good: what was being signed meanwhile ends too. */
	assert_int_equal(store_revocation_add(&store, REVOKED_CLIENT, &client.id, 1, NOW), OK);
	query.issued_at = NOW + 5 * US_PER_S;
	assert_int_equal(store_revocation_hit(&store, &query, NOW, &hit), OK);
	assert_true(hit);
	store_release(&store);

	assert_int_equal(tx_begin_jobs(jobs, &tx), OK);
	assert_int_equal(store_revocation_unpublished(tx, 8, records, &n), OK);
	assert_int_equal(n, 2);
	assert_int_equal(store_revocation_published(tx, records, n, NOW), OK);
	assert_int_equal(store_revocation_unpublished(tx, 8, records, &n), OK);
	assert_int_equal(n, 0);
	assert_int_equal(store_revocation_live(tx, 0, NOW, 8, records, &n), OK);
	assert_int_equal(n, 2);
	assert_int_equal(store_revocation_live(tx, 0, NOW + US_PER_DAY, 8, records, &n), OK);
	assert_int_equal(n, 0);
	assert_int_equal(tx_commit(&tx), OK);
}

static void erasing_leaves_the_number_and_nothing_else(void **state)
{
	struct store store = begin(&acme);
	struct person_record person = make_person(&store, "zelda.canary@acme.example", "Admin");
	struct client_record client = make_client(&store);
	struct session_record session = make_session(&store, &person, HASH("sess"));
	struct family_record family = make_family(&store, &person, &client, &session);
	struct person_record found;
	int64_t rows;

	(void)state;
	(void)family;
	assert_int_equal(store_link_insert(&store, LINK_INVITATION, person.row_id, HASH("link"), NOW), OK);
	assert_int_equal(store_mail_insert(&store, &person.id, person.email, STR("s"), STR("t"), NOW + 1, NOW), OK);
	commit(&store);
	store = begin(&acme);
	assert_int_equal(store_person_lock(&store, &person.id, &found), OK);
	assert_int_equal(store_person_erase(&store, &found, NOW, &rows), OK);
	assert_int_equal(rows, 7); /* the person, a role, a credential, a session, a family, a link, a mail */
	assert_int_equal(seal_erase(store.tx, &acme, &person.id), OK);
	commit(&store);
	assert_int_equal(count("select count(*) from auth.person where status = 'erased' and email is null and "
			       "email_index is null and given_name is null and family_name is null"),
		1);
	assert_int_equal(
		count("select (select count(*) from auth.session) + (select count(*) from auth.grant_family) + "
		      "(select count(*) from auth.credential) + (select count(*) from auth.person_role) + "
		      "(select count(*) from auth.mail) + (select count(*) from auth.mail_link)"),
		0);
	assert_int_equal(count("select count(*) from auth.person_keys where wrapped is not null and "
			       "subject_id <> '00000000-0000-0000-0000-000000000000'"),
		0);
	store = begin(&acme);
	assert_int_equal(store_person_read(&store, &person.id, &found), OK);
	assert_int_equal(found.status, PERSON_ERASED);
	assert_null(found.email.p);
	(void)make_person(&store, "zelda.canary@acme.example", "User"); /* the address is free again */
	commit(&store);
}

static void the_last_admin_is_counted_without_the_unready(void **state)
{
	struct store store = begin(&acme);
	struct person_record first = make_person(&store, "a@acme.example", "Admin");
	struct person_record second = make_person(&store, "b@acme.example", "Admin");
	int64_t others;

	(void)state;
	(void)make_person(&store, "c@acme.example", "User");
	assert_int_equal(store_person_others(&store, &first, "Admin", &others), OK);
	assert_int_equal(others, 1);
	second.status = PERSON_SUSPENDED;
	assert_int_equal(store_person_update(&store, &second, NOW), OK);
	assert_int_equal(store_person_others(&store, &first, "Admin", &others), OK);
	assert_int_equal(others, 0);
	second.status = PERSON_ACTIVE;
	second.email_verified_at = 0;
	assert_int_equal(store_person_update(&store, &second, NOW), OK);
	assert_int_equal(second.version, 3);
	assert_int_equal(store_person_others(&store, &first, "Admin", &others), OK);
	assert_int_equal(others, 0);
	commit(&store);
}

static void a_link_works_once_and_a_newer_one_ends_it(void **state)
{
	struct store store = begin(&acme);
	struct person_record person = make_person(&store, "a@acme.example", "User");
	int64_t row_id;

	(void)state;
	assert_int_equal(store_link_insert(&store, LINK_VERIFICATION, person.row_id, HASH("old1"), NOW), OK);
	assert_int_equal(store_link_insert(&store, LINK_VERIFICATION, person.row_id, HASH("new1"), NOW), OK);
	assert_int_equal(store_link_find(&store, LINK_VERIFICATION, HASH("old1"), true, NOW, &row_id), ERR_NOT_FOUND);
	assert_int_equal(store_link_find(&store, LINK_INVITATION, HASH("new1"), true, NOW, &row_id), ERR_NOT_FOUND);
	assert_int_equal(store_link_find(&store, LINK_VERIFICATION, HASH("new1"), false, NOW, &row_id), OK);
	assert_int_equal(row_id, person.row_id);
	assert_int_equal(
		store_link_find(&store, LINK_VERIFICATION, HASH("new1"), true, NOW + VERIFICATION_LIFE_US, &row_id),
		ERR_NOT_FOUND);
	assert_int_equal(store_link_find(&store, LINK_VERIFICATION, HASH("new1"), true, NOW, &row_id), OK);
	assert_int_equal(store_link_find(&store, LINK_VERIFICATION, HASH("new1"), true, NOW, &row_id), ERR_NOT_FOUND);
	commit(&store);
}

static void a_mail_is_claimed_by_one_and_comes_back_when_its_lease_ends(void **state)
{
	struct store store = begin(&acme);
	struct person_record person = make_person(&store, "a@acme.example", "User");
	struct mail_record mail;

	(void)state;
	assert_int_equal(store_mail_insert(&store, &person.id, STR("a@acme.example"), STR("Été"), STR("line\nline"),
				 NOW + US_PER_DAY, NOW),
		OK);
	commit(&store);
	assert_int_equal(
		count("select count(*) from auth.mail m where position(encode('acme', 'hex') in m::text) > 0"), 0);
	assert_int_equal(store_mail_claim(jobs, seal, arena, NOW - 1, US_PER_S, &mail), ERR_NOT_FOUND);
	assert_int_equal(store_mail_claim(jobs, seal, arena, NOW, US_PER_S, &mail), OK);
	assert_true(str_eq_c(mail.recipient, "a@acme.example") && str_eq_c(mail.subject, "Été") &&
		    str_eq_c(mail.text, "line\nline"));
	assert_int_equal(mail.attempts, 1);
	assert_int_equal(store_mail_claim(jobs, seal, arena, NOW, US_PER_S, &mail), ERR_NOT_FOUND);
	assert_int_equal(store_mail_claim(jobs, seal, arena, NOW + US_PER_S, US_PER_S, &mail), OK);
	assert_int_equal(mail.attempts, 2);
	assert_int_equal(store_mail_defer(jobs, mail.row_id, NOW + US_PER_DAY), OK);
	assert_int_equal(store_mail_claim(jobs, seal, arena, NOW + 2 * US_PER_S, US_PER_S, &mail), ERR_NOT_FOUND);
	store = begin(&acme);
	assert_int_equal(seal_erase(store.tx, &acme, &person.id), OK);
	commit(&store);
	assert_int_equal(store_mail_claim(jobs, seal, arena, NOW + US_PER_DAY, US_PER_S, &mail), OK);
	assert_null(mail.recipient.p);
	assert_int_equal(store_mail_delete(jobs, mail.row_id), OK);
	assert_int_equal(count("select count(*) from auth.mail"), 0);
}

static void a_kept_request_is_sealed_and_opens_for_its_handle(void **state)
{
	struct store store = begin(&acme);
	struct client_record client = make_client(&store);
	struct request_record request = {.id = uuid_new(),
		.client_row_id = client.row_id,
		.parameters = STR("{\"login_hint\":\"zelda.canary@acme.example\"}")};
	struct request_record plain = {.id = uuid_new()}, found;

	(void)state;
	assert_int_equal(store_request_insert(&store, &request, HASH("req1"), NOW), OK);
	assert_int_equal(store_request_insert(&store, &plain, HASH("req2"), NOW), OK);
	assert_int_equal(store_request_read(&store, HASH("req1"), NOW, &found), OK);
	assert_true(str_eq(found.parameters, request.parameters) && uuid_eq(&found.client_id, &client.id));
	assert_int_equal(store_request_read(&store, HASH("req2"), NOW, &found), OK);
	assert_true(found.client_row_id == 0 && found.parameters.p == NULL);
	assert_int_equal(store_request_read(&store, HASH("req1"), NOW + REQUEST_LIFE_US, &found), ERR_NOT_FOUND);
	assert_int_equal(store_request_delete(&store, &found), OK);
	commit(&store);
	assert_int_equal(count("select count(*) from auth.authorization_request r where "
			       "position(encode('canary', 'hex') in r::text) > 0"),
		0);
}

static void signing_keys_hand_over_and_lose_their_private_part(void **state)
{
	struct key_record active = {.id = uuid_new(),
		.kid = STR("k1"),
		.alg = STR("EdDSA"),
		.state = KEY_ACTIVE,
		.public_jwk = STR("{}"),
		.private_der = STR("secret one"),
		.created_at = NOW,
		.activated_at = NOW};
	struct key_record next = {.id = uuid_new(),
		.kid = STR("k2"),
		.alg = STR("EdDSA"),
		.state = KEY_NEXT,
		.public_jwk = STR("{}"),
		.private_der = STR("secret two"),
		.created_at = NOW};
	struct key_record records[KEY_RECORDS_MAX];
	struct store store = begin(&STORE_NO_TENANT);
	size_t n;

	(void)state;
	assert_int_equal(store_key_lock(&store), OK);
	assert_int_equal(store_key_insert(&store, &active), OK);
	assert_int_equal(store_key_insert(&store, &next), OK);
	assert_int_equal(store_key_list(&store, true, records, &n), OK);
	assert_int_equal(n, 2);
	assert_true(str_eq_c(records[0].private_der, "secret one") && str_eq_c(records[1].private_der, "secret two"));
	assert_int_equal(store_key_promote(&store, STR("EdDSA"), NOW + 5), OK);
	assert_int_equal(store_key_list(&store, true, records, &n), OK);
	assert_int_equal(records[1].state, KEY_RETIRED);
	assert_null(records[1].private_der.p);
	assert_int_equal(records[1].retired_at, NOW + 5);
	assert_int_equal(records[0].state, KEY_ACTIVE);
	assert_int_equal(store_key_forget(&store, NOW + 5), OK);
	assert_int_equal(store_key_list(&store, false, records, &n), OK);
	assert_int_equal(n, 2);
	assert_int_equal(store_key_forget(&store, NOW + 6), OK);
	assert_int_equal(store_key_list(&store, false, records, &n), OK);
	assert_int_equal(n, 1);
	commit(&store);
	store = begin(&acme);
	assert_int_equal(store_key_list(&store, false, records, &n), OK);
	assert_int_equal(n, 0);
	store_release(&store);
}

static void a_grant_that_nobody_decides_on_goes_and_one_without_an_end_stays(void **state)
{
	struct store store = begin(&acme);
	struct person_record person = make_person(&store, "a@acme.example", "User");
	struct role_grant_record grant = {.person_id = person.id,
		.person_row_id = person.row_id,
		.role = STR("User"),
		.scope = GRANT_TENANT,
		.starts_at = NOW,
		.subject_id = person.id,
		.reason = STR("why"),
		.granted_by = person.id};
	static const enum grant_status statuses[] = {GRANT_PENDING, GRANT_ACTIVE};
	int64_t rows;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(statuses); i++) {
		grant.id = uuid_new();
		grant.status = statuses[i];
		assert_int_equal(store_role_grant_insert(&store, &grant, NOW), OK);
	}
	commit(&store);
	assert_int_equal(store_sweep(jobs, NOW + GRANT_WAITS_US + GRANT_KEEP_US, 100, &rows), OK);
	assert_int_equal(count("select count(*) from auth.role_grant"), 2);
	assert_int_equal(store_sweep(jobs, NOW + GRANT_WAITS_US + GRANT_KEEP_US + 1, 100, &rows), OK);
	assert_int_equal(count("select count(*) from auth.role_grant where status = 'active'"), 1);
	assert_int_equal(count("select count(*) from auth.role_grant"), 1);
}

static void the_sweep_removes_what_is_over_and_no_more_than_asked(void **state)
{
	struct store store = begin(&acme);
	struct person_record person = make_person(&store, "a@acme.example", "User");
	struct client_record client = make_client(&store);
	struct session_record session = make_session(&store, &person, HASH("sess"));
	struct family_record family = make_family(&store, &person, &client, &session);
	struct code_record code = {.client_row_id = client.row_id,
		.person_row_id = person.row_id,
		.session_row_id = session.row_id,
		.redirect_uri = STR("x"),
		.scope = STR("openid"),
		.code_challenge = STR("c"),
		.auth_at = NOW,
		.proof = {ACR_2FA, STR("pwd otp mfa"), UUID_NIL}};
	struct request_record request = {.id = uuid_new()};
	/* One hash in hex, and as bytes. */
	const struct str codes[2] = {STR("3131313131313131313131313131313131313131313131313131313131313131"),
		STR("3232323232323232323232323232323232323232323232323232323232323232")};
	const struct str used = STR("11111111111111111111111111111111");
	int64_t rows;

	(void)state;
	(void)family;
	assert_int_equal(store_code_insert(&store, &code, HASH("code"), NOW), OK);
	assert_int_equal(store_request_insert(&store, &request, HASH("req1"), NOW), OK);
	assert_int_equal(store_link_insert(&store, LINK_VERIFICATION, person.row_id, HASH("link"), NOW), OK);
	assert_int_equal(store_revocation_add(&store, REVOKED_CLIENT, &client.id, 1, NOW), OK);
	assert_int_equal(store_client_delete(&store, &client.id, NOW, &rows), OK);
	assert_int_equal(store_recovery_replace(&store, person.row_id, codes, 2, NOW), OK);
	assert_int_equal(store_recovery_use(&store, person.row_id, used, NOW), OK);
	commit(&store);
	testpg_sql(pg, "update auth.revocation set published_at = now()");
	assert_int_equal(store_sweep(jobs, NOW, 100, &rows), OK);
	assert_int_equal(rows, 0);
	assert_int_equal(store_sweep(jobs, NOW + 40 * US_PER_DAY, 2, &rows), OK);
	assert_int_equal(rows, 2);
	assert_int_equal(store_sweep(jobs, NOW + 40 * US_PER_DAY, 100, &rows), OK);
	assert_int_equal(rows, 6);
	assert_int_equal(count("select count(*) from auth.recovery_code where used_at is null"), 1);
	assert_int_equal(
		count("select (select count(*) from auth.session) + (select count(*) from auth.client) + "
		      "(select count(*) from auth.authorization_code) + (select count(*) from auth.grant_family)"),
		0);
	assert_int_equal(count("select count(*) from auth.person"), 1);
}

static struct factor_record make_passkey(struct store *store, const struct person_record *person, int64_t counter)
{
	struct factor_record factor = {.id = uuid_new(),
		.kind = FACTOR_PASSKEY,
		.data = STR("{}"),
		.counter = counter,
		.credential_hash = HASH("cred"),
		.backup_eligible = true};

	assert_int_equal(store_passkey_insert(store, person->row_id, &person->id, &factor, NOW), OK);
	return factor;
}

static void a_passkey_is_one_persons_and_its_counter_rises(void **state)
{
	struct store store = begin(&acme);
	struct person_record person = make_person(&store, "a@acme.example", "User");
	struct person_record other = make_person(&store, "b@acme.example", "User");
	struct factor_record factor = make_passkey(&store, &person, 0);
	struct factor_record found[FACTORS_MAX], again = factor;
	size_t n;

	(void)state;
	again.id = uuid_new();
	assert_int_equal(store_passkey_insert(&store, other.row_id, &other.id, &again, NOW), ERR_CONFLICT);
	assert_int_equal(store_factor_list(&store, person.row_id, &person.id, found, &n), OK);
	assert_int_equal(n, 1);
	assert_true(str_eq(found[0].credential_hash, HASH("cred")) && found[0].backup_eligible && !found[0].backed_up);
	assert_true(found[0].confirmed_at == NOW && str_eq_c(found[0].data, "{}"));
	for (int i = 0; i < 2; i++) /* one that does not count */
		assert_int_equal(store_passkey_use(&store, &factor, NOW), OK);
	factor.counter = 5;
	factor.backed_up = true;
	assert_int_equal(store_passkey_use(&store, &factor, NOW + 1), OK);
	assert_int_equal(store_passkey_use(&store, &factor, NOW + 2), ERR_NOT_FOUND);
	factor.counter = 0;
	assert_int_equal(store_passkey_use(&store, &factor, NOW + 2), ERR_NOT_FOUND);
	assert_int_equal(store_factor_list(&store, person.row_id, &person.id, found, &n), OK);
	assert_true(found[0].counter == 5 && found[0].backed_up && found[0].used_at == NOW + 1);
	commit(&store);
}

static void a_challenge_is_spent_once_in_a_tenant_and_swept(void **state)
{
	struct store store = begin(&acme);
	int64_t rows;

	(void)state;
	assert_int_equal(store_passkey_spend(&store, HASH("chal"), NOW), OK);
	assert_int_equal(store_passkey_spend(&store, HASH("chal"), NOW), ERR_CONFLICT);
	commit(&store);
	assert_int_equal(store_sweep(jobs, NOW, 100, &rows), OK);
	assert_int_equal(rows, 0);
	assert_int_equal(store_sweep(jobs, NOW + 1, 100, &rows), OK);
	assert_int_equal(rows, 1);
}

/* What a factor proved: behind a password it drops to that, alone it ends, by another it stays. */
static void what_a_removed_factor_proved_drops_or_ends(void **state)
{
	struct store store = begin(&acme);
	struct person_record person = make_person(&store, "a@acme.example", "User");
	const struct uuid gone = uuid_new(), kept = uuid_new();
	const struct proof proofs[] = {{ACR_2FA, STR("pwd otp mfa"), gone}, {ACR_PHR, STR("hwk user mfa"), gone},
		{ACR_2FA, STR("pwd otp mfa"), UUID_NIL}, {ACR_PHR, STR("hwk user mfa"), kept}};
	static const struct {
		bool ended;
		enum acr acr;
	} wanted[] = {{false, ACR_1FA}, {true, ACR_PHR}, {false, ACR_1FA}, {false, ACR_PHR}};
	const struct str handles[] = {HASH("h001"), HASH("h002"), HASH("h003"), HASH("h004")};
	struct session_record session;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(proofs); i++) {
		session = make_session(&store, &person, handles[i]);
		session.proof = proofs[i];
		assert_int_equal(store_session_renew(&store, &session, handles[i], NOW), OK);
	}
	assert_int_equal(store_factor_lower(&store, person.row_id, &person.id, &gone), OK);
	for (size_t i = 0; i < COUNT_OF(proofs); i++) {
		assert_int_equal(store_session_read(&store, handles[i], &session), OK);
		assert_int_equal(session.ended, wanted[i].ended);
		assert_int_equal(session.proof.acr, wanted[i].acr);
	}
	assert_int_equal(store_session_read(&store, handles[3], &session), OK);
	assert_true(uuid_eq(&session.proof.factor_id, &kept));
	commit(&store);
	assert_int_equal(count("select count(*) from auth.revocation where kind = 'person'"), 1);
}

static void a_page_of_people_opens_each_with_their_own_key(void **state)
{
	struct store store = begin(&acme);
	struct person_record people[4];
	size_t n;

	(void)state;
	(void)make_person(&store, "a@acme.example", "User");
	(void)make_person(&store, "b@acme.example", "User");
	(void)make_person(&store, "c@acme.example", "User");
	assert_int_equal(store_person_list(&store, &UUID_NIL, 2, people, &n), OK);
	assert_int_equal(n, 2);
	assert_true(str_eq_c(people[0].email, "a@acme.example") && str_eq_c(people[1].email, "b@acme.example"));
	assert_int_equal(store_person_list(&store, &people[1].id, 2, people, &n), OK);
	assert_int_equal(n, 1);
	assert_true(str_eq_c(people[0].email, "c@acme.example"));
	commit(&store);
}

static void a_sign_in_asks_one_question_of_friend_and_stranger(void **state)
{
	struct store store = begin(&acme);
	struct person_record person = make_person(&store, "a@acme.example", "User");
	struct sign_in_record record;

	(void)state;
	assert_int_equal(store_person_sign_in(&store, STR("a@acme.example"), &record), OK);
	assert_true(record.found && uuid_eq(&record.id, &person.id) && record.pepper_epoch == 1);
	assert_int_equal(store_credential_rehash(&store, &record, STR("$argon2id$v=19$new.new.new"), 2, NOW), OK);
	assert_int_equal(store_credential_rehash(&store, &record, STR("$argon2id$v=19$late.late.l"), 3, NOW), OK);
	assert_int_equal(store_person_sign_in(&store, STR("a@acme.example"), &record), OK);
	assert_true(str_eq_c(record.encoded, "$argon2id$v=19$new.new.new") && record.pepper_epoch == 2);
	assert_int_equal(store_person_sign_in(&store, STR("nobody@acme.example"), &record), OK);
	assert_false(record.found);
	commit(&store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_person_comes_back_as_they_were_and_stands_nowhere_in_clear, reset),
		cmocka_unit_test_setup(one_address_stands_for_one_person_of_a_tenant, reset),
		cmocka_unit_test_setup(another_tenant_sees_nothing_of_it, reset),
		cmocka_unit_test_setup(every_table_of_a_tenant_forces_row_security, reset),
		cmocka_unit_test_setup(a_code_is_spent_once_and_a_family_rotates_once, reset),
		cmocka_unit_test_setup(families_and_people_come_together_and_rotate_together, reset),
		cmocka_unit_test_setup(what_is_revoked_is_revoked_everywhere_at_once, reset),
		cmocka_unit_test_setup(erasing_leaves_the_number_and_nothing_else, reset),
		cmocka_unit_test_setup(the_last_admin_is_counted_without_the_unready, reset),
		cmocka_unit_test_setup(a_link_works_once_and_a_newer_one_ends_it, reset),
		cmocka_unit_test_setup(a_mail_is_claimed_by_one_and_comes_back_when_its_lease_ends, reset),
		cmocka_unit_test_setup(a_kept_request_is_sealed_and_opens_for_its_handle, reset),
		cmocka_unit_test_setup(signing_keys_hand_over_and_lose_their_private_part, reset),
		cmocka_unit_test_setup(a_grant_that_nobody_decides_on_goes_and_one_without_an_end_stays, reset),
		cmocka_unit_test_setup(the_sweep_removes_what_is_over_and_no_more_than_asked, reset),
		cmocka_unit_test_setup(a_page_of_people_opens_each_with_their_own_key, reset),
		cmocka_unit_test_setup(a_passkey_is_one_persons_and_its_counter_rises, reset),
		cmocka_unit_test_setup(a_challenge_is_spent_once_in_a_tenant_and_swept, reset),
		cmocka_unit_test_setup(what_a_removed_factor_proved_drops_or_ends, reset),
		cmocka_unit_test_setup(a_sign_in_asks_one_question_of_friend_and_stranger, reset),
	};

	return cmocka_run_group_tests_name("store", tests, set_up, tear_down);
}
