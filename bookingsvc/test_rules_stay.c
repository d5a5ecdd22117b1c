/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"
#include "rules.h"

#define MIN US_PER_MIN
#define HOUR (60 * MIN)
#define NOW (INT64_C(1800000000) * US_PER_S)

static struct place place_of(enum spot_status status)
{
	return (struct place){.site_no = 1,
		.area_no = 1,
		.spot_no = 1,
		.spot_status = status,
		.inventory = INVENTORY_NAMED,
		.longest_stay_min = 600,
		.lookback_min = 600,
		.policy_version = 1,
		.window_ends_at = NOW + 30 * US_PER_DAY};
}

static void test_a_new_stay(void **state)
{
	static const struct {
		const char *name;
		instant_us starts_at, ends_at; /* from now */
		bool closed;
		enum err err;
		const char *field, *reason;
	} cases[] = {
		{"an hour from now", HOUR, 2 * HOUR, false, OK, NULL, NULL},
		{"now", 0, HOUR, false, OK, NULL, NULL},
		{"five minutes ago is within the grace", -5 * MIN, HOUR, false, OK, NULL, NULL},
		{"a microsecond earlier is not", -5 * MIN - 1, HOUR, false, ERR_RULE, "starts_at", "in_the_past"},
		{"over before it is made", -4 * MIN, 0, false, ERR_RULE, "ends_at", "in_the_past"},
		{"no length", HOUR, HOUR, false, ERR_BAD_FIELD, "ends_at", "ends_before_start"},
		{"backwards", HOUR, 0, false, ERR_BAD_FIELD, "ends_at", "ends_before_start"},
		{"as long as may be", HOUR, 11 * HOUR, false, OK, NULL, NULL},
		{"a microsecond longer", HOUR, 11 * HOUR + 1, false, ERR_RULE, "ends_at", "stay_too_long"},
		{"at the last instant of the window", 30 * US_PER_DAY - 1, 30 * US_PER_DAY + HOUR, false, OK, NULL,
			NULL},
		{"at its"
		 " end",
			30 * US_PER_DAY, 30 * US_PER_DAY + HOUR, false, ERR_RULE, "starts_at", "beyond_window"},
		{"in a closed spot", HOUR, 2 * HOUR, true, ERR_RULE, "spot_id", "spot_closed"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct place place = place_of(cases[i].closed ? SPOT_CLOSED : SPOT_OPEN);
		struct verdict verdict = rules_create(&place, NOW + cases[i].starts_at, NOW + cases[i].ends_at, NOW);

		CHECK(cases[i].name, verdict.err == cases[i].err);
		CHECK(cases[i].name, str_eq(str_from(verdict.field), str_from(cases[i].field)));
		CHECK(cases[i].name, str_eq(str_from(verdict.reason), str_from(cases[i].reason)));
		CHECK(cases[i].name, verdict.err == OK || verdict.detail);
	}
}

static void test_standing(void **state)
{
	const struct uuid a = {{1}}, b = {{2}};
	const struct {
		const char *name;
		struct caller caller;
		const struct uuid *person;
		bool is_principal;
		enum standing standing;
		enum err book, see, change;
	} cases[] = {
		{"oneself", {.person_id = a}, &a, false, STANDING_SELF, OK, OK, OK},
		{"a"
		 " stranger",
			{.person_id = a}, &b, false, STANDING_NONE, ERR_FORBIDDEN, ERR_NOT_FOUND, ERR_NOT_FOUND},
		{"a delegation without the permission", {.person_id = a}, &b, true, STANDING_NONE, ERR_FORBIDDEN,
			ERR_NOT_FOUND, ERR_NOT_FOUND},
		{"the permission without a delegation", {.person_id = a, .act_for = true}, &b, false, STANDING_NONE,
			ERR_FORBIDDEN, ERR_NOT_FOUND, ERR_NOT_FOUND},
		{"an assistant", {.person_id = a, .act_for = true}, &b, true, STANDING_ASSISTANT, OK, OK, OK},
		{"staff", {.person_id = a, .manage = true}, &b, false, STANDING_STAFF, OK, OK, OK},
		{"who sees all", {.person_id = a, .read_all = true}, &b, false, STANDING_NONE, ERR_FORBIDDEN, OK,
			ERR_FORBIDDEN},
		{"a client and nobody's stay are not each other's", {.person_id = UUID_NIL}, &UUID_NIL, false,
			STANDING_NONE, ERR_FORBIDDEN, ERR_NOT_FOUND, ERR_NOT_FOUND},
		{"staff may touch nobody's stay", {.person_id = a, .manage = true}, &UUID_NIL, false, STANDING_STAFF,
			OK, OK, OK},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		enum standing standing = rules_standing(&cases[i].caller, cases[i].person, cases[i].is_principal);

		CHECK(cases[i].name, standing == cases[i].standing);
		CHECK(cases[i].name, rules_may_book_for(standing, &cases[i].caller).err == cases[i].book);
		CHECK(cases[i].name, rules_may_touch(standing, &cases[i].caller, false).err == cases[i].see);
		CHECK(cases[i].name, rules_may_touch(standing, &cases[i].caller, true).err == cases[i].change);
	}
}

static void test_reach(void **state)
{
	const struct uuid site = {{1}}, area = {{2}}, person = {{3}}, other = {{9}}, group = {{4}};
	const struct uuid members[] = {{{5}}, {{3}}};
	const struct {
		const char *name;
		struct reach reach;
		const struct uuid *site, *area, *person;
		bool act_for, manage, read_all, site_manage;
	} cases[] = {
		{"at the site", {REACH_SITE, site, .manage = true, .read_all = true}, &site, &area, &person,
			.manage = true, .read_all = true},
		{"at another site", {REACH_SITE, site, .manage = true}, &other, &area, &person, .manage = false},
		{"at no known site", {REACH_SITE, site, .manage = true}, NULL, &area, &person, .manage = false},
		{"in the area", {REACH_AREA, area, .manage = true}, &site, &area, &person, .manage = true},
		{"an area is no site", {REACH_AREA, area, .manage = true}, &area, &site, &person, .manage = false},
		{"for the person", {REACH_PERSON, person, .act_for = true}, &site, &area, &person, .act_for = true},
		{"for another person", {REACH_PERSON, person, .act_for = true}, &site, &area, &other, .manage = false},
		{"nobody's stay is no person's", {REACH_PERSON, UUID_NIL, .manage = true}, &site, &area, &UUID_NIL,
			.manage = false},
		{"acting for is of people", {REACH_SITE, site, .act_for = true}, &site, &area, &person,
			.manage = false},
		{"managing places is of places", {REACH_PERSON, person, .site_manage = true}, &site, &area, &person,
			.manage = false},
		{"for one of a group", {REACH_GROUP, group, members, 2, .manage = true, .act_for = true}, &site, &area,
			&person, .manage = true, .act_for = true},
		{"for nobody of it", {REACH_GROUP, group, members, 2, .manage = true}, &site, &area, &other,
			.manage = false},
		{"a group is none of its people", {REACH_GROUP, group, members, 2, .manage = true}, &site, &area,
			&group, .manage = false},
		{"a group that is gone", {REACH_GROUP, group, NULL, 0, .manage = true}, &site, &area, &person,
			.manage = false},
		{"nobody's stay is of no group", {REACH_GROUP, group, members, 2, .manage = true}, &site, &area,
			&UUID_NIL, .manage = false},
		{"managing places is not of groups", {REACH_GROUP, group, members, 2, .site_manage = true}, &site,
			&area, &person, .manage = false},
		{"managing a site", {REACH_SITE, site, .site_manage = true}, &site, NULL, NULL, .site_manage = true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct caller caller = {.person_id = {{7}}, .reach_count = 1, .reach = {cases[i].reach}};
		struct caller there = rules_caller_at(&caller, cases[i].site, cases[i].area, cases[i].person);

		CHECK(cases[i].name, there.manage == cases[i].manage && there.read_all == cases[i].read_all);
		CHECK(cases[i].name, there.site_manage == cases[i].site_manage && there.assists == cases[i].act_for);
		CHECK(cases[i].name, !there.act_for);
		CHECK(cases[i].name, rules_manages_somewhere(&caller) ==
					     (cases[i].reach.manage && cases[i].reach.where < REACH_PERSON));
	}
}

static struct stay_row stay_of(enum stay_status status, instant_us starts_at, instant_us ends_at)
{
	return (struct stay_row){.spot_no = 1,
		.starts_at = NOW + starts_at,
		.ends_at = NOW + ends_at,
		.held_until = NOW + ends_at,
		.status = status,
		.version = 3};
}

static void test_the_life_of_a_stay(void **state)
{
	enum step { CANCEL, CHECK_IN, CHECK_OUT };
	static const struct {
		const char *name;
		enum step step;
		enum stay_status from;
		instant_us starts_at, ends_at; /* from now */
		enum err err;
		const char *reason; /* of the refusal */
		enum stay_status to;
		instant_us held_until; /* from now */
	} cases[] = {
		{"cancel what is to"
		 " come",
			CANCEL, STAY_CONFIRMED, HOUR, 2 * HOUR, OK, NULL, STAY_CANCELLED, 2 * HOUR},
		{"cancel what goes on", CANCEL, STAY_CONFIRMED, -HOUR, HOUR, OK, NULL, STAY_CANCELLED, HOUR},
		{"not what is over", CANCEL, STAY_CONFIRMED, -2 * HOUR, 0, ERR_CONFLICT, "stay_over", 0, 0},
		{"not twice", CANCEL, STAY_CANCELLED, HOUR, 2 * HOUR, ERR_CONFLICT, "booking_cancelled", 0, 0},
		{"not after arrival", CANCEL, STAY_CHECKED_IN, -HOUR, HOUR, ERR_CONFLICT, "already_checked_in", 0, 0},
		{"not after departure", CANCEL, STAY_COMPLETED, -HOUR, HOUR, ERR_CONFLICT, "stay_over", 0, 0},
		{"arrive in time", CHECK_IN, STAY_CONFIRMED, -HOUR, HOUR, OK, NULL, STAY_CHECKED_IN, HOUR},
		{"arrive half an hour early", CHECK_IN, STAY_CONFIRMED, 30 * MIN, HOUR, OK, NULL, STAY_CHECKED_IN,
			HOUR},
		{"not earlier", CHECK_IN, STAY_CONFIRMED, 30 * MIN + 1, HOUR, ERR_RULE, "too_early", 0, 0},
		{"not when it is over", CHECK_IN, STAY_CONFIRMED, -HOUR, 0, ERR_CONFLICT, "stay_over", 0, 0},
		{"not twice", CHECK_IN, STAY_CHECKED_IN, -HOUR, HOUR, ERR_CONFLICT, "already_checked_in", 0, 0},
		{"not when"
		 " cancelled",
			CHECK_IN, STAY_CANCELLED, -HOUR, HOUR, ERR_CONFLICT, "booking_cancelled", 0, 0},
		{"leave early and free the"
		 " rest",
			CHECK_OUT, STAY_CHECKED_IN, -HOUR, HOUR, OK, NULL, STAY_COMPLETED, 0},
		{"leave late", CHECK_OUT, STAY_CHECKED_IN, -2 * HOUR, -HOUR, OK, NULL, STAY_COMPLETED, -HOUR},
		{"leave before the start", CHECK_OUT, STAY_CHECKED_IN, 10 * MIN, HOUR, OK, NULL, STAY_COMPLETED,
			10 * MIN},
		{"not without"
		 " arriving",
			CHECK_OUT, STAY_CONFIRMED, -HOUR, HOUR, ERR_CONFLICT, "not_checked_in", 0, 0},
		{"not twice", CHECK_OUT, STAY_COMPLETED, -HOUR, HOUR, ERR_CONFLICT, "stay_over", 0, 0},
		{"not when"
		 " cancelled",
			CHECK_OUT, STAY_CANCELLED, -HOUR, HOUR, ERR_CONFLICT, "booking_cancelled", 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct stay_row stay = stay_of(cases[i].from, cases[i].starts_at, cases[i].ends_at);
		struct verdict verdict;

		if (cases[i].step == CANCEL)
			verdict = rules_cancel(&stay, STANDING_SELF, NOW);
		else
			verdict = cases[i].step == CHECK_IN ? rules_check_in(&stay, NOW) : rules_check_out(&stay, NOW);
		CHECK(cases[i].name, verdict.err == cases[i].err);
		CHECK(cases[i].name, str_eq(str_from(verdict.reason), str_from(cases[i].reason)));
		CHECK(cases[i].name, stay.status == (verdict.err == OK ? cases[i].to : cases[i].from));
		CHECK(cases[i].name, stay.version == (verdict.err == OK ? 4 : 3));
		CHECK(cases[i].name, verdict.err != OK || stay.held_until == NOW + cases[i].held_until);
	}
}

static void test_who_cancelled_is_the_reason(void **state)
{
	static const struct {
		const char *name;
		enum standing standing;
		const char *reason;
	} cases[] = {
		{"the person", STANDING_SELF, "cancelled_by_person"},
		{"an assistant", STANDING_ASSISTANT, "cancelled_by_assistant"},
		{"staff", STANDING_STAFF, "cancelled_by_staff"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct stay_row stay = stay_of(STAY_CONFIRMED, HOUR, 2 * HOUR);

		CHECK(cases[i].name, rules_cancel(&stay, cases[i].standing, NOW).err == OK);
		CHECK(cases[i].name, str_eq_c(stay.reason, cases[i].reason));
		CHECK(cases[i].name, stay.cancelled_at == NOW);
	}
}

static void test_a_change_is_judged_by_what_it_asks_for(void **state)
{
	static const struct {
		const char *name;
		enum stay_status status;
		instant_us starts_at, ends_at;         /* of the stay, from now */
		instant_us new_starts_at, new_ends_at; /* INSTANT_MAX: not asked */
		int64_t to_spot;                       /* 0: not asked */
		bool closed;
		enum err err;
		const char *reason;
	} cases[] = {
		{"nothing", STAY_CONFIRMED, HOUR, 2 * HOUR, INSTANT_MAX, INSTANT_MAX, 0, false, OK, NULL},
		{"later", STAY_CONFIRMED, HOUR, 2 * HOUR, 3 * HOUR, 4 * HOUR, 0, false, OK, NULL},
		{"over the limit of"
		 " length",
			STAY_CONFIRMED, HOUR, 2 * HOUR, INSTANT_MAX, 12 * HOUR, 0, false, ERR_RULE, "stay_too_long"},
		{"a stay of older rules may be shortened to what is still too long", STAY_CONFIRMED, HOUR, 21 * HOUR,
			INSTANT_MAX, 20 * HOUR, 0, false, OK, NULL},
		{"but not made longer", STAY_CONFIRMED, HOUR, 21 * HOUR, INSTANT_MAX, 22 * HOUR, 0, false, ERR_RULE,
			"stay_too_long"},
		{"to start in the past", STAY_CONFIRMED, HOUR, 2 * HOUR, -HOUR, INSTANT_MAX, 0, false, ERR_RULE,
			"in_the_past"},
		{"a stay that has begun may end later", STAY_CONFIRMED, -HOUR, HOUR, INSTANT_MAX, 2 * HOUR, 0, false,
			OK, NULL},
		{"or sooner", STAY_CHECKED_IN, -HOUR, HOUR, INSTANT_MAX, MIN, 0, false, OK, NULL},
		{"but not before now", STAY_CHECKED_IN, -HOUR, HOUR, INSTANT_MAX, -MIN, 0, false, ERR_RULE,
			"in_the_past"},
		{"who has arrived has started", STAY_CHECKED_IN, -HOUR, HOUR, 10 * MIN, INSTANT_MAX, 0, false,
			ERR_CONFLICT, "already_checked_in"},
		{"beyond the"
		 " window",
			STAY_CONFIRMED, HOUR, 2 * HOUR, 31 * US_PER_DAY, 31 * US_PER_DAY + HOUR, 0, false, ERR_RULE,
			"beyond_window"},
		{"to a closed spot", STAY_CONFIRMED, HOUR, 2 * HOUR, INSTANT_MAX, INSTANT_MAX, 2, true, ERR_RULE,
			"spot_closed"},
		{"a closed spot keeps its stays", STAY_CONFIRMED, HOUR, 2 * HOUR, INSTANT_MAX, 3 * HOUR, 1, true, OK,
			NULL},
		{"what is over", STAY_COMPLETED, -HOUR, HOUR, INSTANT_MAX, 2 * HOUR, 0, false, ERR_CONFLICT,
			"stay_over"},
		{"what was cancelled", STAY_CANCELLED, HOUR, 2 * HOUR, INSTANT_MAX, 3 * HOUR, 0, false, ERR_CONFLICT,
			"booking_cancelled"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct place place = place_of(cases[i].closed ? SPOT_CLOSED : SPOT_OPEN);
		struct stay_row stay = stay_of(cases[i].status, cases[i].starts_at, cases[i].ends_at);
		const struct stay_change change = {.place = &place,
			.to_spot = cases[i].to_spot != 0,
			.has_starts_at = cases[i].new_starts_at != INSTANT_MAX,
			.has_ends_at = cases[i].new_ends_at != INSTANT_MAX,
			.starts_at = cases[i].new_starts_at != INSTANT_MAX ? NOW + cases[i].new_starts_at : 0,
			.ends_at = cases[i].new_ends_at != INSTANT_MAX ? NOW + cases[i].new_ends_at : 0};
		struct verdict verdict;

		if (cases[i].to_spot)
			place.spot_no = cases[i].to_spot;
		verdict = rules_update(&stay, &change, NOW);
		CHECK(cases[i].name, verdict.err == cases[i].err);
		CHECK(cases[i].name, str_eq(str_from(verdict.reason), str_from(cases[i].reason)));
		CHECK(cases[i].name, stay.version == (verdict.err == OK ? 4 : 3));
		CHECK(cases[i].name, stay.held_until == stay.ends_at);
		CHECK(cases[i].name, verdict.err != OK || !cases[i].to_spot || stay.spot_no == cases[i].to_spot);
	}
}

static void test_erasing_the_person_ends_a_stay(void **state)
{
	struct stay_row stay = stay_of(STAY_CONFIRMED, HOUR, 2 * HOUR);

	(void)state;
	rules_erase(&stay, NOW);
	assert_int_equal(stay.status, STAY_CANCELLED);
	assert_true(str_eq_c(stay.reason, "person_erased"));
	stay = stay_of(STAY_CHECKED_IN, -HOUR, HOUR);
	rules_erase(&stay, NOW);
	assert_int_equal(stay.status, STAY_COMPLETED);
	assert_int_equal(stay.held_until, NOW);
	stay = stay_of(STAY_COMPLETED, -HOUR, HOUR);
	rules_erase(&stay, NOW);
	assert_int_equal(stay.version, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_new_stay),
		cmocka_unit_test(test_standing),
		cmocka_unit_test(test_reach),
		cmocka_unit_test(test_the_life_of_a_stay),
		cmocka_unit_test(test_who_cancelled_is_the_reason),
		cmocka_unit_test(test_a_change_is_judged_by_what_it_asks_for),
		cmocka_unit_test(test_erasing_the_person_ends_a_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
