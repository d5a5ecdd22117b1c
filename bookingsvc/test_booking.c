/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test_fixture.h"
#include "types.h"

#define SERVICE_DEF "contract/bookingsvc.def"
#include "service/handlers.h"

/* Bookings as their handlers make, show and change them, on a real database under the app role. */

#define MUST(call) assert_int_equal((call), OK)

static struct desk *desk;
static struct ground ground;
static struct uuid tenant, user, rival, assistant, reception;
static unsigned next_tenant = 1;

/* Each test has a tenant of its own. */
static int set_up(void **state)
{
	(void)state;
	if (!desk)
		desk = desk_new();
	arena_reset(desk->worker.arena);
	tenant = fixture_uuid(0x10000 + next_tenant++);
	user = fixture_uuid(1);
	rival = fixture_uuid(2);
	assistant = fixture_uuid(3);
	reception = fixture_uuid(4);
	ground = fixture_ground(desk, &tenant, 3);
	return 0;
}

static enum err book(
	const struct uuid *person, const char *role, const struct booking_create_request *wish, struct booking *out)
{
	return fixture_book(desk, &tenant, person, role, wish, out);
}

static struct booking booked(const struct uuid *person, size_t spot, int from, int to)
{
	struct booking_create_request wish = fixture_wish(&ground.spots[spot], from, to);
	struct booking booking;

	MUST(book(person, "User", &wish, &booking));
	return booking;
}

static void delegate(const struct uuid *who, const struct uuid *principal)
{
	const struct uuid admin = fixture_uuid(999999);
	struct call call = fixture_call(desk, OPID_delegation_create, &tenant, &admin, "Admin");
	const struct delegation_create_request wish = {
		.assistant_id = *who, .has_assistant_id = true, .principal_id = *principal, .has_principal_id = true};
	struct delegation delegation = {0};

	MUST(handle_delegation_create(&call, &wish, &delegation));
}

static void test_a_stay_is_made_and_read_back(void **state)
{
	struct booking_create_request wish = fixture_wish(&ground.spots[0], 0, 2);
	struct call call = fixture_call(desk, OPID_booking_create, &tenant, &user, "User");
	struct booking made = {0}, read = {0};
	struct booking_ref ref;

	(void)state;
	wish.note = STR("Zwanzig Kisten");
	wish.has_note = true;
	MUST(handle_booking_create(&call, &wish, &made));
	assert_int_equal(call.version, 1);
	assert_true(uuid_eq(&made.person_id, &user));
	assert_true(uuid_eq(&made.created_by_id, &user));
	assert_true(uuid_eq(&made.spot_id, &ground.spots[0]));
	assert_true(str_eq_c(made.status, "confirmed"));
	assert_true(str_eq_c(made.note, "Zwanzig Kisten"));
	assert_int_equal(made.policy_version, 1);

	ref = (struct booking_ref){.id = made.id, .has_id = true};
	call = fixture_call(desk, OPID_booking_read, &tenant, &user, "User");
	MUST(handle_booking_read(&call, &ref, &read));
	assert_int_equal(call.version, 1);
	assert_true(str_eq_c(read.note, "Zwanzig Kisten"));
	assert_true(uuid_eq(&read.site_id, &ground.site));
	assert_int_equal(read.starts_at, wish.starts_at);

	/* The event stands beside it, and nothing is readable. */
	assert_int_equal(
		fixture_count("select count(*) from booking.outbox where action = 'booking.create' and object_id ="
			      " (select id from booking.booking order by created_at desc limit 1)"),
		1);
	assert_int_equal(
		fixture_count("select count(*) from booking.booking where position('Kisten'::bytea in note) > 0"), 0);
	assert_int_equal(
		fixture_count("select count(*) from booking.outbox where position('Kisten'::bytea in payload) >"
			      " 0"),
		0);
}

static void test_overlaps(void **state)
{
	static const struct {
		const char *name;
		unsigned person;
		size_t spot;
		int from, to;
		instant_us from_us, to_us; /* beside the hours */
		enum err err;
	} cases[] = {
		{"the same interval of the same spot is taken", 2, 0, 2, 4, 0, 0, ERR_SPOT_TAKEN},
		{"one that begins inside is taken", 2, 0, 3, 5, 0, 0, ERR_SPOT_TAKEN},
		{"one that ends inside is taken", 2, 0, 1, 3, 0, 0, ERR_SPOT_TAKEN},
		{"one around it is taken", 2, 0, 1, 6, 0, 0, ERR_SPOT_TAKEN},
		{"one within it is taken", 2, 0, 2, 4, 1, -1, ERR_SPOT_TAKEN},
		{"one of its last microsecond is taken", 2, 0, 4, 5, -1, 0, ERR_SPOT_TAKEN},
		{"one of its first microsecond is taken", 2, 0, 1, 2, 0, 1, ERR_SPOT_TAKEN},
		{"one that ends when it starts is fine", 2, 0, 1, 2, 0, 0, OK},
		{"one that starts when it ends is fine", 2, 0, 4, 5, 0, 0, OK},
		{"one of a single microsecond is fine", 2, 0, 5, 5, 0, 1, OK},
		{"one behind that is fine", 2, 0, 5, 5, 1, 2, OK},
		{"one over both of these is taken", 2, 0, 5, 5, 0, 2, ERR_SPOT_TAKEN},
		{"another spot is fine for another person", 2, 1, 2, 4, 0, 0, OK},
		{"the same person cannot be in another spot", 1, 2, 3, 5, 0, 0, ERR_PERSON_UNAVAILABLE},
		{"nor for a microsecond", 1, 2, 4, 5, -1, 0, ERR_PERSON_UNAVAILABLE},
		{"a spot that is taken says nothing of the person", 1, 0, 3, 5, 0, 0, ERR_SPOT_TAKEN},
		{"the person may be there from its end on", 1, 2, 4, 5, 0, 0, OK},
	};

	(void)state;
	(void)booked(&user, 0, 2, 4);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct uuid person = fixture_uuid(cases[i].person);
		struct booking_create_request wish =
			fixture_wish(&ground.spots[cases[i].spot], cases[i].from, cases[i].to);
		struct booking booking;

		wish.starts_at += cases[i].from_us;
		wish.ends_at += cases[i].to_us;
		CHECK(cases[i].name, book(&person, "User", &wish, &booking) == cases[i].err);
	}
}

static void test_one_person_may_be_in_two_companies(void **state)
{
	const struct uuid other = fixture_uuid(0x20000 + next_tenant);
	struct ground there = fixture_ground(desk, &other, 1);
	struct booking_create_request wish = fixture_wish(&there.spots[0], 2, 4);
	struct booking booking;

	(void)state;
	(void)booked(&user, 0, 2, 4);
	MUST(fixture_book(desk, &other, &user, "User", &wish, &booking));
}

static void test_an_area_gives_its_spots_by_name_and_then_is_full(void **state)
{
	struct booking_create_request wish = fixture_wish(NULL, 0, 2);

	(void)state;
	wish.area_id = ground.area;
	wish.has_area_id = true;
	for (unsigned i = 0; i < 4; i++) {
		const struct uuid person = fixture_uuid(10 + i);
		struct booking booking;

		if (i == 3) {
			assert_int_equal(book(&person, "User", &wish, &booking), ERR_AREA_FULL);
			continue;
		}
		MUST(book(&person, "User", &wish, &booking));
		assert_true(uuid_eq(&booking.spot_id, &ground.spots[i]));
	}
	/* Somebody who is elsewhere is told that, not that it is full. */
	wish.starts_at = fixture_hour(4);
	wish.ends_at = fixture_hour(5);
	(void)booked(&user, 0, 4, 5);
	{
		struct booking booking;

		assert_int_equal(book(&user, "User", &wish, &booking), ERR_PERSON_UNAVAILABLE);
	}
}

static void test_a_pool_counts_what_is_held_at_one_time(void **state)
{
	const struct uuid pool = fixture_pool(desk, &ground, 2);
	static const struct {
		const char *name;
		unsigned person;
		int from, to;
		enum err err;
	} cases[] = {
		{"the first place", 20, 0, 2, OK},
		{"a stay after it, in the same place", 21, 2, 4, OK},
		{"one over both takes the second place", 22, 0, 4, OK},
		{"nothing is left in the first half", 23, 0, 1, ERR_AREA_FULL},
		{"nothing is left over the seam", 24, 1, 3, ERR_AREA_FULL},
		{"both places are free afterwards", 25, 4, 6, OK},
		{"the second of them", 26, 4, 6, OK},
		{"and no third", 27, 5, 6, ERR_AREA_FULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct uuid person = fixture_uuid(cases[i].person);
		struct booking_create_request wish = fixture_wish(NULL, cases[i].from, cases[i].to);
		struct booking booking;

		wish.area_id = pool;
		wish.has_area_id = true;
		CHECK(cases[i].name, book(&person, "User", &wish, &booking) == cases[i].err);
		if (cases[i].err == OK)
			CHECK(cases[i].name, uuid_is_nil(&booking.spot_id));
	}
}

static void test_refusals_say_why(void **state)
{
	static const struct {
		const char *name;
		int from_min, to_min; /* from now */
		bool spot, area;
		enum err err;
		const char *field, *reason;
	} cases[] = {
		{"neither spot nor area", 60, 120, false, false, ERR_BAD_FIELD, "spot_id", "exactly_one"},
		{"both", 60, 120, true, true, ERR_BAD_FIELD, "spot_id", "exactly_one"},
		{"an end before the start", 120, 60, true, false, ERR_BAD_FIELD, "ends_at", "ends_before_start"},
		{"an end at the start", 60, 60, true, false, ERR_BAD_FIELD, "ends_at", "ends_before_start"},
		{"a start six minutes ago", -6, 60, true, false, ERR_RULE, "starts_at", "in_the_past"},
		{"a stay of a day and a minute", 60, 60 + 1441, true, false, ERR_RULE, "ends_at", "stay_too_long"},
		{"a start in 366 days and"
		 " more",
			60 * 24 * 367, 60 * 24 * 367 + 60, true, false, ERR_RULE, "starts_at", "beyond_window"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const instant_us now = clock_now_us();
		struct call call = fixture_call(desk, OPID_booking_create, &tenant, &user, "User");
		struct booking_create_request wish = {.spot_id = ground.spots[0],
			.has_spot_id = cases[i].spot,
			.area_id = ground.area,
			.has_area_id = cases[i].area,
			.starts_at = now + cases[i].from_min * US_PER_MIN,
			.ends_at = now + cases[i].to_min * US_PER_MIN};
		struct booking booking = {0};

		CHECK(cases[i].name, handle_booking_create(&call, &wish, &booking) == cases[i].err);
		CHECK(cases[i].name, str_eq_c(call.field, cases[i].field));
		CHECK(cases[i].name, str_eq_c(call.reason, cases[i].reason));
		CHECK(cases[i].name, call.detail.len > 10);
	}
	assert_int_equal(fixture_count("select count(*) from booking.person p join booking.site s using (tenant_id)"
				       " where s.id = (select id from booking.site order by no desc limit 1)"),
		0);
}

static void test_who_may_book_for_whom(void **state)
{
	const struct uuid nobody = {{0xee, 1}}, none = UUID_NIL;
	const struct {
		const char *name;
		const struct uuid *caller;
		const char *role;
		const struct uuid *person;
		enum err err;
		const char *reason;
	} cases[] = {
		{"a User for oneself, named", &user, "User", &user, OK, NULL},
		{"a User for somebody", &user, "User", &rival, ERR_FORBIDDEN, "booking.act_for"},
		{"an Assistant for a principal", &assistant, "Assistant", &user, OK, NULL},
		{"an Assistant for somebody else", &assistant, "Assistant", &rival, ERR_FORBIDDEN, "booking.manage"},
		{"Reception for anyone", &reception, "Reception", &rival, OK, NULL},
		{"Reception for a person who does not exist", &reception, "Reception", &nobody, ERR_NOT_FOUND, NULL},
		{"an Assistant for a person who does not"
		 " exist",
			&assistant, "Assistant", &nobody, ERR_NOT_FOUND, NULL},
		{"a User for a person who does not exist learns nothing", &user, "User", &nobody, ERR_FORBIDDEN,
			"booking.act_for"},
		{"a client for a person", &none, "Reception", &rival, OK, NULL},
		{"a client for nobody", &none, "Reception", NULL, ERR_BAD_FIELD, "missing"},
		{"a principal for the assistant", &user, "User", &assistant, ERR_FORBIDDEN, "booking.act_for"},
	};

	(void)state;
	delegate(&assistant, &user);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct booking_create_request wish = fixture_wish(&ground.spots[0], 2 * (int)i, 2 * (int)i + 1);
		struct call call = fixture_call(desk, OPID_booking_create, &tenant, cases[i].caller, cases[i].role);
		struct booking booking = {0};

		if (cases[i].person) {
			wish.for_person_id = *cases[i].person;
			wish.has_for_person_id = true;
		}
		CHECK(cases[i].name, handle_booking_create(&call, &wish, &booking) == cases[i].err);
		CHECK(cases[i].name, !cases[i].reason || str_eq_c(call.reason, cases[i].reason));
		if (cases[i].err == OK) {
			CHECK(cases[i].name, uuid_eq(&booking.person_id, cases[i].person));
			CHECK(cases[i].name, uuid_eq(&booking.created_by_id, cases[i].caller));
		}
	}
	assert_int_equal(
		fixture_count("select count(*) from booking.outbox where action = 'booking.create' and tenant_id ="
			      " (select tenant_id from booking.site order by no desc limit 1)"
			      " and on_behalf_id is not null"),
		3);
}

static enum err book_keyed(const struct uuid *who, const char *role, const char *key, const char *bytes,
	const struct booking_create_request *wish, struct booking *out)
{
	struct call call = fixture_call(desk, OPID_booking_create, &tenant, who, role);

	fixture_key(&call, key, bytes);
	*out = (struct booking){0};
	return handle_booking_create(&call, wish, out);
}

static void test_a_repeated_key_gets_the_first_answer(void **state)
{
	struct booking_create_request wish = fixture_wish(&ground.spots[0], 0, 2);
	struct booking first, again, other;

	(void)state;
	wish.note = STR("mine");
	wish.has_note = true;
	MUST(book_keyed(&user, "User", "k1", "body", &wish, &first));
	MUST(book_keyed(&user, "User", "k1", "body", &wish, &again));
	assert_true(uuid_eq(&first.id, &again.id));
	assert_true(str_eq_c(again.note, "mine"));
	assert_int_equal(book_keyed(&user, "User", "k1", "other body", &wish, &again), ERR_KEY_REUSED);
	wish.spot_id = ground.spots[1];
	MUST(book_keyed(&rival, "User", "k1", "body", &wish, &other));
	assert_false(uuid_eq(&first.id, &other.id));
	/* What was refused may be tried again under the same key. */
	assert_int_equal(book_keyed(&assistant, "User", "k2", "b", &wish, &other), ERR_SPOT_TAKEN);
	wish.spot_id = ground.spots[2];
	MUST(book_keyed(&assistant, "User", "k2", "b2", &wish, &other));
}

static void test_anothers_note_stands_in_the_bookers_answer_until_their_erasure(void **state)
{
	struct booking_create_request wish = fixture_wish(&ground.spots[0], 0, 2);
	struct booking first, again;

	(void)state;
	wish.note = STR("theirs");
	wish.has_note = true;
	wish.for_person_id = user;
	wish.has_for_person_id = true;
	MUST(book_keyed(&reception, "Reception", "k", "body", &wish, &first));
	assert_true(str_eq_c(first.note, "theirs"));
	testpg_sql(fixture_pg, "update booking.booking set note = 'x' where created_at ="
			       " (select max(created_at) from booking.booking)");
	MUST(book_keyed(&reception, "Reception", "k", "body", &wish, &again));
	assert_true(uuid_eq(&first.id, &again.id));
	assert_true(str_eq_c(again.note, "theirs")); /* the first answer, whatever was noted since */
	testpg_sql(fixture_pg, "update booking.booking set note = null, person_no = null where created_at ="
			       " (select max(created_at) from booking.booking)");
	MUST(book_keyed(&reception, "Reception", "k", "body", &wish, &again));
	assert_true(uuid_eq(&first.id, &again.id));
	assert_null(again.note.p);
	assert_true(uuid_is_nil(&again.person_id));
}

/* -- changes -- */

static enum err update(const struct uuid *who, const char *role, const struct uuid *id, int64_t if_match,
	const struct booking_update_request *change, struct booking *out, struct call *call_out)
{
	struct booking_update_request request = *change;

	*call_out = fixture_call(desk, OPID_booking_update, &tenant, who, role);
	call_out->if_match = if_match;
	request.id = *id;
	request.has_id = true;
	*out = (struct booking){0};
	return handle_booking_update(call_out, &request, out);
}

static void test_changing_a_stay(void **state)
{
	const struct booking mine = booked(&user, 0, 10, 12);
	const struct ground other = fixture_ground(desk, &tenant, 1);
	const struct {
		const char *name;
		int64_t if_match;
		struct booking_update_request change;
		enum err err;
		const char *reason;
	} cases[] = {
		{"a stale version", 7, {.note = STR("x"), .has_note = true}, ERR_VERSION_STALE, "version_stale"},
		{"a note", 1, {.note = STR("x"), .has_note = true}, OK, NULL},
		{"the version before that", 1, {.note = STR("y"), .has_note = true}, ERR_VERSION_STALE,
			"version_stale"},
		{"an end before the start", 2, {.ends_at = fixture_hour(9), .has_ends_at = true}, ERR_BAD_FIELD,
			"ends_before_start"},
		{"too long", 2, {.ends_at = fixture_hour(40), .has_ends_at = true}, ERR_RULE, "stay_too_long"},
		{"into the past", 2,
			{.starts_at = fixture_hour(-3),
				.has_starts_at = true,
				.ends_at = fixture_hour(1),
				.has_ends_at = true},
			ERR_RULE, "in_the_past"},
		{"to a time when somebody has the spot", 2,
			{.starts_at = fixture_hour(20),
				.has_starts_at = true,
				.ends_at = fixture_hour(22),
				.has_ends_at = true},
			ERR_SPOT_TAKEN, "spot_taken"},
		{"to the time of another stay of one's own", 2,
			{.starts_at = fixture_hour(31),
				.has_starts_at = true,
				.ends_at = fixture_hour(32),
				.has_ends_at = true},
			ERR_PERSON_UNAVAILABLE, "person_unavailable"},
		{"to a spot of another area", 2, {.spot_id = other.spots[0], .has_spot_id = true}, ERR_RULE,
			"other_area"},
		{"to a spot that is not there", 2, {.spot_id = user, .has_spot_id = true}, ERR_NOT_FOUND, NULL},
		{"to that time in another spot", 2,
			{.spot_id = ground.spots[1],
				.has_spot_id = true,
				.starts_at = fixture_hour(20),
				.has_starts_at = true,
				.ends_at = fixture_hour(22),
				.has_ends_at = true},
			OK, NULL},
		{"whatever the version, the note away", -1, {.has_note = true}, OK, NULL},
	};

	(void)state;
	(void)booked(&rival, 0, 20, 22);
	(void)booked(&user, 2, 30, 33);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct booking after;
		struct call call;
		enum err err = update(&user, "User", &mine.id, cases[i].if_match, &cases[i].change, &after, &call);

		CHECK(cases[i].name, err == cases[i].err);
		CHECK(cases[i].name, !cases[i].reason || str_eq_c(call.reason, cases[i].reason));
		CHECK(cases[i].name, err != OK || call.version == after.version);
	}
	{
		struct call call = fixture_call(desk, OPID_booking_read, &tenant, &user, "User");
		const struct booking_ref ref = {.id = mine.id};
		struct booking read = {0};

		MUST(handle_booking_read(&call, &ref, &read));
		assert_int_equal(read.version, 4);
		assert_true(uuid_eq(&read.spot_id, &ground.spots[1]));
		assert_null(read.note.p);
	}
}

static void test_a_stay_in_a_pool_is_changed_within_what_is_left(void **state)
{
	const struct uuid pool = fixture_pool(desk, &ground, 1);
	struct booking_create_request wish = fixture_wish(NULL, 0, 2);
	struct booking mine, theirs, after;
	struct booking_update_request change = {.ends_at = fixture_hour(3), .has_ends_at = true};
	struct call call;

	(void)state;
	wish.area_id = pool;
	wish.has_area_id = true;
	MUST(book(&user, "User", &wish, &mine));
	wish.starts_at = fixture_hour(3);
	wish.ends_at = fixture_hour(4);
	MUST(book(&rival, "User", &wish, &theirs));
	MUST(update(&user, "User", &mine.id, 1, &change, &after, &call));
	change.ends_at = fixture_hour(4);
	assert_int_equal(update(&user, "User", &mine.id, 2, &change, &after, &call), ERR_AREA_FULL);
}

static enum err cancel(
	const struct uuid *who, const char *role, const struct uuid *id, int64_t if_match, struct booking *out)
{
	struct call call = fixture_call(desk, OPID_booking_cancel, &tenant, who, role);
	const struct booking_ref ref = {.id = *id};

	call.if_match = if_match;
	*out = (struct booking){0};
	return handle_booking_cancel(&call, &ref, out);
}

static void test_cancelling_frees_the_spot_and_the_person(void **state)
{
	const struct booking mine = booked(&user, 0, 10, 12);
	struct booking after;

	(void)state;
	assert_int_equal(cancel(&user, "User", &mine.id, 2, &after), ERR_VERSION_STALE);
	MUST(cancel(&user, "User", &mine.id, 1, &after));
	assert_true(str_eq_c(after.status, "cancelled"));
	assert_true(str_eq_c(after.reason, "cancelled_by_person"));
	assert_int_equal(after.version, 2);
	assert_int_equal(cancel(&user, "User", &mine.id, 2, &after), ERR_CONFLICT);
	(void)booked(&rival, 0, 10, 12);
	(void)booked(&user, 1, 10, 12);
}

static void test_who_may_touch_a_stay(void **state)
{
	const struct booking mine = booked(&user, 0, 10, 12);
	const struct uuid security = fixture_uuid(5), none = UUID_NIL;
	const struct {
		const char *name;
		const struct uuid *who;
		const char *role;
		enum err read, change;
		const char *reason;
	} cases[] = {
		{"a stranger sees nothing", &rival, "User", ERR_NOT_FOUND, ERR_NOT_FOUND, NULL},
		{"an assistant of somebody else sees"
		 " nothing",
			&rival, "Assistant", ERR_NOT_FOUND, ERR_NOT_FOUND, NULL},
		{"Security sees and changes nothing", &security, "Security", OK, ERR_FORBIDDEN, NULL},
		{"the assistant does both", &assistant, "Assistant", OK, ERR_VERSION_STALE, NULL},
		{"a delegation without the permission does nothing", &assistant, "User", ERR_NOT_FOUND, ERR_NOT_FOUND,
			NULL},
		{"Reception does both", &reception, "Reception", OK, ERR_VERSION_STALE, NULL},
		{"a client with Reception's rights does both", &none, "Reception", OK, ERR_VERSION_STALE, NULL},
		{"a client with a User's rights does nothing", &none, "User", ERR_NOT_FOUND, ERR_NOT_FOUND, NULL},
		{"oneself", &user, "User", OK, ERR_VERSION_STALE, NULL},
	};

	(void)state;
	delegate(&assistant, &user);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct call call = fixture_call(desk, OPID_booking_read, &tenant, cases[i].who, cases[i].role);
		const struct booking_ref ref = {.id = mine.id};
		struct booking out = {0};

		CHECK(cases[i].name, handle_booking_read(&call, &ref, &out) == cases[i].read);
		CHECK(cases[i].name, cancel(cases[i].who, cases[i].role, &mine.id, 99, &out) == cases[i].change);
	}
	{
		const struct uuid other = fixture_uuid(0x30000);
		struct call call = fixture_call(desk, OPID_booking_read, &other, &user, "Admin");
		const struct booking_ref ref = {.id = mine.id};
		struct booking out = {0};

		assert_int_equal(handle_booking_read(&call, &ref, &out), ERR_NOT_FOUND);
		assert_null(call.reason.p);
	}
}

static void test_arriving_and_leaving_frees_the_rest(void **state)
{
	const instant_us now = clock_now_us();
	struct booking_create_request wish = {
		.spot_id = ground.spots[0], .has_spot_id = true, .starts_at = now, .ends_at = now + 60 * US_PER_MIN};
	struct call call;
	struct booking mine, after = {0}, late;
	struct booking_ref ref;

	(void)state;
	MUST(book(&user, "User", &wish, &mine));
	late = booked(&user, 0, 10, 11);
	ref = (struct booking_ref){.id = late.id};
	call = fixture_call(desk, OPID_booking_check_in, &tenant, &user, "User");
	assert_int_equal(handle_booking_check_in(&call, &ref, &after), ERR_RULE);
	assert_true(str_eq_c(call.reason, "too_early"));

	ref.id = mine.id;
	call = fixture_call(desk, OPID_booking_check_out, &tenant, &user, "User");
	assert_int_equal(handle_booking_check_out(&call, &ref, &after), ERR_CONFLICT);
	for (int i = 0; i < 2; i++) { /* again with the same key */
		call = fixture_call(desk, OPID_booking_check_in, &tenant, &user, "User");
		fixture_key(&call, "in", "in");
		MUST(handle_booking_check_in(&call, &ref, &after));
		assert_int_equal(call.version, 2);
		assert_true(str_eq_c(after.status, "checked_in"));
	}
	call = fixture_call(desk, OPID_booking_check_in, &tenant, &user, "User");
	assert_int_equal(handle_booking_check_in(&call, &ref, &after), ERR_CONFLICT);
	assert_int_equal(cancel(&user, "User", &mine.id, 2, &after), ERR_CONFLICT);
	call = fixture_call(desk, OPID_booking_check_out, &tenant, &user, "User");
	MUST(handle_booking_check_out(&call, &ref, &after));
	assert_true(str_eq_c(after.status, "completed"));
	assert_true(after.checked_out_at >= after.checked_in_at);
	assert_int_equal(after.ends_at, wish.ends_at);
	wish.starts_at = clock_now_us();
	MUST(book(&rival, "User", &wish, &after));
}

/* -- lists -- */

static enum err list(const struct uuid *who, const char *role, const struct booking_list_request *request,
	struct booking_page *out, struct call *call_out)
{
	*call_out = fixture_call(desk, OPID_booking_list, &tenant, who, role);
	*out = (struct booking_page){0};
	return handle_booking_list(call_out, request, out);
}

static void test_lists_come_in_pages_by_start(void **state)
{
	struct booking_list_request request = {.limit = 3, .has_limit = true};
	struct booking_page page;
	struct call call;
	instant_us last = 0;
	size_t seen = 0;

	(void)state;
	for (int i = 0; i < 10; i++)
		(void)booked(&user, (size_t)i % 3, 2 * ((i * 7) % 10), 2 * ((i * 7) % 10) + 1);
	(void)booked(&rival, 0, 100, 101);
	do {
		MUST(list(&user, "User", &request, &page, &call));
		assert_true(page.items.count <= 3);
		for (size_t i = 0; i < page.items.count; i++, seen++) {
			assert_true(page.items.items[i].starts_at > last);
			last = page.items.items[i].starts_at;
			assert_true(uuid_eq(&page.items.items[i].person_id, &user));
		}
		request.cursor = page.next_cursor;
		request.has_cursor = true;
	} while (page.next_cursor.p);
	assert_int_equal(seen, 10);
}

static void test_list_filters_and_scopes(void **state)
{
	const struct ground other = fixture_ground(desk, &tenant, 1);
	const struct uuid security = fixture_uuid(5), stranger = fixture_uuid(77);
	struct booking first, cancelled;
	const struct {
		const char *name;
		const struct uuid *who;
		const char *role;
		struct booking_list_request request;
		enum err err;
		size_t count;
	} cases[] = {
		{"one's own", &user, "User", {0}, OK, 3},
		{"nobody's", &stranger, "User", {0}, OK, 0},
		{"one's own, named", &user, "User", {.person_id = user, .has_person_id = true}, OK, 3},
		{"another's", &user, "User", {.person_id = rival, .has_person_id = true}, ERR_FORBIDDEN, 0},
		{"everyone's", &user, "User", {.everyone = true, .has_everyone = true}, ERR_FORBIDDEN, 0},
		{"everyone's, by Security", &security, "Security", {.everyone = true, .has_everyone = true}, OK, 4},
		{"another's, by Security", &security, "Security", {.person_id = rival, .has_person_id = true}, OK, 1},
		{"a principal's", &assistant, "Assistant", {.person_id = user, .has_person_id = true}, OK, 3},
		{"not a principal's", &assistant, "Assistant", {.person_id = rival, .has_person_id = true},
			ERR_FORBIDDEN, 0},
		{"by status", &user, "User", {.status = STR("cancelled"), .has_status = true}, OK, 1},
		{"by site", &user, "User", {.site_id = other.site, .has_site_id = true}, OK, 1},
		{"that end after", &user, "User", {.from = fixture_hour(12), .has_from = true}, OK, 2},
		{"that end after, but not at", &user, "User", {.from = fixture_hour(11), .has_from = true}, OK, 3},
		{"that start before", &user, "User", {.to = fixture_hour(20), .has_to = true}, OK, 1},
		{"between", &security, "Security",
			{.everyone = true,
				.has_everyone = true,
				.from = fixture_hour(15),
				.has_from = true,
				.to = fixture_hour(25),
				.has_to = true},
			OK, 2},
		{"a cursor of"
		 " letters",
			&user, "User", {.cursor = STR("AAAA"), .has_cursor = true}, ERR_BAD_CURSOR, 0},
	};

	(void)state;
	first = booked(&user, 0, 10, 12);
	cancelled = booked(&user, 0, 20, 22);
	{
		struct booking_create_request wish = fixture_wish(&other.spots[0], 30, 32);
		struct booking booking;

		MUST(book(&user, "User", &wish, &booking));
	}
	MUST(cancel(&user, "User", &cancelled.id, 1, &first));
	(void)booked(&rival, 0, 20, 22);
	delegate(&assistant, &user);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct booking_page page;
		struct call call;

		CHECK(cases[i].name,
			list(cases[i].who, cases[i].role, &cases[i].request, &page, &call) == cases[i].err);
		CHECK(cases[i].name, page.items.count == cases[i].count);
	}
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
		CASE(test_a_stay_is_made_and_read_back),
		CASE(test_overlaps),
		CASE(test_one_person_may_be_in_two_companies),
		CASE(test_an_area_gives_its_spots_by_name_and_then_is_full),
		CASE(test_a_pool_counts_what_is_held_at_one_time),
		CASE(test_refusals_say_why),
		CASE(test_who_may_book_for_whom),
		CASE(test_a_repeated_key_gets_the_first_answer),
		CASE(test_anothers_note_stands_in_the_bookers_answer_until_their_erasure),
		CASE(test_changing_a_stay),
		CASE(test_a_stay_in_a_pool_is_changed_within_what_is_left),
		CASE(test_cancelling_frees_the_spot_and_the_person),
		CASE(test_who_may_touch_a_stay),
		CASE(test_arriving_and_leaving_frees_the_rest),
		CASE(test_lists_come_in_pages_by_start),
		CASE(test_list_filters_and_scopes),
	};

	return cmocka_run_group_tests(tests, fixture_start, tear_down);
}
