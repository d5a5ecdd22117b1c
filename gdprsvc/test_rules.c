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

static void what_an_error_does_to_an_erasure(void **state)
{
	static const struct {
		const char *name;
		instant_us accepted_at;
		enum erasure_step step;
		enum err err;
		enum erasure_fate fate;
	} cases[] = {
		{"an unknown person is forgotten", 0, ERASURE_AUTH, ERR_NOT_FOUND, ERASURE_WITHDRAWN},
		{"the last Admin stays and the erasure goes", 0, ERASURE_AUTH, ERR_CONFLICT, ERASURE_WITHDRAWN},
		{"a question that reached nobody is forgotten", 0, ERASURE_AUTH, ERR_UNAVAILABLE, ERASURE_WITHDRAWN},
		{"so is one that a stopping authsvc did not execute", 0, ERASURE_AUTH, ERR_DRAINING, ERASURE_WITHDRAWN},
		{"an outcome that nobody knows is asked for again", 0, ERASURE_AUTH, ERR_DEADLINE, ERASURE_STAYS},
		{"a failing authsvc is asked again", 0, ERASURE_AUTH, ERR_INTERNAL, ERASURE_STAYS},
		{"a limit is not a refusal", 0, ERASURE_AUTH, ERR_RATE_LIMITED, ERASURE_STAYS},
		{"once agreed, nothing takes it back", 5, ERASURE_AUTH, ERR_CONFLICT, ERASURE_STAYS},
		{"once agreed, an absent authsvc is waited for", 5, ERASURE_AUTH, ERR_UNAVAILABLE, ERASURE_STAYS},
		{"bookingsvc cannot refuse", 5, ERASURE_BOOKING, ERR_NOT_FOUND, ERASURE_STAYS},
		{"nor can auditsvc", 5, ERASURE_AUDIT, ERR_FORBIDDEN, ERASURE_STAYS},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct erasure_record erasure = {.accepted_at = cases[i].accepted_at, .pending = ERASURE_ALL};

		CHECK(cases[i].name, erasure_fate(&erasure, cases[i].step, cases[i].err) == cases[i].fate);
	}
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
		cmocka_unit_test(what_an_error_does_to_an_erasure),
		cmocka_unit_test(a_cursor_reads_back_and_a_foreign_one_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
