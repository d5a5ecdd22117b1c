/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test_fixture.h"

#define SERVICE_DEF "contract/bookingsvc.def"
#include "service/handlers.h"

/* Many at once, each with a connection of their own: what the database promises when nobody waits for anybody. */

#define MUST(call) assert_int_equal((call), OK)
#define THREADS 32
#define EACH 2

static struct desk *desks[THREADS];
static struct ground ground;
static struct uuid tenant, pool;

struct racer {
	pthread_t thread;
	size_t n;
	void (*run)(struct racer *racer, size_t i);
	enum err errs[EACH];
	struct booking made[EACH];
};

static pthread_barrier_t barrier;

static void *race(void *arg)
{
	struct racer *racer = arg;

	pthread_barrier_wait(&barrier);
	for (size_t i = 0; i < EACH; i++)
		racer->run(racer, i);
	return NULL;
}

/* How many of 64 came out with `err`. */
static size_t run_all(struct racer *racers, void (*run)(struct racer *racer, size_t i))
{
	memset(racers, 0, THREADS * sizeof(*racers));
	assert_int_equal(pthread_barrier_init(&barrier, NULL, THREADS), 0);
	for (size_t i = 0; i < THREADS; i++) {
		arena_reset(desks[i]->worker.arena);
		racers[i].n = i;
		racers[i].run = run;
		assert_int_equal(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
	}
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(racers[i].thread, NULL);
	pthread_barrier_destroy(&barrier);
	return THREADS * (size_t)EACH;
}

static size_t count_of(const struct racer *racers, enum err err)
{
	size_t count = 0;

	for (size_t i = 0; i < THREADS; i++)
		for (size_t k = 0; k < EACH; k++)
			count += racers[i].errs[k] == err;
	return count;
}

static void report(const struct racer *racers)
{
	for (size_t i = 0; i < THREADS; i++)
		for (size_t k = 0; k < EACH; k++)
			if (racers[i].errs[k] != OK)
				print_message("%s ", err_code(racers[i].errs[k]));
	print_message("\n");
}

static void check_counts(const struct racer *racers, enum err refusal, size_t good)
{
	size_t all = THREADS * (size_t)EACH;

	if (count_of(racers, OK) != good || count_of(racers, refusal) != all - good)
		report(racers);
	assert_int_equal(count_of(racers, OK), good);
	assert_int_equal(count_of(racers, refusal), all - good);
}

static struct uuid racer_person(const struct racer *racer, size_t i)
{
	return fixture_uuid(1000 + (unsigned)(racer->n * EACH + i));
}

static void book_one_spot(struct racer *racer, size_t i)
{
	const struct uuid person = racer_person(racer, i);
	struct booking_create_request wish = fixture_wish(&ground.spots[0], 5, 6);

	racer->errs[i] = fixture_book(desks[racer->n], &tenant, &person, "User", &wish, &racer->made[i]);
}

static void test_sixty_four_want_one_spot_and_one_gets_it(void **state)
{
	struct racer racers[THREADS];

	(void)state;
	(void)run_all(racers, book_one_spot);
	check_counts(racers, ERR_SPOT_TAKEN, 1);
	assert_int_equal(fixture_count("select count(*) from booking.booking where status = 1"), 1);
	assert_int_equal(fixture_count("select count(*) from booking.outbox where action = 'booking.create'"), 1);
}

static void book_as_one_person(struct racer *racer, size_t i)
{
	const struct uuid person = fixture_uuid(1);
	struct booking_create_request wish = fixture_wish(&ground.spots[(racer->n + i) % ground.spot_count], 10, 11);

	racer->errs[i] = fixture_book(desks[racer->n], &tenant, &person, "User", &wish, &racer->made[i]);
	if (racer->errs[i] == ERR_SPOT_TAKEN) /* both are true then */
		racer->errs[i] = ERR_PERSON_UNAVAILABLE;
}

static void test_one_person_wants_all_spots_and_gets_one(void **state)
{
	struct racer racers[THREADS];

	(void)state;
	(void)run_all(racers, book_as_one_person);
	check_counts(racers, ERR_PERSON_UNAVAILABLE, 1);
}

static void book_a_place(struct racer *racer, size_t i)
{
	const struct uuid person = racer_person(racer, i);
	struct booking_create_request wish = fixture_wish(NULL, 15, 16);

	wish.area_id = pool;
	wish.has_area_id = true;
	racer->errs[i] = fixture_book(desks[racer->n], &tenant, &person, "User", &wish, &racer->made[i]);
}

static void test_a_pool_of_ten_gives_ten_places(void **state)
{
	struct racer racers[THREADS];

	(void)state;
	(void)run_all(racers, book_a_place);
	check_counts(racers, ERR_AREA_FULL, 10);
}

static void book_any_spot(struct racer *racer, size_t i)
{
	const struct uuid person = racer_person(racer, i);
	struct booking_create_request wish = fixture_wish(NULL, 20, 21);

	/* Half name a spot: both ways race for the same ones. */
	if (racer->n % 2) {
		wish.spot_id = ground.spots[(racer->n / 2) % ground.spot_count];
		wish.has_spot_id = true;
	} else {
		wish.area_id = ground.area;
		wish.has_area_id = true;
	}
	racer->errs[i] = fixture_book(desks[racer->n], &tenant, &person, "User", &wish, &racer->made[i]);
	if (racer->errs[i] == ERR_SPOT_TAKEN)
		racer->errs[i] = ERR_AREA_FULL;
}

static void test_an_area_gives_each_spot_once(void **state)
{
	struct racer racers[THREADS];

	(void)state;
	(void)run_all(racers, book_any_spot);
	check_counts(racers, ERR_AREA_FULL, ground.spot_count);
}

static void book_with_one_key(struct racer *racer, size_t i)
{
	const struct uuid person = fixture_uuid(2);
	struct call call = fixture_call(desks[racer->n], OPID_booking_create, &tenant, &person, "User");
	struct booking_create_request wish = fixture_wish(&ground.spots[0], 30, 31);

	fixture_key(&call, "one key", "one body");
	racer->errs[i] = handle_booking_create(&call, &wish, &racer->made[i]);
}

static void test_one_key_books_once_and_all_get_the_same_answer(void **state)
{
	struct racer racers[THREADS];

	(void)state;
	(void)run_all(racers, book_with_one_key);
	assert_int_equal(count_of(racers, OK), THREADS * EACH);
	for (size_t i = 0; i < THREADS; i++)
		for (size_t k = 0; k < EACH; k++)
			assert_true(uuid_eq(&racers[i].made[k].id, &racers[0].made[0].id));
}

/* Each moves a stay of their own into the same hour of the same spot. */
static struct booking own[THREADS * EACH];

static void move_to_one_spot(struct racer *racer, size_t i)
{
	const struct uuid person = racer_person(racer, i);
	struct call call = fixture_call(desks[racer->n], OPID_booking_update, &tenant, &person, "User");
	const struct booking_update_request change = {.id = own[racer->n * EACH + i].id,
		.spot_id = ground.spots[1],
		.has_spot_id = true,
		.starts_at = fixture_hour(300),
		.has_starts_at = true,
		.ends_at = fixture_hour(301),
		.has_ends_at = true};

	call.if_match = 1;
	racer->errs[i] = handle_booking_update(&call, &change, &racer->made[i]);
}

static void test_sixty_four_move_to_one_spot_and_one_gets_there(void **state)
{
	struct racer racers[THREADS];

	(void)state;
	for (unsigned n = 0; n < THREADS * EACH; n++) {
		const struct uuid person = fixture_uuid(1000 + n);
		struct booking_create_request wish = fixture_wish(&ground.spots[0], 100 + (int)n, 101 + (int)n);

		MUST(fixture_book(desks[0], &tenant, &person, "User", &wish, &own[n]));
	}
	(void)run_all(racers, move_to_one_spot);
	check_counts(racers, ERR_SPOT_TAKEN, 1);
}

/* One of the threads erases the person for whom the others book. */
static void book_or_erase(struct racer *racer, size_t i)
{
	const struct uuid person = fixture_uuid(3);
	const struct subject_request request = {.tenant_id = tenant, .person_id = person};
	struct booking_create_request wish =
		fixture_wish(&ground.spots[0], 400 + (int)(racer->n * EACH + i), 401 + (int)(racer->n * EACH + i));
	struct subject_erased erased = {0};
	struct call call;

	if (racer->n > 0) {
		racer->errs[i] = fixture_book(desks[racer->n], &tenant, &person, "User", &wish, &racer->made[i]);
		return;
	}
	for (int tries = 0; tries < 200 && !erased.done; tries++) {
		call = fixture_call(desks[0], OPID_booking_erase, &tenant, &UUID_NIL, "");
		racer->errs[i] = handle_booking_erase(&call, &request, &erased);
		if (racer->errs[i] != OK && racer->errs[i] != ERR_UNAVAILABLE)
			return;
		/* The relay. */
		call = fixture_call(desks[0], OPID_booking_erase, &tenant, &UUID_NIL, "");
		{
			struct tx *tx = NULL;
			static const char text[] = "delete from outbox";
			static const struct db_statement drain = {"drain", text, sizeof(text) - 1};

			if (tx_begin_jobs(desks[0]->state.jobs, &tx) == OK &&
				tx_exec(tx, &drain, NO_PARAMS, NULL) == OK)
				assert_int_equal(tx_commit(&tx), OK);
			tx_free(&tx);
		}
	}
	if (!erased.done)
		racer->errs[i] = ERR_DEADLINE;
}

static void test_who_is_erased_while_booking_keeps_nothing(void **state)
{
	struct racer racers[THREADS];

	(void)state;
	(void)run_all(racers, book_or_erase);
	assert_int_equal(racers[0].errs[0], OK);
	for (size_t i = 1; i < THREADS; i++)
		for (size_t k = 0; k < EACH; k++)
			assert_true(racers[i].errs[k] == OK || racers[i].errs[k] == ERR_UNAUTHENTICATED ||
				    racers[i].errs[k] == ERR_UNAVAILABLE);
	assert_int_equal(fixture_count("select count(*) from booking.person where id ="
				       " '0192a3b4-c5d6-7000-0000-000000000003'"),
		0);
	assert_int_equal(fixture_count("select count(*) from booking.booking b where status <> 4 and person_no"
				       " is null"
				       " and starts_at > now() + interval '16 days'"),
		0);
}

static int start(void **state)
{
	int failed = fixture_start(state);

	for (size_t i = 0; i < THREADS; i++)
		desks[i] = desk_new();
	tenant = fixture_uuid(0x10000);
	ground = fixture_ground(desks[0], &tenant, 8);
	pool = fixture_pool(desks[0], &ground, 10);
	return failed;
}

static int stop(void **state)
{
	for (size_t i = 0; i < THREADS; i++)
		desk_free(&desks[i]);
	return fixture_stop(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sixty_four_want_one_spot_and_one_gets_it),
		cmocka_unit_test(test_one_person_wants_all_spots_and_gets_one),
		cmocka_unit_test(test_a_pool_of_ten_gives_ten_places),
		cmocka_unit_test(test_an_area_gives_each_spot_once),
		cmocka_unit_test(test_one_key_books_once_and_all_get_the_same_answer),
		cmocka_unit_test(test_sixty_four_move_to_one_spot_and_one_gets_there),
		cmocka_unit_test(test_who_is_erased_while_booking_keeps_nothing),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
