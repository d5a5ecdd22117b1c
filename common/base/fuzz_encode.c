/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/encode.h"

typedef struct str (*encode_fn)(struct arena *arena, struct str in);

/* What a strict decoder takes has one form only: encoding what came out gives the input again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const encode_fn strict[][2] = {{base64_decode, base64_encode}, {base64url_decode, base64url_encode}};
	static const encode_fn other[][2] = {
		{hex_decode, hex_encode}, {percent_decode, percent_encode}, {form_decode, percent_encode}};
	struct arena *arena = arena_new(16 << 20);
	struct str in = {(const char *)data, len};
	struct str out;

	if (arena == NULL)
		return 0;
	for (size_t i = 0; i < 2; i++) {
		out = strict[i][0](arena, in);
		if (out.p != NULL && !str_eq(strict[i][1](arena, out), in))
			abort();
	}
	for (size_t i = 0; i < 3; i++) {
		out = other[i][0](arena, in);
		if (out.p != NULL && !str_eq(other[i][0](arena, other[i][1](arena, out)), out))
			abort();
	}
	out = html_escape(arena, in);
	for (size_t i = 0; i < out.len; i++) {
		if (out.p[i] == '<' || out.p[i] == '>' || out.p[i] == '"' || out.p[i] == '\'')
			abort();
	}
	arena_free(&arena);
	return 0;
}
