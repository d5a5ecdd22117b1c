/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/test.h"

static const struct {
	const char *name;
	struct str text;
	instant_us at;     /* -1: refused */
	const char *again; /* how it is written back; NULL: the same */
} cases[] = {
	{"the epoch", STR("1970-01-01T00:00:00Z"), 0, NULL},
	{"one microsecond", STR("1970-01-01T00:00:00.000001Z"), 1, NULL},
	{"the end of time", STR("9999-12-31T23:59:59Z"), INSTANT_MAX, NULL},
	{"a day of our days", STR("2024-02-29T12:34:56Z"), INT64_C(1709210096000000), NULL},
	{"a fraction of one digit", STR("2024-02-29T12:34:56.5Z"), INT64_C(1709210096500000), NULL},
	{"trailing zeros of a fraction go", STR("2024-02-29T12:34:56.120000Z"), INT64_C(1709210096120000),
		"2024-02-29T12:34:56.12Z"},
	{"an offset east is earlier", STR("2024-02-29T12:34:56+02:00"), INT64_C(1709202896000000),
		"2024-02-29T10:34:56Z"},
	{"an offset west is later", STR("2024-02-29T22:34:56-05:30"), INT64_C(1709265896000000),
		"2024-03-01T04:04:56Z"},
	{"lower-case letters are RFC 3339", STR("2024-02-29t12:34:56z"), INT64_C(1709210096000000),
		"2024-02-29T12:34:56Z"},
	{"an unknown local offset", STR("1970-01-01T00:00:00-00:00"), 0, "1970-01-01T00:00:00Z"},
	{"an offset may lift 1969 over the epoch", STR("1969-12-31T23:00:00-01:00"), 0, "1970-01-01T00:00:00Z"},
	{"2000 is a leap year", STR("2000-02-29T00:00:00Z"), INT64_C(951782400000000), NULL},
	{"2100 is none", STR("2100-02-29T00:00:00Z"), -1, NULL},
	{"2023 is none", STR("2023-02-29T00:00:00Z"), -1, NULL},
	{"year 0 is refused", STR("0000-02-29T00:00:00Z"), -1, NULL},
	{"before the epoch is refused", STR("1969-12-31T23:59:59Z"), -1, NULL},
	{"an offset may not go before the epoch", STR("1970-01-01T00:30:00+01:00"), -1, NULL},
	{"an offset may not go past the end", STR("9999-12-31T23:59:59-00:01"), -1, NULL},
	{"a fraction may not go past the end", STR("9999-12-31T23:59:59.5Z"), -1, NULL},
	{"month 0", STR("2024-00-10T00:00:00Z"), -1, NULL},
	{"month 13", STR("2024-13-10T00:00:00Z"), -1, NULL},
	{"day 0", STR("2024-01-00T00:00:00Z"), -1, NULL},
	{"day 32", STR("2024-01-32T00:00:00Z"), -1, NULL},
	{"the 31st of April", STR("2024-04-31T00:00:00Z"), -1, NULL},
	{"hour 24", STR("2024-01-01T24:00:00Z"), -1, NULL},
	{"minute 60", STR("2024-01-01T00:60:00Z"), -1, NULL},
	{"a leap second", STR("2016-12-31T23:59:60Z"), -1, NULL},
	{"nine digits of fraction are cut to six", STR("2024-02-29T12:34:56.123456999Z"), INT64_C(1709210096123456),
		"2024-02-29T12:34:56.123456Z"},
	{"seven as well", STR("2024-02-29T12:34:56.0000009+00:00"), INT64_C(1709210096000000), "2024-02-29T12:34:56Z"},
	{"below the end of time", STR("9999-12-31T23:59:59.000000001Z"), INSTANT_MAX, "9999-12-31T23:59:59Z"},
	{"ten digits of fraction", STR("2024-01-01T00:00:00.1234567890Z"), -1, NULL},
	{"a point without digits", STR("2024-01-01T00:00:00.Z"), -1, NULL},
	{"a comma for a point", STR("2024-01-01T00:00:00,5Z"), -1, NULL},
	{"no offset", STR("2024-01-01T00:00:00"), -1, NULL},
	{"a space for T", STR("2024-01-01 00:00:00Z"), -1, NULL},
	{"offset of 24 hours", STR("2024-01-01T00:00:00+24:00"), -1, NULL},
	{"offset of 60 minutes", STR("2024-01-01T00:00:00+00:60"), -1, NULL},
	{"offset without colon", STR("2024-01-01T00:00:00+0100"), -1, NULL},
	{"offset of hours only", STR("2024-01-01T00:00:00+01"), -1, NULL},
	{"a byte behind", STR("2024-01-01T00:00:00Z "), -1, NULL},
	{"a NUL behind", STR("2024-01-01T00:00:00Z\0"), -1, NULL},
	{"a byte before", STR(" 2024-01-01T00:00:00Z"), -1, NULL},
	{"a date only", STR("2024-01-01"), -1, NULL},
	{"a year of five digits", STR("12024-01-01T00:00:00Z"), -1, NULL},
	{"a negative year", STR("-024-01-01T00:00:00Z"), -1, NULL},
	{"a basic format", STR("20240101T000000Z"), -1, NULL},
	{"a month of one digit", STR("2024-1-01T00:00:00Z"), -1, NULL},
	{"a NUL for the T",
		STR("2024-01-01\0"
		    "00:00:00Z"),
		-1, NULL},
	{"nothing", STR(""), -1, NULL},
	{"absent", STR_NONE, -1, NULL},
};

static void instants_are_read_and_written_by_rfc_3339(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char text[INSTANT_TEXT_MAX];
		instant_us at = 77;
		enum err err = instant_parse(cases[i].text, &at);

		if (cases[i].at < 0) {
			CHECK(cases[i].name, err == ERR_BAD_FIELD && at == 0);
			continue;
		}
		CHECK(cases[i].name, err == OK && at == cases[i].at);
		instant_format(at, text);
		CHECK(cases[i].name, strcmp(text, cases[i].again != NULL ? cases[i].again : cases[i].text.p) == 0);
	}
}

static void every_day_agrees_with_the_c_library(void **state)
{
	(void)state;
	for (int64_t day = 0; day < 2932896; day += 13) {
		instant_us at = day * US_PER_DAY + (day * 7919 % 86400) * US_PER_S;
		time_t seconds = (time_t)(at / US_PER_S);
		char ours[INSTANT_TEXT_MAX];
		char theirs[INSTANT_TEXT_MAX];
		instant_us again = -1;
		struct tm tm;

		instant_format(at, ours);
		assert_non_null(gmtime_r(&seconds, &tm));
		assert_true(strftime(theirs, sizeof(theirs), "%Y-%m-%dT%H:%M:%SZ", &tm) > 0);
		assert_string_equal(ours, theirs);
		assert_int_equal(instant_parse(str_from(ours), &again), OK);
		assert_true(again == at);
	}
}

static void instants_out_of_range_are_written_as_the_nearest(void **state)
{
	char text[INSTANT_TEXT_MAX];

	(void)state;
	instant_format(INT64_MIN, text);
	assert_string_equal(text, "1970-01-01T00:00:00Z");
	instant_format(INT64_MAX, text);
	assert_string_equal(text, "9999-12-31T23:59:59Z");
}

static void clocks_run_forward(void **state)
{
	uint64_t before = clock_monotonic_us();

	(void)state;
	assert_true(clock_monotonic_us() >= before);
	assert_true(clock_now_us() > INT64_C(1700000000000000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(instants_are_read_and_written_by_rfc_3339),
		cmocka_unit_test(every_day_agrees_with_the_c_library),
		cmocka_unit_test(instants_out_of_range_are_written_as_the_nearest),
		cmocka_unit_test(clocks_run_forward),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
