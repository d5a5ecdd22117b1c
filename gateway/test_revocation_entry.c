/* SPDX-License-Identifier: Apache-2.0 */
#include "revocation_entry.h"

#include "base/test.h"

#define ID "id 0192a3b4-c5d6-7e8f-8a9b-0c1d2e3f4a5b\n"
#define TIMES "before_us 5\nuntil_us 9\n"

static void what_is_not_whole_is_no_revocation(void **state)
{
	static const struct {
		const char *name, *text;
		bool taken;
		enum revocation_kind kind;
	} cases[] = {
		{"a session", "kind session\n" ID TIMES, true, REVOCATION_SESSION},
		{"a token", "kind token\n" ID TIMES, true, REVOCATION_TOKEN},
		{"a person", "kind person\n" ID TIMES, true, REVOCATION_PERSON},
		{"a tenant", "kind tenant\n" ID TIMES, true, REVOCATION_TENANT},
		{"a client by any text", "kind client\nid somebody\n" TIMES, true, REVOCATION_CLIENT},
		{"in any order", TIMES ID "kind person\n", true, REVOCATION_PERSON},
		{"with a field that is not known", "more x\nkind person\n" ID TIMES, true, REVOCATION_PERSON},
		{"with nothing that was issued before", "kind person\n" ID "until_us 9\n", true, REVOCATION_PERSON},
		{"nothing", "", false, 0},
		{"no kind", ID TIMES, false, 0},
		{"a kind that is not known", "kind else\n" ID TIMES, false, 0},
		{"a kind and then one that is not known", "kind person\nkind else\n" ID TIMES, false, 0},
		{"no id", "kind person\n" TIMES, false, 0},
		{"an id that is none", "kind person\nid 1\n" TIMES, false, 0},
		{"a client without an id", "kind client\nid \n" TIMES, false, 0},
		{"no end", "kind person\n" ID "before_us 5\n", false, 0},
		{"an end that is none", "kind person\n" ID "until_us soon\n", false, 0},
		{"an end before all time", "kind person\n" ID "until_us -1\n", false, 0},
		{"an end beyond counting", "kind person\n" ID "until_us 99999999999999999999\n", false, 0},
		{"a beginning that is none", "kind person\n" ID "before_us 1e3\nuntil_us 9\n", false, 0},
		{"a beginning that is none, and then one", "kind person\n" ID "before_us x\n" TIMES, false, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct revocation_entry entry = {.broken = false};
		struct str rest = str_from(cases[i].text), line, name;

		while (str_cut(&rest, '\n', &line)) {
			(void)str_cut(&line, ' ', &name);
			revocation_entry_field(&entry, name, line);
		}
		CHECK(cases[i].name, revocation_entry_whole(&entry) == cases[i].taken);
		CHECK(cases[i].name, !cases[i].taken || entry.revocation.kind == cases[i].kind);
		CHECK(cases[i].name, !cases[i].taken || entry.revocation.until == 9);
	}
}

static void an_id_is_two_numbers_and_they_come_in_order(void **state)
{
	static const struct {
		const char *text;
		bool taken;
		struct revocation_place place;
	} cases[] = {
		{"0-0", true, {0, 0}},
		{"1760000000000-3", true, {1760000000000, 3}},
		{"18446744073709551615-18446744073709551615", true, {UINT64_MAX, UINT64_MAX}},
		{"18446744073709551616-0", false, {0, 0}},
		{"0-18446744073709551616", false, {0, 0}},
		{"5", false, {0, 0}},
		{"", false, {0, 0}},
		{"-", false, {0, 0}},
		{"5-", false, {0, 0}},
		{"-5", false, {0, 0}},
		{"5-1-1", false, {0, 0}},
		{"5--1", false, {0, 0}},
		{"5-1 ", false, {0, 0}},
		{"+5-1", false, {0, 0}},
		{"5-*", false, {0, 0}},
		{"$", false, {0, 0}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct revocation_place place = {0, 0};

		CHECK(cases[i].text, revocation_entry_place(str_from(cases[i].text), &place) == cases[i].taken);
		CHECK(cases[i].text, place.ms == cases[i].place.ms && place.sequence == cases[i].place.sequence);
	}
	assert_false(revocation_entry_place(STR_NONE, &(struct revocation_place){0, 0}));
	assert_false(revocation_entry_place(STR("5-1\0"), &(struct revocation_place){0, 0}));
	assert_true(revocation_entry_is_behind((struct revocation_place){5, 2}, (struct revocation_place){5, 1}));
	assert_true(revocation_entry_is_behind((struct revocation_place){6, 0}, (struct revocation_place){5, 9}));
	assert_false(revocation_entry_is_behind((struct revocation_place){5, 1}, (struct revocation_place){5, 1}));
	assert_false(revocation_entry_is_behind((struct revocation_place){4, 9}, (struct revocation_place){5, 1}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_id_is_two_numbers_and_they_come_in_order),
		cmocka_unit_test(what_is_not_whole_is_no_revocation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
