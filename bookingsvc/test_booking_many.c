/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "handle_booking_many.h"
#include "store_stay.h"
#include "test_fixture.h"

#define SERVICE_DEF "contract/bookingsvc.def"
#include "service/handlers.h"

/*
 * The set-based form of booking_create against the single one: random batches over two tenants, made as a batch in
 * one pair of tenants and one by one in another of the same shape; every outcome and the tables in the end are
 * equal.
 */

#define MUST(call) assert_int_equal((call), OK)
#define ITEMS_MAX 64
#define SPOTS 4
#define PEOPLE 6

static struct desk *desk;

/* One half of the experiment. */
struct side {
	struct ground grounds[2];
	struct uuid pools[2];
};

static struct side batch_side, single_side;
static unsigned seed = 20240607;

static unsigned any(unsigned below)
{
	seed = seed * 1103515245U + 12345U;
	return (seed >> 16) % below;
}

static struct side side_new(unsigned base)
{
	struct side side;

	for (unsigned t = 0; t < 2; t++) {
		const struct uuid tenant = fixture_uuid(base + t);
		const struct uuid admin = fixture_uuid(999999);
		const struct delegation_create_request wish = {
			.assistant_id = fixture_uuid(1), .principal_id = fixture_uuid(2)};
		struct call call = fixture_call(desk, OPID_delegation_create, &tenant, &admin, "Admin");
		struct delegation delegation = {0};

		side.grounds[t] = fixture_ground(desk, &tenant, SPOTS);
		side.pools[t] = fixture_pool(desk, &side.grounds[t], 2);
		MUST(handle_delegation_create(&call, &wish, &delegation));
	}
	return side;
}

/* What is asked, apart from the side on which. */
struct item {
	unsigned tenant, caller, person, spot, role;
	bool to_area, to_pool, bad_spot, has_key, has_note;
	int from, to;
	char key[24], body[24];
};

static const char *const roles[] = {"User", "User", "User", "Assistant", "Reception"};

static struct item item_any(unsigned round, unsigned i)
{
	struct item item = {.tenant = any(2),
		.caller = any(PEOPLE),
		.spot = any(SPOTS),
		.role = any(5),
		.to_area = any(12) == 0,
		.to_pool = any(12) == 0,
		.bad_spot = any(20) == 0,
		.has_key = any(3) != 0,
		.has_note = any(2) == 0,
		.from = (int)any(24) - (any(30) == 0 ? 40 : 0)};

	item.person = any(3) == 0 ? any(PEOPLE + 1) : item.caller; /* the last does not exist */
	item.to = item.from + (any(25) == 0 ? 0 : 1 + (int)any(3));
	snprintf(item.key, sizeof(item.key), "k%u-%u", round, any(4) == 0 ? any(4) : 100 + i);
	snprintf(item.body, sizeof(item.body), "b%u", any(5) == 0 ? i : 0);
	return item;
}

static struct uuid person_of(unsigned n)
{
	return n == PEOPLE ? (struct uuid){{0xee}} : fixture_uuid(1 + n);
}

static void item_ask(
	const struct item *item, const struct side *side, struct call *call, struct booking_create_request *wish)
{
	const struct ground *ground = &side->grounds[item->tenant];
	/* A spot of the other tenant, which is in the batch as well, is as absent as one that never was. */
	const struct uuid caller = person_of(item->caller),
			  nowhere = item->spot % 2 ? fixture_uuid(5555)
	                                           : side->grounds[1 - item->tenant].spots[item->spot];

	*call = fixture_call(desk, OPID_booking_create, &ground->tenant, &caller, roles[item->role]);
	if (item->has_key)
		fixture_key(call, item->key, item->body);
	*wish = fixture_wish(item->to_area || item->to_pool ? NULL : &ground->spots[item->spot], item->from, item->to);
	if (item->bad_spot && wish->has_spot_id)
		wish->spot_id = nowhere;
	wish->has_area_id = item->to_area || item->to_pool;
	wish->area_id = item->to_pool ? side->pools[item->tenant] : ground->area;
	wish->has_for_person_id = item->person != item->caller;
	wish->for_person_id = person_of(item->person);
	wish->has_note = item->has_note;
	wish->note = item->has_note ? STR("ein Zettel") : STR_NONE;
}

/* Goes after the others: an area, or the key of one that goes with the others. */
static bool goes_alone(const struct item *items, size_t i)
{
	if (items[i].to_area || items[i].to_pool)
		return true;
	for (size_t k = 0; k < i && items[i].has_key; k++)
		if (items[k].has_key && items[k].tenant == items[i].tenant && items[k].caller == items[i].caller &&
			strcmp(items[k].key, items[i].key) == 0 && !goes_alone(items, k))
			return true;
	return false;
}

/* The order that the batch promises: spots first, by tenant, spot and start; then the rest as it came. */
static int spot_order(const struct item *items, size_t i, size_t k)
{
	const struct item *a = &items[i], *b = &items[k];
	const bool a_area = goes_alone(items, i), b_area = goes_alone(items, k);

	if (a_area != b_area)
		return a_area - b_area;
	if (!a_area && a->tenant != b->tenant)
		return a->tenant < b->tenant ? -1 : 1;
	if (!a_area && a->bad_spot != b->bad_spot)
		return a->bad_spot - b->bad_spot;
	if (!a_area && a->spot != b->spot)
		return a->spot < b->spot ? -1 : 1;
	if (!a_area && a->from != b->from)
		return a->from < b->from ? -1 : 1;
	return i < k ? -1 : 1;
}

static void order_of(const struct item *items, size_t count, size_t *order)
{
	for (size_t i = 0; i < count; i++) {
		size_t k = i;

		for (; k > 0 && spot_order(items, order[k - 1], i) > 0; k--)
			order[k] = order[k - 1];
		order[k] = i;
	}
}

static void check_same(size_t i, enum err batch_err, const struct call *batch_call, const struct booking *batch,
	enum err err, const struct call *call, const struct booking *single)
{
	char name[64];

	snprintf(name, sizeof(name), "item %zu: %d and %d", i, (int)batch_err, (int)err);
	/* What collides both ways is told the one or the other: the batch looks when all of it stands. */
	if ((batch_err == ERR_SPOT_TAKEN || batch_err == ERR_PERSON_UNAVAILABLE) &&
		(err == ERR_SPOT_TAKEN || err == ERR_PERSON_UNAVAILABLE))
		return;
	CHECK(name, batch_err == err);
	CHECK(name, str_eq(batch_call->reason, call->reason));
	CHECK(name, str_eq(batch_call->field, call->field));
	if (err != OK)
		return;
	CHECK(name, batch_call->version == call->version);
	CHECK(name, uuid_eq(&batch->person_id, &single->person_id));
	CHECK(name, uuid_eq(&batch->created_by_id, &single->created_by_id));
	CHECK(name, batch->starts_at == single->starts_at && batch->ends_at == single->ends_at);
	CHECK(name, str_eq(batch->note, single->note));
	CHECK(name, uuid_is_nil(&batch->spot_id) == uuid_is_nil(&single->spot_id));
}

/* All that stands of a side, in words that are the same on both. */
static char *table_of(const char *half)
{
	char sql[1024];
	char *copy;

	snprintf(sql, sizeof(sql),
		"select coalesce(md5(string_agg(format('%%s|%%s|%%s|%%s|%%s|%%s|%%s', right(b.tenant_id::text, 1),"
		" s.name, p.id, c.id, b.starts_at, b.ends_at, b.note is null), '/' order by"
		" right(b.tenant_id::text, 1),"
		" s.name, p.id, b.starts_at)), '') from booking.booking b left join booking.spot s on s.no ="
		" b.spot_no"
		" left join booking.person p on p.no = b.person_no left join booking.person c on c.no ="
		" b.created_by_no"
		" where b.tenant_id::text like '%%%s_'",
		half);
	copy = strdup(testpg_value(fixture_pg, sql));
	assert_non_null(copy);
	return copy;
}

static void same_tables(void)
{
	char *batch = table_of("a00"), *single = table_of("b00");

	assert_string_equal(batch, single);
	free(batch);
	free(single);
}

static void one_round(unsigned round)
{
	struct item items[ITEMS_MAX];
	struct call calls[ITEMS_MAX], alone[ITEMS_MAX], *pointers[ITEMS_MAX];
	struct booking_create_request wishes[ITEMS_MAX], wish;
	struct booking replies[ITEMS_MAX], singles[ITEMS_MAX];
	const void *requests[ITEMS_MAX];
	void *outs[ITEMS_MAX];
	enum err errs[ITEMS_MAX];
	size_t order[ITEMS_MAX], count = 2 + any(ITEMS_MAX - 2);

	arena_reset(desk->worker.arena);
	for (size_t i = 0; i < count; i++) {
		items[i] = item_any(round, (unsigned)i);
		item_ask(&items[i], &batch_side, &calls[i], &wishes[i]);
		replies[i] = singles[i] = (struct booking){0};
		pointers[i] = &calls[i];
		requests[i] = &wishes[i];
		outs[i] = &replies[i];
	}
	MUST(handle_booking_create_many(pointers, requests, outs, errs, count));
	order_of(items, count, order);
	for (size_t k = 0; k < count; k++) {
		size_t i = order[k];
		enum err err;

		item_ask(&items[i], &single_side, &alone[i], &wish);
		err = handle_booking_create(&alone[i], &wish, &singles[i]);
		check_same(i, errs[i], &calls[i], &replies[i], err, &alone[i], &singles[i]);
	}
}

static void test_a_batch_ends_as_its_items_one_by_one(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 40; round++) {
		/* Far too many stays to come would leave nothing free. */
		if (round % 4 == 3)
			testpg_sql(fixture_pg, "delete from booking.booking");
		one_round(round);
		same_tables();
	}
	assert_int_equal(fixture_count("select count(*) from booking.outbox where action = 'booking.create' and"
				       " tenant_id::text like '%a00_'"),
		fixture_count("select count(*) from booking.outbox where action = 'booking.create' and"
			      " tenant_id::text like '%b00_'"));
	assert_int_equal(fixture_count("select count(*) from booking.idempotency where tenant_id::text like '%a00_'"),
		fixture_count("select count(*) from booking.idempotency where tenant_id::text like '%b00_'"));
	assert_int_equal(fixture_count("select count(*) from booking.idempotency where status is null"), 0);
}

static void test_a_batch_that_fails_changes_nothing(void **state)
{
	struct item items[8];
	struct call calls[8], *pointers[8];
	struct booking_create_request wishes[8];
	struct booking replies[8];
	const void *requests[8];
	void *outs[8];
	enum err errs[8];

	(void)state;
	testpg_sql(fixture_pg,
		"delete from booking.booking; delete from booking.idempotency; delete from booking.outbox;"
		"revoke insert on booking.outbox from booking_app");
	for (size_t i = 0; i < 8; i++) {
		items[i] = (struct item){.spot = (unsigned)i % SPOTS,
			.caller = (unsigned)i % PEOPLE,
			.has_key = true,
			.person = (unsigned)i % PEOPLE,
			.from = 30 + 2 * (int)i,
			.to = 31 + 2 * (int)i};
		snprintf(items[i].key, sizeof(items[i].key), "f%zu", i);
		item_ask(&items[i], &batch_side, &calls[i], &wishes[i]);
		replies[i] = (struct booking){0};
		pointers[i] = &calls[i];
		requests[i] = &wishes[i];
		outs[i] = &replies[i];
	}
	assert_int_not_equal(handle_booking_create_many(pointers, requests, outs, errs, 8), OK);
	assert_int_equal(fixture_count("select count(*) from booking.booking"), 0);
	assert_int_equal(fixture_count("select count(*) from booking.idempotency"), 0);
	testpg_sql(fixture_pg, "grant insert on booking.outbox to booking_app");
	MUST(handle_booking_create_many(pointers, requests, outs, errs, 8));
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(errs[i], OK);
}

/* The second line behind the batch: a row that brought the wrong tenant of the two is bound to its spot and person. */
static void test_a_row_under_another_tenant_of_its_batch_is_refused(void **state)
{
	const struct uuid tenants[] = {batch_side.grounds[0].tenant, batch_side.grounds[1].tenant};
	struct stay_row stay = {
		.id = uuid_new(), .starts_at = clock_now_us(), .created_at = clock_now_us(), .policy_version = 1};
	const struct stay_row *stays[] = {&stay};
	struct place place;
	struct tx *tx = NULL;
	bool all = false;

	(void)state;
	arena_reset(desk->worker.arena);
	stay.ends_at = stay.starts_at + 60 * US_PER_S;
	MUST(tx_begin(desk->worker.db, &tenants[0], &tx));
	MUST(store_place_of_spots(tx, &batch_side.grounds[0].spots[0], 1, stay.starts_at, &place));
	stay.site_no = place.site_no;
	stay.area_no = place.area_no;
	stay.spot_no = place.spot_no;
	MUST(tx_set_tenants(tx, tenants, 2));
	MUST(store_stay_put(tx, &tenants[0], stays, 1, stay.created_at, desk->worker.arena, &all));
	assert_true(all);
	tx_free(&tx);
	MUST(tx_begin(desk->worker.db, &tenants[0], &tx));
	MUST(tx_set_tenants(tx, tenants, 2));
	assert_int_equal(
		store_stay_put(tx, &tenants[1], stays, 1, stay.created_at, desk->worker.arena, &all), ERR_CONFLICT);
	assert_string_equal(tx_constraint(tx), "booking_spot");
	tx_free(&tx);
	MUST(tx_begin(desk->worker.db, &tenants[0], &tx));
	assert_int_equal(
		store_stay_put(tx, &tenants[1], stays, 1, stay.created_at, desk->worker.arena, &all), ERR_INTERNAL);
	assert_string_equal(tx_sqlstate(tx), "42501"); /* a tenant that was not named */
	tx_free(&tx);
}

#define BATCH 32

/* -- speed: longer with BERTH_MEASURE=1 -- */

static double rate(size_t total, uint64_t since_us)
{
	return (double)total * 1e6 / (double)(clock_monotonic_us() - since_us);
}

/* Processor time of this process and of its sessions at the server, which a busy machine does not stretch. */
struct cost {
	double self_us, server_us;
};

static struct cost cost_now(void)
{
	struct cost cost = {0};
	struct rusage usage;
	char *pids = strdup(testpg_value(
		fixture_pg, "select string_agg(pid::text, ' ') from pg_stat_activity where usename = 'booking_app'"));

	assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
	cost.self_us = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
	               (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
	assert_non_null(pids);
	for (char *at = pids; *at; at += strspn(at, " ")) {
		char path[64], text[64] = "";
		FILE *file;

		snprintf(path, sizeof(path), "/proc/%ld/schedstat", strtol(at, &at, 10));
		file = fopen(path, "re");
		assert_non_null(file);
		assert_non_null(fgets(text, sizeof(text), file));
		fclose(file);
		cost.server_us += (double)strtoull(text, NULL, 10) / 1e3;
	}
	free(pids);
	return cost;
}

/* Gives the processor time of one. */
static double tell(const char *what, size_t total, uint64_t since_us, const struct cost *since)
{
	const struct cost now = cost_now();
	const double self_us = (now.self_us - since->self_us) / (double)total;
	const double server_us = (now.server_us - since->server_us) / (double)total;

	print_message("%s: %.0f/s; processor time each: here %.0f us, PostgreSQL %.0f us\n", what,
		rate(total, since_us), self_us, server_us);
	return self_us + server_us;
}

/* Stays that never collide: each person has a spot. */
static void speed_wish(const struct ground *ground, unsigned n, struct call *call, struct booking_create_request *wish)
{
	static char keys[64][24];
	const struct uuid person = fixture_uuid(100 + n % 64);

	*call = fixture_call(desk, OPID_booking_create, &ground->tenant, &person, "User");
	snprintf(keys[n % 64], sizeof(keys[0]), "s%u", n);
	fixture_key(call, keys[n % 64], "body");
	*wish = fixture_wish(&ground->spots[n % 64], 100 + (int)(n / 64), 101 + (int)(n / 64));
	wish->has_note = n % 4 == 0;
	wish->note = n % 4 == 0 ? STR("ein Zettel") : STR_NONE;
}

static void book_singly(const struct ground *ground, unsigned from, unsigned to)
{
	for (unsigned n = from; n < to; n++) {
		struct booking_create_request wish;
		struct booking reply = {0};
		struct call call;

		arena_reset(desk->worker.arena);
		speed_wish(ground, n, &call, &wish);
		MUST(handle_booking_create(&call, &wish, &reply));
	}
}

static void book_batch(const struct ground *ground, unsigned from)
{
	struct call calls[BATCH], *pointers[BATCH];
	struct booking_create_request wishes[BATCH];
	struct booking replies[BATCH];
	const void *requests[BATCH];
	void *outs[BATCH];
	enum err errs[BATCH];

	arena_reset(desk->worker.arena);
	for (unsigned i = 0; i < BATCH; i++) {
		speed_wish(ground, from + i, &calls[i], &wishes[i]);
		replies[i] = (struct booking){0};
		pointers[i] = &calls[i];
		requests[i] = &wishes[i];
		outs[i] = &replies[i];
	}
	MUST(handle_booking_create_many(pointers, requests, outs, errs, BATCH));
	for (unsigned i = 0; i < BATCH; i++)
		assert_int_equal(errs[i], OK);
}

static void test_a_batch_is_faster_than_its_items(void **state)
{
	const bool measure = getenv("BERTH_MEASURE") != NULL;
	const unsigned singles = measure ? 4000 : 64, batched = measure ? 8000 : 64;
	struct ground ground;
	struct cost since;
	double single_us;
	uint64_t since_us;
	unsigned n = 64;

	(void)state;
	arena_reset(desk->worker.arena);
	ground = fixture_ground(desk, &(struct uuid){{0x77}}, 64);
	book_singly(&ground, 0, n);
	testpg_sql(fixture_pg, "analyze"); /* as autovacuum would: the cluster of tests has none */
	since = cost_now();
	since_us = clock_monotonic_us();
	book_singly(&ground, n, n + singles);
	n += singles;
	single_us = tell("singly", singles, since_us, &since);
	since = cost_now();
	since_us = clock_monotonic_us();
	for (unsigned i = 0; i < batched; i += BATCH)
		book_batch(&ground, n + i);
	assert_true(tell("in batches of 32", batched, since_us, &since) * 3 < single_us);
}

static int start(void **state)
{
	int failed = fixture_start(state);

	desk = desk_new();
	batch_side = side_new(0xa000);
	single_side = side_new(0xb000);
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
		cmocka_unit_test(test_a_batch_ends_as_its_items_one_by_one),
		cmocka_unit_test(test_a_row_under_another_tenant_of_its_batch_is_refused),
		cmocka_unit_test(test_a_batch_that_fails_changes_nothing),
		cmocka_unit_test(test_a_batch_is_faster_than_its_items),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
