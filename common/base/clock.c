/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <string.h>
#include <time.h>

#ifdef BERTH_TEST_BUILD
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * The wall clock of a test build jumps while it runs: by the microseconds, one int64, that stand in the file of
 * BERTH_CLOCK_SHIFT. Mapped before main, for no file can be opened once the process is confined.
 */
static const instant_us *shift;

__attribute__((constructor)) static void map_shift(void)
{
	const char *path = getenv("BERTH_CLOCK_SHIFT");
	int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *page = fd >= 0 ? mmap(NULL, sizeof(*shift), PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;

	if (page != MAP_FAILED)
		shift = page;
	if (fd >= 0)
		close(fd);
}

static instant_us shifted_by(void)
{
	return shift != NULL ? __atomic_load_n(shift, __ATOMIC_RELAXED) : 0;
}
#else
#define shifted_by() INT64_C(0)
#endif

instant_us clock_now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (instant_us)now.tv_sec * US_PER_S + now.tv_nsec / 1000 + shifted_by();
}

uint64_t clock_monotonic_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* Days since 1970-01-01 and back, proleptic Gregorian; years begin in March so that a leap day comes last. */
static int64_t days_from_civil(int64_t year, int64_t month, int64_t day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = y / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static void civil_from_days(int64_t days, int64_t *year_out, int64_t *month_out, int64_t *day_out)
{
	int64_t z = days + 719468;
	int64_t era = z / 146097;
	int64_t day_of_era = z - era * 146097;
	int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t shifted = (5 * day_of_year + 2) / 153;

	*day_out = day_of_year - (153 * shifted + 2) / 5 + 1;
	*month_out = shifted < 10 ? shifted + 3 : shifted - 9;
	*year_out = year_of_era + era * 400 + (*month_out <= 2 ? 1 : 0);
}

/* `width` decimal digits with leading zeros. */
static char *put_digits(char *p, int64_t value, int width)
{
	for (int i = width - 1; i >= 0; i--) {
		p[i] = (char)('0' + value % 10);
		value /= 10;
	}
	return p + width;
}

void instant_format(instant_us at, char text_out[INSTANT_TEXT_MAX])
{
	int64_t year, month, day, us_of_day, fraction;
	char *p = text_out;

	at = at < INSTANT_MIN ? INSTANT_MIN : at > INSTANT_MAX ? INSTANT_MAX : at;
	civil_from_days(at / US_PER_DAY, &year, &month, &day);
	us_of_day = at % US_PER_DAY;
	fraction = us_of_day % US_PER_S;
	p = put_digits(p, year, 4);
	*p++ = '-';
	p = put_digits(p, month, 2);
	*p++ = '-';
	p = put_digits(p, day, 2);
	*p++ = 'T';
	p = put_digits(p, us_of_day / (3600 * US_PER_S), 2);
	*p++ = ':';
	p = put_digits(p, us_of_day / (60 * US_PER_S) % 60, 2);
	*p++ = ':';
	p = put_digits(p, us_of_day / US_PER_S % 60, 2);
	if (fraction != 0) {
		*p++ = '.';
		p = put_digits(p, fraction, 6);
		while (p[-1] == '0')
			p--;
	}
	*p++ = 'Z';
	*p = '\0';
}

struct str instant_text(struct arena *arena, instant_us at)
{
	char text[INSTANT_TEXT_MAX];

	instant_format(at, text);
	return arena_copy(arena, str_from(text));
}

/* Reads `width` digits at *s as a number within [min, max]; false else. */
static bool take_digits(struct str *s, size_t width, int64_t min, int64_t max, int64_t *value_out)
{
	int64_t value = 0;

	if (s->len < width)
		return false;
	for (size_t i = 0; i < width; i++) {
		if (s->p[i] < '0' || s->p[i] > '9')
			return false;
		value = value * 10 + (s->p[i] - '0');
	}
	s->p += width;
	s->len -= width;
	*value_out = value;
	return value >= min && value <= max;
}

/* Reads one of the bytes of `any`. */
static bool take_byte(struct str *s, const char *any)
{
	if (s->len == 0 || s->p[0] == '\0' || strchr(any, s->p[0]) == NULL)
		return false;
	s->p++;
	s->len--;
	return true;
}

static int64_t days_in_month(int64_t year, int64_t month)
{
	static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return month == 2 && leap ? 29 : days[month - 1];
}

#define FRACTION_DIGITS_MAX 9

/* An optional "." and one to nine digits, as clocks that count nanoseconds write; what is below a microsecond goes. */
static bool take_fraction(struct str *s, int64_t *us_out)
{
	int64_t unit = US_PER_S;
	size_t digits = 0;

	*us_out = 0;
	if (!take_byte(s, "."))
		return true;
	for (; s->len > 0 && s->p[0] >= '0' && s->p[0] <= '9'; digits++) {
		if (digits == FRACTION_DIGITS_MAX)
			return false;
		unit /= 10;
		*us_out += (s->p[0] - '0') * unit;
		s->p++;
		s->len--;
	}
	return digits > 0;
}

/* "Z" or "+hh:mm" or "-hh:mm"; RFC 3339 lets letters be of either case. */
static bool take_offset(struct str *s, int64_t *offset_us_out)
{
	int64_t hour, minute;
	bool west;

	*offset_us_out = 0;
	if (take_byte(s, "Zz"))
		return true;
	west = s->len > 0 && s->p[0] == '-';
	if (!take_byte(s, "+-") || !take_digits(s, 2, 0, 23, &hour) || !take_byte(s, ":") ||
		!take_digits(s, 2, 0, 59, &minute))
		return false;
	*offset_us_out = (hour * 3600 + minute * 60) * US_PER_S * (west ? -1 : 1);
	return true;
}

static bool take_date(struct str *s, int64_t *days_out)
{
	int64_t year, month, day;

	if (!take_digits(s, 4, 0, 9999, &year) || !take_byte(s, "-") || !take_digits(s, 2, 1, 12, &month) ||
		!take_byte(s, "-") || !take_digits(s, 2, 1, days_in_month(year, month), &day))
		return false;
	/* Year 0 and its neighbours are refused below by their sign; the arithmetic wants no negative year. */
	*days_out = year < 1969 ? INT64_C(-1000) : days_from_civil(year, month, day);
	return true;
}

enum err instant_parse(struct str text, instant_us *at_out)
{
	int64_t days, hour, minute, second, fraction_us, offset_us, at;
	struct str s = text;

	*at_out = 0;
	if (!take_date(&s, &days) || !take_byte(&s, "Tt"))
		return ERR_BAD_FIELD;
	if (!take_digits(&s, 2, 0, 23, &hour) || !take_byte(&s, ":") || !take_digits(&s, 2, 0, 59, &minute) ||
		!take_byte(&s, ":") || !take_digits(&s, 2, 0, 59, &second))
		return ERR_BAD_FIELD;
	if (!take_fraction(&s, &fraction_us) || !take_offset(&s, &offset_us) || s.len != 0)
		return ERR_BAD_FIELD;
	at = days * US_PER_DAY + (hour * 3600 + minute * 60 + second) * US_PER_S + fraction_us - offset_us;
	if (at < INSTANT_MIN || at > INSTANT_MAX)
		return ERR_BAD_FIELD;
	*at_out = at;
	return OK;
}
