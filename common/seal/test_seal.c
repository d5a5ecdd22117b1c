/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"

#include <sodium.h>
#include <string.h>

#include "base/log.h"
#include "db/db.h"
#include "db/testpg.h"
#include "seal/seal.h"
#include "seal/seal_private.h"

/* Sealed values and their keys: what opens, what must not, and what an erasure leaves. */

static struct testpg *pg;
static struct db *db, *jobs;
static struct seal *seal;
static struct arena *arena;
static const struct uuid tenant_a = {{0xa}}, tenant_b = {{0xb}}, person_1 = {{1}}, person_2 = {{2}};
static const struct uuid row_1 = {{0x11}}, row_2 = {{0x12}};
static const struct key_epoch masters[] = {{2, {2}}, {1, {1}}};
static const struct key_epoch index_key = {0, {9}};

static int set_up(void **state)
{
	struct db_config config;
	enum err err;

	(void)state;
	log_init("test", LOG_ERROR + 1); /* every refusal here is an alarm */
	pg = testpg_start();
	testpg_migrate(pg, "shop", NULL, 0);
	config = testpg_config(pg, "shop", "app");
	if ((err = db_open(&config, &db)) != OK)
		return -1;
	config = testpg_config(pg, "shop", "jobs");
	if ((err = db_open(&config, &jobs)) != OK)
		return -1;
	arena = arena_new(8 << 20);
	return seal_new("shop", masters, 1, &index_key, &seal) == OK && arena ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	seal_free(&seal);
	arena_free(&arena);
	db_free(&db);
	db_free(&jobs);
	testpg_stop(&pg);
	return 0;
}

static int empty(void **state)
{
	(void)state;
	testpg_sql(pg, "truncate shop.person_keys");
	arena_reset(arena);
	return 0;
}

static struct tx *begin(const struct uuid *tenant)
{
	struct tx *tx = NULL;

	assert_int_equal(tenant ? tx_begin(db, tenant, &tx) : tx_begin_jobs(jobs, &tx), OK);
	return tx;
}

static struct seal_key *load(const struct uuid *tenant, const struct uuid *subject, bool create, enum err want)
{
	struct seal_key *key = NULL;
	struct tx *tx = begin(tenant);

	assert_int_equal(seal_subject_load(tx, seal, tenant, subject, create, &key), want);
	assert_int_equal(tx_commit(&tx), OK);
	assert_true((key != NULL) == (want == OK));
	return key;
}

static struct str sealed_with(struct seal_key *key, const struct seal_place *place, struct str plain)
{
	struct str sealed = STR_NONE;

	assert_int_equal(seal_field(key, place, plain, arena, &sealed), OK);
	return sealed;
}

static const struct seal_place here = {&tenant_a, "people", "name", &row_1};

static void test_round_trip(void **state)
{
	static char big[SEAL_PLAIN_MAX + 1];
	const struct str plains[] = {STR(""), STR("a"), STR("1-ABC-234"), STR("a\0b"), {big, SEAL_PLAIN_MAX}};
	struct seal_key *key = load(&tenant_a, &person_1, true, OK);
	struct str sealed, plain;
	(void)state;

	for (size_t i = 0; i < COUNT_OF(plains); i++) {
		arena_reset(arena);
		sealed = sealed_with(key, &here, plains[i]);
		assert_int_equal(sealed.len, plains[i].len + SEAL_OVERHEAD);
		assert_int_equal(seal_open(key, &here, sealed, arena, &plain), OK);
		assert_true(plain.p && str_eq(plain, plains[i]));
	}
	arena_reset(arena);
	/* absent stays absent, and two seals of one value differ */
	assert_null(sealed_with(key, &here, STR_NONE).p);
	assert_int_equal(seal_open(key, &here, STR_NONE, arena, &plain), OK);
	assert_null(plain.p);
	assert_false(str_eq(sealed_with(key, &here, STR("x")), sealed_with(key, &here, STR("x"))));
	assert_int_equal(seal_field(key, &here, (struct str){big, sizeof(big)}, arena, &sealed), ERR_TOO_LARGE);
	assert_int_equal(seal_field(NULL, &here, STR("x"), arena, &sealed), ERR_GONE);
	assert_int_equal(seal_open(NULL, &here, STR("x"), arena, &plain), ERR_GONE);
	seal_key_free(&key);
	assert_null(key);
}

static void test_places(void **state)
{
	const struct {
		const char *name;
		struct seal_place place;
	} cases[] = {
		{"another tenant's place does not open", {&tenant_b, "people", "name", &row_1}},
		{"no tenant's place does not open", {NULL, "people", "name", &row_1}},
		{"another table's place does not open", {&tenant_a, "vehicles", "name", &row_1}},
		{"another column's place does not open", {&tenant_a, "people", "mail", &row_1}},
		{"another row's place does not open", {&tenant_a, "people", "name", &row_2}},
		{"table and column do not run together", {&tenant_a, "peoplen", "ame", &row_1}},
	};
	struct seal_key *key = load(&tenant_a, &person_1, true, OK);
	struct seal_key *foreign = load(&tenant_a, &person_2, true, OK);
	struct str sealed = sealed_with(key, &here, STR("Ada"));
	struct str plain;
	(void)state;

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		CHECK(cases[i].name, seal_open(key, &cases[i].place, sealed, arena, &plain) == ERR_INTERNAL);
		CHECK(cases[i].name, plain.p == NULL);
	}
	assert_int_equal(seal_open(foreign, &here, sealed, arena, &plain), ERR_INTERNAL);
	seal_key_free(&key);
	seal_key_free(&foreign);
}

static void test_damage(void **state)
{
	struct seal_key *key = load(&tenant_a, &person_1, true, OK);
	struct str sealed = sealed_with(key, &here, STR("Ada"));
	char copy[64];
	struct str plain;
	(void)state;

	assert_true(sealed.len < sizeof(copy));
	for (size_t i = 0; i < sealed.len; i++) {
		memcpy(copy, sealed.p, sealed.len);
		copy[i] = (char)(copy[i] ^ 1);
		assert_int_equal(seal_open(key, &here, (struct str){copy, sealed.len}, arena, &plain), ERR_INTERNAL);
		assert_int_equal(seal_open(key, &here, (struct str){sealed.p, i}, arena, &plain), ERR_INTERNAL);
	}
	memcpy(copy, sealed.p, sealed.len);
	copy[sealed.len] = 0;
	assert_int_equal(seal_open(key, &here, (struct str){copy, sealed.len + 1}, arena, &plain), ERR_INTERNAL);
	seal_key_free(&key);
}

static void test_keys(void **state)
{
	struct seal_key *key;
	struct str sealed, plain;
	(void)state;

	(void)load(&tenant_a, &person_1, false, ERR_GONE);
	key = load(&tenant_a, &person_1, true, OK);
	sealed = sealed_with(key, &here, STR("Ada"));
	seal_key_free(&key);
	/* the same key the next time, `create` or not; another in another tenant, though the person has one id */
	for (int create = 0; create < 2; create++) {
		key = load(&tenant_a, &person_1, create, OK);
		assert_int_equal(seal_open(key, &here, sealed, arena, &plain), OK);
		seal_key_free(&key);
	}
	key = load(&tenant_b, &person_1, true, OK);
	assert_int_equal(seal_open(key, &here, sealed, arena, &plain), ERR_INTERNAL);
	seal_key_free(&key);
	/* the tenant's own */
	key = load(&tenant_a, NULL, true, OK);
	seal_key_free(&key);
	assert_string_equal(testpg_value(pg, "select count(*) from shop.person_keys"), "3");
	assert_string_equal(testpg_value(pg, "select count(distinct wrapped) from shop.person_keys"), "3");
}

static void test_sets(void **state)
{
	const struct uuid subjects[] = {person_1, UUID_NIL, person_2, person_1, person_2};
	struct seal_key *keys[5], *again[5];
	struct tx *tx = begin(&tenant_a);
	struct str plain;
	(void)state;

	assert_int_equal(seal_subjects_load(tx, seal, &tenant_a, subjects, 5, false, keys), OK);
	for (int i = 0; i < 5; i++)
		assert_null(keys[i]);
	assert_int_equal(seal_subjects_load(tx, seal, &tenant_a, subjects, 5, true, keys), OK);
	assert_int_equal(seal_subjects_load(tx, seal, &tenant_a, subjects, 5, false, again), OK);
	assert_int_equal(tx_commit(&tx), OK);
	for (int i = 0; i < 5; i++) {
		struct str sealed = sealed_with(keys[i], &here, STR("x"));

		for (int j = 0; j < 5; j++)
			assert_true((seal_open(again[j], &here, sealed, arena, &plain) == OK) ==
				    uuid_eq(&subjects[i], &subjects[j]));
	}
	seal_keys_free(keys, 5);
	seal_keys_free(again, 5);
	seal_keys_free(again, 5); /* once more does nothing */
	assert_int_equal(seal->free_count, SEAL_KEYS_MAX);
	for (size_t i = 0; i < SEAL_KEYS_MAX; i++)
		assert_true(sodium_is_zero(seal->vault->slots[i].key, SEAL_KEY_LEN));
}

static void test_bounds(void **state)
{
	static struct uuid subjects[SEAL_KEYS_MAX / 2 + 1];
	static struct seal_key *keys[3][SEAL_KEYS_MAX / 2 + 1];
	struct tx *tx = begin(&tenant_a);
	const size_t most = SEAL_KEYS_MAX / 2;
	(void)state;

	for (size_t i = 0; i <= most; i++)
		subjects[i] = uuid_new();
	assert_int_equal(seal_subjects_load(tx, seal, &tenant_a, subjects, most + 1, true, keys[0]), ERR_TOO_LARGE);
	assert_int_equal(seal_subjects_load(tx, seal, &tenant_a, subjects, most, true, keys[0]), OK);
	assert_int_equal(seal_subjects_load(tx, seal, &tenant_a, subjects, most, true, keys[1]), OK);
	/* full: an error, and nothing kept */
	assert_int_equal(seal_subjects_load(tx, seal, &tenant_a, subjects, 1, true, keys[2]), ERR_OVERLOADED);
	assert_null(keys[2][0]);
	seal_keys_free(keys[0], most);
	seal_keys_free(keys[1], most);
	tx_free(&tx);
}

static void test_erase(void **state)
{
	struct seal_key *key = load(&tenant_a, &person_1, true, OK);
	struct seal_key *other = load(&tenant_a, &person_2, true, OK);
	struct str sealed = sealed_with(other, &here, STR("Bo"));
	struct tx *tx = begin(&tenant_a);
	struct str plain;
	(void)state;

	seal_key_free(&key);
	seal_key_free(&other);
	assert_int_equal(seal_erase(tx, &tenant_a, &person_1), OK);
	/* gone in the same transaction, and back when it fails */
	assert_int_equal(seal_subject_load(tx, seal, &tenant_a, &person_1, true, &key), ERR_GONE);
	tx_free(&tx);
	key = load(&tenant_a, &person_1, false, OK);
	seal_key_free(&key);
	for (int twice = 0; twice < 2; twice++) {
		tx = begin(&tenant_a);
		assert_int_equal(seal_erase(tx, &tenant_a, &person_1), OK);
		assert_int_equal(tx_commit(&tx), OK);
		(void)load(&tenant_a, &person_1, false, ERR_GONE);
		(void)load(&tenant_a, &person_1, true, ERR_GONE); /* no late request makes a new one */
	}
	assert_string_equal(
		testpg_value(
			pg, "select count(*) from shop.person_keys where wrapped is null and destroyed_at is not null"),
		"1");
	other = load(&tenant_a, &person_2, false, OK);
	assert_int_equal(seal_open(other, &here, sealed, arena, &plain), OK);
	seal_key_free(&other);
	/* one who never had a key here */
	tx = begin(&tenant_b);
	assert_int_equal(seal_erase(tx, &tenant_b, &person_1), OK);
	assert_int_equal(tx_commit(&tx), OK);
	(void)load(&tenant_b, &person_1, true, ERR_GONE);
}

static void test_epochs(void **state)
{
	struct seal_key *key = load(&tenant_a, &person_1, true, OK);
	struct str sealed = sealed_with(key, &here, STR("Ada"));
	struct str plain;
	struct seal *old = seal, *both = NULL, *newest = NULL;
	struct tx *tx;
	uint64_t n = 0;
	(void)state;

	/* `seal` knows epoch 2 alone here: the older world first */
	seal_key_free(&key);
	assert_int_equal(seal_new("shop", (const struct key_epoch[]){{3, {3}}, {2, {2}}}, 2, &index_key, &both), OK);
	assert_int_equal(seal_new("shop", (const struct key_epoch[]){{3, {3}}}, 1, &index_key, &newest), OK);
	key = load(&tenant_a, &person_2, true, OK);
	seal_key_free(&key);
	seal = newest;
	(void)load(
		&tenant_a, &person_1, false, ERR_INTERNAL); /* its master key is not here: an alarm, never "erased" */
	seal = both;
	do {
		tx = begin(NULL);
		assert_int_equal(seal_rewrap(tx, both, 1, &n), OK);
		assert_int_equal(tx_commit(&tx), OK);
	} while (n);
	assert_string_equal(testpg_value(pg, "select string_agg(epoch::text, ' ') from shop.person_keys"), "3 3");
	for (int i = 0; i < 2; i++) {
		seal = i ? newest : both;
		key = load(&tenant_a, &person_1, false, OK);
		assert_int_equal(seal_open(key, &here, sealed, arena, &plain), OK);
		seal_key_free(&key);
	}
	seal = old;
	(void)load(&tenant_a, &person_1, false, ERR_INTERNAL);
	seal_free(&both);
	seal_free(&newest);
}

#define PERSON_1 "'01000000-0000-0000-0000-000000000000'"

/* A wrapped key moved to another person or tenant, or damaged, does not unwrap. */
static void test_moved_keys(void **state)
{
	static const char *const attacks[] = {
		"update shop.person_keys k set wrapped = o.wrapped from shop.person_keys o"
		" where k.subject_id = " PERSON_1 " and o.subject_id <> k.subject_id",
		"update shop.person_keys set wrapped = '\\x01' where subject_id = " PERSON_1,
		"update shop.person_keys set wrapped = '' where subject_id = " PERSON_1,
	};
	(void)state;

	for (size_t i = 0; i < COUNT_OF(attacks); i++) {
		const struct uuid tenants[] = {tenant_a, tenant_a};
		const struct uuid subjects[] = {person_1, person_2};
		struct seal_key *keys[2];
		struct seal_key *key;
		struct tx *tx;

		testpg_sql(pg, "truncate shop.person_keys");
		key = load(&tenant_a, &person_1, true, OK);
		seal_key_free(&key);
		key = load(&tenant_a, &person_2, true, OK);
		seal_key_free(&key);
		testpg_sql(pg, attacks[i]);
		(void)load(&tenant_a, &person_1, false, ERR_INTERNAL);
		/* a job over all tenants goes on without it, unless nothing opens */
		tx = begin(NULL);
		assert_int_equal(seal_jobs_load(tx, seal, tenants, subjects, 2, keys), OK);
		assert_true(!keys[0] && keys[1]);
		seal_keys_free(keys, 2);
		assert_int_equal(seal_jobs_load(tx, seal, tenants, subjects, 1, keys), ERR_INTERNAL);
		tx_free(&tx);
	}
}

static void test_index(void **state)
{
	uint8_t a[SEAL_INDEX_LEN], b[SEAL_INDEX_LEN];
	struct seal *second = NULL;
	const struct {
		const char *name, *service, *column;
		const struct uuid *tenant;
		struct str value;
		uint8_t key;
		bool same;
	} cases[] = {
		{"the same value gives the same index", "shop", "mail", &tenant_a, STR("a@b"), 9, true},
		{"another value gives another", "shop", "mail", &tenant_a, STR("a@c"), 9, false},
		{"another column gives another", "shop", "plate", &tenant_a, STR("a@b"), 9, false},
		{"another tenant gives another", "shop", "mail", &tenant_b, STR("a@b"), 9, false},
		{"no tenant gives another", "shop", "mail", NULL, STR("a@b"), 9, false},
		{"another service gives another", "cafe", "mail", &tenant_a, STR("a@b"), 9, false},
		{"another key gives another", "shop", "mail", &tenant_a, STR("a@b"), 8, false},
		{"column and value do not run together", "shop", "mai", &tenant_a, STR("la@b"), 9, false},
	};
	(void)state;

	seal_index(seal, &tenant_a, "mail", STR("a@b"), a);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct key_epoch key = {0, {cases[i].key}};

		assert_int_equal(seal_new(cases[i].service, masters, 2, &key, &second), OK);
		seal_index(second, cases[i].tenant, cases[i].column, cases[i].value, b);
		CHECK(cases[i].name, (memcmp(a, b, sizeof(a)) == 0) == cases[i].same);
		seal_free(&second);
	}
	assert_int_equal(seal_new("shop", masters, 0, &index_key, &second), ERR_BAD_FIELD);
	assert_int_equal(seal_new("shop", (const struct key_epoch[]){{1, {1}}, {2, {2}}}, 2, &index_key, &second),
		ERR_BAD_FIELD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_round_trip, empty),
		cmocka_unit_test_setup(test_places, empty),
		cmocka_unit_test_setup(test_damage, empty),
		cmocka_unit_test_setup(test_keys, empty),
		cmocka_unit_test_setup(test_sets, empty),
		cmocka_unit_test_setup(test_bounds, empty),
		cmocka_unit_test_setup(test_erase, empty),
		cmocka_unit_test_setup(test_epochs, empty),
		cmocka_unit_test_setup(test_moved_keys, empty),
		cmocka_unit_test_setup(test_index, empty),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
