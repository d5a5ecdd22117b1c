/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "rules_plate.h"

/* Two bytes of a country, then a plate. What is taken is short, of few letters, and its own normal form. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena *arena;
	struct str normal, again;
	char country[3] = "";

	if (!arena)
		arena = arena_new(1 << 16);
	if (size < 2 || !arena)
		return 0;
	arena_reset(arena);
	(void)rules_plate_country((struct str){(const char *)data, 2}, country);
	if (rules_plate_normalise(arena, (struct str){(const char *)data + 2, size - 2}, country, &normal) != NULL)
		return 0;
	INVARIANT(normal.len >= 2 && normal.len <= 2 * PLATE_NORMAL_MAX && str_is_utf8(normal));
	for (size_t i = 0; i < normal.len; i++)
		INVARIANT((normal.p[i] >= 'A' && normal.p[i] <= 'Z') || (normal.p[i] >= '0' && normal.p[i] <= '9') ||
			  (unsigned char)normal.p[i] >= 0x80);
	INVARIANT(normal.len > PLATE_BYTES_MAX || rules_plate_normalise(arena, normal, country, &again) == NULL);
	INVARIANT(normal.len > PLATE_BYTES_MAX || str_eq(normal, again));
	return 0;
}
