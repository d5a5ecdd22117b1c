/* SPDX-License-Identifier: Apache-2.0 */
#include "rules.h"

#include "base/test.h"

static void authsvc_is_asked_first_and_auditsvc_last(void **state)
{
	static const struct {
		const char *name;
		unsigned pending;
		unsigned next;
	} cases[] = {
		{"nobody has confirmed", 7, ERASURE_AUTH},
		{"authsvc has confirmed", 6, ERASURE_BOOKING},
		{"only auditsvc has not", 4, ERASURE_AUDIT},
		{"bookingsvc confirmed out of turn", 5, ERASURE_AUTH},
		{"all have confirmed", 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		CHECK(cases[i].name, erasure_next(cases[i].pending) == cases[i].next);
}

static void only_an_untouched_erasure_may_be_withdrawn(void **state)
{
	(void)state;
	assert_true(erasure_may_withdraw(ERASURE_ALL));
	for (unsigned pending = 0; pending < ERASURE_ALL; pending++)
		assert_false(erasure_may_withdraw(pending));
}

static void a_cursor_reads_back_and_a_foreign_one_is_refused(void **state)
{
	static const char *const foreign[] = {"", "e", "ZTE", "ZS0x", "Zm9v", "????", "ZTE4NDQ2NzQ0MDczNzA5NTUxNjE2"};
	struct arena *arena = arena_new(4096);
	int64_t key = 0;

	(void)state;
	assert_int_equal(erasure_cursor_read(arena, erasure_cursor_make(arena, 42), &key), OK);
	assert_int_equal(key, 42);
	for (size_t i = 0; i < COUNT_OF(foreign); i++)
		if (i != 2)
			CHECK(foreign[i], erasure_cursor_read(arena, str_from(foreign[i]), &key) == ERR_BAD_CURSOR);
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(authsvc_is_asked_first_and_auditsvc_last),
		cmocka_unit_test(only_an_untouched_erasure_may_be_withdrawn),
		cmocka_unit_test(a_cursor_reads_back_and_a_foreign_one_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
