/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test_fixture.h"

#define SERVICE_DEF "contract/bookingsvc.def"
#include "service/handlers.h"

/* The data subject's rights, and retention. */

#define THIS_TENANT "(select tenant_id from booking.site order by no desc limit 1)"
#define MUST(call) assert_int_equal((call), OK)

static struct desk *desk;
static struct ground ground;
static struct uuid tenant, admin, user, rival;
static unsigned next_tenant = 1;

static int set_up(void **state)
{
	(void)state;
	if (!desk)
		desk = desk_new();
	arena_reset(desk->worker.arena);
	testpg_sql(fixture_pg, "delete from booking.outbox");
	tenant = fixture_uuid(0x10000 + next_tenant++);
	admin = fixture_uuid(999999);
	user = fixture_uuid(1);
	rival = fixture_uuid(2);
	ground = fixture_ground(desk, &tenant, 3);
	testpg_sql(fixture_pg, "delete from booking.outbox");
	return 0;
}

static struct call internal(enum operation_id operation)
{
	const struct uuid none = UUID_NIL;
	struct call call = fixture_call(desk, operation, &none, &none, "");

	call.has_token = false;
	call.caller = PEER_gdprsvc;
	return call;
}

static struct booking booked(const struct uuid *person, size_t spot, int from, int to)
{
	struct booking_create_request wish = fixture_wish(&ground.spots[spot], from, to);
	struct booking booking;

	wish.note = STR("Ein Zettel");
	wish.has_note = true;
	MUST(fixture_book(desk, &tenant, person, "User", &wish, &booking));
	return booking;
}

/* A vehicle, a delegation on each side, a stay that went on and ended, one to come, one for somebody else. */
static void live(struct booking *past, struct booking *future, struct booking *for_rival)
{
	const instant_us now = clock_now_us();
	struct booking_create_request wish = {.spot_id = ground.spots[2],
		.has_spot_id = true,
		.starts_at = now,
		.ends_at = now + 60 * 60 * US_PER_S,
		.note = STR("Ein Zettel"),
		.has_note = true};
	struct vehicle_create_request car = {.plate = STR("AB-123-CD"), .country = STR("FR")};
	struct delegation_create_request assist = {.assistant_id = user, .principal_id = rival};
	struct delegation delegation = {0};
	struct vehicle vehicle = {0};
	struct booking_ref ref;
	struct call call;

	MUST(fixture_book(desk, &tenant, &user, "User", &wish, past));
	ref = (struct booking_ref){.id = past->id};
	call = fixture_call(desk, OPID_booking_check_in, &tenant, &user, "User");
	MUST(handle_booking_check_in(&call, &ref, past));
	call = fixture_call(desk, OPID_booking_check_out, &tenant, &user, "User");
	MUST(handle_booking_check_out(&call, &ref, past));
	*future = booked(&user, 0, 10, 12);
	call = fixture_call(desk, OPID_vehicle_create, &tenant, &user, "User");
	fixture_key(&call, "car", "car");
	MUST(handle_vehicle_create(&call, &car, &vehicle));
	call = fixture_call(desk, OPID_delegation_create, &tenant, &admin, "Admin");
	MUST(handle_delegation_create(&call, &assist, &delegation));
	wish = fixture_wish(&ground.spots[1], 10, 12);
	wish.for_person_id = rival;
	wish.has_for_person_id = true;
	MUST(fixture_book(desk, &tenant, &user, "Assistant", &wish, for_rival));
}

static struct totals totals_now(void)
{
	const struct totals_request request = {
		.site_id = ground.site, .from = fixture_hour(-2), .to = fixture_hour(100)};
	struct call call = fixture_call(desk, OPID_totals_read, &tenant, &admin, "Admin");
	struct totals totals = {0};

	MUST(handle_totals_read(&call, &request, &totals));
	return totals;
}

static enum err erase(const struct uuid *who, struct subject_erased *out)
{
	const struct subject_request request = {.tenant_id = tenant,
		.has_tenant_id = true,
		.person_id = *who,
		.has_person_id = true,
		.actor_id = admin,
		.has_actor_id = true};
	struct call call = internal(OPID_booking_erase);

	*out = (struct subject_erased){0};
	return handle_booking_erase(&call, &request, out);
}

static struct booking read_back(const struct uuid *id)
{
	struct call call = fixture_call(desk, OPID_booking_read, &tenant, &admin, "Admin");
	const struct booking_ref ref = {.id = *id};
	struct booking booking = {0};

	MUST(handle_booking_read(&call, &ref, &booking));
	return booking;
}

static void test_an_export_holds_what_there_is(void **state)
{
	const struct subject_request request = {.tenant_id = tenant, .person_id = user};
	struct call call = internal(OPID_booking_export);
	struct subject_export reply = {0};
	struct booking past, future, other;
	const struct json *root;
	const char *reason, *rest;
	size_t notes = 0;

	(void)state;
	live(&past, &future, &other);
	MUST(handle_booking_export(&call, &request, &reply));
	MUST(json_parse(desk->worker.arena, reply.data, &root, &reason));
	assert_int_equal(json_get(root, "bookings")->count, 2);
	assert_int_equal(json_get(root, "vehicles")->count, 1);
	assert_int_equal(json_get(root, "delegations")->count, 1);
	assert_true(str_eq_c(json_get_str(json_get(root, "vehicles")->first, "plate"), "AB123CD"));
	for (rest = reply.data.p; (rest = strstr(rest, "Ein Zettel")); rest++)
		notes++;
	assert_int_equal(notes, 2);
}

static void test_an_export_of_a_stranger_is_empty(void **state)
{
	const struct uuid stranger = fixture_uuid(4711);
	const struct subject_request request = {.tenant_id = tenant, .person_id = stranger};
	struct call call = internal(OPID_booking_export);
	struct subject_export reply = {0};

	(void)state;
	MUST(handle_booking_export(&call, &request, &reply));
	assert_true(
		str_eq_c(reply.data, "{\"bookings\":[],\"bookings_left_out\":0,\"vehicles\":[],\"delegations\":[]}"));
	assert_int_equal(fixture_count("select count(*) from booking.person where id ="
				       " '0192a3b4-c5d6-7000-0000-000000001267'"),
		0);
}

static void test_an_export_that_is_too_long_says_what_it_leaves_out(void **state)
{
	const struct subject_request request = {.tenant_id = tenant, .person_id = user};
	struct call call = internal(OPID_booking_export);
	struct subject_export reply = {0};
	const struct json *root;
	const char *reason;
	int64_t left_out;

	(void)state;
	(void)booked(&user, 0, 10, 12);
	testpg_sql(fixture_pg,
		"insert into booking.booking (tenant_id, id, site_no, area_no, spot_no, person_no, starts_at,"
		" ends_at,"
		" held_until, created_at, policy_version, version, status)"
		" select tenant_id, gen_random_uuid(), site_no, area_no, spot_no, person_no, starts_at - i *"
		" interval '1 day',"
		" ends_at - i * interval '1 day', ends_at - i * interval '1 day', created_at, 1, 1, 1"
		" from booking.booking, generate_series(1, 2500) i where created_at = (select max(created_at) from"
		" booking.booking)");
	MUST(handle_booking_export(&call, &request, &reply));
	assert_true(reply.data.len <= 1000000);
	/* Who passes it on reads it, within the bounds of every document. */
	MUST(json_parse(desk->worker.arena, reply.data, &root, &reason));
	{
		const char *at = strstr(reply.data.p, "\"bookings_left_out\":");

		assert_non_null(at);
		left_out = strtoll(at + strlen("\"bookings_left_out\":"), NULL, 10);
	}
	assert_true(left_out > 0 && left_out < 1700);
}

static void test_an_erased_person_leaves_nothing_but_numbers(void **state)
{
	struct booking past, future, other;
	struct subject_erased erased;
	struct totals before, after;
	struct booking_create_request wish = fixture_wish(&ground.spots[0], 40, 41);
	struct booking booking;

	(void)state;
	live(&past, &future, &other);
	before = totals_now();
	/* What is still to be told must be told first. */
	MUST(erase(&user, &erased));
	assert_false(erased.done);
	assert_true(erased.rows >= 3);
	MUST(erase(&user, &erased));
	assert_false(erased.done);
	booking = read_back(&future.id);
	assert_true(str_eq_c(booking.status, "cancelled"));
	assert_true(str_eq_c(booking.reason, "person_erased"));
	/* A stay made while the events travel is ended as well. */
	MUST(fixture_book(desk, &tenant, &user, "User", &wish, &booking));
	testpg_sql(fixture_pg, "delete from booking.outbox");
	MUST(erase(&user, &erased));
	assert_false(erased.done);
	testpg_sql(fixture_pg, "delete from booking.outbox");
	MUST(erase(&user, &erased));
	assert_true(erased.done);
	assert_true(erased.rows >= 4);

	booking = read_back(&past.id);
	assert_true(str_eq_c(booking.status, "completed"));
	assert_true(uuid_is_nil(&booking.person_id));
	assert_true(uuid_is_nil(&booking.created_by_id));
	assert_null(booking.note.p);
	booking = read_back(&other.id);
	assert_true(uuid_eq(&booking.person_id, &rival));
	assert_true(uuid_is_nil(&booking.created_by_id));
	after = totals_now();
	assert_int_equal(after.bookings, before.bookings + 1);
	assert_int_equal(after.arrived, before.arrived);
	assert_int_equal(fixture_count("select count(*) from booking.vehicle where tenant_id = " THIS_TENANT), 0);
	assert_int_equal(fixture_count("select count(*) from booking.delegation where tenant_id = " THIS_TENANT), 0);
	assert_int_equal(fixture_count("select count(*) from booking.outbox where action = 'booking.erase'"
				       " and object_type = 'person' and subject_id is null"),
		1);
	assert_int_equal(fixture_count("select count(*) from booking.person_keys where subject_id ="
				       " '0192a3b4-c5d6-7000-0000-000000000001' and wrapped is null"
				       " and tenant_id = " THIS_TENANT),
		1);
	assert_int_equal(fixture_count("select count(*) from booking.idempotency where person_id ="
				       " '0192a3b4-c5d6-7000-0000-000000000001' and tenant_id = " THIS_TENANT),
		0);

	/*
	 * Nothing can be made for them any more, by a token that lives on for a moment; and asking again changes
	 * nothing.
	 */
	wish = fixture_wish(&ground.spots[0], 50, 51);
	assert_int_equal(fixture_book(desk, &tenant, &user, "User", &wish, &booking), ERR_UNAUTHENTICATED);
	wish.for_person_id = user;
	wish.has_for_person_id = true;
	assert_int_equal(fixture_book(desk, &tenant, &admin, "Admin", &wish, &booking), ERR_NOT_FOUND);
	{
		struct vehicle_create_request car = {.plate = STR("AB-123-CD"), .country = STR("FR")};
		struct delegation_create_request assist = {.assistant_id = user, .principal_id = rival};
		struct call call = fixture_call(desk, OPID_vehicle_create, &tenant, &user, "User");
		struct delegation delegation = {0};
		struct vehicle vehicle = {0};

		assert_int_equal(handle_vehicle_create(&call, &car, &vehicle), ERR_UNAUTHENTICATED);
		call = fixture_call(desk, OPID_delegation_create, &tenant, &admin, "Admin");
		assert_int_equal(handle_delegation_create(&call, &assist, &delegation), ERR_NOT_FOUND);
		assert_true(str_eq_c(call.field, "assistant_id"));
	}
	testpg_sql(fixture_pg, "delete from booking.outbox");
	MUST(erase(&user, &erased));
	assert_true(erased.done);
	assert_int_equal(erased.rows, 0);
	assert_int_equal(fixture_count("select count(*) from booking.outbox"), 0);
}

static void test_whom_nobody_knows_is_erased_for_the_future_too(void **state)
{
	const struct uuid stranger = fixture_uuid(4712);
	struct booking_create_request wish = fixture_wish(&ground.spots[0], 50, 51);
	struct subject_erased erased;
	struct booking booking;

	(void)state;
	MUST(erase(&stranger, &erased));
	assert_true(erased.done);
	assert_int_equal(fixture_book(desk, &tenant, &stranger, "User", &wish, &booking), ERR_UNAUTHENTICATED);
}

static void test_erasing_in_one_tenant_leaves_the_other(void **state)
{
	const struct booking mine = booked(&user, 0, 10, 12);
	const struct uuid first = tenant;
	struct subject_erased erased;
	struct booking booking;

	(void)state;
	tenant = fixture_uuid(0x20000 + next_tenant);
	MUST(erase(&user, &erased));
	assert_true(erased.done);
	tenant = first;
	booking = read_back(&mine.id);
	assert_true(uuid_eq(&booking.person_id, &user));
	assert_true(str_eq_c(booking.note, "Ein Zettel"));
}

static void test_retention_makes_old_stays_anonymous(void **state)
{
	const struct retention_request request = {.limit = 3, .has_limit = true};
	struct booking booking;
	struct retention_reply reply = {.more = true};
	int64_t rows = 0;

	(void)state;
	testpg_sql(fixture_pg, "delete from booking.booking");
	booking = booked(&user, 0, 10, 12);
	/* Stays of 175 to 184 days ago: five are over the 180, the one of exactly 180 days ended later that day. */
	testpg_sql(fixture_pg,
		"insert into booking.booking (tenant_id, id, site_no, area_no, spot_no, person_no,"
		" created_by_no, starts_at,"
		" ends_at, held_until, created_at, policy_version, version, status, note)"
		" select tenant_id, gen_random_uuid(), site_no, area_no, spot_no, person_no, person_no,"
		" now() - i * interval '1 day', now() - i * interval '1 day' + interval '1 hour',"
		" now() - i * interval '1 day' + interval '1 hour', now() - interval '400 days', 1, 1, 1, note"
		" from booking.booking, generate_series(175, 185) i where created_at ="
		" (select max(created_at) from booking.booking)");
	for (int i = 0; i < 10 && reply.more; i++) {
		struct call call = internal(OPID_booking_retain);

		reply = (struct retention_reply){0};
		MUST(handle_booking_retain(&call, &request, &reply));
		rows += reply.rows;
	}
	assert_false(reply.more);
	assert_int_equal(rows, 5);
	assert_int_equal(fixture_count("select count(*) from booking.booking where person_no is null and note is null"
				       " and created_by_no is null and created_at < now() - interval '300 days'"),
		5);
	assert_int_equal(fixture_count("select count(*) from booking.booking where person_no is not null"
				       " and created_at < now() - interval '300 days'"),
		6);
	booking = read_back(&booking.id);
	assert_true(uuid_eq(&booking.person_id, &user));
}

static int tear_down(void **state)
{
	(void)state;
	desk_free(&desk);
	return fixture_stop(state);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup(name, set_up)
	const struct CMUnitTest tests[] = {
		CASE(test_an_export_holds_what_there_is),
		CASE(test_an_export_of_a_stranger_is_empty),
		CASE(test_an_export_that_is_too_long_says_what_it_leaves_out),
		CASE(test_an_erased_person_leaves_nothing_but_numbers),
		CASE(test_whom_nobody_knows_is_erased_for_the_future_too),
		CASE(test_erasing_in_one_tenant_leaves_the_other),
		CASE(test_retention_makes_old_stays_anonymous),
	};

	return cmocka_run_group_tests(tests, fixture_start, tear_down);
}
