/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/test.h"
#include "token/revocation.h"

#define NOW (INT64_C(1800000000) * US_PER_S)

static struct uuid id_of(uint8_t kind, uint32_t n)
{
	struct uuid id = {{kind, 1}};

	memcpy(id.b + 8, &n, sizeof(n));
	return id;
}

static struct token sample(void)
{
	struct token token = {.person_id = id_of(1, 1),
		.tenant_id = id_of(2, 1),
		.session_id = id_of(3, 1),
		.token_id = id_of(4, 1),
		.issued_at = NOW,
		.expires_at = NOW + 600 * US_PER_S};

	memcpy(token.client_id, "web", 4);
	return token;
}

static const struct {
	const char *name;
	struct revocation revocation;
	bool hit;
} cases[] = {
	{"its session", {.kind = REVOCATION_SESSION, .id = {{3, 1, [8] = 1}}}, true},
	{"another session", {.kind = REVOCATION_SESSION, .id = {{3, 1, [8] = 2}}}, false},
	{"the token itself", {.kind = REVOCATION_TOKEN, .id = {{4, 1, [8] = 1}}}, true},
	{"a session of the token's id", {.kind = REVOCATION_SESSION, .id = {{4, 1, [8] = 1}}}, false},
	{"its person, later", {.kind = REVOCATION_PERSON, .id = {{1, 1, [8] = 1}}, .issued_before = NOW + 1}, true},
	{"its person, in the same millisecond",
		{.kind = REVOCATION_PERSON, .id = {{1, 1, [8] = 1}}, .issued_before = NOW}, true},
	{"its person, earlier", {.kind = REVOCATION_PERSON, .id = {{1, 1, [8] = 1}}, .issued_before = NOW - 1}, false},
	{"another person", {.kind = REVOCATION_PERSON, .id = {{1, 1, [8] = 2}}, .issued_before = NOW + 1}, false},
	{"its client", {.kind = REVOCATION_CLIENT, .client_id = {"web", 3}, .issued_before = NOW}, true},
	{"its client, earlier", {.kind = REVOCATION_CLIENT, .client_id = {"web", 3}, .issued_before = NOW - 1}, false},
	{"a client whose name is longer", {.kind = REVOCATION_CLIENT, .client_id = {"web2", 4}, .issued_before = NOW},
		false},
	{"its tenant", {.kind = REVOCATION_TENANT, .id = {{2, 1, [8] = 1}}, .issued_before = NOW}, true},
};

static void a_revocation_hits_what_it_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct revocations *set = revocation_new(16);
		struct revocation revocation = cases[i].revocation;
		struct token token = sample();

		revocation.until = NOW + 3600 * US_PER_S;
		CHECK(cases[i].name, !revocation_hit(set, &token));
		CHECK(cases[i].name, revocation_add(set, &revocation, NOW) == OK);
		CHECK(cases[i].name, revocation_hit(set, &token) == cases[i].hit);
		CHECK(cases[i].name, revocation_count(set) == 1);
		revocation_free(&set);
	}
}

static void a_client_without_a_person_is_not_hit_by_persons(void **state)
{
	struct revocations *set = revocation_new(4);
	struct revocation nobody = {.kind = REVOCATION_PERSON, .issued_before = NOW, .until = NOW + 1};
	struct token token = sample();

	(void)state;
	token.person_id = UUID_NIL;
	assert_int_equal(revocation_add(set, &nobody, NOW), ERR_BAD_FIELD);
	nobody.kind = REVOCATION_CLIENT;
	assert_int_equal(revocation_add(set, &nobody, NOW), ERR_BAD_FIELD);
	nobody.kind = (enum revocation_kind)9;
	assert_int_equal(revocation_add(set, &nobody, NOW), ERR_BAD_FIELD);
	assert_false(revocation_hit(set, &token));
	revocation_free(&set);
}

static void a_later_revocation_widens_and_an_earlier_one_does_not_narrow(void **state)
{
	struct revocations *set = revocation_new(4);
	struct revocation person = {
		.kind = REVOCATION_PERSON, .id = id_of(1, 1), .issued_before = NOW - 1, .until = NOW + 10};
	struct token token = sample();

	(void)state;
	assert_int_equal(revocation_add(set, &person, NOW - 5), OK);
	assert_false(revocation_hit(set, &token));
	person.issued_before = NOW;
	person.until = NOW + 20;
	assert_int_equal(revocation_add(set, &person, NOW), OK);
	person.issued_before = NOW - 2;
	person.until = NOW + 1;
	assert_int_equal(revocation_add(set, &person, NOW), OK);
	assert_int_equal(revocation_count(set), 1);
	assert_true(revocation_hit(set, &token));
	revocation_sweep(set, NOW + 19);
	assert_true(revocation_hit(set, &token));
	revocation_sweep(set, NOW + 20);
	assert_int_equal(revocation_count(set), 0);
	assert_false(revocation_hit(set, &token));
	revocation_free(&set);
}

static void add_sessions(struct revocations *set, uint32_t first, uint32_t count, instant_us until)
{
	for (uint32_t n = first; n < first + count; n++) {
		struct revocation one = {.kind = REVOCATION_SESSION, .id = id_of(3, n), .until = until};

		assert_int_equal(revocation_add(set, &one, NOW), OK);
	}
}

static void what_ran_out_makes_room(void **state)
{
	struct revocations *set = revocation_new(100);
	struct token token = sample();

	(void)state;
	add_sessions(set, 1000, 50, NOW + 1);
	add_sessions(set, 1, 50, NOW + 3600 * US_PER_S);
	assert_int_equal(revocation_count(set), 100);
	revocation_sweep(set, NOW + 1);
	assert_int_equal(revocation_count(set), 50);
	for (uint32_t n = 1; n <= 50; n++) {
		token.session_id = id_of(3, n);
		assert_true(revocation_hit(set, &token));
	}
	for (uint32_t n = 1000; n < 1050; n++) {
		token.session_id = id_of(3, n);
		assert_false(revocation_hit(set, &token));
	}
	assert_int_equal(revocation_overflowed(set), 0);
	/* An entry that has run out already says nothing. */
	add_sessions(set, 2000, 1, NOW);
	assert_int_equal(revocation_count(set), 50);
	revocation_free(&set);
}

static void overflow_refuses_everything_issued_until_then(void **state)
{
	struct revocations *set = revocation_new(10);
	struct token token = sample();

	(void)state;
	add_sessions(set, 100, 10, NOW + 3600 * US_PER_S);
	assert_false(revocation_hit(set, &token));
	assert_int_equal(revocation_overflowed(set), 0);
	add_sessions(set, 200, 1, NOW + 3600 * US_PER_S);
	assert_int_equal(revocation_overflowed(set), NOW + TOKEN_LEEWAY_US);
	assert_true(revocation_hit(set, &token));
	token.issued_at = NOW + TOKEN_LEEWAY_US; /* of a clock as far ahead as we tolerate */
	assert_true(revocation_hit(set, &token));
	token.issued_at++;
	assert_false(revocation_hit(set, &token));
	token.session_id = id_of(3, 105); /* what was held is still held */
	assert_true(revocation_hit(set, &token));
	add_sessions(set, 105, 1, NOW + 7200 * US_PER_S); /* and can be widened */
	revocation_sweep(set, NOW + 3600 * US_PER_S);
	assert_int_equal(revocation_overflowed(set), NOW + TOKEN_LEEWAY_US);
	revocation_sweep(set, NOW + 3610 * US_PER_S);
	assert_int_equal(revocation_overflowed(set), 0);
	assert_int_equal(revocation_count(set), 1);
	revocation_free(&set);
}

static void distrust_only_grows_until_it_has_run_out(void **state)
{
	struct revocations *set = revocation_new(1);
	struct token token = sample();

	(void)state;
	revocation_distrust(set, NOW);
	revocation_distrust(set, NOW - 100);
	assert_int_equal(revocation_overflowed(set), NOW);
	assert_true(revocation_hit(set, &token));
	revocation_free(&set);
	assert_null(revocation_new(0));
	assert_null(revocation_new(SIZE_MAX));
	revocation_free(&set);
}

struct race {
	struct revocations *set;
	atomic_bool stop;
	atomic_uint reads;
};

static void *read_all_the_time(void *arg)
{
	struct race *race = arg;
	struct token always = sample();
	struct token never = sample();

	always.session_id = id_of(3, 7);
	never.session_id = id_of(3, 1U << 30);
	while (!atomic_load(&race->stop)) {
		if (!revocation_hit(race->set, &always) || revocation_hit(race->set, &never))
			return race; /* not NULL: wrong */
		atomic_fetch_add(&race->reads, 1);
	}
	return NULL;
}

static void readers_see_a_whole_table_while_it_changes(void **state)
{
	struct race race = {.set = revocation_new(1000)};
	pthread_t readers[2];

	(void)state;
	add_sessions(race.set, 7, 1, NOW + 3600 * US_PER_S);
	for (size_t i = 0; i < COUNT_OF(readers); i++)
		assert_int_equal(pthread_create(&readers[i], NULL, read_all_the_time, &race), 0);
	for (uint32_t round = 1; round < 200 || atomic_load(&race.reads) < 1000; round++) {
		add_sessions(race.set, round * 100, 100, NOW + (instant_us)round);
		revocation_sweep(race.set, NOW + (instant_us)round);
	}
	atomic_store(&race.stop, true);
	for (size_t i = 0; i < COUNT_OF(readers); i++) {
		void *wrong;

		assert_int_equal(pthread_join(readers[i], &wrong), 0);
		assert_null(wrong);
	}
	assert_int_equal(revocation_count(race.set), 1);
	revocation_free(&race.set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_revocation_hits_what_it_names),
		cmocka_unit_test(a_client_without_a_person_is_not_hit_by_persons),
		cmocka_unit_test(a_later_revocation_widens_and_an_earlier_one_does_not_narrow),
		cmocka_unit_test(what_ran_out_makes_room),
		cmocka_unit_test(overflow_refuses_everything_issued_until_then),
		cmocka_unit_test(distrust_only_grows_until_it_has_run_out),
		cmocka_unit_test(readers_see_a_whole_table_while_it_changes),
	};

	return cmocka_run_group_tests_name("revocation", tests, NULL, NULL);
}
