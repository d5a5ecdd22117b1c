/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test_fixture.h"
#include "types.h"

#define SERVICE_DEF "contract/bookingsvc.def"
#include "service/handlers.h"

/* Sites, areas, spots, availability, vehicles, delegations, totals, and whoami. */

#define MUST(call) assert_int_equal((call), OK)

static struct desk *desk;
static struct uuid tenant, admin, user, rival;
static unsigned next_tenant = 1;

static int set_up(void **state)
{
	(void)state;
	if (!desk)
		desk = desk_new();
	arena_reset(desk->worker.arena);
	tenant = fixture_uuid(0x10000 + next_tenant++);
	admin = fixture_uuid(999999);
	user = fixture_uuid(1);
	rival = fixture_uuid(2);
	return 0;
}

static struct call by(enum operation_id operation, const struct uuid *person, const char *role)
{
	return fixture_call(desk, operation, &tenant, person, role);
}

static void test_whoami_needs_no_database(void **state)
{
	struct worker worker = {.arena = desk->worker.arena};
	struct call call = by(OPID_whoami_read, &user, "Security");
	struct empty nothing;
	struct whoami reply = {0};
	struct fault fault;
	bool seen = false;

	(void)state;
	call.worker = &worker;
	MUST(token_add_role(&call.token, STR("Security")));
	MUST(handle_whoami_read(&call, &nothing, &reply));
	MUST(shape_check(shape_whoami(), &reply, &fault));
	assert_true(uuid_eq(&reply.tenant_id, &tenant));
	assert_int_equal(reply.roles.count, 1);
	for (size_t i = 0; i < reply.permissions.count; i++) {
		seen |= str_eq_c(reply.permissions.items[i], "vehicle.read_all");
		assert_false(str_eq_c(reply.permissions.items[i], "site.manage"));
	}
	assert_true(seen);
}

static void test_a_site_has_a_zone_that_exists(void **state)
{
	static const struct {
		const char *name, *zone;
		enum err err;
	} cases[] = {
		{"one of Europe", "Europe/Brussels", OK},
		{"UTC", "UTC", OK},
		{"one that follows the grammar but is not there", "Europe/Atlantis", ERR_BAD_FIELD},
		{"one in small letters", "europe/brussels", ERR_BAD_FIELD},
		{"a POSIX rule", "Europe/Paris3", ERR_BAD_FIELD},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct call call = by(OPID_site_create, &admin, "Admin");
		const struct site_create_request wish = {.name = STR("S"), .time_zone = str_from(cases[i].zone)};
		struct site site = {0};

		CHECK(cases[i].name, handle_site_create(&call, &wish, &site) == cases[i].err);
		CHECK(cases[i].name, cases[i].err == OK || str_eq_c(call.field, "time_zone"));
	}
}

static void test_sites_are_changed_by_version_and_told(void **state)
{
	const struct ground ground = fixture_ground(desk, &tenant, 0);
	struct site_update_request change = {.id = ground.site, .name = STR("Lyon"), .has_name = true};
	struct call call = by(OPID_site_update, &admin, "Admin");
	struct site site = {0};

	(void)state;
	call.if_match = 2;
	assert_int_equal(handle_site_update(&call, &change, &site), ERR_VERSION_STALE);
	call.if_match = 1;
	MUST(handle_site_update(&call, &change, &site));
	assert_int_equal(call.version, 2);
	assert_true(str_eq_c(site.name, "Lyon"));
	assert_int_equal(fixture_count("select count(*) from booking.outbox where action = 'site.update'"), 1);
	change.id = user;
	assert_int_equal(handle_site_update(&call, &change, &site), ERR_NOT_FOUND);
}

static void test_another_tenants_places_are_not_there(void **state)
{
	const struct ground ground = fixture_ground(desk, &tenant, 1);
	const struct uuid other = fixture_uuid(0x20000);
	const struct site_ref site_ref = {.id = ground.site};
	const struct area_ref area_ref = {.id = ground.area};
	const struct spot_ref spot_ref = {.id = ground.spots[0]};
	const struct area_create_request area_wish = {.site_id = ground.site, .name = STR("x")};
	const struct spot_create_request spot_wish = {.area_id = ground.area, .name = STR("x")};
	struct call call = fixture_call(desk, OPID_site_read, &other, &admin, "Admin");
	struct site site = {0};
	struct area area = {0};
	struct spot spot = {0};

	(void)state;
	assert_int_equal(handle_site_read(&call, &site_ref, &site), ERR_NOT_FOUND);
	assert_int_equal(handle_area_read(&call, &area_ref, &area), ERR_NOT_FOUND);
	assert_int_equal(handle_spot_read(&call, &spot_ref, &spot), ERR_NOT_FOUND);
	assert_int_equal(handle_area_create(&call, &area_wish, &area), ERR_NOT_FOUND);
	assert_int_equal(handle_spot_create(&call, &spot_wish, &spot), ERR_NOT_FOUND);
}

static void test_areas_and_spots(void **state)
{
	const struct ground ground = fixture_ground(desk, &tenant, 2);
	const struct uuid pool = fixture_pool(desk, &ground, 5);
	const struct {
		const char *name;
		struct area_create_request wish;
		enum err err;
		const char *field;
	} areas[] = {
		{"a pool without capacity", {.site_id = ground.site, .name = STR("x"), .inventory = STR("pooled")},
			ERR_BAD_FIELD, "capacity"},
		{"a capacity of named spots",
			{.site_id = ground.site, .name = STR("x"), .capacity = 3, .has_capacity = true}, ERR_BAD_FIELD,
			"capacity"},
		{"a site that is not there", {.site_id = user, .name = STR("x")}, ERR_NOT_FOUND, "site_id"},
	};
	const struct {
		const char *name;
		struct spot_create_request wish;
		enum err err;
		const char *field;
	} spots[] = {
		{"a name twice", {.area_id = ground.area, .name = STR("01")}, ERR_CONFLICT, "name"},
		{"a spot of a pool", {.area_id = pool, .name = STR("01")}, ERR_RULE, "area_id"},
		{"an area that is not there", {.area_id = user, .name = STR("01")}, ERR_NOT_FOUND, "area_id"},
	};
	struct spot_list_request list = {.area_id = ground.area, .has_area_id = true, .limit = 1, .has_limit = true};
	struct spot_page page = {0};
	struct call call;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(areas); i++) {
		struct area area = {0};

		call = by(OPID_area_create, &admin, "Admin");
		CHECK(areas[i].name, handle_area_create(&call, &areas[i].wish, &area) == areas[i].err);
		CHECK(areas[i].name, str_eq_c(call.field, areas[i].field));
	}
	for (size_t i = 0; i < COUNT_OF(spots); i++) {
		struct spot spot = {0};

		call = by(OPID_spot_create, &admin, "Admin");
		CHECK(spots[i].name, handle_spot_create(&call, &spots[i].wish, &spot) == spots[i].err);
		CHECK(spots[i].name, str_eq_c(call.field, spots[i].field));
	}
	call = by(OPID_spot_list, &user, "User");
	MUST(handle_spot_list(&call, &list, &page));
	assert_int_equal(page.items.count, 1);
	assert_non_null(page.next_cursor.p);
	list.cursor = page.next_cursor;
	page = (struct spot_page){0};
	MUST(handle_spot_list(&call, &list, &page));
	assert_true(uuid_eq(&page.items.items[0].id, &ground.spots[1]));
	assert_null(page.next_cursor.p);
	{
		/* A cursor of another list. */
		struct area_list_request other = {.cursor = list.cursor};
		struct area_page areas_page = {0};

		assert_int_equal(handle_area_list(&call, &other, &areas_page), ERR_BAD_CURSOR);
	}
}

static void book(const struct uuid *person, const struct uuid *spot, const struct uuid *area, int from, int to)
{
	struct booking_create_request wish = fixture_wish(spot, from, to);
	struct booking booking;

	if (area) {
		wish.area_id = *area;
		wish.has_area_id = true;
	}
	MUST(fixture_book(desk, &tenant, person, "User", &wish, &booking));
}

static void test_a_pool_is_not_made_smaller_than_booked(void **state)
{
	const struct ground ground = fixture_ground(desk, &tenant, 0);
	const struct uuid pool = fixture_pool(desk, &ground, 5);
	struct area_update_request change = {.id = pool, .capacity = 1, .has_capacity = true};
	struct call call = by(OPID_area_update, &admin, "Admin");
	struct area area = {0};

	(void)state;
	book(&user, NULL, &pool, 10, 12);
	book(&rival, NULL, &pool, 11, 13);
	call.if_match = 1;
	assert_int_equal(handle_area_update(&call, &change, &area), ERR_CONFLICT);
	assert_true(str_eq_c(call.reason, "capacity_booked"));
	change.capacity = 2;
	MUST(handle_area_update(&call, &change, &area));
	assert_int_equal(area.capacity, 2);
	{
		struct booking_create_request wish = fixture_wish(NULL, 20, 21);
		struct booking booking;

		wish.area_id = pool;
		wish.has_area_id = true;
		MUST(fixture_book(desk, &tenant, &user, "User", &wish, &booking));
		assert_int_equal(booking.policy_version, 2);
	}
}

static void test_a_closed_spot_takes_no_new_stay(void **state)
{
	const struct ground ground = fixture_ground(desk, &tenant, 1);
	const struct spot_update_request change = {.id = ground.spots[0], .status = STR("closed"), .has_status = true};
	struct booking_create_request wish = fixture_wish(&ground.spots[0], 4, 5);
	struct call call = by(OPID_spot_update, &admin, "Admin");
	struct spot spot = {0};
	struct booking booking;

	(void)state;
	book(&user, &ground.spots[0], NULL, 1, 2);
	call.if_match = 1;
	MUST(handle_spot_update(&call, &change, &spot));
	assert_true(str_eq_c(spot.status, "closed"));
	assert_int_equal(fixture_book(desk, &tenant, &user, "User", &wish, &booking), ERR_RULE);
	wish.has_spot_id = false;
	wish.area_id = ground.area;
	wish.has_area_id = true;
	assert_int_equal(fixture_book(desk, &tenant, &user, "User", &wish, &booking), ERR_AREA_FULL);
}

static void test_availability_explains_itself(void **state)
{
	const struct ground ground = fixture_ground(desk, &tenant, 3);
	const struct uuid pool = fixture_pool(desk, &ground, 1);
	const struct spot_update_request close = {.id = ground.spots[2], .status = STR("closed"), .has_status = true};
	const struct {
		const char *name;
		int from, to;
		bool with_area;
		int64_t free_named, free_pool;
		const char *spot_reasons[3];
		const char *area_reason, *pool_reason;
	} cases[] = {
		{"when one spot and the pool are"
		 " taken",
			10, 12, false, 1, 0, {"spot_taken", NULL, "spot_closed"}, NULL, "area_full"},
		{"right before", 8, 10, false, 2, 1, {NULL, NULL, "spot_closed"}, NULL, NULL},
		{"right after", 12, 14, false, 2, 1, {NULL, NULL, "spot_closed"}, NULL, NULL},
		{"one area alone", 11, 20, true, 1, -1, {"spot_taken", NULL, "spot_closed"}, NULL, NULL},
		{"in the past", -10, -8, true, 2, -1, {NULL, NULL, "spot_closed"}, "in_the_past", NULL},
		{"too long", 20, 45, true, 2, -1, {NULL, NULL, "spot_closed"}, "stay_too_long", NULL},
		{"too far", 24 * 370, 24 * 370 + 1, true, 2, -1, {NULL, NULL, "spot_closed"}, "beyond_window", NULL},
	};
	struct call call = by(OPID_spot_update, &admin, "Admin");
	struct spot spot = {0};

	(void)state;
	book(&user, &ground.spots[0], NULL, 10, 12);
	book(&rival, NULL, &pool, 10, 12);
	call.if_match = 1;
	MUST(handle_spot_update(&call, &close, &spot));
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct availability_request request = {.site_id = ground.site,
			.starts_at = fixture_hour(cases[i].from),
			.ends_at = fixture_hour(cases[i].to),
			.area_id = ground.area,
			.has_area_id = cases[i].with_area};
		struct availability reply = {0};
		struct fault fault;

		call = by(OPID_availability_read, &user, "User");
		CHECK(cases[i].name, handle_availability_read(&call, &request, &reply) == OK);
		CHECK(cases[i].name, shape_check(shape_availability(), &reply, &fault) == OK);
		CHECK(cases[i].name, reply.areas.count == (cases[i].with_area ? 1 : 2));
		CHECK(cases[i].name, reply.areas.items[0].free == cases[i].free_named);
		CHECK(cases[i].name, reply.areas.items[0].capacity == 3);
		CHECK(cases[i].name, str_eq(reply.areas.items[0].reason, str_from(cases[i].area_reason)));
		CHECK(cases[i].name, reply.areas.items[0].spots.count == 3);
		for (size_t k = 0; k < 3; k++) {
			const struct spot_availability *one = &reply.areas.items[0].spots.items[k];

			CHECK(cases[i].name, str_eq(one->reason, str_from(cases[i].spot_reasons[k])));
			CHECK(cases[i].name, one->free == (cases[i].spot_reasons[k] == NULL));
		}
		if (cases[i].with_area)
			continue;
		CHECK(cases[i].name, reply.areas.items[1].free == cases[i].free_pool);
		CHECK(cases[i].name, str_eq(reply.areas.items[1].reason, str_from(cases[i].pool_reason)));
	}
}

static void test_shorter_stays_do_not_hide_longer_ones(void **state)
{
	const struct ground ground = fixture_ground(desk, &tenant, 1);
	const struct area_update_request change = {
		.id = ground.area, .longest_stay_min = 60, .has_longest_stay_min = true};
	const struct availability_request request = {
		.site_id = ground.site, .starts_at = fixture_hour(20), .ends_at = fixture_hour(21)};
	struct call call = by(OPID_area_update, &admin, "Admin");
	struct area area = {0};
	struct availability reply = {0};
	struct booking_create_request wish = fixture_wish(NULL, 20, 21);
	struct booking booking;

	(void)state;
	book(&user, &ground.spots[0], NULL, 1, 23);
	call.if_match = 1;
	MUST(handle_area_update(&call, &change, &area));
	call = by(OPID_availability_read, &user, "User");
	MUST(handle_availability_read(&call, &request, &reply));
	assert_int_equal(reply.areas.items[0].free, 0);
	wish.area_id = ground.area;
	wish.has_area_id = true;
	assert_int_equal(fixture_book(desk, &tenant, &rival, "User", &wish, &booking), ERR_AREA_FULL);
}

/* Who leaves before their stay begins holds nothing of it: neither before nor after, nor across the moment. */
static void test_a_stay_that_was_left_before_it_began_is_in_nobodys_way(void **state)
{
	const struct ground ground = fixture_ground(desk, &tenant, 1);
	const instant_us soon = clock_now_us() + 600 * US_PER_S;
	const struct availability_request request = {
		.site_id = ground.site, .starts_at = soon - 300 * US_PER_S, .ends_at = soon + 1200 * US_PER_S};
	struct booking_create_request wish = {
		.spot_id = ground.spots[0], .has_spot_id = true, .starts_at = soon, .ends_at = soon + 900 * US_PER_S};
	struct availability reply = {0};
	struct booking booking, away;
	struct booking_ref ref;
	struct call call;

	(void)state;
	MUST(fixture_book(desk, &tenant, &user, "User", &wish, &booking));
	ref.id = booking.id;
	call = by(OPID_booking_check_in, &user, "User");
	MUST(handle_booking_check_in(&call, &ref, &booking));
	call = by(OPID_booking_check_out, &user, "User");
	MUST(handle_booking_check_out(&call, &ref, &booking));

	call = by(OPID_availability_read, &user, "User");
	MUST(handle_availability_read(&call, &request, &reply));
	assert_int_equal(reply.areas.items[0].free, 1);
	wish = (struct booking_create_request){.area_id = ground.area,
		.has_area_id = true,
		.starts_at = request.starts_at,
		.ends_at = request.ends_at};
	MUST(fixture_book(desk, &tenant, &rival, "User", &wish, &away));
	/* The reason is the rival's own stay, once it is elsewhere. */
	call = by(OPID_booking_cancel, &rival, "User");
	call.if_match = 1;
	ref.id = away.id;
	MUST(handle_booking_cancel(&call, &ref, &away));
	{
		const struct ground elsewhere = fixture_ground(desk, &tenant, 1);

		wish.spot_id = elsewhere.spots[0];
		wish.has_spot_id = true;
		wish.has_area_id = false;
		MUST(fixture_book(desk, &tenant, &rival, "User", &wish, &away));
		wish.spot_id = ground.spots[0];
		assert_int_equal(fixture_book(desk, &tenant, &rival, "User", &wish, &away), ERR_PERSON_UNAVAILABLE);
	}
}

/* A window of one day: whatever is still today or tomorrow in Auckland, and nothing of the day after. */
static void test_the_planning_window_counts_the_days_of_the_site(void **state)
{
	struct call call = by(OPID_site_create, &admin, "Admin");
	const struct site_create_request site_wish = {.name = STR("NZ"), .time_zone = STR("Pacific/Auckland")};
	struct area_create_request area_wish = {.name = STR("A"),
		.inventory = STR("pooled"),
		.capacity = 9,
		.has_capacity = true,
		.window_days = 1,
		.has_window_days = true};
	struct site site = {0};
	struct area area = {0};
	struct booking_create_request wish = {.has_area_id = true};
	struct booking booking;
	instant_us midnight;

	(void)state;
	MUST(handle_site_create(&call, &site_wish, &site));
	area_wish.site_id = site.id;
	call = by(OPID_area_create, &admin, "Admin");
	MUST(handle_area_create(&call, &area_wish, &area));
	midnight = fixture_count("select (extract(epoch from (date_trunc('day', now() at time zone"
				 " 'Pacific/Auckland')"
				 " + interval '2 days') at time zone 'Pacific/Auckland'))::bigint") *
	           US_PER_S;
	wish.area_id = area.id;
	wish.starts_at = midnight - US_PER_S;
	wish.ends_at = midnight + 60 * US_PER_S;
	MUST(fixture_book(desk, &tenant, &user, "User", &wish, &booking));
	wish.starts_at = midnight;
	assert_int_equal(fixture_book(desk, &tenant, &rival, "User", &wish, &booking), ERR_RULE);
}

/* -- vehicles -- */

static enum err register_plate(
	const struct uuid *person, const char *plate, const char *country, struct vehicle *out, struct call *call)
{
	const struct vehicle_create_request wish = {
		.plate = str_from(plate), .country = str_from(country), .label = STR("blue")};

	*call = by(OPID_vehicle_create, person, "User");
	*out = (struct vehicle){0};
	return handle_vehicle_create(call, &wish, out);
}

static void test_vehicles(void **state)
{
	const struct uuid security = fixture_uuid(5);
	struct vehicle_list_request find = {.plate = STR("ab 123 cd"), .has_plate = true};
	struct vehicle mine, other;
	struct vehicle_page page = {0};
	struct vehicle_ref ref;
	struct empty nothing;
	struct call call;

	(void)state;
	MUST(register_plate(&user, "ab-123-cd", "fr", &mine, &call));
	assert_true(str_eq_c(mine.plate, "AB123CD"));
	assert_true(str_eq_c(mine.country, "FR"));
	assert_int_equal(register_plate(&rival, "AB 123 CD", "FR", &other, &call), ERR_CONFLICT);
	assert_true(str_eq_c(call.reason, "plate_registered"));
	MUST(register_plate(&rival, "AB 123 CD", "BE", &other, &call));
	assert_int_equal(register_plate(&user, "AB;1", "FR", &other, &call), ERR_BAD_FIELD);
	assert_true(str_eq_c(call.field, "plate"));
	assert_int_equal(
		fixture_count("select count(*) from booking.vehicle where position('AB123CD'::bytea in plate) >"
			      " 0"),
		0);

	call = by(OPID_vehicle_list, &user, "User");
	assert_int_equal(handle_vehicle_list(&call, &find, &page), ERR_FORBIDDEN);
	assert_true(str_eq_c(call.reason, "vehicle.read_all"));
	call = by(OPID_vehicle_list, &security, "Security");
	MUST(handle_vehicle_list(&call, &find, &page));
	assert_int_equal(page.items.count, 2);
	find.country = STR("FR");
	find.has_country = true;
	page = (struct vehicle_page){0};
	MUST(handle_vehicle_list(&call, &find, &page));
	assert_int_equal(page.items.count, 1);
	assert_true(str_eq_c(page.items.items[0].plate, "AB123CD"));
	assert_true(uuid_eq(&page.items.items[0].person_id, &user));
	find.plate = STR("ZZ999ZZ");
	page = (struct vehicle_page){0};
	MUST(handle_vehicle_list(&call, &find, &page));
	assert_int_equal(page.items.count, 0);
	assert_int_equal(fixture_count("select count(*) from booking.outbox where action = 'vehicle.search'"), 3);

	ref = (struct vehicle_ref){.id = mine.id};
	call = by(OPID_vehicle_read, &rival, "User");
	assert_int_equal(handle_vehicle_read(&call, &ref, &other), ERR_NOT_FOUND);
	assert_int_equal(handle_vehicle_delete(&call, &ref, &nothing), ERR_NOT_FOUND);
	call = by(OPID_vehicle_delete, &user, "User");
	MUST(handle_vehicle_read(&call, &ref, &other));
	assert_true(str_eq_c(other.label, "blue"));
	MUST(handle_vehicle_delete(&call, &ref, &nothing));
	assert_int_equal(handle_vehicle_delete(&call, &ref, &nothing), ERR_NOT_FOUND);
	MUST(register_plate(&rival, "AB 123 CD", "FR", &other, &call));
}

static void test_a_person_has_so_many_vehicles(void **state)
{
	struct vehicle vehicle;
	struct call call;
	char plate[10];

	(void)state;
	for (int i = 0; i < VEHICLES_OF_PERSON_MAX; i++) {
		snprintf(plate, sizeof(plate), "AB%03d", i);
		MUST(register_plate(&user, plate, "FR", &vehicle, &call));
	}
	assert_int_equal(register_plate(&user, "ZZ999", "FR", &vehicle, &call), ERR_RULE);
}

static void test_a_client_has_no_vehicles(void **state)
{
	const struct uuid none = UUID_NIL;
	struct vehicle_list_request all = {0};
	struct vehicle_page page = {0};
	struct vehicle vehicle;
	struct call call;

	(void)state;
	assert_int_equal(register_plate(&none, "AB123", "FR", &vehicle, &call), ERR_FORBIDDEN);
	assert_int_equal(handle_vehicle_list(&call, &all, &page), ERR_FORBIDDEN);
}

static void test_delegations(void **state)
{
	const struct uuid nobody = {{0xee}};
	const struct {
		const char *name;
		const struct uuid *assistant, *principal;
		enum err err;
		const char *field;
	} cases[] = {
		{"two people", &user, &rival, OK, NULL},
		{"the same again", &user, &rival, ERR_CONFLICT, NULL},
		{"the other way round", &rival, &user, OK, NULL},
		{"oneself", &user, &user, ERR_BAD_FIELD, "principal_id"},
		{"an assistant who does not exist", &nobody, &user, ERR_NOT_FOUND, "assistant_id"},
		{"a principal who does not exist", &user, &nobody, ERR_NOT_FOUND, "principal_id"},
	};
	struct delegation first = {0};
	struct delegation_page page = {0};
	const struct page_request all = {0};
	struct delegation_ref ref;
	struct empty nothing;
	struct call call;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct delegation_create_request wish = {
			.assistant_id = *cases[i].assistant, .principal_id = *cases[i].principal};
		struct delegation made = {0};

		call = by(OPID_delegation_create, &admin, "Admin");
		CHECK(cases[i].name, handle_delegation_create(&call, &wish, &made) == cases[i].err);
		CHECK(cases[i].name, !cases[i].field || str_eq_c(call.field, cases[i].field));
		if (i == 0)
			first = made;
	}
	call = by(OPID_delegation_list, &admin, "Admin");
	MUST(handle_delegation_list(&call, &all, &page));
	assert_int_equal(page.items.count, 2);
	ref = (struct delegation_ref){.id = first.id};
	call = by(OPID_delegation_delete, &admin, "Admin");
	MUST(handle_delegation_delete(&call, &ref, &nothing));
	assert_int_equal(handle_delegation_delete(&call, &ref, &nothing), ERR_NOT_FOUND);
}

static void test_totals(void **state)
{
	const struct ground ground = fixture_ground(desk, &tenant, 2);
	const struct totals_request request = {
		.site_id = ground.site, .from = fixture_hour(10), .to = fixture_hour(30)};
	struct booking_create_request wish = fixture_wish(&ground.spots[1], 20, 22);
	struct booking booking;
	struct booking_ref ref;
	struct totals totals = {0};
	struct call call;

	(void)state;
	book(&user, &ground.spots[0], NULL, 8, 11); /* before */
	book(&user, &ground.spots[0], NULL, 20, 22);
	book(&user, &ground.spots[0], NULL, 30, 31); /* after */
	MUST(fixture_book(desk, &tenant, &rival, "User", &wish, &booking));
	ref = (struct booking_ref){.id = booking.id};
	call = by(OPID_booking_cancel, &rival, "User");
	call.if_match = 1;
	MUST(handle_booking_cancel(&call, &ref, &booking));
	call = by(OPID_totals_read, &admin, "Admin");
	MUST(handle_totals_read(&call, &request, &totals));
	assert_int_equal(totals.bookings, 2);
	assert_int_equal(totals.cancelled, 1);
	assert_int_equal(totals.arrived, 0);
	assert_int_equal(totals.booked_minutes, 120);
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
		CASE(test_whoami_needs_no_database),
		CASE(test_a_site_has_a_zone_that_exists),
		CASE(test_sites_are_changed_by_version_and_told),
		CASE(test_another_tenants_places_are_not_there),
		CASE(test_areas_and_spots),
		CASE(test_a_pool_is_not_made_smaller_than_booked),
		CASE(test_a_closed_spot_takes_no_new_stay),
		CASE(test_availability_explains_itself),
		CASE(test_shorter_stays_do_not_hide_longer_ones),
		CASE(test_a_stay_that_was_left_before_it_began_is_in_nobodys_way),
		CASE(test_the_planning_window_counts_the_days_of_the_site),
		CASE(test_vehicles),
		CASE(test_a_person_has_so_many_vehicles),
		CASE(test_a_client_has_no_vehicles),
		CASE(test_delegations),
		CASE(test_totals),
	};

	return cmocka_run_group_tests(tests, fixture_start, tear_down);
}
