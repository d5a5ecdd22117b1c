/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_BASE_STR_H
#define BERTH_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Bytes that somebody else owns (*borrows*). Not NUL-terminated. An absent string has p == NULL. */
struct str {
	const char *p;
	size_t len;
};

#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})
#define STR_NONE ((struct str){NULL, 0})
/* For printf's "%.*s". */
#define STR_ARG(s) (int)(s).len, (s).p ? (s).p : ""

struct str str_from(const char *cstr); /* NULL gives STR_NONE */
bool str_eq(struct str a, struct str b);
bool str_eq_c(struct str a, const char *b);
bool str_eq_nocase(struct str a, struct str b); /* ASCII only */
bool str_starts(struct str s, const char *prefix);
/* Cuts at the first `sep`: `*head_out` before it, `*s` after it; false and all in head when there is none. */
bool str_cut(struct str *s, char sep, struct str *head_out);
struct str str_trim(struct str s); /* SP and HTAB on both ends */
/* Decimal digits only, whole string, no sign, no leading zero but "0", at most `max`. */
MUST_USE enum err str_to_u64(struct str s, uint64_t max, uint64_t *value_out);
/* Well-formed UTF-8 by RFC 3629: no surrogate, no overlong form, nothing above U+10FFFF. */
bool str_is_utf8(struct str s);
size_t str_utf8_len(struct str s); /* bytes of the longest well-formed head */
/* Constant time in the contents when the lengths are equal. */
bool str_eq_secret(struct str a, struct str b);

#endif
