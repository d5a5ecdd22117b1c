/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"

#include <string.h>

#include "base/log.h"
#include "db/testpg.h"
#include "outbox/outbox.h"
#include "outbox/outbox_private.h"

/* Events commit with their change, sealed, or not at all. */

static struct testpg *pg;
static struct db *db;
static struct seal *seal;
static const struct uuid tenant_a = {{0xa}}, tenant_b = {{0xb}}, ada = {{1}}, bo = {{2}}, object = {{7}};
static const struct key_epoch master = {1, {1}};

static int set_up(void **state)
{
	struct db_config config;

	(void)state;
	log_init("test", LOG_ERROR + 1);
	pg = testpg_start();
	testpg_migrate(pg, "shop", NULL, 0);
	config = testpg_config(pg, "shop", "app");
	if (db_open(&config, &db) != OK)
		return -1;
	return seal_new("shop", &master, 1, &master, &seal) == OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	seal_free(&seal);
	db_free(&db);
	testpg_stop(&pg);
	return 0;
}

static int empty(void **state)
{
	(void)state;
	testpg_sql(pg, "truncate shop.outbox, shop.person_keys");
	return 0;
}

static struct event event_of(const struct uuid *subject, const char *before, const char *after)
{
	return (struct event){.at = clock_now_us(),
		.actor_id = bo,
		.subject_id = *subject,
		.object_id = object,
		.action = "booking.create",
		.object_type = "booking",
		.before = str_from(before),
		.after = str_from(after),
		.object_version = 3};
}

static struct tx *begin(const struct uuid *tenant)
{
	struct tx *tx = NULL;

	assert_int_equal(tx_begin(db, tenant, &tx), OK);
	return tx;
}

static void test_put(void **state)
{
	struct event events[3] = {event_of(&ada, NULL, "{\"note\":\"canary-4711\"}"),
		event_of(&bo, "{\"note\":\"canary-4711\"}", "{}"), event_of(&UUID_NIL, NULL, NULL)};
	struct tx *tx = begin(&tenant_a);
	(void)state;

	assert_int_equal(outbox_put(tx, seal, &tenant_a, events, 3), OK);
	tx_free(&tx); /* the change failed */
	assert_string_equal(testpg_value(pg, "select count(*) from shop.outbox"), "0");
	tx = begin(&tenant_a);
	assert_int_equal(outbox_put(tx, seal, &tenant_a, events, 3), OK);
	assert_int_equal(tx_commit(&tx), OK);
	assert_string_equal(testpg_value(pg, "select count(*) from shop.outbox"), "3");
	assert_string_equal(
		testpg_value(pg, "select string_agg((payload is not null)::text, ' ' order by seq) from shop.outbox"),
		"true true false");
	assert_string_equal(testpg_value(pg, "select count(distinct id) from shop.outbox where not erased"), "3");
	assert_string_equal(testpg_value(pg, "select count(*) from shop.outbox o where o::text like '%canary%' or"
					     " position('canary'::bytea in payload) > 0"),
		"0");
	assert_string_equal(
		testpg_value(pg, "select count(*) from shop.outbox where on_behalf_id is null and request_id is null"
				 " and actor_id is not null"),
		"3");
}

static void test_keys_given(void **state)
{
	struct event events[2] = {event_of(&ada, NULL, "{}"), event_of(&ada, NULL, "{\"n\":2}")};
	struct seal_key *key = NULL;
	struct tx *tx = begin(&tenant_a);
	uint64_t n = 9;
	(void)state;

	assert_int_equal(seal_subject_load(tx, seal, &tenant_a, &ada, true, &key), OK);
	{
		const struct seal_key *keys[2] = {key, key};

		assert_int_equal(outbox_put_with(tx, seal, &tenant_a, events, keys, 2), OK);
	}
	seal_key_free(&key);
	assert_int_equal(outbox_pending_for(tx, &tenant_a, &ada, &n), OK); /* its own are seen */
	assert_int_equal(n, 2);
	assert_int_equal(tx_commit(&tx), OK);
}

static void test_pending(void **state)
{
	struct event events[3] = {event_of(&ada, NULL, "{}"), event_of(&ada, NULL, NULL), event_of(&bo, NULL, "{}")};
	struct tx *tx = begin(&tenant_a);
	uint64_t n = 9;
	(void)state;

	assert_int_equal(outbox_put(tx, seal, &tenant_a, events, 3), OK);
	assert_int_equal(tx_commit(&tx), OK);
	tx = begin(&tenant_a);
	assert_int_equal(outbox_pending_for(tx, &tenant_a, &ada, &n), OK);
	assert_int_equal(n, 2);
	tx_free(&tx);
	tx = begin(&tenant_b);
	assert_int_equal(outbox_pending_for(tx, &tenant_b, &ada, &n), OK);
	assert_int_equal(n, 0);
	assert_int_equal(outbox_pending_for(tx, &tenant_a, &ada, &n), OK); /* nor by naming the other tenant */
	assert_int_equal(n, 0);
	tx_free(&tx);
}

/* Of the tenants that the transaction has named, and of no others; its name for them ends with it. */
static void test_across(void **state)
{
	const struct uuid named[2] = {tenant_a, tenant_b}, stranger = {{0xc}};
	const struct uuid good[2] = {tenant_b, tenant_a}, bad[2] = {tenant_b, stranger};
	const struct event events[2] = {event_of(&ada, NULL, "{}"), event_of(&bo, NULL, NULL)};
	const struct seal_key *keys[2] = {NULL, NULL};
	struct seal_key *key = NULL;
	struct tx *tx = begin(&tenant_b);
	uint64_t n = 9;
	(void)state;

	assert_int_equal(seal_subject_load(tx, seal, &tenant_b, &ada, true, &key), OK);
	keys[0] = key;
	assert_int_equal(tx_set_tenants(tx, named, 2), OK);
	assert_int_equal(outbox_put_across(tx, good, events, keys, 2), OK);
	assert_int_equal(outbox_pending_for(tx, &tenant_b, &ada, &n), OK);
	assert_int_equal(n, 1);
	assert_int_equal(outbox_pending_for(tx, &tenant_a, &bo, &n), OK); /* written, and yet not seen */
	assert_int_equal(n, 0);
	assert_int_equal(tx_commit(&tx), OK);
	assert_string_equal(
		testpg_value(pg, "select string_agg(substr(tenant_id::text, 1, 2) || (payload is not null)::text,"
				 " ' ' order by seq) from shop.outbox"),
		"0btrue 0afalse");
	tx = begin(&tenant_b);
	assert_int_equal(outbox_put_across(tx, good, events, keys, 2), OK);
	assert_int_equal(tx_commit(&tx), ERR_INTERNAL);
	assert_string_equal(tx_sqlstate(tx), "42501");
	tx_free(&tx);
	tx = begin(&tenant_b);
	assert_int_equal(tx_set_tenants(tx, named, 2), OK);
	assert_int_equal(outbox_put_across(tx, bad, events, keys, 2), OK);
	assert_int_equal(tx_commit(&tx), ERR_INTERNAL);
	assert_string_equal(tx_sqlstate(tx), "42501");
	tx_free(&tx);
	assert_string_equal(testpg_value(pg, "select count(*) from shop.outbox"), "2");
	seal_key_free(&key);
}

static void test_erased_subject(void **state)
{
	struct event event = event_of(&ada, "{\"a\":1}", NULL);
	struct tx *tx = begin(&tenant_a);
	(void)state;

	assert_int_equal(seal_erase(tx, &tenant_a, &ada), OK);
	assert_int_equal(outbox_put(tx, seal, &tenant_a, &event, 1), OK);
	assert_int_equal(tx_commit(&tx), OK);
	assert_string_equal(testpg_value(pg, "select count(*) from shop.outbox where erased and payload is null"), "1");
}

static void test_bounds(void **state)
{
	static struct event many[OUTBOX_EVENTS_MAX + 1];
	static char big[OUTBOX_DOC_MAX + 1];
	static char name[OUTBOX_NAME_MAX + 2];
	const struct str half = {big, OUTBOX_DOC_MAX / 2}, full = {big, OUTBOX_DOC_MAX};
	const struct {
		const char *name;
		struct str before, after;
		const char *action;
		instant_us at;
		enum err err;
	} cases[] = {
		{"documents up to the cap pass", half, half, "a.b", 1, OK},
		{"one document of the cap passes", full, STR_NONE, "a.b", 1, OK},
		{"documents over the cap together are too large", full, {big, 1}, "a.b", 1, ERR_TOO_LARGE},
		{"one over the cap is too large", STR_NONE, {big, sizeof(big)}, "a.b", 1, ERR_TOO_LARGE},
		{"an action over its cap is refused", STR_NONE, STR_NONE, name, 1, ERR_BAD_FIELD},
		{"no action is refused", STR_NONE, STR_NONE, NULL, 1, ERR_BAD_FIELD},
		{"an empty action is refused", STR_NONE, STR_NONE, "", 1, ERR_BAD_FIELD},
		{"an instant before 1970 is refused", STR_NONE, STR_NONE, "a.b", -1, ERR_BAD_FIELD},
	};
	struct tx *tx;
	(void)state;

	memset(big, 'x', sizeof(big));
	memset(name, 'n', OUTBOX_NAME_MAX + 1);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct event event = event_of(&ada, NULL, NULL);

		event.before = cases[i].before;
		event.after = cases[i].after;
		event.action = cases[i].action;
		event.at = cases[i].at;
		tx = begin(&tenant_a);
		CHECK(cases[i].name, outbox_put(tx, seal, &tenant_a, &event, 1) == cases[i].err);
		CHECK(cases[i].name, tx_flush(tx) == OK);
		tx_free(&tx);
	}
	for (size_t i = 0; i <= OUTBOX_EVENTS_MAX; i++)
		many[i] = event_of(&ada, NULL, "{\"some\":\"document\"}");
	tx = begin(&tenant_a);
	assert_int_equal(outbox_put(tx, seal, &tenant_a, many, OUTBOX_EVENTS_MAX + 1), ERR_TOO_LARGE);
	assert_int_equal(outbox_put(tx, seal, &tenant_a, many, OUTBOX_EVENTS_MAX), OK);
	assert_int_equal(outbox_put(tx, seal, &tenant_a, many, 0), OK);
	assert_int_equal(tx_commit(&tx), OK);
	assert_string_equal(testpg_value(pg, "select count(*) from shop.outbox"), "256");
}

/* The app role puts and counts; it neither reads what others put nor takes it away. */
static void test_rights(void **state)
{
	static const struct db_statement attacks[] = {
		{"read", "select payload from outbox", 26},
		{"delete", "delete from outbox", 18},
		{"update", "update outbox set erased = true", 31},
	};
	(void)state;

	for (size_t i = 0; i < COUNT_OF(attacks); i++) {
		struct tx *tx = begin(&tenant_a);

		CHECK(attacks[i].name, tx_exec(tx, &attacks[i], NO_PARAMS, NULL) == ERR_INTERNAL);
		CHECK(attacks[i].name, strcmp(tx_sqlstate(tx), "42501") == 0);
		tx_free(&tx);
	}
}

static void test_payload(void **state)
{
	const struct {
		const char *name;
		struct str plain;
		enum err err;
	} cases[] = {
		{"none of both", STR("\0"), OK},
		{"an empty before", STR("\1\0"), OK},
		{"both", STR("\3\1a\1b"), OK},
		{"nothing at all is refused", STR(""), ERR_INTERNAL},
		{"an unknown flag is refused", STR("\4"), ERR_INTERNAL},
		{"a missing after is refused", STR("\3\1a"), ERR_INTERNAL},
		{"a length past the end is refused", STR("\1\5ab"), ERR_INTERNAL},
		{"bytes behind are refused", STR("\1\1ab"), ERR_INTERNAL},
		{"a length not in its shortest form is refused", STR("\1\201\0a"), ERR_INTERNAL},
	};
	(void)state;

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct str before, after;

		CHECK(cases[i].name, outbox_payload_decode(cases[i].plain, &before, &after) == cases[i].err);
		CHECK(cases[i].name, cases[i].err == OK || (!before.p && !after.p));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_put, empty),
		cmocka_unit_test_setup(test_keys_given, empty),
		cmocka_unit_test_setup(test_pending, empty),
		cmocka_unit_test_setup(test_across, empty),
		cmocka_unit_test_setup(test_erased_subject, empty),
		cmocka_unit_test_setup(test_bounds, empty),
		cmocka_unit_test_setup(test_rights, empty),
		cmocka_unit_test_setup(test_payload, empty),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
