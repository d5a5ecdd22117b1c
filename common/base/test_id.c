/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/test.h"

static const struct {
	const char *name;
	struct str text;
	bool good;
} cases[] = {
	{"lower case", STR("0190163d-8694-739b-aea5-966c26f8ad91"), true},
	{"upper case", STR("0190163D-8694-739B-AEA5-966C26F8AD91"), true},
	{"any version", STR("00000000-0000-0000-0000-000000000000"), true},
	{"a digit short", STR("0190163d-8694-739b-aea5-966c26f8ad9"), false},
	{"a digit long", STR("0190163d-8694-739b-aea5-966c26f8ad911"), false},
	{"braces", STR("{190163d-8694-739b-aea5-966c26f8ad9}"), false},
	{"a letter that is no digit", STR("0190163g-8694-739b-aea5-966c26f8ad91"), false},
	{"a bad low digit at the end", STR("0190163d-8694-739b-aea5-966c26f8ad9x"), false},
	{"a byte above ASCII", STR("0190163d-8694-739b-aea5-966c26f8ad9\xc1"), false},
	{"a hyphen moved", STR("0190163-d8694-739b-aea5-966c26f8ad91"), false},
	{"a space for a hyphen", STR("0190163d 8694 739b aea5 966c26f8ad91"), false},
	{"no hyphens", STR("0190163d8694739baea5966c26f8ad91"), false},
	{"a NUL inside", STR("0190163d-8694-739b-aea5-966c26f8ad9\0"), false},
	{"nothing", STR(""), false},
	{"absent", STR_NONE, false},
};

static void ids_are_read_strictly_and_written_in_lower_case(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char text[UUID_TEXT_LEN + 1];
		struct uuid id;

		if (!cases[i].good) {
			CHECK(cases[i].name, uuid_parse(cases[i].text, &id) == ERR_BAD_FIELD && uuid_is_nil(&id));
			continue;
		}
		CHECK(cases[i].name, uuid_parse(cases[i].text, &id) == OK);
		uuid_format(&id, text);
		CHECK(cases[i].name, str_eq_nocase(str_from(text), cases[i].text));
		CHECK(cases[i].name, strpbrk(text, "ABCDEF") == NULL);
	}
}

static void new_ids_are_version_7_of_now_and_grow(void **state)
{
	struct uuid last = UUID_NIL;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		uint64_t now_ms = (uint64_t)clock_now_us() / 1000;
		struct uuid id = uuid_new();
		uint64_t ms = 0;

		for (int byte = 0; byte < 6; byte++)
			ms = ms << 8 | id.b[byte];
		assert_true(ms + 5 >= now_ms && ms <= now_ms + 1000);
		assert_int_equal(id.b[6] >> 4, 7);
		assert_int_equal(id.b[8] >> 6, 2);
		assert_true(uuid_cmp(&last, &id) < 0);
		last = id;
	}
}

static void a_child_of_fork_does_not_repeat_its_parents_ids(void **state)
{
	struct uuid ours, theirs;
	int pipe_fds[2];
	pid_t child;

	(void)state;
	(void)uuid_new();
	assert_int_equal(pipe(pipe_fds), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		theirs = uuid_new();
		_exit(write(pipe_fds[1], &theirs, sizeof(theirs)) == (ssize_t)sizeof(theirs) ? 0 : 1);
	}
	ours = uuid_new();
	assert_int_equal(read(pipe_fds[0], &theirs, sizeof(theirs)), sizeof(theirs));
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_memory_not_equal(ours.b + 8, theirs.b + 8, 8);
	(void)close(pipe_fds[0]);
	(void)close(pipe_fds[1]);
}

static void random_bytes_differ(void **state)
{
	uint8_t a[32] = {0};
	uint8_t b[32] = {0};

	(void)state;
	random_bytes(a, sizeof(a));
	random_bytes(b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_are_read_strictly_and_written_in_lower_case),
		cmocka_unit_test(new_ids_are_version_7_of_now_and_grow),
		cmocka_unit_test(a_child_of_fork_does_not_repeat_its_parents_ids),
		cmocka_unit_test(random_bytes_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
