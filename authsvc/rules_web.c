/* SPDX-License-Identifier: Apache-2.0 */
#include "rules_web.h"

#define COOKIE_VALUE_MAX 200
#define COOKIES_MAX 100
#define LANGUAGES_MAX 20
#define WEIGHT_WHOLE 1000 /* q=1 */

static bool handle_ok(struct str value)
{
	if (value.len == 0 || value.len > COOKIE_VALUE_MAX)
		return false;
	for (size_t i = 0; i < value.len; i++) {
		char c = value.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
			    c == '_'))
			return false;
	}
	return true;
}

struct str rules_cookie_get(struct str header, const char *name)
{
	struct str found = STR_NONE;
	struct str pair, key;
	size_t count = 0;
	bool more;

	if (header.p == NULL)
		return STR_NONE;
	do {
		more = str_cut(&header, ';', &pair);
		pair = str_trim(pair);
		if (!str_cut(&pair, '=', &key) || !str_eq_c(key, name))
			continue;
		if (found.p != NULL || !handle_ok(pair))
			return STR_NONE;
		found = pair;
	} while (more && ++count < COOKIES_MAX);
	return found;
}

/* The language part of a tag as fr-BE (RFC 5646). */
static bool tag_locale(struct str tag, enum locale *locale_out)
{
	struct str language;

	(void)str_cut(&tag, '-', &language);
	for (int i = 0; i < LOCALE_COUNT; i++) {
		if (str_eq_nocase(language, str_from(rules_locale_name((enum locale)i)))) {
			*locale_out = (enum locale)i;
			return true;
		}
	}
	return false;
}

/* RFC 9110 section 12.4.2, in thousandths; what is malformed weighs nothing. */
static int weight_of(struct str parameters)
{
	int weight = 0;
	int scale = 100;

	parameters = str_trim(parameters);
	if (parameters.len == 0)
		return WEIGHT_WHOLE;
	if (!(str_starts(parameters, "q=") || str_starts(parameters, "Q=")) || parameters.len < 3)
		return 0;
	if (parameters.p[2] == '1')
		return WEIGHT_WHOLE;
	if (parameters.p[2] != '0' || (parameters.len > 3 && parameters.p[3] != '.'))
		return 0;
	for (size_t i = 4; i < parameters.len && scale > 0; i++, scale /= 10) {
		if (parameters.p[i] < '0' || parameters.p[i] > '9')
			return 0;
		weight += (parameters.p[i] - '0') * scale;
	}
	return weight;
}

static bool choose_ui(struct str list, enum locale *locale_out)
{
	struct str tag;
	size_t count = 0;
	bool more;

	do {
		more = str_cut(&list, ' ', &tag);
		if (tag_locale(tag, locale_out))
			return true;
	} while (more && ++count < LANGUAGES_MAX);
	return false;
}

static bool choose_accepted(struct str list, enum locale *locale_out)
{
	enum locale locale;
	struct str range, tag;
	int best = 0;
	size_t count = 0;
	bool more;

	do {
		int weight;

		more = str_cut(&list, ',', &range);
		(void)str_cut(&range, ';', &tag);
		weight = weight_of(range);
		if (weight > best && tag_locale(str_trim(tag), &locale)) {
			best = weight;
			*locale_out = locale;
		}
	} while (more && ++count < LANGUAGES_MAX);
	return best > 0;
}

enum locale rules_locale_choose(struct str ui_locales, struct str accept_language, enum locale fallback)
{
	enum locale locale = fallback;

	if (ui_locales.len > 0 && choose_ui(ui_locales, &locale))
		return locale;
	if (accept_language.len > 0 && choose_accepted(accept_language, &locale))
		return locale;
	return fallback;
}
