/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"

#include "link/link_health.h"

#define S_US 1000000U

/* What happens, a letter each: f fault, s slow answer, g good answer, t the ejection is over, w a minute well. */
static void play(struct link_health *health, const char *what, uint64_t *now_us)
{
	for (; *what != '\0'; what++) {
		bool eject = false;

		*now_us += 1000;
		if (*what == 'f')
			eject = link_health_fault(health);
		else if (*what == 's')
			eject = link_health_answer(health, 300000, 2000, *now_us);
		else if (*what == 'g')
			eject = link_health_answer(health, 3000, 2000, *now_us);
		else if (*what == 'w')
			*now_us += LINK_HEALTH_FORGET_US;
		else
			*now_us = health->until_us;
		if (eject)
			link_health_eject(health, *now_us);
		(void)link_health_try(health, *now_us);
	}
}

static void test_what_happens_decides_who_gets_messages(void **state)
{
	static const struct {
		const char *name, *what;
		enum link_health_state state;
	} cases[] = {
		{"nothing yet", "", LINK_HEALTH_CLOSED},
		{"two faults are borne", "ff", LINK_HEALTH_CLOSED},
		{"three in a row are not", "fff", LINK_HEALTH_OPEN},
		{"an answer between forgives", "ffgffgff", LINK_HEALTH_CLOSED},
		{"seven slow answers are borne", "sssssss", LINK_HEALTH_CLOSED},
		{"eight are not", "ssssssss", LINK_HEALTH_OPEN},
		{"a quick one between forgives", "sssssssgsssssss", LINK_HEALTH_CLOSED},
		{"answers while it is ejected change nothing", "fffgggg", LINK_HEALTH_OPEN},
		{"faults while it is ejected change nothing", "ffffff", LINK_HEALTH_OPEN},
		{"its time over it is tried", "ffft", LINK_HEALTH_HALF_OPEN},
		{"two good answers are not enough", "ffftgg", LINK_HEALTH_HALF_OPEN},
		{"three close it", "ffftggg", LINK_HEALTH_CLOSED},
		{"one fault while tried ejects", "ffftggf", LINK_HEALTH_OPEN},
		{"one slow answer while tried ejects", "ffftggs", LINK_HEALTH_OPEN},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct link_health health = {0};
		uint64_t now_us = S_US;

		play(&health, cases[i].what, &now_us);
		CHECK(cases[i].name, health.state == cases[i].state);
	}
}

static void test_each_ejection_lasts_twice_as_long_until_it_was_well_for_a_minute(void **state)
{
	struct link_health health = {0};
	uint64_t now_us = S_US, expected_us = LINK_HEALTH_FIRST_US;

	(void)state;
	play(&health, "fff", &now_us);
	for (int i = 0; i < 12; i++) {
		assert_int_equal(health.until_us - now_us, expected_us);
		play(&health, "tf", &now_us);
		expected_us = expected_us * 2 < LINK_HEALTH_LAST_US ? expected_us * 2 : LINK_HEALTH_LAST_US;
	}
	assert_int_equal(health.until_us - now_us, LINK_HEALTH_LAST_US);
	play(&health, "tgggwgfff", &now_us);
	assert_int_equal(health.until_us - now_us, LINK_HEALTH_FIRST_US);
}

static void test_one_that_is_tried_gets_one_message_at_a_time(void **state)
{
	struct link_health health = {0};
	uint64_t now_us = S_US;

	(void)state;
	assert_true(link_health_takes(&health, 7));
	play(&health, "fff", &now_us);
	assert_false(link_health_takes(&health, 0));
	play(&health, "t", &now_us);
	assert_true(link_health_takes(&health, 0));
	assert_false(link_health_takes(&health, 1));
}

static void test_nothing_is_slow_alone_or_within_a_moment(void **state)
{
	struct link_health health = {0};

	(void)state;
	for (int i = 0; i < 100; i++) {
		assert_false(link_health_answer(&health, 5 * S_US, 0, S_US));
		assert_false(link_health_answer(&health, LINK_HEALTH_SLOW_US, 10, S_US));
		assert_false(link_health_answer(&health, S_US, S_US / LINK_HEALTH_SLOW_TIMES, S_US));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_happens_decides_who_gets_messages),
		cmocka_unit_test(test_each_ejection_lasts_twice_as_long_until_it_was_well_for_a_minute),
		cmocka_unit_test(test_one_that_is_tried_gets_one_message_at_a_time),
		cmocka_unit_test(test_nothing_is_slow_alone_or_within_a_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
