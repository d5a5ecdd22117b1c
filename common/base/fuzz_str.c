/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/str.h"

/*
 * Bytes of the character at p by the plain definition: decode, then refuse what is not the shortest form of a scalar.
 */
static size_t plain_step(const uint8_t *p, size_t len)
{
	size_t need = p[0] < 0x80             ? 1
	              : (p[0] & 0xe0) == 0xc0 ? 2
	              : (p[0] & 0xf0) == 0xe0 ? 3
	              : (p[0] & 0xf8) == 0xf0 ? 4
	                                      : 0;
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t point;

	if (need == 0 || need > len)
		return 0;
	point = need == 1 ? p[0] : p[0] & (0x7fu >> need);
	for (size_t i = 1; i < need; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (p[i] & 0x3f);
	}
	return point < least[need] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff) ? 0 : need;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str s = {(const char *)data, len};
	struct str rest = s;
	struct str head;
	uint64_t value;
	size_t at = 0, step;

	while (at < len && (step = plain_step(data + at, len - at)) > 0)
		at += step;
	if (str_utf8_len(s) != at || str_is_utf8(s) != (at == len))
		abort();
	if (str_to_u64(s, UINT64_MAX, &value) == OK && (len == 0 || len > 20 || (data[0] == '0' && len > 1)))
		abort();
	if (!str_eq(s, s) || !str_eq_nocase(s, s) || !str_eq_secret(s, s) || str_trim(s).len > len)
		abort();
	for (step = 0; str_cut(&rest, ',', &head); step++)
		at = step;
	return 0;
}
