/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"

#include <stdio.h>
#include <string.h>

#include "append.h"
#include "auditsvc_sql.h"
#include "base/config.h"
#include "base/log.h"
#include "db/testpg.h"
#include "job_checkpoint.h"
#include "leaf.h"
#include "merkle.h"
#include "rules.h"
#include "store_checkpoint.h"
#include "store_log.h"

/* The log on a real server, as the roles that serve: what is appended, read, signed, erased, and what is refused. */

static struct testpg *pg;
static struct db *db, *jobs;
static struct seal *seal;
static struct arena *arena;
static struct signer *signer;
static const struct uuid tenant_a = {{0xa}}, tenant_b = {{0xb}}, person_1 = {{1}}, person_2 = {{2}};
static const struct key_epoch master = {1, {1}}, index_key = {0, {9}};
static const char seed_hex[] = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
static uint16_t next_id;

static int set_up(void **state)
{
	struct secret *seed = secret_new(seed_hex, sizeof(seed_hex) - 1);
	struct db_config config;
	(void)state;

	log_init("test", LOG_ERROR + 1); /* every refusal here is an alarm */
	pg = testpg_start();
	testpg_migrate(pg, "audit", auditsvc_migrations, auditsvc_migrations_count);
	config = testpg_config(pg, "audit", "app");
	assert_int_equal(db_open(&config, &db), OK);
	config = testpg_config(pg, "audit", "jobs");
	assert_int_equal(db_open(&config, &jobs), OK);
	arena = arena_new(64 << 20);
	assert_non_null(arena);
	assert_int_equal(seal_new("auditsvc", &master, 1, &index_key, &seal), OK);
	assert_int_equal(note_signer_new(seed, &signer), OK);
	secret_free(&seed);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	note_signer_free(&signer);
	seal_free(&seal);
	arena_free(&arena);
	db_free(&db);
	db_free(&jobs);
	testpg_stop(&pg);
	return 0;
}

/* What somebody with the database in their hands can do: as superuser, triggers off. */
static void tamper(const char *sql)
{
	testpg_sql(pg, "set session_replication_role = replica");
	testpg_sql(pg, sql);
	testpg_sql(pg, "set session_replication_role = origin");
}

static int empty(void **state)
{
	(void)state;
	tamper("truncate audit.event, audit.content, audit.log_nodes, audit.checkpoint, audit.person_keys; "
	       "update audit.log_head set size = 0, peaks = ''");
	arena_reset(arena);
	next_id = 0;
	return 0;
}

static struct event_row an_event(
	const struct uuid *tenant, const struct uuid *subject, const char *before, const char *after)
{
	struct event_row event = {.tenant_id = *tenant,
		.id = {{0xee, (uint8_t)(++next_id >> 8), (uint8_t)next_id}},
		.at = 1700000000 * US_PER_S + next_id,
		.service = STR("bookingsvc"),
		.action = STR("booking.create"),
		.object_type = STR("booking"),
		.object_id = {{0x0b, (uint8_t)(next_id >> 8), (uint8_t)next_id}},
		.object_version = 1,
		.actor_id = person_2};

	if (subject)
		event.subject_id = *subject;
	event.before.plain = str_from(before);
	event.after.plain = str_from(after);
	return event;
}

static size_t append(struct event_row *events, size_t count)
{
	size_t appended = 0;

	assert_int_equal(append_events(db, seal, arena, events, count, &appended), OK);
	return appended;
}

static size_t list(const struct uuid *tenant, const struct event_filter *filter, struct event_row **events_out)
{
	struct store store;
	size_t count = 0;

	assert_int_equal(store_begin(db, seal, arena, tenant, &store), OK);
	assert_int_equal(store_event_list(&store, filter, events_out, &count), OK);
	assert_int_equal(store_event_open(&store, *events_out, count), OK);
	store_release(&store);
	return count;
}

static const struct event_filter all = {.behind = {INT64_MAX, INSTANT_MAX}, .limit = 200};

static enum err checkpoint(uint64_t *size_out)
{
	return job_checkpoint_once(jobs, arena, signer, STR("log.example/audit/test"), 1800000000 * US_PER_S, size_out);
}

static void newest_head(struct head_row *head_out)
{
	struct store store;

	assert_int_equal(store_begin(db, seal, arena, &tenant_a, &store), OK);
	assert_int_equal(store_checkpoint_newest(&store, head_out), OK);
	store_release(&store);
}

static void test_append_and_list(void **state)
{
	struct event_row events[] = {an_event(&tenant_a, &person_1, NULL, "{\"note\":\"Ada\"}"),
		an_event(&tenant_b, NULL, "{\"x\":1}", "{\"x\":2}"), an_event(&tenant_a, NULL, NULL, NULL)};
	struct event_row *found;
	struct hash hash;
	(void)state;

	assert_int_equal(append(events, 3), 3);
	assert_int_equal(list(&tenant_a, &all, &found), 2);
	assert_int_equal(found[0].leaf_index, 2);
	assert_int_equal(found[1].leaf_index, 0);
	assert_true(str_eq_c(found[1].after.plain, "{\"note\":\"Ada\"}"));
	assert_false(found[1].before.present || found[0].after.present || found[0].before.present);
	assert_true(uuid_eq(&found[1].subject_id, &person_1) && uuid_eq(&found[1].actor_id, &person_2));
	assert_true(uuid_is_nil(&found[1].client_id) && str_eq_c(found[1].service, "bookingsvc"));
	/* A leaf can be made again from what was read, and is the one that stands in the tree. */
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(leaf_hash(&found[i], &hash), OK);
		assert_memory_equal(hash.b, found[i].leaf_hash.b, HASH_LEN);
	}
	assert_int_equal(list(&tenant_b, &all, &found), 1);
	assert_true(str_eq_c(found[0].before.plain, "{\"x\":1}") && str_eq_c(found[0].after.plain, "{\"x\":2}"));
	assert_false(rules_event_is_erased(&found[0]));
}

static void test_exactly_once(void **state)
{
	struct event_row first[] = {an_event(&tenant_a, &person_1, NULL, "1"), an_event(&tenant_a, NULL, NULL, "2")};
	struct event_row again[] = {first[1], an_event(&tenant_a, NULL, NULL, "3"), first[0], first[0]};
	struct event_row foreign[] = {first[0]};
	struct event_row *found;
	(void)state;

	assert_int_equal(append(first, 2), 2);
	again[0].leaf_index = again[2].leaf_index = again[3].leaf_index = 99;
	assert_int_equal(append(again, 4), 1);
	assert_int_equal(append(again, 4), 0);
	assert_int_equal(list(&tenant_a, &all, &found), 3);
	assert_int_equal(found[0].leaf_index, 2);
	/* Twice in one batch. */
	again[1] = an_event(&tenant_a, NULL, NULL, "4");
	again[0] = again[2] = again[3] = again[1];
	assert_int_equal(append(again, 4), 1);
	/* The same id of another tenant is another event. */
	foreign[0].tenant_id = tenant_b;
	assert_int_equal(append(foreign, 1), 1);
	assert_string_equal(testpg_value(pg, "select size from audit.log_head"), "5");
	assert_string_equal(testpg_value(pg, "select count(*) = max(leaf_index) + 1 from audit.event"), "t");
}

static void test_filters_and_pages(void **state)
{
	struct event_row events[] = {an_event(&tenant_a, NULL, NULL, "1"), an_event(&tenant_a, NULL, NULL, "2"),
		an_event(&tenant_b, NULL, NULL, "3"), an_event(&tenant_a, NULL, NULL, "4")};
	const instant_us second = events[1].at;
	struct event_row *found;
	(void)state;

	events[1].action = STR("site.update");
	events[3].object_type = STR("site");
	events[3].actor_id = person_1;
	{
		const struct {
			const char *name;
			struct event_filter filter;
			size_t count;
			int64_t newest;
		} cases[] = {
			{"no filter gives all of the tenant", {.behind = {INT64_MAX, INSTANT_MAX}, .limit = 9}, 3, 3},
			{"a page ends at its limit", {.behind = {INT64_MAX, INSTANT_MAX}, .limit = 2}, 2, 3},
			{"the next page begins below the last leaf", {.behind = {1, 0}, .limit = 2}, 1, 0},
			{"from is inclusive",
				{.behind = {INT64_MAX, INSTANT_MAX}, .limit = 9, .by_time = true, .from = second}, 2,
				3},
			{"to is exclusive", {.by_time = true, .behind = {-1, second}, .limit = 9}, 1, 0},
			{"a page by time goes on behind its last event",
				{.by_time = true, .behind = {1, second}, .limit = 9}, 1, 0},
			{"one instant is read to its end",
				{.by_time = true, .behind = {3, events[3].at}, .limit = 9, .from = second}, 1, 1},
			{"by actor", {.behind = {INT64_MAX, INSTANT_MAX}, .limit = 9, .actor_id = person_1}, 1, 3},
			{"by object",
				{.behind = {INT64_MAX, INSTANT_MAX}, .limit = 9, .object_id = events[1].object_id}, 1,
				1},
			{"by type", {.behind = {INT64_MAX, INSTANT_MAX}, .limit = 9, .object_type = STR("site")}, 1, 3},
			{"by action", {.behind = {INT64_MAX, INSTANT_MAX}, .limit = 9, .action = STR("site.update")}, 1,
				1},
			{"another tenant's object gives nothing",
				{.behind = {INT64_MAX, INSTANT_MAX}, .limit = 9, .object_id = events[2].object_id}, 0,
				0},
		};

		assert_int_equal(append(events, COUNT_OF(events)), 4);
		for (size_t i = 0; i < COUNT_OF(cases); i++) {
			CHECK(cases[i].name, list(&tenant_a, &cases[i].filter, &found) == cases[i].count);
			CHECK(cases[i].name, cases[i].count == 0 || found[0].leaf_index == cases[i].newest);
		}
	}
}

/* Each in a transaction of its own; gives how it ended. */
static enum err read_one(const struct uuid *tenant, const struct uuid *id, struct event_row *event_out)
{
	struct store store;
	enum err err;

	assert_int_equal(store_begin(db, seal, arena, tenant, &store), OK);
	if ((err = store_event_read(&store, id, event_out)) == OK)
		err = store_event_open(&store, event_out, 1);
	store_release(&store);
	return err;
}

static void test_read(void **state)
{
	struct event_row event = an_event(&tenant_a, &person_1, "{}", NULL), found;
	const struct uuid nobody = {{0xff}};
	(void)state;

	assert_int_equal(append(&event, 1), 1);
	assert_int_equal(read_one(&tenant_a, &event.id, &found), OK);
	assert_true(str_eq_c(found.before.plain, "{}"));
	assert_int_equal(read_one(&tenant_b, &event.id, &found), ERR_NOT_FOUND);
	assert_int_equal(read_one(&tenant_a, &nobody, &found), ERR_NOT_FOUND);
}

static int64_t erase(const struct uuid *tenant, const struct uuid *person)
{
	struct store store;
	int64_t events = 0;

	assert_int_equal(store_begin(db, seal, arena, tenant, &store), OK);
	assert_int_equal(store_person_erase(&store, person, &events), OK);
	assert_int_equal(store_commit(&store), OK);
	return events;
}

static void test_erasure_leaves_leaf_and_head(void **state)
{
	struct event_row events[] = {an_event(&tenant_a, &person_1, NULL, "\"canary\""),
		an_event(&tenant_a, &person_2, NULL, "\"other\""), an_event(&tenant_a, NULL, NULL, "\"tenant\"")};
	struct event_row late = an_event(&tenant_a, &person_1, "\"late\"", "\"later\"");
	struct event_row found;
	struct hash leaf;
	uint64_t size = 0;
	(void)state;

	assert_int_equal(append(events, 3), 3);
	assert_int_equal(checkpoint(&size), OK);
	leaf = events[0].leaf_hash;
	assert_int_equal(erase(&tenant_a, &person_1), 1);
	assert_int_equal(erase(&tenant_a, &person_1), 1); /* again changes nothing */
	assert_int_equal(read_one(&tenant_a, &events[0].id, &found), OK);
	assert_null(found.after.plain.p);
	assert_true(rules_event_is_erased(&found));
	assert_memory_equal(found.leaf_hash.b, leaf.b, HASH_LEN);
	assert_int_equal(leaf_hash(&found, &leaf), OK);
	assert_memory_equal(found.leaf_hash.b, leaf.b, HASH_LEN);
	assert_int_equal(read_one(&tenant_a, &events[1].id, &found), OK);
	assert_true(str_eq_c(found.after.plain, "\"other\"") && !rules_event_is_erased(&found));
	assert_int_equal(read_one(&tenant_a, &events[2].id, &found), OK);
	assert_true(str_eq_c(found.after.plain, "\"tenant\""));
	/* What comes after is told, without its documents. */
	assert_int_equal(append(&late, 1), 1);
	assert_int_equal(read_one(&tenant_a, &late.id, &found), OK);
	assert_true(found.erased && !found.before.present && !found.after.present);
	assert_string_equal(testpg_value(pg, "select count(*) from audit.content where leaf_index = 3"), "0");
	assert_int_equal(checkpoint(&size), OK);
	assert_int_equal(size, 4);
}

static void test_nothing_readable_at_rest(void **state)
{
	struct event_row event = an_event(&tenant_a, &person_1, "\"canary-before\"", "\"canary-after\"");
	(void)state;

	assert_int_equal(append(&event, 1), 1);
	assert_string_equal(
		testpg_value(pg, "select count(*) from audit.content c where position('canary'::bytea in before) > 0 "
				 "or position('canary'::bytea in after) > 0"),
		"0");
	assert_string_equal(testpg_value(pg, "select count(*) from audit.event e where e::text like '%canary%'"), "0");
}

static void test_retention_takes_documents_alone(void **state)
{
	struct event_row events[] = {an_event(&tenant_a, &person_1, NULL, "1"), an_event(&tenant_b, NULL, NULL, "2"),
		an_event(&tenant_b, NULL, NULL, "3")};
	struct event_row found;
	struct store store;
	int64_t rows = 0;
	uint64_t size = 0;
	(void)state;

	assert_int_equal(append(events, 3), 3);
	assert_int_equal(checkpoint(&size), OK);
	assert_int_equal(store_begin_jobs(jobs, arena, &store), OK);
	assert_int_equal(store_content_retain(&store, clock_now_us() - US_PER_DAY, 100, &rows), OK);
	assert_int_equal(rows, 0);
	assert_int_equal(store_content_retain(&store, clock_now_us() + US_PER_DAY, 2, &rows), OK);
	assert_int_equal(rows, 2);
	assert_int_equal(store_content_retain(&store, clock_now_us() + US_PER_DAY, 2, &rows), OK);
	assert_int_equal(rows, 1);
	assert_int_equal(store_commit(&store), OK);
	assert_int_equal(read_one(&tenant_a, &events[0].id, &found), OK);
	assert_true(rules_event_is_erased(&found) && !found.after.plain.p && found.after.present);
	assert_int_equal(leaf_hash(&found, &found.leaf_hash), OK);
	assert_memory_equal(found.leaf_hash.b, events[0].leaf_hash.b, HASH_LEN);
}

/* ---- heads ---- */

static void test_heads(void **state)
{
	struct event_row more[40];
	struct head_row head, again;
	struct merkle_tree tree = {0};
	struct hash root, nodes[MERKLE_PEAKS_MAX];
	uint64_t size = 99;
	(void)state;

	assert_int_equal(checkpoint(&size), OK);
	newest_head(&head);
	assert_int_equal(head.size, 0);
	assert_true(note_verify(&head));
	for (size_t round = 0; round < 5; round++) {
		for (size_t i = 0; i < COUNT_OF(more); i++)
			more[i] = an_event(i % 3 ? &tenant_a : &tenant_b, NULL, NULL, i % 2 ? "7" : NULL);
		assert_int_equal(append(more, 1 + 9 * round), 1 + 9 * round);
		for (size_t i = 0; i < 1 + 9 * round; i++)
			(void)merkle_append(&tree, &more[i].leaf_hash, nodes);
		assert_int_equal(checkpoint(&size), OK);
		newest_head(&head);
		merkle_root(&tree, &root);
		assert_int_equal(head.size, tree.size);
		assert_memory_equal(head.root.b, root.b, HASH_LEN);
		assert_true(note_verify(&head));
	}
	/* Not grown: the same head stays, and another one of its size is not taken. */
	assert_int_equal(checkpoint(&size), OK);
	newest_head(&again);
	assert_memory_equal(again.signature, head.signature, SIGNATURE_LEN);
	assert_int_equal(again.at, head.at);
	assert_string_equal(testpg_value(pg, "select count(*) from audit.checkpoint"), "6");
	head.root.b[0] ^= 1;
	assert_false(note_verify(&head));
}

static void test_nodes_prove_every_leaf(void **state)
{
	struct event_row events[37];
	struct hash nodes[MERKLE_NEEDS_MAX], proof[MERKLE_PROOF_MAX];
	int64_t places[MERKLE_NEEDS_MAX];
	struct merkle_plan plan;
	struct head_row head;
	struct store store;
	uint64_t size;
	(void)state;

	for (size_t i = 0; i < COUNT_OF(events); i++)
		events[i] = an_event(&tenant_a, NULL, NULL, NULL);
	assert_int_equal(append(events, 5), 5);
	assert_int_equal(append(events + 5, 1), 1);
	assert_int_equal(append(events + 6, 31), 31);
	assert_int_equal(checkpoint(&size), OK);
	newest_head(&head);
	assert_int_equal(store_begin(db, seal, arena, &tenant_b, &store), OK);
	for (size_t i = 0; i < COUNT_OF(events); i++) {
		assert_int_equal(merkle_plan_inclusion(i, head.size, &plan), OK);
		for (size_t k = 0; k < plan.need_count; k++)
			places[k] = (int64_t)plan.needs[k].place;
		assert_int_equal(store_log_nodes(&store, places, plan.need_count, nodes), OK);
		merkle_prove(&plan, nodes, proof);
		assert_true(
			merkle_verify_inclusion(&events[i].leaf_hash, i, head.size, &head.root, proof, plan.proof_len));
	}
	places[0] = 1000;
	assert_int_equal(store_log_nodes(&store, places, 1, nodes), ERR_INTERNAL);
	store_release(&store);
}

static void test_tampering_stops_the_heads(void **state)
{
	const struct {
		const char *name, *sql;
	} cases[] = {
		{"a changed node is found",
			"update audit.log_nodes set hashes = set_byte(hashes, 0, get_byte(hashes, 0) # 1)"},
		{"a dropped node is found", "delete from audit.log_nodes"},
		{"changed peaks are found",
			"update audit.log_head set peaks = set_byte(peaks, 3, get_byte(peaks, 3) # 1)"},
		{"a log cut short is found", "update audit.log_head set size = 1, peaks = substring(peaks for 32)"},
		{"a size that is not its peaks' is found", "update audit.log_head set size = 9"},
	};
	struct event_row events[6];
	uint64_t size;
	(void)state;

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		empty(NULL);
		for (size_t k = 0; k < COUNT_OF(events); k++)
			events[k] = an_event(&tenant_a, NULL, NULL, NULL);
		assert_int_equal(append(events, 3), 3);
		CHECK(cases[i].name, checkpoint(&size) == OK);
		assert_int_equal(append(events + 3, 3), 3);
		tamper(cases[i].sql);
		CHECK(cases[i].name, checkpoint(&size) == ERR_INTERNAL);
		CHECK(cases[i].name, strcmp(testpg_value(pg, "select count(*) from audit.checkpoint"), "1") == 0);
	}
}

static void test_a_damaged_document_hides_no_other(void **state)
{
	struct event_row events[] = {an_event(&tenant_a, NULL, NULL, "1"), an_event(&tenant_a, NULL, NULL, "2")};
	struct event_row *found;
	(void)state;

	assert_int_equal(append(events, 2), 2);
	tamper("update audit.content set after = set_byte(after, 20, get_byte(after, 20) # 1) where leaf_index = 0");
	assert_int_equal(list(&tenant_a, &all, &found), 2);
	assert_true(str_eq_c(found[0].after.plain, "2"));
	assert_null(found[1].after.plain.p);
}

/* ---- who may what ---- */

static void test_roles(void **state)
{
	const struct {
		const char *name, *role, *sql;
	} cases[] = {
		{"the app cannot change an event", "app", "update audit.event set action = 'x'"},
		{"the app cannot delete an event", "app", "delete from audit.event"},
		{"the app cannot empty the log", "app", "truncate audit.event"},
		{"the app cannot delete documents", "app", "delete from audit.content"},
		{"the app cannot change documents", "app", "update audit.content set after = ''"},
		{"the app cannot change nodes", "app", "update audit.log_nodes set hashes = hashes"},
		{"the app cannot shrink the log", "app", "update audit.log_head set size = 0, peaks = ''"},
		{"the app cannot write heads", "app",
			"insert into audit.checkpoint select 9, origin, root_hash, signed_at, signature, "
			"public_key from audit.checkpoint"},
		{"the jobs cannot read events", "jobs", "select * from audit.event"},
		{"the jobs cannot read documents", "jobs", "select after from audit.content"},
		{"the jobs cannot change heads", "jobs", "update audit.checkpoint set root_hash = root_hash"},
		{"the owner's statements meet the triggers", "owner", "delete from audit.log_nodes"},
		{"so do the owner's on events", "owner", "truncate audit.event"},
	};
	struct event_row event = an_event(&tenant_a, NULL, NULL, "1");
	uint64_t size;
	(void)state;

	assert_int_equal(append(&event, 1), 1);
	assert_int_equal(checkpoint(&size), OK);
	testpg_sql(pg, "create temp table outcome (refused boolean)");
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char sql[900];

		(void)snprintf(sql, sizeof(sql),
			"truncate outcome; do $do$ begin "
			"perform set_config('berth.tenant', '0a000000-0000-0000-0000-000000000000', true); "
			"set local role audit_%s; begin execute $sql$%s$sql$; "
			"exception when others then reset role; insert into outcome values (true); end; end $do$",
			cases[i].role, cases[i].sql);
		testpg_sql(pg, sql);
		CHECK(cases[i].name, strcmp(testpg_value(pg, "select count(*) from outcome"), "1") == 0);
	}
}

static void test_no_tenant_no_rows(void **state)
{
	struct event_row event = an_event(&tenant_a, NULL, NULL, "1");
	const struct uuid none = {{0xcc}};
	struct event_row *found;
	(void)state;

	assert_int_equal(append(&event, 1), 1);
	assert_int_equal(list(&none, &all, &found), 0);
	assert_string_equal(
		testpg_value(pg, "select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace "
				 "join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' "
				 "where n.nspname = 'audit' and c.relkind = 'r' "
				 "and not (c.relrowsecurity and c.relforcerowsecurity)"),
		"0");
}

/* A page of several tenants: each sees its own, one after the other as they came; and a tenant not named is refused. */
static void test_a_page_of_several_tenants(void **state)
{
	const struct uuid stranger = {{0xcc}};
	struct event_row events[] = {an_event(&tenant_b, &person_1, NULL, "{\"b\":1}"),
		an_event(&tenant_a, NULL, NULL, "{\"a\":1}"), an_event(&tenant_b, NULL, NULL, NULL),
		an_event(&tenant_a, &person_1, "{\"a\":1}", "{\"a\":2}")};
	struct event_row strange = an_event(&stranger, NULL, NULL, "1"), *refs[] = {&strange}, *of_a = &events[1],
			 *found;
	const struct event_group named = {tenant_a, &of_a, 1};
	struct store store = {0};
	(void)state;

	assert_int_equal(append(events, COUNT_OF(events)), COUNT_OF(events));
	assert_int_equal(list(&tenant_a, &all, &found), 2);
	assert_int_equal(found[0].leaf_index, 3);
	assert_int_equal(found[1].leaf_index, 1);
	assert_int_equal(list(&tenant_b, &all, &found), 2);
	assert_int_equal(found[0].leaf_index, 2);
	assert_int_equal(found[1].leaf_index, 0);
	assert_string_equal(testpg_value(pg, "select count(*) from audit.content c join audit.event e using (tenant_id,"
					     " leaf_index)"),
		"3");
	strange.leaf_index = 4;
	assert_int_equal(store_begin(db, seal, arena, &tenant_a, &store), OK);
	assert_int_equal(store_log_append(&store, &named, 1, refs, 1, clock_now_us()), OK);
	assert_int_equal(store_commit(&store), ERR_INTERNAL);
	assert_string_equal(tx_sqlstate(store.tx), "42501");
	store_release(&store);
}

static void test_lost_server(void **state)
{
	struct event_row event = an_event(&tenant_a, NULL, NULL, "1");
	struct event_row *found;
	size_t appended;
	enum err err;
	(void)state;

	assert_int_equal(append(&event, 1), 1);
	event = an_event(&tenant_a, NULL, NULL, "2");
	testpg_server_kill(pg);
	err = append_events(db, seal, arena, &event, 1, &appended);
	assert_true(err == ERR_UNAVAILABLE || err == ERR_DEADLINE);
	testpg_server_start(pg);
	for (int tries = 0; err != OK && tries < 200; tries++)
		err = append_events(db, seal, arena, &event, 1, &appended);
	assert_int_equal(err, OK);
	assert_int_equal(list(&tenant_a, &all, &found), 2);
	assert_int_equal(found[0].leaf_index, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_append_and_list, empty),
		cmocka_unit_test_setup(test_exactly_once, empty),
		cmocka_unit_test_setup(test_filters_and_pages, empty),
		cmocka_unit_test_setup(test_read, empty),
		cmocka_unit_test_setup(test_erasure_leaves_leaf_and_head, empty),
		cmocka_unit_test_setup(test_nothing_readable_at_rest, empty),
		cmocka_unit_test_setup(test_retention_takes_documents_alone, empty),
		cmocka_unit_test_setup(test_heads, empty),
		cmocka_unit_test_setup(test_nodes_prove_every_leaf, empty),
		cmocka_unit_test_setup(test_tampering_stops_the_heads, empty),
		cmocka_unit_test_setup(test_a_damaged_document_hides_no_other, empty),
		cmocka_unit_test_setup(test_roles, empty),
		cmocka_unit_test_setup(test_no_tenant_no_rows, empty),
		cmocka_unit_test_setup(test_a_page_of_several_tenants, empty),
		cmocka_unit_test_setup(test_lost_server, empty),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
