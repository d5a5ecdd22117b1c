/* SPDX-License-Identifier: Apache-2.0 */
#include "rules_plate.h"

#include <string.h>

/* Characters without separators. */
static const struct {
	char code[3];
	uint8_t least, most;
	bool umlauts;
} countries[] = {
	{"BE", 2, 8, false}, /* personal plates to 8 */
	{"DE", 3, 9, true},  /* 8, and E or H behind */
	{"FR", 4, 9, false}, /* AA123AA; before 2009 as 1234ABC2A */
	{"GB", 2, 7, false}, {"LU", 2, 6, false}, {"NL", 4, 6, false}, {"", 2, PLATE_NORMAL_MAX, true} /* the rest */
};

static char upper(char c)
{
	return (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
}

bool rules_plate_country(struct str country, char country_out[3])
{
	if (country.len != 2)
		return false;
	for (size_t i = 0; i < 2; i++) {
		country_out[i] = upper(country.p[i]);
		if (country_out[i] < 'A' || country_out[i] > 'Z')
			return false;
	}
	country_out[2] = '\0';
	return true;
}

/* Bytes of a separator at p, 0 when it is none: blank, hyphen, dot, middle dot, hyphen and dash of Unicode. */
static size_t separator(struct str rest)
{
	static const char *const marks[] = {
		" ", "-", ".", "\xc2\xb7", "\xc2\xa0", "\xe2\x80\x90", "\xe2\x80\x91", "\xe2\x80\x93"};

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (str_starts(rest, marks[i]))
			return strlen(marks[i]);
	return 0;
}

/*
 * One character of a plate: how many bytes it took, 0 when no plate has it. Umlauts are U+00C4, D6, DC and their
 * small forms.
 */
static size_t letter(struct str rest, bool umlauts, char out[2], size_t *out_len)
{
	char c = upper(rest.p[0]);

	if ((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) {
		out[0] = c;
		*out_len = 1;
		return 1;
	}
	if (!umlauts || rest.len < 2 || c != '\xc3')
		return 0;
	out[0] = c;
	out[1] = (char)((unsigned char)rest.p[1] & ~0x20U);
	*out_len = 2;
	return out[1] == '\x84' || out[1] == '\x96' || out[1] == '\x9c' ? 2 : 0;
}

const char *rules_plate_normalise(struct arena *arena, struct str plate, const char country[3], struct str *normal_out)
{
	char normal[PLATE_BYTES_MAX];
	size_t len = 0, chars = 0, row = 0;

	*normal_out = STR_NONE;
	while (countries[row].code[0] && memcmp(countries[row].code, country, 2) != 0)
		row++;
	if (plate.len > PLATE_BYTES_MAX)
		return "plate_too_long";
	for (size_t i = 0; i < plate.len;) {
		struct str rest = {plate.p + i, plate.len - i};
		size_t taken = separator(rest), made = 0;

		if (taken == 0) {
			if ((taken = letter(rest, countries[row].umlauts, normal + len, &made)) == 0)
				return "plate_malformed";
			chars++;
		}
		len += made;
		i += taken;
	}
	if (chars < countries[row].least)
		return "plate_too_short";
	if (chars > countries[row].most)
		return "plate_too_long";
	*normal_out = arena_copy(arena, (struct str){normal, len});
	return NULL;
}
