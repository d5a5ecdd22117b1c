/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include <string.h>

struct str str_from(const char *cstr)
{
	if (cstr == NULL)
		return STR_NONE;
	return (struct str){cstr, strlen(cstr)};
}

bool str_eq(struct str a, struct str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

bool str_eq_c(struct str a, const char *b)
{
	return str_eq(a, str_from(b));
}

static unsigned char ascii_lower(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned char)(c | 0x20) : c;
}

bool str_eq_nocase(struct str a, struct str b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++) {
		if (ascii_lower((unsigned char)a.p[i]) != ascii_lower((unsigned char)b.p[i]))
			return false;
	}
	return true;
}

bool str_starts(struct str s, const char *prefix)
{
	size_t len = strlen(prefix);

	return s.len >= len && (len == 0 || memcmp(s.p, prefix, len) == 0);
}

bool str_cut(struct str *s, char sep, struct str *head_out)
{
	const char *at = s->len > 0 ? memchr(s->p, sep, s->len) : NULL;
	size_t head_len;

	if (at == NULL) {
		*head_out = *s;
		*s = (struct str){s->p != NULL ? s->p + s->len : NULL, 0};
		return false;
	}
	head_len = (size_t)(at - s->p);
	*head_out = (struct str){s->p, head_len};
	*s = (struct str){at + 1, s->len - head_len - 1};
	return true;
}

struct str str_trim(struct str s)
{
	while (s.len > 0 && (s.p[0] == ' ' || s.p[0] == '\t')) {
		s.p++;
		s.len--;
	}
	while (s.len > 0 && (s.p[s.len - 1] == ' ' || s.p[s.len - 1] == '\t'))
		s.len--;
	return s;
}

enum err str_to_u64(struct str s, uint64_t max, uint64_t *value_out)
{
	uint64_t value = 0;

	*value_out = 0;
	if (s.len == 0 || (s.len > 1 && s.p[0] == '0'))
		return ERR_BAD_FIELD;
	for (size_t i = 0; i < s.len; i++) {
		uint64_t digit = (uint64_t)(unsigned char)s.p[i] - '0';

		if (digit > 9 || digit > max || value > (max - digit) / 10)
			return ERR_BAD_FIELD;
		value = value * 10 + digit;
	}
	*value_out = value;
	return OK;
}

/*
 * RFC 3629 section 4 by lead byte, from C2 on: the length, and the bounds of the second byte, which alone keep out
 * overlong forms, surrogates and what lies above U+10FFFF.
 */
static const struct utf8_lead {
	unsigned char first, last, len, low, high;
} utf8_leads[] = {
	{0xc2, 0xdf, 2, 0x80, 0xbf},
	{0xe0, 0xe0, 3, 0xa0, 0xbf},
	{0xe1, 0xec, 3, 0x80, 0xbf},
	{0xed, 0xed, 3, 0x80, 0x9f},
	{0xee, 0xef, 3, 0x80, 0xbf},
	{0xf0, 0xf0, 4, 0x90, 0xbf},
	{0xf1, 0xf3, 4, 0x80, 0xbf},
	{0xf4, 0xf4, 4, 0x80, 0x8f},
};

/* Length of the well-formed multi-byte sequence at p; 0 when there is none within len bytes. */
static size_t utf8_step(const unsigned char *p, size_t len)
{
	const struct utf8_lead *lead = utf8_leads;
	const struct utf8_lead *end = utf8_leads + sizeof(utf8_leads) / sizeof(utf8_leads[0]);

	while (lead < end && p[0] > lead->last)
		lead++;
	if (lead == end || p[0] < lead->first || len < lead->len || p[1] < lead->low || p[1] > lead->high)
		return 0;
	for (size_t i = 2; i < lead->len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	return lead->len;
}

size_t str_utf8_len(struct str s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	size_t at = 0;

	while (at < s.len) {
		uint64_t word;
		size_t step;

		while (s.len - at >= sizeof(word)) {
			memcpy(&word, p + at, sizeof(word));
			if ((word & UINT64_C(0x8080808080808080)) != 0)
				break;
			at += sizeof(word);
		}
		if (at == s.len)
			break;
		if (p[at] < 0x80) {
			at++;
			continue;
		}
		if ((step = utf8_step(p + at, s.len - at)) == 0)
			break;
		at += step;
	}
	return at;
}

bool str_is_utf8(struct str s)
{
	return str_utf8_len(s) == s.len;
}

bool str_eq_secret(struct str a, struct str b)
{
	volatile unsigned char diff = 0;

	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		diff = (unsigned char)(diff | (unsigned char)(a.p[i] ^ b.p[i]));
	return diff == 0;
}
