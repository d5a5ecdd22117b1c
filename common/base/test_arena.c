/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/arena.h"
#include "base/test.h"

static void memory_is_zeroed_and_aligned_also_after_a_reset(void **state)
{
	struct arena *arena = arena_new(1 << 20);

	(void)state;
	assert_non_null(arena);
	for (int round = 0; round < 3; round++) {
		for (size_t len = 0; len < 3000; len += 7) {
			unsigned char *p = arena_take(arena, len);

			assert_non_null(p);
			assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
			for (size_t i = 0; i < len; i++)
				assert_int_equal(p[i], 0);
			memset(p, 0xa5, len);
			if (arena_used(arena) > 900000)
				break;
		}
		arena_reset(arena);
		assert_int_equal(arena_used(arena), 0);
	}
	arena_free(&arena);
	assert_null(arena);
	arena_free(&arena);
}

static void a_full_arena_gives_nothing_and_works_again_after_a_reset(void **state)
{
	struct arena *arena = arena_new(1000);

	(void)state;
	assert_null(arena_take(arena, 1001));
	assert_non_null(arena_take(arena, 1000));
	assert_null(arena_take(arena, 1));
	assert_null(arena_copy(arena, STR("")).p);
	assert_null(arena_printf(arena, "%d", 5).p);
	arena_reset(arena);
	assert_non_null(arena_take(arena, 992));
	assert_non_null(arena_take(arena, 8));
	assert_null(arena_take(arena, SIZE_MAX));
	assert_null(arena_take_array(arena, SIZE_MAX / 2, 3));
	arena_free(&arena);
}

static void one_large_item_may_take_the_whole_cap(void **state)
{
	struct arena *arena = arena_new(5 << 20);

	(void)state;
	assert_non_null(arena_take(arena, 5 << 20));
	arena_reset(arena);
	for (int i = 0; i < 5; i++)
		assert_non_null(arena_take(arena, 1 << 20));
	assert_null(arena_take(arena, 1));
	arena_free(&arena);
}

static void copies_end_with_a_nul(void **state)
{
	struct arena *arena = arena_new(4096);
	struct str copy;

	(void)state;
	copy = arena_copy(arena, STR("abc\0def"));
	assert_int_equal(copy.len, 7);
	assert_memory_equal(copy.p, "abc\0def", 8);
	copy = arena_copy(arena, STR_NONE);
	assert_true(copy.p != NULL && copy.len == 0 && copy.p[0] == '\0');
	copy = arena_printf(arena, "%s-%04d", "x", 42);
	assert_string_equal(copy.p, "x-0042");
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_zeroed_and_aligned_also_after_a_reset),
		cmocka_unit_test(a_full_arena_gives_nothing_and_works_again_after_a_reset),
		cmocka_unit_test(one_large_item_may_take_the_whole_cap),
		cmocka_unit_test(copies_end_with_a_nul),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
