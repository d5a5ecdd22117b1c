/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "db/idempotency.h"
#include "db/testpg.h"

/* One effect per key, whatever races or fails; the stored answer for whoever asks again. */

static struct testpg *pg;
static struct db *db, *jobs;
static struct db_config app;
static struct seal *seal;
static struct arena *arena;
static const struct uuid tenant_a = {{0xa}}, tenant_b = {{0xb}}, ada = {{1}}, bo = {{2}};
static const struct key_epoch master = {1, {1}};

static const char effects_table[] = "create table effect (n integer); grant select, insert on effect to :app_role;";
static const struct db_migration migrations[] = {{10, "effects", effects_table, sizeof(effects_table) - 1, {0}}};
static const struct db_statement put_effect = {"put_effect", "insert into effect values (1)", 29};

static int set_up(void **state)
{
	struct db_config config;

	(void)state;
	log_init("test", LOG_ERROR + 1);
	pg = testpg_start();
	testpg_migrate(pg, "shop", migrations, 1);
	app = testpg_config(pg, "shop", "app");
	app.lock_timeout_ms = 400;
	config = testpg_config(pg, "shop", "jobs");
	arena = arena_new(8 << 20);
	if (!arena || db_open(&app, &db) != OK || db_open(&config, &jobs) != OK)
		return -1;
	return seal_new("shop", &master, 1, &master, &seal) == OK ? 0 : -1;
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
	testpg_sql(pg, "truncate shop.person_keys, shop.idempotency, shop.effect");
	arena_reset(arena);
	return 0;
}

static struct tx *begin(const struct uuid *tenant)
{
	struct tx *tx = NULL;

	assert_int_equal(tx_begin(db, tenant, &tx), OK);
	return tx;
}

/* A request as a handler carries it out; true when it had its effect now. */
static bool request(const struct uuid *tenant, const struct uuid *person, int operation, struct str key,
	struct str body, enum err want, struct idempotency_answer *answer)
{
	struct idempotency_claim claim = idempotency_claim(tenant, person, operation, key, body);
	struct tx *tx = begin(tenant);
	bool done = false;

	assert_int_equal(idempotency_begin(tx, seal, &claim, arena, answer), want);
	if (want == OK && !answer->found) {
		assert_int_equal(tx_exec(tx, &put_effect, NO_PARAMS, NULL), OK);
		assert_int_equal(idempotency_finish(tx, seal, &claim, NULL, 201, STR("{\"name\":\"Ada\"}"), arena), OK);
		assert_int_equal(tx_commit(&tx), OK);
		done = true;
	}
	tx_free(&tx);
	return done;
}

static void test_once(void **state)
{
	const struct {
		const char *name;
		const struct uuid *tenant, *person;
		int operation;
		struct str key, body;
		enum err err;
		bool done;
	} cases[] = {
		{"the first request is carried out", &tenant_a, &ada, 7, STR("k1"), STR("body"), OK, true},
		{"the same again gives its answer", &tenant_a, &ada, 7, STR("k1"), STR("body"), OK, false},
		{"and again", &tenant_a, &ada, 7, STR("k1"), STR("body"), OK, false},
		{"another body is refused", &tenant_a, &ada, 7, STR("k1"), STR("BODY"), ERR_KEY_REUSED, false},
		{"another key is another request", &tenant_a, &ada, 7, STR("k2"), STR("body"), OK, true},
		{"another operation is another request", &tenant_a, &ada, 8, STR("k1"), STR("body"), OK, true},
		{"another person is another request", &tenant_a, &bo, 7, STR("k1"), STR("body"), OK, true},
		{"another tenant is another request", &tenant_b, &ada, 7, STR("k1"), STR("body"), OK, true},
		{"the first still stands", &tenant_a, &ada, 7, STR("k1"), STR("body"), OK, false},
	};
	(void)state;

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct idempotency_answer answer;

		CHECK(cases[i].name, request(cases[i].tenant, cases[i].person, cases[i].operation, cases[i].key,
					     cases[i].body, cases[i].err, &answer) == cases[i].done);
		CHECK(cases[i].name, answer.found == (cases[i].err == OK && !cases[i].done));
		CHECK(cases[i].name,
			!answer.found || (answer.status == 201 && str_eq_c(answer.reply, "{\"name\":\"Ada\"}")));
	}
	assert_string_equal(testpg_value(pg, "select count(*) from shop.effect"), "5");
	assert_string_equal(
		testpg_value(pg, "select count(*) from shop.idempotency where position('Ada'::bytea in reply) > 0"),
		"0");
}

static void test_rolled_back(void **state)
{
	struct idempotency_claim claim = idempotency_claim(&tenant_a, &ada, 7, STR("k"), STR("b"));
	struct idempotency_answer answer;
	struct tx *tx = begin(&tenant_a);
	(void)state;

	assert_int_equal(idempotency_begin(tx, seal, &claim, arena, &answer), OK);
	assert_false(answer.found);
	assert_int_equal(idempotency_finish(tx, seal, &claim, NULL, 201, STR("x"), arena), OK);
	tx_free(&tx); /* the change failed: so did its claim */
	assert_true(request(&tenant_a, &ada, 7, STR("k"), STR("b"), OK, &answer));
	/* committed without an answer: never carried out again in silence */
	claim = idempotency_claim(&tenant_a, &ada, 7, STR("k3"), STR("b"));
	tx = begin(&tenant_a);
	assert_int_equal(idempotency_begin(tx, seal, &claim, arena, &answer), OK);
	assert_int_equal(tx_commit(&tx), OK);
	assert_false(request(&tenant_a, &ada, 7, STR("k3"), STR("b"), ERR_IN_PROGRESS, &answer));
	/* an empty answer is an answer */
	claim = idempotency_claim(&tenant_a, &ada, 7, STR("k4"), STR("b"));
	tx = begin(&tenant_a);
	assert_int_equal(idempotency_begin(tx, seal, &claim, arena, &answer), OK);
	assert_int_equal(idempotency_finish(tx, seal, &claim, NULL, 204, STR_NONE, arena), OK);
	assert_int_equal(tx_commit(&tx), OK);
	tx = begin(&tenant_a);
	assert_int_equal(idempotency_begin(tx, seal, &claim, arena, &answer), OK);
	assert_true(answer.found && answer.status == 204 && answer.reply.len == 0);
	tx_free(&tx);
}

/* ---- racing ---- */

#define RACERS 8
static pthread_barrier_t barrier;

struct racer {
	enum err err;
	bool done, found;
};

static void *race(void *arg)
{
	struct idempotency_claim claim = idempotency_claim(&tenant_a, &ada, 7, STR("k"), STR("b"));
	struct racer *racer = arg;
	struct idempotency_answer answer = {0};
	struct arena *own = arena_new(4 << 20);
	struct seal *own_seal = NULL;
	struct db *on = NULL;
	struct tx *tx = NULL;

	if (!own || db_open(&app, &on) != OK || seal_new("shop", &master, 1, &master, &own_seal) != OK ||
		db_ping(on) != OK)
		abort();
	pthread_barrier_wait(&barrier);
	racer->err = tx_begin(on, &tenant_a, &tx);
	if (racer->err == OK)
		racer->err = idempotency_begin(tx, own_seal, &claim, own, &answer);
	racer->found = answer.found;
	if (racer->err == OK && !answer.found) {
		racer->err = tx_exec(tx, &put_effect, NO_PARAMS, NULL);
		usleep(50000);
		if (racer->err == OK)
			racer->err = idempotency_finish(tx, own_seal, &claim, NULL, 201, STR("x"), own);
		if (racer->err == OK)
			racer->err = tx_commit(&tx);
		racer->done = racer->err == OK;
	}
	tx_free(&tx);
	seal_free(&own_seal);
	db_free(&on);
	arena_free(&own);
	return NULL;
}

static void test_race(void **state)
{
	struct racer racers[RACERS] = {0};
	pthread_t threads[RACERS];
	int done = 0;
	(void)state;

	pthread_barrier_init(&barrier, NULL, RACERS);
	for (size_t i = 0; i < RACERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
	for (size_t i = 0; i < RACERS; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&barrier);
	for (size_t i = 0; i < RACERS; i++) {
		assert_int_equal(racers[i].err, OK);
		assert_true(racers[i].done != racers[i].found);
		done += racers[i].done;
	}
	assert_int_equal(done, 1);
	assert_string_equal(testpg_value(pg, "select count(*) from shop.effect"), "1");
}

static void test_still_running(void **state)
{
	struct idempotency_claim claim = idempotency_claim(&tenant_a, &ada, 7, STR("k"), STR("b"));
	struct idempotency_answer answer;
	struct db *other = NULL;
	struct tx *first = begin(&tenant_a), *second = NULL;
	(void)state;

	assert_int_equal(idempotency_begin(first, seal, &claim, arena, &answer), OK);
	assert_int_equal(db_open(&app, &other), OK);
	assert_int_equal(tx_begin(other, &tenant_a, &second), OK);
	assert_int_equal(idempotency_begin(second, seal, &claim, arena, &answer), ERR_IN_PROGRESS);
	tx_free(&second);
	tx_free(&first);
	db_free(&other);
}

/* ---- batches ---- */

static void test_batch(void **state)
{
	const struct str bodies[6] = {STR("b0"), STR("b1"), STR("b2"), STR("b1"), STR("b4"), STR("other")};
	const struct str keys[6] = {STR("k0"), STR("k1"), STR("k2"), STR("k1"), STR("k4"), STR("k0")};
	const struct str replies[6] = {STR_NONE, STR("r1"), STR_NONE, STR_NONE, STR("r4"), STR_NONE};
	const int statuses[6] = {0, 201, 0, 0, 201, 0};
	struct idempotency_claim claims[6];
	struct idempotency_answer answers[6], answer;
	struct tx *tx;
	(void)state;

	assert_true(request(&tenant_a, &ada, 7, STR("k0"), STR("b0"), OK, &answer));
	for (size_t i = 0; i < 6; i++)
		claims[i] = idempotency_claim(&tenant_a, i == 4 ? &bo : &ada, 7, keys[i], bodies[i]);
	tx = begin(&tenant_a);
	assert_int_equal(idempotency_begin_many(tx, seal, claims, 6, arena, answers), OK);
	assert_true(answers[0].err == OK && answers[0].found && str_eq_c(answers[0].reply, "{\"name\":\"Ada\"}"));
	assert_true(answers[1].err == OK && !answers[1].found);
	assert_true(answers[2].err == OK && !answers[2].found);
	assert_true(answers[3].err == ERR_IN_PROGRESS); /* the second of one key */
	assert_true(answers[4].err == OK && !answers[4].found);
	assert_true(answers[5].err == ERR_KEY_REUSED);
	/* 1 and 4 succeed; 2 was refused by a rule, and may be tried again */
	{
		const struct idempotency_claim finished[3] = {claims[1], claims[2], claims[4]};
		const struct str texts[3] = {replies[1], STR_NONE, replies[4]};
		const int codes[3] = {statuses[1], 0, statuses[4]};

		assert_int_equal(idempotency_finish_many(tx, seal, finished, NULL, codes, texts, 3, arena), OK);
	}
	assert_int_equal(tx_commit(&tx), OK);
	tx = begin(&tenant_a);
	assert_int_equal(idempotency_begin_many(tx, seal, claims, 6, arena, answers), OK);
	assert_true(answers[1].found && str_eq_c(answers[1].reply, "r1"));
	assert_true(answers[2].err == OK && !answers[2].found);
	assert_true(answers[3].found && str_eq_c(answers[3].reply, "r1"));
	assert_true(answers[4].found && str_eq_c(answers[4].reply, "r4"));
	tx_free(&tx);
}

static void test_bounds(void **state)
{
	static struct idempotency_claim claims[IDEMPOTENCY_BATCH_MAX + 1];
	static struct idempotency_answer answers[IDEMPOTENCY_BATCH_MAX + 1];
	static char big[IDEMPOTENCY_REPLY_MAX + 1];
	struct tx *tx = begin(&tenant_a);
	char key[16];
	(void)state;

	for (int i = 0; i <= IDEMPOTENCY_BATCH_MAX; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		claims[i] = idempotency_claim(&tenant_a, &ada, 7, str_from(key), STR(""));
	}
	assert_int_equal(
		idempotency_begin_many(tx, seal, claims, IDEMPOTENCY_BATCH_MAX + 1, arena, answers), ERR_TOO_LARGE);
	assert_int_equal(idempotency_begin_many(tx, seal, claims, IDEMPOTENCY_BATCH_MAX, arena, answers), OK);
	for (int i = 0; i < IDEMPOTENCY_BATCH_MAX; i++)
		assert_true(answers[i].err == OK && !answers[i].found);
	assert_int_equal(idempotency_begin_many(tx, seal, claims, 0, arena, answers), OK);
	memset(big, 'x', sizeof(big));
	assert_int_equal(idempotency_finish(tx, seal, &claims[0], NULL, 200, (struct str){big, sizeof(big)}, arena),
		ERR_TOO_LARGE);
	tx_free(&tx);
}

/* ---- what goes ---- */

static void test_erased(void **state)
{
	struct idempotency_answer answer;
	struct tx *tx;
	(void)state;

	assert_true(request(&tenant_a, &ada, 7, STR("k"), STR("b"), OK, &answer));
	assert_true(request(&tenant_a, &bo, 7, STR("k"), STR("b"), OK, &answer));
	tx = begin(&tenant_a);
	assert_int_equal(seal_erase(tx, &tenant_a, &ada), OK);
	assert_int_equal(tx_commit(&tx), OK);
	assert_false(request(&tenant_a, &ada, 7, STR("k"), STR("b"), ERR_GONE, &answer));
	tx = begin(&tenant_a);
	assert_int_equal(idempotency_forget(tx, &tenant_a, &ada), OK);
	assert_int_equal(tx_commit(&tx), OK);
	assert_string_equal(testpg_value(pg, "select count(*) from shop.idempotency"), "1");
}

/* An answer put in another claim's row by whoever can write the table does not open there. */
static void test_moved(void **state)
{
	struct idempotency_answer answer;
	(void)state;

	assert_true(request(&tenant_a, &ada, 7, STR("k1"), STR("b"), OK, &answer));
	assert_true(request(&tenant_a, &ada, 7, STR("k2"), STR("b"), OK, &answer));
	testpg_sql(pg,
		"update shop.idempotency set reply = (select reply from shop.idempotency order by key_hash limit 1)");
	{
		int opened = 0;

		for (int i = 1; i <= 2; i++) {
			struct idempotency_claim claim =
				idempotency_claim(&tenant_a, &ada, 7, i == 1 ? STR("k1") : STR("k2"), STR("b"));
			struct tx *tx = begin(&tenant_a);
			enum err err = idempotency_begin(tx, seal, &claim, arena, &answer);

			assert_true(err == OK || err == ERR_INTERNAL);
			assert_true((err == OK) == answer.found);
			opened += answer.found;
			tx_free(&tx);
		}
		assert_int_equal(opened, 1);
	}
}

static void test_sweep(void **state)
{
	struct idempotency_answer answer;
	struct tx *tx = NULL;
	uint64_t n = 0;
	(void)state;

	assert_true(request(&tenant_a, &ada, 7, STR("k1"), STR("b"), OK, &answer));
	assert_true(request(&tenant_b, &bo, 7, STR("k2"), STR("b"), OK, &answer));
	assert_int_equal(tx_begin_jobs(jobs, &tx), OK);
	assert_int_equal(idempotency_sweep(tx, clock_now_us() + US_PER_DAY - US_PER_S * 60, 10, &n), OK);
	assert_int_equal(n, 0);
	assert_int_equal(idempotency_sweep(tx, clock_now_us() + US_PER_DAY + US_PER_S, 1, &n), OK);
	assert_int_equal(n, 1);
	assert_int_equal(idempotency_sweep(tx, clock_now_us() + US_PER_DAY + US_PER_S, 10, &n), OK);
	assert_int_equal(n, 1);
	assert_int_equal(tx_commit(&tx), OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_once, empty),
		cmocka_unit_test_setup(test_rolled_back, empty),
		cmocka_unit_test_setup(test_race, empty),
		cmocka_unit_test_setup(test_still_running, empty),
		cmocka_unit_test_setup(test_batch, empty),
		cmocka_unit_test_setup(test_bounds, empty),
		cmocka_unit_test_setup(test_erased, empty),
		cmocka_unit_test_setup(test_moved, empty),
		cmocka_unit_test_setup(test_sweep, empty),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
